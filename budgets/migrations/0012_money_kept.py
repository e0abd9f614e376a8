"""The database keeps the money: sums of payments and later grants stand on the project's row, so that its CHECK holds
whoever writes and however many at once; what was recorded or published is never rewritten."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION budgets_add_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE budgets_implementation SET paid = paid + NEW.amount WHERE project_id = NEW.implementation_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER budgets_payment_added AFTER INSERT ON budgets_payment
FOR EACH ROW EXECUTE FUNCTION budgets_add_payment();

CREATE FUNCTION budgets_add_extra_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE budgets_implementation SET extra = extra + NEW.amount WHERE project_id = NEW.implementation_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER budgets_extra_grant_added AFTER INSERT ON budgets_extragrant
FOR EACH ROW EXECUTE FUNCTION budgets_add_extra_grant();

CREATE FUNCTION budgets_keep_money() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Recorded money is met by a counter-entry, never rewritten' USING ERRCODE = 'check_violation';
END
$$;
CREATE TRIGGER budgets_payment_kept BEFORE UPDATE OR DELETE ON budgets_payment
FOR EACH ROW EXECUTE FUNCTION budgets_keep_money();
CREATE TRIGGER budgets_extra_grant_kept BEFORE UPDATE OR DELETE ON budgets_extragrant
FOR EACH ROW EXECUTE FUNCTION budgets_keep_money();

-- who entered a line may be forgotten; what it says may not change once it is confirmed
CREATE TRIGGER budgets_entry_kept BEFORE UPDATE ON budgets_accountentry FOR EACH ROW
WHEN (OLD.state = 'confirmed' AND
      (OLD.implementation_id, OLD.amount, OLD.spent_on, OLD.text, OLD.state, OLD.corrects_id, OLD.receipt_id)
      IS DISTINCT FROM
      (NEW.implementation_id, NEW.amount, NEW.spent_on, NEW.text, NEW.state, NEW.corrects_id, NEW.receipt_id))
EXECUTE FUNCTION budgets_keep_money();
CREATE TRIGGER budgets_entry_not_deleted BEFORE DELETE ON budgets_accountentry FOR EACH ROW
WHEN (OLD.state = 'confirmed') EXECUTE FUNCTION budgets_keep_money();

CREATE FUNCTION budgets_keep_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 AND (OLD.paid, OLD.extra) IS DISTINCT FROM (NEW.paid, NEW.extra) THEN
        RAISE EXCEPTION 'The sums are kept by the database' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.promised_at IS NOT NULL AND NEW.promised_at IS DISTINCT FROM OLD.promised_at THEN
        RAISE EXCEPTION 'A published plan stays published' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.status = 'done' AND OLD.status <> 'done' AND EXISTS (
        SELECT FROM budgets_promise WHERE implementation_id = NEW.project_id AND state = 'promised'
    ) THEN
        RAISE EXCEPTION 'A promise is neither delivered nor dropped' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER budgets_sums_kept BEFORE UPDATE ON budgets_implementation
FOR EACH ROW EXECUTE FUNCTION budgets_keep_sums();

CREATE FUNCTION budgets_keep_promises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (TG_OP = 'DELETE' OR (OLD.text, OLD.implementation_id) IS DISTINCT FROM (NEW.text, NEW.implementation_id))
        AND EXISTS (
            SELECT FROM budgets_implementation WHERE project_id = OLD.implementation_id AND promised_at IS NOT NULL
        )
    THEN
        RAISE EXCEPTION 'A published promise is never rewritten' USING ERRCODE = 'check_violation';
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;
CREATE TRIGGER budgets_promise_kept BEFORE UPDATE OR DELETE ON budgets_promise
FOR EACH ROW EXECUTE FUNCTION budgets_keep_promises();
"""

BACKWARD = """
DROP TRIGGER budgets_promise_kept ON budgets_promise;
DROP FUNCTION budgets_keep_promises();
DROP TRIGGER budgets_sums_kept ON budgets_implementation;
DROP FUNCTION budgets_keep_sums();
DROP TRIGGER budgets_entry_not_deleted ON budgets_accountentry;
DROP TRIGGER budgets_entry_kept ON budgets_accountentry;
DROP TRIGGER budgets_extra_grant_kept ON budgets_extragrant;
DROP TRIGGER budgets_payment_kept ON budgets_payment;
DROP FUNCTION budgets_keep_money();
DROP TRIGGER budgets_extra_grant_added ON budgets_extragrant;
DROP FUNCTION budgets_add_extra_grant();
DROP TRIGGER budgets_payment_added ON budgets_payment;
DROP FUNCTION budgets_add_payment();
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0011_codes")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
