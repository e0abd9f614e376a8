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
]
BOUND = ["text_hash", "list_hash", "count", "frozen_at"]
APPROVED = ["approved_at"]
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


def replaced(columns: list[str]) -> str:
    return " OR ".join(
        f"(NEW.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column})" for column in columns
    )


# Old content is wiped once, when the mailout is over; until then that is no way past what follows.
CAMPAIGN = f"""
CREATE FUNCTION mailouts_guard_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.stage <> OLD.stage AND NOT (OLD.stage || '>' || NEW.stage) = ANY (ARRAY{MOVES!r}) THEN
        RAISE EXCEPTION 'a mailout does not go from % to %', OLD.stage, NEW.stage USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.content_deleted_at IS DISTINCT FROM OLD.content_deleted_at
        AND (OLD.content_deleted_at IS NOT NULL OR OLD.stage NOT IN ('done', 'stopped') OR NEW.stage <> OLD.stage) THEN
        RAISE EXCEPTION 'the content of a mailout goes once, when it is over' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.content_deleted_at IS NOT NULL AND NEW.stage <> OLD.stage THEN
        RAISE EXCEPTION 'a mailout without content is not sent' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage <> 'draft' AND NEW.stage <> 'draft' AND ({differs(BOUND)}) THEN
        RAISE EXCEPTION 'a frozen mailout keeps its hashes' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage NOT IN ('draft', 'frozen') AND NEW.stage <> 'draft'
        AND ({differs(APPROVED)} OR {replaced(["approved_by_id"])}) THEN
        RAISE EXCEPTION 'an approval stays as it was given' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage <> 'draft' AND NEW.stage <> 'draft' AND ({replaced(["created_by_id", "frozen_by_id"])}) THEN
        RAISE EXCEPTION 'who wrote and who froze a mailout stays' USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.stage <> 'draft' AND NEW.content_deleted_at IS NULL AND ({differs(CONTENT)}) THEN
        RAISE EXCEPTION 'the letter and its list change only in a draft' USING ERRCODE = 'check_violation';
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

-- Who is behind the key stays too: gone is allowed (the foreign key says so), another is not, but for two persons that turn out
-- to be one (mailouts.merging, said by whoever makes them one).
CREATE FUNCTION mailouts_guard_recipient() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_stage text;
BEGIN
    IF OLD.campaign_id IS NULL OR current_setting('mailouts.merging', true) = 'on' THEN
        RETURN NEW;
    END IF;
    IF (NEW.person_id IS NOT NULL AND NEW.person_id IS DISTINCT FROM OLD.person_id)
        OR (NEW.user_id IS NOT NULL AND NEW.user_id IS DISTINCT FROM OLD.user_id)
        OR (NEW.organisation_id IS NOT NULL AND NEW.organisation_id IS DISTINCT FROM OLD.organisation_id)
        OR (NEW.listed_id IS NOT NULL AND NEW.listed_id IS DISTINCT FROM OLD.listed_id) THEN
        SELECT stage INTO at_stage FROM mailouts_campaign WHERE id = OLD.campaign_id FOR KEY SHARE;
        IF at_stage <> 'draft' THEN
            RAISE EXCEPTION 'a delivery keeps its recipient' USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mailouts_guard_recipient BEFORE UPDATE OF person_id, user_id, organisation_id, listed_id
    ON mailouts_delivery FOR EACH ROW EXECUTE FUNCTION mailouts_guard_recipient();

CREATE FUNCTION mailouts_guard_listed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_stage text;
    wiped timestamptz;
BEGIN
    SELECT c.stage, c.content_deleted_at INTO at_stage, wiped
        FROM mailouts_source s JOIN mailouts_campaign c ON c.id = s.campaign_id
        WHERE s.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.source_id ELSE NEW.source_id END FOR KEY SHARE OF c;
    IF at_stage IS NOT NULL AND at_stage <> 'draft' AND NOT (TG_OP = 'DELETE' AND wiped IS NOT NULL) THEN
        RAISE EXCEPTION 'the list of a mailout that is % does not change', at_stage USING ERRCODE = 'check_violation';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER mailouts_guard_listed BEFORE INSERT OR UPDATE OR DELETE ON mailouts_listedrecipient
    FOR EACH ROW EXECUTE FUNCTION mailouts_guard_listed();

CREATE FUNCTION mailouts_guard_sources() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_stage text;
    wiped timestamptz;
BEGIN
    SELECT stage, content_deleted_at INTO at_stage, wiped FROM mailouts_campaign
        WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END FOR KEY SHARE;
    IF at_stage IS NOT NULL AND at_stage <> 'draft' AND NOT (TG_OP = 'DELETE' AND wiped IS NOT NULL) THEN
        RAISE EXCEPTION 'the list of a mailout that is % does not change', at_stage USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.campaign_id <> OLD.campaign_id THEN
        RAISE EXCEPTION 'recipients stay with their mailout' USING ERRCODE = 'check_violation';
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
DROP TRIGGER mailouts_guard_listed ON mailouts_listedrecipient;
DROP FUNCTION mailouts_guard_listed();
DROP TRIGGER mailouts_guard_recipient ON mailouts_delivery;
DROP FUNCTION mailouts_guard_recipient();
DROP TRIGGER mailouts_guard_list ON mailouts_delivery;
DROP FUNCTION mailouts_guard_list();
DROP TRIGGER mailouts_guard_campaign ON mailouts_campaign;
DROP FUNCTION mailouts_guard_campaign();
"""


class Migration(migrations.Migration):
    dependencies = [("mailouts", "0001_initial")]

    operations = [migrations.RunSQL(CAMPAIGN + LIST + DELIVERY, AWAY)]
