import django.db.models.deletion
from django.db import migrations, models


# what was analysed before there were accepted results: the newest first run of each video, else the newest at all
FIRST_RESULTS = """
INSERT INTO jobs_acceptedresult (source_asset_id, job_id, chosen_by, accepted_at)
SELECT DISTINCT ON (source_asset_id) source_asset_id, id, '', now()
FROM jobs_detectjob WHERE status = 'completed'
ORDER BY source_asset_id, (run_type = 'initial') DESC, created_at DESC, id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("detect", "0002_limits_and_lookups"),
        ("jobs", "0004_scenarios"),
    ]

    operations = [
        migrations.CreateModel(
            name="AcceptedResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "chosen_by",
                    models.CharField(blank=True, help_text="who chose it; empty where nobody did", max_length=200),
                ),
                ("accepted_at", models.DateTimeField(auto_now_add=True)),
                ("recorded_at", models.DateTimeField(blank=True, null=True)),
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="accepted", to="jobs.detectjob"
                    ),
                ),
                (
                    "source_asset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="accepted", to="detect.sourceasset"
                    ),
                ),
                (
                    "update",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="updates",
                        to="jobs.detectjob",
                    ),
                ),
            ],
            options={
                "ordering": ["-accepted_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("recorded_at__isnull", True)),
                        fields=["accepted_at"],
                        name="result_to_record",
                    )
                ],
            },
        ),
        migrations.RunSQL(FIRST_RESULTS, migrations.RunSQL.noop),
    ]
