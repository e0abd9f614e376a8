"""Polling places, paper ballots and their accounts, incidents, turnout by the hour. What was told of an incident stays as
it was told; a correction is a line of its own."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION budgets_keep_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'An incident stays as it was told' USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER budgets_incident_kept BEFORE UPDATE ON budgets_incident
FOR EACH ROW EXECUTE FUNCTION budgets_keep_incident();
"""

BACKWARD = """
DROP TRIGGER budgets_incident_kept ON budgets_incident;
DROP FUNCTION budgets_keep_incident;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("budgets", "0008_freeze_ballots"),
        ("participation", "0007_starting_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PaperEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        help_text="The number written on the paper.", verbose_name="paper"
                    ),
                ),
                (
                    "typed",
                    models.CharField(blank=True, max_length=300, verbose_name="what stands on the paper"),
                ),
                ("choices", models.JSONField(default=list, help_text="A list of [project number, points].")),
                (
                    "spoiled",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("blank", "Blank"),
                            ("unclear", "Can't be read for certain"),
                            ("signed", "Carries a name or a mark that tells who voted"),
                            ("too_many", "Too many chosen"),
                            ("too_few", "Too few chosen"),
                            ("points", "The points don't add up"),
                            ("too_dear", "Costs more than there is"),
                            ("exclude", "Projects that exclude each other"),
                            ("no_paper", "There is no paper with this number"),
                        ],
                        max_length=8,
                        verbose_name="not valid, because",
                    ),
                ),
            ],
            options={
                "verbose_name": "paper ballot as read",
                "verbose_name_plural": "paper ballots as read",
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("first", "First reading"),
                            ("second", "Second reading"),
                            ("third", "Third look"),
                        ],
                        max_length=6,
                    ),
                ),
                ("finished", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "reading of a bundle",
                "verbose_name_plural": "readings of bundles",
            },
        ),
        migrations.CreateModel(
            name="TurnoutHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField(help_text="The full hour it counts for.")),
                ("shown", models.JSONField(default=dict, help_text="Voters per channel, as shown.")),
                ("voters", models.PositiveIntegerField(default=0, help_text="Together, as shown.")),
            ],
            options={
                "verbose_name": "turnout at an hour",
                "verbose_name_plural": "turnout by the hour",
                "ordering": ["hour"],
            },
        ),
        migrations.CreateModel(
            name="UndoneMark",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("wrong_person", "The wrong person was marked"),
                            ("changed_mind", "The voter gave the ballot paper back"),
                            ("other", "Something else"),
                        ],
                        max_length=12,
                        verbose_name="why",
                    ),
                ),
            ],
            options={
                "verbose_name": "undone mark",
                "verbose_name_plural": "undone marks",
            },
        ),
        migrations.AddField(
            model_name="round",
            name="completed_at",
            field=models.DateTimeField(
                help_text="When the paper ballots had come in too; empty where there are none.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="round",
            name="state",
            field=models.CharField(
                choices=[
                    ("voting", "Voting"),
                    ("paper", "The paper ballots are being entered"),
                    ("sealed", "Sealed"),
                    ("counted", "Counted"),
                    ("dropped", "Called off, the ballots destroyed unopened"),
                ],
                default="voting",
                max_length=7,
            ),
        ),
        migrations.CreateModel(
            name="PaperOrder",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "round_kind",
                    models.CharField(
                        choices=[("shortlist", "First round"), ("final", "Vote"), ("meeting", "Meeting")],
                        default="final",
                        max_length=9,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("number", "By number"),
                            ("title", "By title"),
                            ("cheapest", "Cheapest first"),
                            ("lot", "Drawn by lot"),
                        ],
                        default="number",
                        max_length=8,
                        verbose_name="order",
                    ),
                ),
                (
                    "seed",
                    models.CharField(
                        blank=True,
                        help_text="Decides the drawn order: anyone can work it out again from this.",
                        max_length=64,
                        verbose_name="what was drawn",
                    ),
                ),
                ("chosen_at", models.DateTimeField()),
                (
                    "chosen_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="paper_orders",
                        to="participation.process",
                    ),
                ),
            ],
            options={
                "verbose_name": "order of the printed ballot",
                "verbose_name_plural": "orders of the printed ballot",
                "ordering": ["-chosen_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="PollingPlace",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "round_kind",
                    models.CharField(
                        choices=[("shortlist", "First round"), ("final", "Vote")],
                        default="final",
                        max_length=9,
                        verbose_name="in which vote",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("address", models.CharField(max_length=200, verbose_name="address")),
                (
                    "opening_hours",
                    models.TextField(
                        help_text="As people read it: the days and the hours.",
                        max_length=500,
                        verbose_name="opening hours",
                    ),
                ),
                (
                    "access",
                    models.TextField(
                        blank=True,
                        help_text="Step-free way in, parking, the nearest bus, help to see or to write.",
                        max_length=500,
                        verbose_name="how one gets in",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        help_text="Empty: everyone who may vote can vote here.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.district",
                        verbose_name="district",
                    ),
                ),
                (
                    "officers",
                    models.ManyToManyField(
                        blank=True,
                        limit_choices_to={"role": "polling_officer"},
                        related_name="polling_places",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="polling officers",
                    ),
                ),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="polling_places",
                        to="participation.process",
                    ),
                ),
            ],
            options={
                "verbose_name": "polling place",
                "verbose_name_plural": "polling places",
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="PlaceAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("received", models.PositiveIntegerField(default=0, verbose_name="ballot papers received")),
                (
                    "left_over",
                    models.PositiveIntegerField(default=0, verbose_name="left over, never handed out"),
                ),
                (
                    "replaced",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Papers that a voter spoiled or gave back before they were in the box.",
                        verbose_name="handed in again and exchanged or cancelled",
                    ),
                ),
                (
                    "not_in_box",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Voters who left with their paper.",
                        verbose_name="handed out, but never put in the box",
                    ),
                ),
                (
                    "unmarked",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="Only when it can't be found out otherwise. The reason is public.",
                        verbose_name="in the box without a mark on the roll",
                    ),
                ),
                (
                    "unmarked_reason",
                    models.TextField(blank=True, max_length=1000, verbose_name="how that came about"),
                ),
                ("first_signed_at", models.DateTimeField(null=True)),
                ("second_signed_at", models.DateTimeField(null=True)),
                (
                    "first_signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "second_signed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "place",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account",
                        to="budgets.pollingplace",
                    ),
                ),
            ],
            options={
                "verbose_name": "account of a polling place",
                "verbose_name_plural": "accounts of polling places",
            },
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("happened_at", models.DateTimeField(verbose_name="when")),
                ("text", models.TextField(max_length=2000, verbose_name="what happened")),
                ("recorded_at", models.DateTimeField()),
                (
                    "corrects",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="budgets.incident",
                    ),
                ),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="incidents",
                        to="participation.process",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="incidents",
                        to="budgets.pollingplace",
                        verbose_name="where",
                    ),
                ),
            ],
            options={
                "verbose_name": "incident",
                "verbose_name_plural": "incidents",
                "ordering": ["-happened_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Bundle",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveSmallIntegerField(verbose_name="bundle")),
                (
                    "pot",
                    models.CharField(
                        blank=True,
                        help_text="The district's pot that its papers are for; empty without pots.",
                        max_length=20,
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bundles",
                        to="budgets.pollingplace",
                    ),
                ),
            ],
            options={
                "verbose_name": "bundle of ballots",
                "verbose_name_plural": "bundles of ballots",
                "ordering": ["place", "number"],
            },
        ),
        migrations.AddField(
            model_name="roll",
            name="place",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="roll",
                to="budgets.pollingplace",
            ),
        ),
        migrations.AddConstraint(
            model_name="roll",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "polling_place"), ("place__isnull", False)),
                    models.Q(models.Q(("channel", "polling_place"), _negated=True), ("place", None)),
                    _connector="OR",
                ),
                name="roll_place_with_its_channel",
            ),
        ),
        migrations.AddField(
            model_name="reading",
            name="bundle",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="readings", to="budgets.bundle"
            ),
        ),
        migrations.AddField(
            model_name="reading",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="paperentry",
            name="reading",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="budgets.reading"
            ),
        ),
        migrations.AddField(
            model_name="turnouthour",
            name="round",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="turnout_hours", to="budgets.round"
            ),
        ),
        migrations.AddField(
            model_name="undonemark",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="undonemark",
            name="place",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="undone", to="budgets.pollingplace"
            ),
        ),
        migrations.AddConstraint(
            model_name="paperorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "lot"), _negated=True),
                    models.Q(("seed", ""), _negated=True),
                    _connector="OR",
                ),
                name="paper_order_lot_has_seed",
            ),
        ),
        migrations.AddConstraint(
            model_name="pollingplace",
            constraint=models.UniqueConstraint(
                fields=("process", "round_kind", "name"), name="polling_place_name_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="placeaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_signed_by", None),
                    models.Q(("second_signed_by", models.F("first_signed_by")), _negated=True),
                    _connector="OR",
                ),
                name="account_signed_by_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="placeaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_signed_by", None), ("first_signed_by__isnull", False), _connector="OR"
                ),
                name="account_signed_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="placeaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("first_signed_at", None), ("first_signed_by", None)),
                        models.Q(("first_signed_at__isnull", False), ("first_signed_by__isnull", False)),
                        _connector="OR",
                    ),
                    models.Q(
                        models.Q(("second_signed_at", None), ("second_signed_by", None)),
                        models.Q(("second_signed_at__isnull", False), ("second_signed_by__isnull", False)),
                        _connector="OR",
                    ),
                ),
                name="account_signed_with_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="placeaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("unmarked", 0), models.Q(("unmarked_reason", ""), _negated=True), _connector="OR"
                ),
                name="account_unmarked_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="incident_says_what"
            ),
        ),
        migrations.AddConstraint(
            model_name="bundle",
            constraint=models.UniqueConstraint(fields=("place", "number"), name="bundle_number_once"),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(fields=("bundle", "role"), name="reading_each_role_once"),
        ),
        migrations.AddConstraint(
            model_name="reading",
            constraint=models.UniqueConstraint(fields=("bundle", "by"), name="reading_one_role_each"),
        ),
        migrations.AddConstraint(
            model_name="paperentry",
            constraint=models.UniqueConstraint(fields=("reading", "position"), name="paper_entry_once"),
        ),
        migrations.AddConstraint(
            model_name="paperentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("position__gte", 1)), name="paper_entry_position_from_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="paperentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("spoiled", ""), models.Q(("choices", []), _negated=True)),
                    models.Q(models.Q(("spoiled", ""), _negated=True), ("choices", [])),
                    _connector="OR",
                ),
                name="paper_entry_valid_or_spoiled",
            ),
        ),
        migrations.AddConstraint(
            model_name="turnouthour",
            constraint=models.UniqueConstraint(fields=("round", "hour"), name="turnout_once_an_hour"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
