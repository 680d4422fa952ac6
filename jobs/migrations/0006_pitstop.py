import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0005_accepted_results"),
    ]

    operations = [
        migrations.CreateModel(
            name="PitstopRun",
            fields=[
                (
                    "job",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="pitstop",
                        serialize=False,
                        to="jobs.detectjob",
                    ),
                ),
                ("series", models.CharField(blank=True, max_length=200)),
                ("race", models.CharField(blank=True, max_length=200)),
                ("notes", models.TextField(blank=True)),
                ("input_filename", models.CharField(max_length=200)),
                ("input_size_bytes", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "pit stop",
            },
        ),
        migrations.CreateModel(
            name="MetricByHand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="of the metric, such as stop_time_s", max_length=50)),
                (
                    "value",
                    models.FloatField(help_text="seconds", validators=[django.core.validators.MinValueValidator(0.0)]),
                ),
                ("set_by", models.CharField(help_text="user:NAME or key:NAME", max_length=200)),
                ("set_at", models.DateTimeField(auto_now=True)),
                (
                    "job",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="metrics_by_hand", to="jobs.detectjob"
                    ),
                ),
            ],
            options={
                "verbose_name": "metric set by hand",
                "verbose_name_plural": "metrics set by hand",
                "ordering": ["job", "name"],
                "constraints": [
                    models.UniqueConstraint(fields=("job", "name"), name="one_value_a_metric"),
                    models.CheckConstraint(
                        condition=models.Q(("value__gte", 0), ("value__lt", float("inf"))),
                        name="metric_is_a_length_of_time",
                    ),
                ],
            },
        ),
    ]
