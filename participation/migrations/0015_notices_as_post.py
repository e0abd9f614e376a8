"""What was told becomes deliveries, in the state it stood in.

waiting → queued; sending → uncertain, since nobody knows what became of it; sent, uncertain and failed as they are; shown has
none. A day's digest was every row claimed at one moment: they share a delivery of the day they left on. What waits for a
digest shares the next one, or the one after where that day has had its own. Back again the notices get their columns filled
from the deliveries, and those are deleted.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, migrations

DELIVERIES = """
INSERT INTO mailouts_delivery (
    purpose, recipient_key, user_id, english, protected, channel, message_uuid, state, due_at, claimed_at, left_at, sent_at,
    attempts, failure_code, failure
)
SELECT DISTINCT ON (purpose, recipient_key)
    purpose, recipient_key, user_id, false, false, 'email', gen_random_uuid(),
    CASE state WHEN 'waiting' THEN 'queued' WHEN 'sending' THEN 'uncertain' ELSE state END,
    due_at,
    claimed_at,
    CASE WHEN state <> 'waiting' THEN coalesce(claimed_at, sent_at, due_at) END,
    CASE WHEN state = 'sent' THEN coalesce(sent_at, claimed_at, due_at) END,
    attempts,
    CASE
        WHEN state = 'sending' OR failure = 'interrupted' THEN 'interrupted'
        WHEN state = 'uncertain' THEN 'unanswered'
        WHEN state = 'failed' AND failure = 'recipient refused' THEN 'recipient_refused'
        WHEN state = 'failed' THEN 'refused'
        WHEN state = 'waiting' AND attempts > 0 THEN 'not_taken'
        ELSE ''
    END,
    CASE WHEN state = 'sending' OR failure = 'interrupted' THEN '' ELSE failure END
FROM notices_to_post
ORDER BY purpose, recipient_key, array_position(ARRAY['sending', 'uncertain', 'sent', 'waiting', 'failed'], state::text), id
"""
HANG_ON = """
UPDATE participation_notice n SET delivery_id = d.id
FROM notices_to_post p JOIN mailouts_delivery d
    ON d.campaign_id IS NULL AND d.recipient_key = p.recipient_key AND d.purpose = p.purpose
WHERE p.id = n.id
"""
# One row for each notice that has an e-mail, with whom it goes to and which delivery it shares.
GATHER = """
CREATE TEMPORARY TABLE notices_to_post ON COMMIT DROP AS
SELECT n.id, n.user_id, n.state, n.due_at, n.claimed_at, n.sent_at, n.attempts, n.failure,
    CASE WHEN n.user_id IS NOT NULL THEN 'u:' || n.user_id ELSE '' END::varchar AS recipient_key,
    CASE
        WHEN NOT n.digest THEN 'notice:' || n.event
        WHEN n.state = 'waiting' THEN ''
        ELSE 'digest:' || to_char(coalesce(n.claimed_at, n.sent_at, n.due_at) AT TIME ZONE 'Europe/Copenhagen', 'YYYY-MM-DD')
            || CASE WHEN n.state = 'failed' THEN ':failed' ELSE '' END
    END::varchar AS purpose
FROM participation_notice n
WHERE n.state <> 'shown'
"""
# A reader's waiting digest: the earliest day that anything is due and that has had none.
NEXT_DIGEST = """
WITH had AS (
    SELECT user_id, max(substr(purpose, 8, 10)::date) AS day FROM notices_to_post
    WHERE purpose ~ '^digest:....-..-..$' GROUP BY user_id
), first AS (
    SELECT w.user_id, min(w.due_at) AS due_at,
        greatest((min(w.due_at) AT TIME ZONE 'Europe/Copenhagen')::date, min(had.day) + 1) AS day
    FROM notices_to_post w LEFT JOIN had USING (user_id) WHERE w.purpose = '' GROUP BY w.user_id
)
UPDATE notices_to_post w SET
    purpose = 'digest:' || to_char(f.day, 'YYYY-MM-DD'),
    due_at = CASE WHEN (f.due_at AT TIME ZONE 'Europe/Copenhagen')::date = f.day THEN f.due_at
        ELSE (f.day + time '16:00') AT TIME ZONE 'Europe/Copenhagen' END
FROM first f WHERE f.user_id = w.user_id AND w.purpose = ''
"""
BACK = """
UPDATE participation_notice n SET
    state = CASE d.state
        WHEN 'queued' THEN 'waiting' WHEN 'claimed' THEN 'waiting' WHEN 'sending' THEN 'sending' WHEN 'sent' THEN 'sent'
        WHEN 'delivered' THEN 'sent' WHEN 'uncertain' THEN 'uncertain' WHEN 'failed' THEN 'failed' ELSE 'shown' END,
    due_at = d.due_at,
    digest = d.purpose LIKE 'digest:%',
    attempts = d.attempts,
    claimed_at = d.left_at,
    sent_at = d.sent_at,
    failure = left(CASE WHEN d.failure_code = 'interrupted' THEN 'interrupted' ELSE d.failure END, 200)
FROM mailouts_delivery d WHERE d.id = n.delivery_id
"""


def forward(apps: Any, schema_editor: Any) -> None:
    from mailouts.listing import email_key

    _run([GATHER, "ANALYZE notices_to_post", NEXT_DIGEST])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, n.address FROM notices_to_post p JOIN participation_notice n ON n.id = p.id WHERE p.user_id IS NULL"
        )
        keys = [(email_key(address), pk) for pk, address in cursor.fetchall()]
        cursor.executemany("UPDATE notices_to_post SET recipient_key = %s WHERE id = %s", keys)
    _run([DELIVERIES, "ANALYZE mailouts_delivery", "ANALYZE notices_to_post", HANG_ON])


def back(apps: Any, schema_editor: Any) -> None:
    _run(
        [
            BACK,
            "UPDATE participation_notice SET state = 'shown', due_at = created_at WHERE delivery_id IS NULL",
            "UPDATE participation_notice SET delivery_id = NULL",
            "DELETE FROM mailouts_receipt r USING mailouts_delivery d WHERE d.id = r.delivery_id AND d.campaign_id IS NULL",
            "DELETE FROM mailouts_attempt a USING mailouts_delivery d WHERE d.id = a.delivery_id AND d.campaign_id IS NULL",
            "DELETE FROM mailouts_delivery WHERE campaign_id IS NULL AND (purpose LIKE 'notice:%' OR purpose LIKE 'digest:%')",
        ]
    )


def _run(statements: Sequence[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("participation", "0014_notice_delivery")]

    operations = [migrations.RunPython(forward, back)]
