import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0014_counts_per_pot"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="round",
            name="count_asked_at",
            field=models.DateTimeField(
                help_text="While a task counts a vote that would keep the asker waiting; else empty.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="round",
            name="count_asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
