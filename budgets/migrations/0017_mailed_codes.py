"""Codes in the letters of a mailout are one batch of their own."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0016_incidents_stay"),
        ("mailouts", "0003_print_once"),
        ("participation", "0017_mailing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="codebatch",
            name="mailout",
            field=models.ForeignKey(
                help_text="The mailout in whose letters they stand.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="mailouts.campaign",
            ),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("blocked_at", None), ("mailout__isnull", False)),
                fields=("mailout", "phase"),
                name="code_batch_one_for_a_mailout",
            ),
        ),
    ]
