"""A notice gets its delivery, and the daily digest an hour. The columns that go later may be empty from here on, so that the way
back finds room for them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailouts", "0002_safety"), ("participation", "0013_similar")]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="delivery",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="notices",
                to="mailouts.delivery",
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="due_at",
            field=models.DateTimeField(
                help_text="Not sent before; a daily digest gathers what is due.", null=True
            ),
        ),
        migrations.AddField(
            model_name="noticepreference",
            name="digest_hour",
            field=models.PositiveSmallIntegerField(
                default=16,
                help_text="The hour of the day in Denmark.",
                verbose_name="when the daily e-mail comes",
            ),
        ),
        migrations.AddConstraint(
            model_name="noticepreference",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest_hour__lte", 23)), name="digest_hour_of_the_day"
            ),
        ),
    ]
