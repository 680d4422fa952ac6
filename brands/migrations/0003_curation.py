import json

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from detect.matching import normalize


def aliases_to_rows(apps, schema_editor):
    """One row for each alias; a spelling that two brands claim stays with the first, and a name is nobody's alias."""
    alias = apps.get_model("brands", "BrandAlias")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, normalized_name, aliases FROM brands_knownbrand ORDER BY created_at, id")
        brands = [
            (brand, name, json.loads(aliases) if isinstance(aliases, str) else aliases)
            for brand, name, aliases in cursor
        ]
    taken = {name for _, name, _ in brands}
    rows = []
    for brand, _, aliases in brands:
        for text in aliases:
            key = normalize(text)[:300]
            if key and key not in taken:
                taken.add(key)
                rows.append(alias(brand_id=brand, text=text[:300], normalized=key))
    alias.objects.bulk_create(rows)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("brands", "0002_sightings_in_pages"),
        ("detect", "0002_limits_and_lookups"),
    ]

    operations = [
        migrations.CreateModel(
            name="BrandAlias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=300)),
                ("normalized", models.CharField(editable=False, max_length=300, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name_plural": "brand aliases",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="BrandAppearance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job_id", models.UUIDField(help_text="the job whose report says so")),
                ("seconds", models.FloatField(help_text="on screen, seconds of the video")),
                ("seconds_uncertainty", models.FloatField()),
                ("occurrences", models.PositiveIntegerField()),
                ("share_of_voice", models.FloatField()),
                ("quality_score", models.FloatField()),
                ("sequence", models.PositiveIntegerField(help_text="frame of its best picture")),
                (
                    "box",
                    models.JSONField(help_text="[x, y, width, height] on that frame, pixels of the source picture"),
                ),
            ],
            options={
                "ordering": ["-seconds"],
            },
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
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
                            ("undo", "undone"),
                        ],
                        max_length=20,
                    ),
                ),
                ("by", models.CharField(help_text="user:NAME, key:NAME or command", max_length=200)),
                ("sentence", models.TextField(help_text="what was decided, for people")),
                (
                    "groups",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        default=list,
                        help_text="review groups it was made on",
                        size=None,
                    ),
                ),
                ("items", models.PositiveIntegerField(default=0, help_text="items it settled")),
                ("seconds", models.FloatField(default=0.0, help_text="of video that these stand for")),
                ("changes", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ResolvedText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=300)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReviewGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(help_text="as its longest-seen item spells it", max_length=300)),
                ("folded", models.CharField(db_index=True, max_length=300)),
                ("open_items", models.PositiveIntegerField(default=0)),
                ("open_sources", models.PositiveIntegerField(default=0)),
                ("open_seconds", models.FloatField(default=0.0)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["-open_seconds", "id"],
            },
        ),
        migrations.CreateModel(
            name="ReviewItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job_id", models.UUIDField(help_text="the job whose report shows it")),
                ("text", models.CharField(max_length=300)),
                ("normalized", models.CharField(db_index=True, max_length=300)),
                ("folded", models.CharField(db_index=True, max_length=300)),
                ("seconds", models.FloatField(help_text="on screen, seconds of the video")),
                ("time", models.FloatField(help_text="of the picture, seconds of the video")),
                ("sequence", models.PositiveIntegerField(help_text="frame of the picture")),
                (
                    "box",
                    models.JSONField(help_text="[x, y, width, height] on that frame, pixels of the source picture"),
                ),
                (
                    "crop_hash",
                    models.CharField(
                        blank=True, help_text="perceptual hash of the picture, hexadecimal", max_length=16
                    ),
                ),
                ("confidence", models.FloatField()),
                ("placement", models.CharField(max_length=20)),
                ("reason", models.TextField(blank=True, help_text="why the run did not decide")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "waits for a decision"),
                            ("brand", "is a known brand"),
                            ("rejected", "is no brand"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
            ],
            options={
                "ordering": ["-seconds", "id"],
            },
        ),
        migrations.AlterModelOptions(
            name="rejectedtext",
            options={"ordering": ["text"]},
        ),
        migrations.AddField(
            model_name="knownbrand",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                help_text="the brand it is",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged",
                to="brands.knownbrand",
            ),
        ),
        migrations.AlterField(
            model_name="sourcebrandsighting",
            name="texts",
            field=models.JSONField(default=list, help_text="normalised texts that a model resolved to the brand"),
        ),
        migrations.AddConstraint(
            model_name="knownbrand",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into", models.F("id")), _negated=True),
                name="brand_is_not_merged_into_itself",
            ),
        ),
        migrations.AddField(
            model_name="brandalias",
            name="brand",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="aliases", to="brands.knownbrand"
            ),
        ),
        migrations.AddField(
            model_name="brandappearance",
            name="brand",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="appearances", to="brands.knownbrand"
            ),
        ),
        migrations.AddField(
            model_name="brandappearance",
            name="source_asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="appearances", to="detect.sourceasset"
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="assets",
            field=models.ManyToManyField(
                help_text="whose reports it concerns", related_name="decisions", to="detect.sourceasset"
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="brand",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="decisions",
                to="brands.knownbrand",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="undoes",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="undone_by", to="brands.decision"
            ),
        ),
        migrations.AddField(
            model_name="resolvedtext",
            name="brand",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="resolved_texts", to="brands.knownbrand"
            ),
        ),
        migrations.AddField(
            model_name="resolvedtext",
            name="source_asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="resolved_texts", to="detect.sourceasset"
            ),
        ),
        migrations.AddIndex(
            model_name="reviewgroup",
            index=models.Index(
                condition=models.Q(("open_items__gt", 0)), fields=["-open_seconds", "id"], name="group_queue"
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="brand",
            field=models.ForeignKey(
                help_text="the proposed brand",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="review_items",
                to="brands.knownbrand",
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="group",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="items", to="brands.reviewgroup"
            ),
        ),
        migrations.AddField(
            model_name="reviewitem",
            name="source_asset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="review_items", to="detect.sourceasset"
            ),
        ),
        migrations.AddIndex(
            model_name="brandappearance",
            index=models.Index(fields=["brand", "-seconds"], name="appearance_by_brand"),
        ),
        migrations.AddConstraint(
            model_name="brandappearance",
            constraint=models.UniqueConstraint(fields=("source_asset", "brand"), name="one_appearance_a_source"),
        ),
        migrations.AddConstraint(
            model_name="resolvedtext",
            constraint=models.UniqueConstraint(fields=("source_asset", "text"), name="one_meaning_a_source_and_text"),
        ),
        migrations.AddIndex(
            model_name="reviewitem",
            index=models.Index(fields=["group", "state"], name="item_by_group"),
        ),
        migrations.AddConstraint(
            model_name="reviewitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "brand", "rejected"])), name="item_state_is_known"
            ),
        ),
        migrations.RunPython(aliases_to_rows, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="knownbrand",
            name="aliases",
        ),
    ]
