"""What can be done is a matter for the municipality: asked of every new assessment. What was found feasible before the
question was asked was found so by a municipality, and counts as answered yes. And meetings that share the money out,
whose grants the database keeps within each pot."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

ANSWERED = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE budgets_project SET municipal_matter = true WHERE assessment = 'feasible' AND municipal_matter IS DISTINCT FROM true;
SET CONSTRAINTS ALL DEFERRED;
"""

FORWARD = """
CREATE FUNCTION budgets_keep_grants() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    over boolean;
BEGIN
    SELECT bool_or(given.sum > coalesce(pot.total, budget.total)) INTO over
    FROM (
        SELECT p.pot_id, sum(g.amount) AS sum
        FROM budgets_grant g JOIN budgets_project p ON p.contribution_id = g.project_id
        WHERE g.meeting_id = NEW.meeting_id GROUP BY p.pot_id
    ) given
    JOIN budgets_round r ON r.id = NEW.meeting_id
    JOIN budgets_citizenbudget budget ON budget.process_id = r.process_id
    LEFT JOIN budgets_pot pot ON pot.id = given.pot_id;
    IF over THEN
        RAISE EXCEPTION 'The grants are more than there is' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER budgets_grants_within AFTER INSERT OR UPDATE ON budgets_grant
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION budgets_keep_grants();
"""

BACKWARD = """
DROP TRIGGER budgets_grants_within ON budgets_grant;
DROP FUNCTION budgets_keep_grants();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("budgets", "0012_money_kept"),
        ("participation", "0012_place_point"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(ANSWERED, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Grant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14, verbose_name="kroner")),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "ordering": ["-amount", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Meeting",
            fields=[
                (
                    "round",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="meeting",
                        serialize=False,
                        to="budgets.round",
                    ),
                ),
                ("held_at", models.DateTimeField(verbose_name="held")),
                ("place", models.CharField(max_length=200, verbose_name="place")),
                ("participants", models.PositiveIntegerField(verbose_name="how many took part")),
                ("how", models.TextField(max_length=3000, verbose_name="how it was decided")),
                ("minutes", models.TextField(blank=True, max_length=20000, verbose_name="minutes")),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "meeting that shared the money out",
                "verbose_name_plural": "meetings that shared the money out",
            },
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("assessment", "feasible"), _negated=True),
                    models.Q(("municipal_matter", True), ("municipal_matter__isnull", False)),
                    _connector="OR",
                ),
                name="project_feasible_is_municipal",
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="project",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT, related_name="grants", to="budgets.project"
            ),
        ),
        migrations.AddField(
            model_name="meeting",
            name="minutes_file",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="participation.storedfile",
                verbose_name="minutes as a file",
            ),
        ),
        migrations.AddField(
            model_name="meeting",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="grant",
            name="meeting",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="grants", to="budgets.meeting"
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.CheckConstraint(
                condition=models.Q(("participants__gt", 0)), name="meeting_somebody_came"
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.CheckConstraint(
                condition=models.Q(("how", ""), _negated=True), name="meeting_says_how"
            ),
        ),
        migrations.AddConstraint(
            model_name="meeting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("minutes", ""), _negated=True), ("minutes_file__isnull", False), _connector="OR"
                ),
                name="meeting_has_minutes",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(fields=("meeting", "project"), name="grant_once"),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="grant_positive"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
