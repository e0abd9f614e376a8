"""What keeps a mailout from going wrong, whatever the code above does.

The letter, its rules and its list change only while it is a draft; a stage moves only along `mailouts.choices.MOVES`. What has
left the house never goes back to the queue under the UUID it left with, and neither that UUID nor its channel changes while
nobody knows what became of it.
"""

from django.db import migrations

CONTENT = [
    "subject",
    "text",
    "english_subject",
    "english_text",
    "sms_text",
    "policy",
    "paper_route",
    "action_kind",
    "action_label",
    "action_url",
    "meeting_starts",
    "meeting_ends",
    "meeting_place",
    "case_number",
    "kle",
    "per_household",
    "earlier",
    "start_at",
    "per_minute",
    "expected",
    "keep_days",
    "unit_id",
    "created_by_id",
]
BOUND = ["text_hash", "list_hash", "count", "frozen_by_id", "frozen_at"]
MOVES = [
    "draft>frozen",
    "frozen>draft",
    "frozen>approved",
    "approved>draft",
    "approved>sending",
    "approved>stopped",
    "sending>paused",
    "sending>done",
    "sending>stopped",
    "paused>sending",
    "paused>stopped",
    "done>sending",
]


def differs(columns: list[str]) -> str:
    return " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)


# A person who leaves is taken out of created_by by the foreign key; the wiping of old content is told by content_deleted_at.
CAMPAIGN = f"""
CREATE FUNCTION mailouts_guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage <> OLD.stage AND NOT (OLD.stage || '>' || NEW.stage) = ANY (ARRAY{MOVES!r}) THEN
        RAISE EXCEPTION 'a mailout does not go from % to %', OLD.stage, NEW.stage USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage <> 'draft' AND NEW.stage <> 'draft' AND NEW.content_deleted_at IS NULL AND ({differs(BOUND)}) THEN
        IF NOT (NEW.frozen_by_id IS NULL AND OLD.frozen_by_id IS NOT NULL) THEN
            RAISE EXCEPTION 'a frozen mailout keeps its hashes' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF OLD.stage <> 'draft' AND NEW.content_deleted_at IS NULL AND ({differs(CONTENT)}) THEN
        IF NOT (NEW.created_by_id IS NULL AND OLD.created_by_id IS NOT NULL) THEN
            RAISE EXCEPTION 'the letter and its list change only in a draft' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mailouts_guard_campaign BEFORE UPDATE ON mailouts_campaign
    FOR EACH ROW EXECUTE FUNCTION mailouts_guard_campaign();
"""

# FOR KEY SHARE waits for whoever is freezing: after that the stage is read as it became.
LIST = """
CREATE FUNCTION mailouts_guard_list() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_stage text;
    wiped timestamptz;
    which bigint := CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.campaign_id IS NOT DISTINCT FROM OLD.campaign_id
        AND NEW.recipient_key = OLD.recipient_key AND NEW.purpose = OLD.purpose THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.campaign_id IS NOT NULL THEN
        RAISE EXCEPTION 'a delivery keeps its recipient' USING ERRCODE = 'check_violation';
    END IF;
    IF which IS NOT NULL THEN
        SELECT stage, content_deleted_at INTO at_stage, wiped FROM mailouts_campaign WHERE id = which FOR KEY SHARE;
        IF at_stage IS NOT NULL AND at_stage <> 'draft' AND NOT (TG_OP = 'DELETE' AND wiped IS NOT NULL) THEN
            RAISE EXCEPTION 'the list of a mailout that is % does not change', at_stage USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mailouts_guard_list BEFORE INSERT OR DELETE OR UPDATE OF campaign_id, recipient_key, purpose
    ON mailouts_delivery FOR EACH ROW EXECUTE FUNCTION mailouts_guard_list();

CREATE FUNCTION mailouts_guard_sources() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_stage text;
BEGIN
    SELECT stage INTO at_stage FROM mailouts_campaign
        WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END FOR KEY SHARE;
    IF at_stage IS NOT NULL AND at_stage <> 'draft' THEN
        RAISE EXCEPTION 'the list of a mailout that is % does not change', at_stage USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mailouts_guard_sources BEFORE INSERT OR UPDATE OR DELETE ON mailouts_source
    FOR EACH ROW EXECUTE FUNCTION mailouts_guard_sources();
"""

DELIVERY = """
CREATE FUNCTION mailouts_guard_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('sent', 'delivered') AND NEW.state IN ('queued', 'claimed', 'sending', 'printed', 'cancelled', 'left_out') THEN
        RAISE EXCEPTION 'what was sent is not sent again' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state IN ('uncertain', 'failed') AND NEW.state IN ('queued', 'claimed', 'sending')
        AND NEW.message_uuid = OLD.message_uuid THEN
        RAISE EXCEPTION 'a new attempt has a new UUID' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'sending' AND OLD.state NOT IN ('claimed', 'sending') THEN
        RAISE EXCEPTION 'only what is claimed leaves' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.message_uuid <> OLD.message_uuid
        AND NOT (OLD.state IN ('uncertain', 'failed') AND NEW.state = 'queued') THEN
        RAISE EXCEPTION 'a message keeps its UUID' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.channel <> OLD.channel AND OLD.state IN ('claimed', 'sending', 'sent', 'delivered') THEN
        RAISE EXCEPTION 'what is on its way keeps its channel' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mailouts_guard_delivery BEFORE UPDATE OF state, message_uuid, channel ON mailouts_delivery
    FOR EACH ROW EXECUTE FUNCTION mailouts_guard_delivery();
"""
AWAY = """
DROP TRIGGER mailouts_guard_delivery ON mailouts_delivery;
DROP FUNCTION mailouts_guard_delivery();
DROP TRIGGER mailouts_guard_sources ON mailouts_source;
DROP FUNCTION mailouts_guard_sources();
DROP TRIGGER mailouts_guard_list ON mailouts_delivery;
DROP FUNCTION mailouts_guard_list();
DROP TRIGGER mailouts_guard_campaign ON mailouts_campaign;
DROP FUNCTION mailouts_guard_campaign();
"""


class Migration(migrations.Migration):
    dependencies = [("mailouts", "0001_initial")]

    operations = [migrations.RunSQL(CAMPAIGN + LIST + DELIVERY, AWAY)]
