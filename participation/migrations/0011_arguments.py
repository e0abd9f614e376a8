"""Support and arguments. The database counts them, row by row, with triggers: correct whoever writes, deletes, moderates
or merges, and however many do at once. Nobody else's number gets into a counter, so that a stale copy of a row saved
as a whole does no harm. A reply stands directly under an argument about the same contribution.
"""

import uuid

import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models

COUNTING = """
CREATE FUNCTION support_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE participation_contribution SET support_count = support_count - 1 WHERE id = OLD.contribution_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE participation_contribution SET support_count = support_count + 1 WHERE id = NEW.contribution_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION argument_counted(one participation_argument, step integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF one.moderation <> 'published' THEN
        RETURN;
    END IF;
    IF one.parent_id IS NOT NULL THEN
        UPDATE participation_argument SET reply_count = reply_count + step WHERE id = one.parent_id;
    ELSE
        UPDATE participation_contribution
        SET arguments_for = arguments_for + CASE one.side WHEN 'for' THEN step ELSE 0 END,
            arguments_against = arguments_against + CASE one.side WHEN 'against' THEN step ELSE 0 END
        WHERE id = one.contribution_id;
    END IF;
END $$;

CREATE FUNCTION argument_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM argument_counted(OLD, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM argument_counted(NEW, 1);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION argument_rating_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE participation_argument
        SET useful = useful - OLD.useful::integer, not_useful = not_useful - (NOT OLD.useful)::integer
        WHERE id = OLD.argument_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        UPDATE participation_argument
        SET useful = useful + NEW.useful::integer, not_useful = not_useful + (NOT NEW.useful)::integer
        WHERE id = NEW.argument_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER support_counts
AFTER INSERT OR DELETE OR UPDATE OF contribution_id ON participation_support
FOR EACH ROW EXECUTE FUNCTION support_counts();

CREATE TRIGGER argument_counts
AFTER INSERT OR DELETE OR UPDATE OF moderation, side, parent_id, contribution_id ON participation_argument
FOR EACH ROW EXECUTE FUNCTION argument_counts();

CREATE TRIGGER argument_rating_counts
AFTER INSERT OR DELETE OR UPDATE OF useful, argument_id ON participation_argumentrating
FOR EACH ROW EXECUTE FUNCTION argument_rating_counts();
"""

GUARD = """
CREATE FUNCTION contribution_counters_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.support_count := 0;
        NEW.arguments_for := 0;
        NEW.arguments_against := 0;
    ELSE
        NEW.support_count := OLD.support_count;
        NEW.arguments_for := OLD.arguments_for;
        NEW.arguments_against := OLD.arguments_against;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION argument_counters_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.useful := 0;
        NEW.not_useful := 0;
        NEW.reply_count := 0;
    ELSE
        NEW.useful := OLD.useful;
        NEW.not_useful := OLD.not_useful;
        NEW.reply_count := OLD.reply_count;
    END IF;
    RETURN NEW;
END $$;

-- Depth 0 is whoever writes the row itself; the triggers above write from within another one.
CREATE TRIGGER contribution_counters_kept
BEFORE INSERT OR UPDATE OF support_count, arguments_for, arguments_against ON participation_contribution
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION contribution_counters_kept();

CREATE TRIGGER argument_counters_kept
BEFORE INSERT OR UPDATE OF useful, not_useful, reply_count ON participation_argument
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION argument_counters_kept();
"""

ONE_LEVEL = """
CREATE FUNCTION argument_one_level() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM participation_argument AS reply
        JOIN participation_argument AS parent ON parent.id = reply.parent_id
        WHERE (reply.id = NEW.id OR parent.id = NEW.id)
            AND (parent.parent_id IS NOT NULL OR parent.contribution_id <> reply.contribution_id)
    ) THEN
        RAISE EXCEPTION 'argument %: a reply stands directly under an argument about the same', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'argument_one_level';
    END IF;
    RETURN NULL;
END $$;

-- After the statement, so that one statement may move an argument with its replies.
CREATE CONSTRAINT TRIGGER argument_one_level
AFTER INSERT OR UPDATE OF parent_id, contribution_id ON participation_argument
NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION argument_one_level();
"""

BACK = """
DROP TRIGGER argument_one_level ON participation_argument;
DROP TRIGGER argument_counters_kept ON participation_argument;
DROP TRIGGER contribution_counters_kept ON participation_contribution;
DROP TRIGGER argument_rating_counts ON participation_argumentrating;
DROP TRIGGER argument_counts ON participation_argument;
DROP TRIGGER support_counts ON participation_support;
DROP FUNCTION argument_one_level();
DROP FUNCTION argument_counters_kept();
DROP FUNCTION contribution_counters_kept();
DROP FUNCTION argument_rating_counts();
DROP FUNCTION argument_counts();
DROP FUNCTION argument_counted(participation_argument, integer);
DROP FUNCTION support_counts();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("participation", "0010_merging"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="contribution",
            name="arguments_against",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="arguments against"),
        ),
        migrations.AddField(
            model_name="contribution",
            name="arguments_for",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="arguments for"),
        ),
        migrations.AddField(
            model_name="contribution",
            name="support_count",
            field=models.PositiveIntegerField(default=0, editable=False, verbose_name="supporters"),
        ),
        migrations.AddField(
            model_name="draft",
            name="contribution",
            field=models.ForeignKey(
                help_text="What it argues about.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="participation.contribution",
            ),
        ),
        migrations.CreateModel(
            name="Argument",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "side",
                    models.CharField(
                        blank=True,
                        choices=[("for", "For"), ("against", "Against")],
                        max_length=7,
                        verbose_name="for or against",
                    ),
                ),
                ("text", models.TextField(max_length=1000, verbose_name="text")),
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
                ("age_band", models.CharField(blank=True, max_length=8, verbose_name="age band")),
                ("sex", models.CharField(blank=True, max_length=1, verbose_name="sex")),
                ("created_at", models.DateTimeField(verbose_name="given")),
                ("edited_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "moderation",
                    models.CharField(
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
                ("moderation_reason", models.TextField(blank=True, verbose_name="reason")),
                ("moderated_at", models.DateTimeField(blank=True, null=True)),
                ("published_at", models.DateTimeField(blank=True, null=True)),
                ("useful", models.PositiveIntegerField(default=0, editable=False, verbose_name="useful")),
                (
                    "not_useful",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="not useful"),
                ),
                (
                    "reply_count",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="replies"),
                ),
                (
                    "score",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(
                            models.When(
                                models.Q(("useful", 0)),
                                then=models.Value(
                                    0, output_field=models.DecimalField(decimal_places=9, max_digits=10)
                                ),
                            ),
                            default=django.db.models.functions.comparison.Cast(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.functions.comparison.Cast(
                                                models.F("useful"), models.FloatField()
                                            ),
                                            "+",
                                            models.Value(1.9207999999999998),
                                        ),
                                        "-",
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.functions.math.Sqrt(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        django.db.models.expressions.CombinedExpression(
                                                            django.db.models.functions.comparison.Cast(
                                                                models.F("useful"), models.FloatField()
                                                            ),
                                                            "*",
                                                            django.db.models.functions.comparison.Cast(
                                                                models.F("not_useful"), models.FloatField()
                                                            ),
                                                        ),
                                                        "/",
                                                        django.db.models.expressions.CombinedExpression(
                                                            django.db.models.functions.comparison.Cast(
                                                                models.F("useful"), models.FloatField()
                                                            ),
                                                            "+",
                                                            django.db.models.functions.comparison.Cast(
                                                                models.F("not_useful"), models.FloatField()
                                                            ),
                                                        ),
                                                    ),
                                                    "+",
                                                    models.Value(0.9603999999999999),
                                                )
                                            ),
                                            "*",
                                            models.Value(1.96),
                                        ),
                                    ),
                                    "/",
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.functions.comparison.Cast(
                                                models.F("useful"), models.FloatField()
                                            ),
                                            "+",
                                            django.db.models.functions.comparison.Cast(
                                                models.F("not_useful"), models.FloatField()
                                            ),
                                        ),
                                        "+",
                                        models.Value(3.8415999999999997),
                                    ),
                                ),
                                models.DecimalField(decimal_places=9, max_digits=10),
                            ),
                            output_field=models.DecimalField(decimal_places=9, max_digits=10),
                        ),
                        output_field=models.DecimalField(decimal_places=9, max_digits=10),
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="arguments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "contribution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="arguments",
                        to="participation.contribution",
                    ),
                ),
                (
                    "home_district",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.district",
                        verbose_name="home district",
                    ),
                ),
                (
                    "moderated_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="participation.argument",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "argument",
                "verbose_name_plural": "arguments",
                "ordering": ["created_at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="draft",
            name="argument",
            field=models.ForeignKey(
                help_text="What it replies to.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="participation.argument",
            ),
        ),
        migrations.CreateModel(
            name="ArgumentComment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField(verbose_name="internal comment")),
                ("at", models.DateTimeField()),
                (
                    "argument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="internal_comments",
                        to="participation.argument",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "internal comment on an argument",
                "verbose_name_plural": "internal comments on arguments",
                "ordering": ["at"],
            },
        ),
        migrations.CreateModel(
            name="ArgumentRating",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("useful", models.BooleanField(verbose_name="useful")),
                (
                    "argument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ratings",
                        to="participation.argument",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "rating of an argument",
                "verbose_name_plural": "ratings of arguments",
            },
        ),
        migrations.CreateModel(
            name="ArgumentReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField(max_length=1000, verbose_name="what is wrong")),
                ("at", models.DateTimeField()),
                ("handled_at", models.DateTimeField(null=True)),
                (
                    "argument",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reports",
                        to="participation.argument",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "handled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "report of an argument",
                "verbose_name_plural": "reports of arguments",
                "ordering": ["at"],
            },
        ),
        migrations.CreateModel(
            name="Support",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("age_band", models.CharField(blank=True, max_length=8, verbose_name="age band")),
                ("sex", models.CharField(blank=True, max_length=1, verbose_name="sex")),
                (
                    "contribution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="supports",
                        to="participation.contribution",
                    ),
                ),
                (
                    "home_district",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.district",
                        verbose_name="home district",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="supports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "support",
                "verbose_name_plural": "support",
            },
        ),
        migrations.AddIndex(
            model_name="argument",
            index=models.Index(
                condition=models.Q(("moderation", "published"), ("parent", None)),
                fields=["contribution", "side", "-score", "not_useful", "created_at"],
                name="argument_best",
            ),
        ),
        migrations.AddIndex(
            model_name="argument",
            index=models.Index(fields=["parent", "created_at"], name="argument_replies"),
        ),
        migrations.AddIndex(
            model_name="argument",
            index=models.Index(fields=["author", "-created_at"], name="argument_author"),
        ),
        migrations.AddIndex(
            model_name="argument",
            index=models.Index(
                condition=models.Q(("moderation", "pending")), fields=["created_at"], name="argument_pending"
            ),
        ),
        migrations.AddConstraint(
            model_name="argument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("parent", None), ("side__in", ["for", "against"])),
                    models.Q(("parent__isnull", False), ("side", "")),
                    _connector="OR",
                ),
                name="argument_has_side_or_parent",
            ),
        ),
        migrations.AddConstraint(
            model_name="argument",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("moderation", "rejected"), _negated=True),
                    models.Q(("moderation_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="argument_rejected_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="argumentrating",
            constraint=models.UniqueConstraint(fields=("argument", "person"), name="argument_rating_once"),
        ),
        migrations.AddConstraint(
            model_name="argumentreport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("by__isnull", False)),
                fields=("argument", "by"),
                name="argument_report_once",
            ),
        ),
        migrations.AddIndex(
            model_name="support",
            index=models.Index(fields=["user"], name="support_user"),
        ),
        migrations.AddConstraint(
            model_name="support",
            constraint=models.UniqueConstraint(fields=("contribution", "person"), name="support_once"),
        ),
        migrations.RunSQL(COUNTING + GUARD + ONE_LEVEL, BACK),
    ]
