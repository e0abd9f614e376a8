"""What is published, counted and drawn is told for each pot. What is stored already is of one sum: the pot without a key."""

from django.db import migrations, models

FORWARD = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE budgets_round r SET files = jsonb_build_array(jsonb_build_object(
    'pot', '',
    'name', p.slug || CASE WHEN r.number = 1 THEN '' ELSE '-' || r.number END
            || CASE WHEN r.ballot_count >= b.publish_ballots_from THEN '.pb' ELSE '-totals.csv' END,
    'ballots', r.ballot_count,
    'with_ballots', r.ballot_count >= b.publish_ballots_from,
    'sha256', r.pb_sha256))
FROM budgets_citizenbudget b, participation_process p
WHERE b.process_id = r.process_id AND p.id = r.process_id AND r.pb_sha256 <> '';

UPDATE budgets_count c SET
    outcome = jsonb_build_object('rule', c.rule, 'pots', jsonb_build_array(
        jsonb_build_object('pot', '', 'budget', trim_scale(b.total)::text, 'received', '{}'::jsonb, 'waits_for', '[]'::jsonb)
        || c.outcome)),
    comparison = CASE
        WHEN c.comparison = '{}'::jsonb THEN c.comparison
        WHEN c.comparison ? 'gave_up' THEN c.comparison - 'winners'
        ELSE jsonb_build_object('rule', c.comparison -> 'rule', 'pots', jsonb_build_array(
            jsonb_build_object('pot', '', 'budget', trim_scale(b.total)::text, 'received', '{}'::jsonb,
                               'waits_for', '[]'::jsonb) || c.comparison))
    END
FROM budgets_round r, budgets_citizenbudget b
WHERE r.id = c.round_id AND b.process_id = r.process_id;
SET CONSTRAINTS ALL DEFERRED;
"""

# A round of several pots can't be told as one: its first pot is what an earlier version sees of it.
BACKWARD = """
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE budgets_round SET pb_sha256 = coalesce(files -> 0 ->> 'sha256', '');
UPDATE budgets_count SET
    outcome = (outcome -> 'pots' -> 0) - 'pot' - 'budget' - 'received' - 'waits_for',
    comparison = CASE WHEN comparison ? 'pots'
        THEN (comparison -> 'pots' -> 0) - 'pot' - 'budget' - 'received' - 'waits_for'
        WHEN comparison ? 'gave_up' THEN comparison || '{"winners": null}'::jsonb
        ELSE comparison END;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0013_municipal_matter_and_meetings")]

    operations = [
        migrations.AddField(
            model_name="round",
            name="files",
            field=models.JSONField(
                default=list,
                help_text="What is published, one for each pot: [{pot, name, ballots, with_ballots, sha256}]. Written at sealing.",
            ),
        ),
        migrations.AddField(
            model_name="lot",
            name="pot",
            field=models.CharField(
                blank=True, default="", help_text="The key of the pot; empty without pots.", max_length=20
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="count",
            name="outcome",
            field=models.JSONField(
                help_text="How each decision of the count came about, pot by pot (budgets.counting)."
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveField(model_name="round", name="pb_sha256"),
    ]
