"""Contributions gathered into one, and the rule that an address never leads in a circle: what others were gathered into is
itself gathered into nothing, and both belong to one process. The trigger locks the one that stays, so that two who
gather in opposite directions at once meet, and one of them is stopped."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION contribution_leads_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.merged_into_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM FROM participation_contribution
    WHERE id = NEW.merged_into_id AND process_id = NEW.process_id AND merged_into_id IS NULL
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A contribution is gathered into one that stands in the same process'
            USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT FROM participation_contribution WHERE merged_into_id = NEW.id) THEN
        RAISE EXCEPTION 'Others are gathered into this contribution: they must be moved on first'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER contribution_leads_on
BEFORE INSERT OR UPDATE OF merged_into_id, process_id ON participation_contribution
FOR EACH ROW EXECUTE FUNCTION contribution_leads_on();
"""

BACKWARD = """
DROP TRIGGER contribution_leads_on ON participation_contribution;
DROP FUNCTION contribution_leads_on();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("participation", "0009_stored_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reason", models.TextField(max_length=1000, verbose_name="reason")),
                ("at", models.DateTimeField()),
                ("was", models.CharField(help_text="How the gone one stood before.", max_length=9)),
                (
                    "kept_title",
                    models.CharField(blank=True, help_text="The wording that was replaced.", max_length=120),
                ),
                ("kept_body", models.TextField(blank=True)),
                ("kept_version", models.PositiveIntegerField(help_text="Of the kept one, just after.")),
                ("took_theme", models.BooleanField(default=False)),
                ("moved", models.JSONField(default=dict)),
                ("undone_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "gathering of contributions",
                "verbose_name_plural": "gatherings of contributions",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.AddField(
            model_name="contribution",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                help_text="Never one that is itself gathered into another: a trigger sees to it (migration 0010).",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="gathered",
                to="participation.contribution",
                verbose_name="gathered into",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("merged_into__isnull", False), ("moderation", "merged")),
                    models.Q(models.Q(("moderation", "merged"), _negated=True), ("merged_into", None)),
                    _connector="OR",
                ),
                name="contribution_merged_leads_on",
            ),
        ),
        migrations.AddConstraint(
            model_name="contribution",
            constraint=models.CheckConstraint(
                condition=models.Q(("merged_into", models.F("id")), _negated=True),
                name="contribution_merged_into_another",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="gone",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="merged_by",
                to="participation.contribution",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="kept",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="merges",
                to="participation.contribution",
            ),
        ),
        migrations.AddField(
            model_name="merge",
            name="undone_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)), fields=("gone",), name="merge_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(("kept", models.F("gone")), _negated=True), name="merge_of_two"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
