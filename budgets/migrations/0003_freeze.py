"""What people act under stays as it is: the rules of the budget from approval, the ballot from the opening of the vote.

The rules can change only inside an amendment, which names its process in `ojenhojde.amending`; once voting has opened not
even so. What stands on the ballot (number, price, assessment, and the words of the project) can't change at all.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION budgets_rules_are_frozen(bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM participation_process p
        WHERE p.id = $1 AND p.status IN ('approved', 'open', 'closed', 'decided', 'concluded')
          AND (coalesce(current_setting('ojenhojde.amending', true), '') <> p.id::text
               OR EXISTS (SELECT FROM budgets_round r WHERE r.process_id = p.id))
    )
$$;

CREATE FUNCTION budgets_keep_rules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF budgets_rules_are_frozen(OLD.process_id) THEN
        RAISE EXCEPTION 'The rules of this citizen budget are frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE TRIGGER budgets_rules_frozen BEFORE UPDATE ON budgets_citizenbudget
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION budgets_keep_rules();

CREATE FUNCTION budgets_keep_eligibility() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule bigint;
BEGIN
    IF TG_TABLE_NAME = 'accounts_eligibilityrule' THEN
        rule := OLD.id;
    ELSIF TG_OP = 'INSERT' THEN
        rule := NEW.eligibilityrule_id;
    ELSE
        rule := OLD.eligibilityrule_id;
    END IF;
    IF EXISTS (
        SELECT FROM budgets_citizenbudget b
        WHERE rule IN (b.propose_rule_id, b.vote_rule_id) AND budgets_rules_are_frozen(b.process_id)
    ) THEN
        RAISE EXCEPTION 'Who may propose and vote is frozen' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE TRIGGER budgets_eligibility_frozen BEFORE UPDATE ON accounts_eligibilityrule
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION budgets_keep_eligibility();

CREATE TRIGGER budgets_eligibility_districts_frozen BEFORE INSERT OR UPDATE OR DELETE ON accounts_eligibilityrule_districts
FOR EACH ROW EXECUTE FUNCTION budgets_keep_eligibility();

CREATE FUNCTION budgets_keep_ballot() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER budgets_ballot_frozen BEFORE UPDATE ON budgets_project FOR EACH ROW
WHEN (OLD.number <> '' AND (OLD.number, OLD.price, OLD.cost, OLD.why, OLD.assessment, OLD.carried_out_by_citizens)
      IS DISTINCT FROM (NEW.number, NEW.price, NEW.cost, NEW.why, NEW.assessment, NEW.carried_out_by_citizens))
EXECUTE FUNCTION budgets_keep_ballot();

CREATE TRIGGER budgets_ballot_kept BEFORE DELETE ON budgets_project FOR EACH ROW
WHEN (OLD.number <> '') EXECUTE FUNCTION budgets_keep_ballot();

CREATE FUNCTION budgets_keep_ballot_words() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER budgets_ballot_words_frozen BEFORE UPDATE ON participation_contribution FOR EACH ROW
WHEN ((OLD.title, OLD.body, OLD.place, OLD.process_id) IS DISTINCT FROM (NEW.title, NEW.body, NEW.place, NEW.process_id))
EXECUTE FUNCTION budgets_keep_ballot_words();
"""

BACKWARD = """
DROP TRIGGER budgets_ballot_words_frozen ON participation_contribution;
DROP FUNCTION budgets_keep_ballot_words();
DROP TRIGGER budgets_ballot_kept ON budgets_project;
DROP TRIGGER budgets_ballot_frozen ON budgets_project;
DROP FUNCTION budgets_keep_ballot();
DROP TRIGGER budgets_eligibility_districts_frozen ON accounts_eligibilityrule_districts;
DROP TRIGGER budgets_eligibility_frozen ON accounts_eligibilityrule;
DROP FUNCTION budgets_keep_eligibility();
DROP TRIGGER budgets_rules_frozen ON budgets_citizenbudget;
DROP FUNCTION budgets_keep_rules();
DROP FUNCTION budgets_rules_are_frozen(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("participation", "0001_initial"),
        ("budgets", "0002_round_opened"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
