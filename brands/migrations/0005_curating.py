import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("brands", "0004_decision_tokens")]

    operations = [
        migrations.CreateModel(
            name="DistinctBrands",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="brands.knownbrand"
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="brands.knownbrand"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("first", "second"), name="one_row_a_pair_of_brands"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lt", models.F("second"))), name="pair_of_brands_is_in_order"
                    ),
                ],
            },
        ),
        migrations.AlterField(
            model_name="decision",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirm", "confirmed"),
                    ("new_brand", "made a brand"),
                    ("alias", "made an alias"),
                    ("rename", "renamed"),
                    ("reject", "rejected"),
                    ("restore", "no longer rejected"),
                    ("split", "split off"),
                    ("merge", "merged"),
                    ("unmerge", "un-merged"),
                    ("edit", "edited"),
                    ("distinct", "kept apart"),
                    ("delete", "deleted"),
                    ("import", "imported"),
                    ("undo", "undone"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="decision",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["changes"], name="decision_by_change", opclasses=["jsonb_path_ops"]
            ),
        ),
        migrations.AddIndex(
            model_name="brandappearance",
            index=models.Index(
                fields=["brand"], include=("seconds", "occurrences", "source_asset"), name="appearance_totals"
            ),
        ),
    ]
