"""What stood on the ballot is a snapshot per round, which never changes. The project itself is kept as it was from the
opening of a vote; after a first round it may be improved, until the last one opens. Pots are rules: frozen with them."""

from django.db import migrations

SNAPSHOT = """
INSERT INTO budgets_ballotproject (round_id, project_id, number, title, price, least_price, pot, alternative)
SELECT r.id, p.contribution_id, p.number, c.title, coalesce(p.price, 0), NULL, '', ''
FROM budgets_round r
JOIN participation_contribution c ON c.process_id = r.process_id
JOIN budgets_project p ON p.contribution_id = c.id
WHERE p.number <> '';
"""

FORWARD = """
CREATE FUNCTION budgets_is_on_ballot(bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM budgets_ballotproject b JOIN budgets_round r ON r.id = b.round_id
        WHERE b.project_id = $1 AND (r.kind <> 'shortlist' OR r.state = 'voting')
    )
$$;

CREATE OR REPLACE FUNCTION budgets_keep_ballot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF budgets_is_on_ballot(OLD.contribution_id) THEN
        RAISE EXCEPTION 'What stands on the ballot is frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE OR REPLACE FUNCTION budgets_keep_ballot_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF budgets_is_on_ballot(OLD.id) THEN
        RAISE EXCEPTION 'What stands on the ballot is frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

-- a project that stood on a ballot can't be deleted: its snapshot refers to it
DROP TRIGGER budgets_ballot_kept ON budgets_project;
DROP TRIGGER budgets_ballot_frozen ON budgets_project;
CREATE TRIGGER budgets_ballot_frozen BEFORE UPDATE ON budgets_project FOR EACH ROW
WHEN (OLD.number <> '' AND (OLD.number, OLD.price, OLD.cost, OLD.why, OLD.assessment, OLD.carried_out_by_citizens,
                            OLD.least_price, OLD.pot_id, OLD.alternative_id)
      IS DISTINCT FROM (NEW.number, NEW.price, NEW.cost, NEW.why, NEW.assessment, NEW.carried_out_by_citizens,
                        NEW.least_price, NEW.pot_id, NEW.alternative_id))
EXECUTE FUNCTION budgets_keep_ballot();

CREATE FUNCTION budgets_keep_snapshot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What stood on a ballot stays as it was' USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER budgets_snapshot_kept BEFORE UPDATE ON budgets_ballotproject
FOR EACH ROW EXECUTE FUNCTION budgets_keep_snapshot();

CREATE FUNCTION budgets_keep_pots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    budget bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        budget := NEW.budget_id;
    ELSE
        budget := OLD.budget_id;
    END IF;
    IF budgets_rules_are_frozen(budget) THEN
        RAISE EXCEPTION 'The pots of this citizen budget are frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE TRIGGER budgets_pots_frozen BEFORE INSERT OR UPDATE OR DELETE ON budgets_pot
FOR EACH ROW EXECUTE FUNCTION budgets_keep_pots();
"""

BACKWARD = """
DROP TRIGGER budgets_pots_frozen ON budgets_pot;
DROP FUNCTION budgets_keep_pots();
DROP TRIGGER budgets_snapshot_kept ON budgets_ballotproject;
DROP FUNCTION budgets_keep_snapshot();
DROP TRIGGER budgets_ballot_frozen ON budgets_project;
CREATE OR REPLACE FUNCTION budgets_keep_ballot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM participation_contribution c JOIN budgets_round r ON r.process_id = c.process_id
        WHERE c.id = OLD.contribution_id
    ) THEN
        RAISE EXCEPTION 'What stands on the ballot is frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE OR REPLACE FUNCTION budgets_keep_ballot_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM budgets_project p JOIN budgets_round r ON r.process_id = OLD.process_id
        WHERE p.contribution_id = OLD.id AND p.number <> ''
    ) THEN
        RAISE EXCEPTION 'What stands on the ballot is frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER budgets_ballot_frozen BEFORE UPDATE ON budgets_project FOR EACH ROW
WHEN (OLD.number <> '' AND (OLD.number, OLD.price, OLD.cost, OLD.why, OLD.assessment, OLD.carried_out_by_citizens)
      IS DISTINCT FROM (NEW.number, NEW.price, NEW.cost, NEW.why, NEW.assessment, NEW.carried_out_by_citizens))
EXECUTE FUNCTION budgets_keep_ballot();
CREATE TRIGGER budgets_ballot_kept BEFORE DELETE ON budgets_project FOR EACH ROW
WHEN (OLD.number <> '') EXECUTE FUNCTION budgets_keep_ballot();
DROP FUNCTION budgets_is_on_ballot(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0007_pots_and_rounds")]

    operations = [
        migrations.RunSQL(SNAPSHOT, migrations.RunSQL.noop),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
