"""Voting codes. A vote with a code takes a code of that round which nobody has blocked, whatever the program says."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# FOR SHARE: blocking waits for a vote under way, and a vote waits for a block under way and then sees it.
FORWARD = """
CREATE FUNCTION budgets_check_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM budgets_votingcode c
    JOIN budgets_codebatch b ON b.id = c.batch_id
    JOIN budgets_round r ON r.id = NEW.round_id AND r.phase_id = b.phase_id
    WHERE ((b.kind = 'class' AND c.id = NEW.code_id) OR (b.kind = 'personal' AND c.person_id = NEW.person_id))
      AND NOT c.blocked AND b.blocked_at IS NULL
    FOR SHARE OF c, b;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'No code of this round, or a blocked one' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER budgets_code_checked BEFORE INSERT ON budgets_roll FOR EACH ROW
WHEN (NEW.channel = 'code') EXECUTE FUNCTION budgets_check_code();

-- a code belongs to the round its batch was made for, and stays what it is; only blocking changes it, for good
CREATE FUNCTION budgets_keep_code() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM FROM budgets_codebatch b
        WHERE b.id = NEW.batch_id AND b.phase_id = NEW.phase_id
          AND (b.kind = 'personal') = (NEW.person_id IS NOT NULL);
        IF NOT FOUND THEN
            RAISE EXCEPTION 'A code is of its batch and its batch''s phase' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (OLD.batch_id, OLD.phase_id, OLD.hmac) IS DISTINCT FROM (NEW.batch_id, NEW.phase_id, NEW.hmac)
          OR OLD.person_id IS NULL AND NEW.person_id IS NOT NULL OR OLD.blocked AND NOT NEW.blocked THEN
        RAISE EXCEPTION 'A code stays what it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER budgets_code_kept BEFORE INSERT OR UPDATE ON budgets_votingcode
FOR EACH ROW EXECUTE FUNCTION budgets_keep_code();

CREATE FUNCTION budgets_keep_batch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.process_id, OLD.phase_id, OLD.kind) IS DISTINCT FROM (NEW.process_id, NEW.phase_id, NEW.kind)
       OR OLD.blocked_at IS NOT NULL AND NEW.blocked_at IS DISTINCT FROM OLD.blocked_at THEN
        RAISE EXCEPTION 'A batch of codes stays what it is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER budgets_batch_kept BEFORE UPDATE ON budgets_codebatch
FOR EACH ROW EXECUTE FUNCTION budgets_keep_batch();
"""

BACKWARD = """
DROP TRIGGER budgets_batch_kept ON budgets_codebatch;
DROP FUNCTION budgets_keep_batch();
DROP TRIGGER budgets_code_kept ON budgets_votingcode;
DROP FUNCTION budgets_keep_code();
DROP TRIGGER budgets_code_checked ON budgets_roll;
DROP FUNCTION budgets_check_code();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("budgets", "0010_carrying_out"),
        ("participation", "0007_starting_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("personal", "Personal letters"), ("class", "Cards for a class")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="The school and the class, or who the letters are for.",
                        max_length=120,
                        verbose_name="name",
                    ),
                ),
                ("amount", models.PositiveIntegerField(verbose_name="codes")),
                (
                    "chosen",
                    models.JSONField(
                        default=dict,
                        help_text="Ages, districts and so on; never who they are.",
                        verbose_name="chosen by",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be made"),
                            ("making", "Being made"),
                            ("ready", "Ready"),
                            ("failed", "Could not be made"),
                        ],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("claimed_at", models.DateTimeField(null=True)),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("printed_at", models.DateTimeField(null=True, verbose_name="fetched for printing")),
                ("blocked_at", models.DateTimeField(null=True, verbose_name="blocked")),
                (
                    "blocked_reason",
                    models.CharField(blank=True, max_length=300, verbose_name="why it was blocked"),
                ),
                (
                    "used_in_the_end",
                    models.PositiveIntegerField(
                        help_text="How many had voted when the roll forgot who.", null=True
                    ),
                ),
                (
                    "blocked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="code_batches",
                        to="participation.phase",
                    ),
                ),
                (
                    "printed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="code_batches",
                        to="participation.process",
                    ),
                ),
            ],
            options={
                "verbose_name": "batch of voting codes",
                "verbose_name_plural": "batches of voting codes",
                "ordering": ["-made_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="CodePrint",
            fields=[
                (
                    "batch",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="waiting_print",
                        serialize=False,
                        to="budgets.codebatch",
                    ),
                ),
                ("content", models.BinaryField()),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "codes to print",
                "verbose_name_plural": "codes to print",
            },
        ),
        migrations.CreateModel(
            name="CodeLock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("address", models.CharField(max_length=64, unique=True)),
                ("guesses", models.PositiveIntegerField(default=0, verbose_name="guesses before the lock")),
                ("refused", models.PositiveIntegerField(default=0, verbose_name="attempts while locked")),
                ("times", models.PositiveIntegerField(default=1, verbose_name="times locked")),
                ("locked_at", models.DateTimeField(verbose_name="locked")),
                ("until", models.DateTimeField(verbose_name="locked until")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="lifted")),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "process",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="code_locks",
                        to="participation.process",
                    ),
                ),
            ],
            options={
                "verbose_name": "lock after guessing",
                "verbose_name_plural": "locks after guessing",
                "ordering": ["-locked_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="VotingCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hmac", models.CharField(max_length=64, unique=True)),
                ("blocked", models.BooleanField(default=False)),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="codes",
                        to="budgets.codebatch",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "phase",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="participation.phase",
                    ),
                ),
            ],
            options={
                "verbose_name": "voting code",
                "verbose_name_plural": "voting codes",
            },
        ),
        migrations.AddField(
            model_name="roll",
            name="code",
            field=models.ForeignKey(
                help_text="A code handed out in class, which is tied to nobody. Of a personal code the person stands here.",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="budgets.votingcode",
            ),
        ),
        migrations.AddConstraint(
            model_name="roll",
            constraint=models.UniqueConstraint(
                condition=models.Q(("code__isnull", False)),
                fields=("round", "code"),
                name="roll_one_vote_a_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="roll",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("code", None), models.Q(("channel", "code"), ("person", None)), _connector="OR"
                ),
                name="roll_person_or_code",
            ),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="code_batch_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="codebatch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("blocked_at", None), ("blocked_reason", "")),
                    models.Q(("blocked_at__isnull", False), models.Q(("blocked_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="code_batch_blocked_with_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="votingcode",
            constraint=models.UniqueConstraint(
                condition=models.Q(("blocked", False), ("person__isnull", False)),
                fields=("phase", "person"),
                name="code_one_each",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
