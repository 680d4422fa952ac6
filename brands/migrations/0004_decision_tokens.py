from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("brands", "0003_curation")]

    operations = [
        migrations.AddField(
            model_name="decision",
            name="token",
            field=models.UUIDField(
                editable=False,
                help_text="given by who asked for it: asked for again, it is not made again",
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(fields=("by", "token"), name="one_decision_a_token"),
        ),
    ]
