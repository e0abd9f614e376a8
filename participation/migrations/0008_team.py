"""Standing behind a contribution together, and the state of one that was gathered into another."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("participation", "0007_starting_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="contribution",
            name="moderation",
            field=models.CharField(
                choices=[
                    ("pending", "Waiting for a look"),
                    ("published", "Published"),
                    ("rejected", "Not published"),
                    ("withdrawn", "Withdrawn by its author"),
                    ("merged", "Gathered into another"),
                ],
                default="pending",
                max_length=9,
                verbose_name="moderation",
            ),
        ),
        migrations.AlterField(
            model_name="processquestion",
            name="moderation",
            field=models.CharField(
                choices=[
                    ("pending", "Waiting for a look"),
                    ("published", "Published"),
                    ("rejected", "Not published"),
                    ("withdrawn", "Withdrawn by its author"),
                    ("merged", "Gathered into another"),
                ],
                default="pending",
                max_length=9,
            ),
        ),
        migrations.CreateModel(
            name="CoAuthor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("invited", "Invited"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("left", "Left"),
                        ],
                        default="invited",
                        max_length=8,
                    ),
                ),
                (
                    "email",
                    models.EmailField(
                        blank=True,
                        help_text="Empty: invited by a link.",
                        max_length=254,
                        verbose_name="e-mail",
                    ),
                ),
                ("token_hash", models.CharField(blank=True, max_length=64)),
                ("invited_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered")),
                (
                    "name_shown",
                    models.CharField(
                        choices=[
                            ("first", "First name and district"),
                            ("full", "Full name and district"),
                            ("none", "No name"),
                        ],
                        default="first",
                        max_length=5,
                        verbose_name="name shown",
                    ),
                ),
                ("age_band", models.CharField(blank=True, max_length=8)),
                ("sex", models.CharField(blank=True, max_length=1)),
                (
                    "contribution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="team",
                        to="participation.contribution",
                    ),
                ),
                (
                    "home_district",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.district",
                    ),
                ),
                (
                    "invited_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="co_authored",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "co-author",
                "verbose_name_plural": "co-authors",
                "indexes": [models.Index(fields=["contribution", "state"], name="co_author_team")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "accepted")),
                        fields=("contribution", "user"),
                        name="co_author_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "invited"), models.Q(("email", ""), _negated=True)),
                        fields=("contribution", "email"),
                        name="co_author_invited_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("token_hash", ""), _negated=True),
                        fields=("token_hash",),
                        name="co_author_token_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "accepted"), ("user__isnull", True), _connector="XOR"),
                        name="co_author_user_when_accepted",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("expires_at__isnull", False),
                                ("state", "invited"),
                                models.Q(("token_hash", ""), _negated=True),
                            ),
                            models.Q(
                                models.Q(("state", "invited"), _negated=True),
                                ("answered_at__isnull", False),
                                ("email", ""),
                                ("token_hash", ""),
                            ),
                            _connector="OR",
                        ),
                        name="co_author_address_while_invited",
                    ),
                ],
            },
        ),
    ]
