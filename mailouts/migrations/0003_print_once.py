"""A print that holds codes is fetched once, or destroyed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailouts", "0002_safety"),
    ]

    operations = [
        migrations.AddField(
            model_name="printbatch",
            name="forgotten_at",
            field=models.DateTimeField(
                help_text="Fetched once, and nobody did in time: the PDF is destroyed.", null=True
            ),
        ),
        migrations.AddField(
            model_name="printbatch",
            name="once",
            field=models.BooleanField(default=False, verbose_name="fetched once"),
        ),
    ]
