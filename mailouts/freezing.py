"""The hash of a list: the same people, each once, for the same purpose."""

from django.db import connection

from mailouts.models import Campaign


def hash_of_list(campaign: Campaign) -> str:
    """SHA-256 over the recipients in order, reckoned by PostgreSQL so that memory here stays flat."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(sha256(coalesce(string_agg(recipient_key || '|' || purpose, E'\\n'"
            " ORDER BY recipient_key COLLATE \"C\", purpose COLLATE \"C\"), '')::bytea), 'hex')"
            " FROM mailouts_delivery WHERE campaign_id = %s",
            [campaign.pk],
        )
        (found,) = cursor.fetchone()
    return str(found)


def swapped(campaign: Campaign) -> bool:
    """Whether the list leads to somebody else than its keys say. A person that has become one with another is gone by now, so
    whoever stands in their place is no stranger."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT EXISTS (
                SELECT 1 FROM mailouts_delivery d
                LEFT JOIN accounts_organisation o ON o.id = d.organisation_id
                LEFT JOIN mailouts_listedrecipient l ON l.id = d.listed_id
                WHERE d.campaign_id = %s AND (
                    (d.recipient_key LIKE 'p:%%' AND d.person_id IS NOT NULL
                        AND d.recipient_key <> 'p:' || d.person_id::text
                        AND EXISTS (SELECT 1 FROM accounts_person p WHERE p.id = substr(d.recipient_key, 3)::uuid))
                    OR (d.recipient_key LIKE 'c:%%' AND o.id IS NOT NULL AND d.recipient_key <> 'c:' || o.cvr)
                    OR (l.id IS NOT NULL AND d.recipient_key <> l.key)
                )
            )
            """,
            [campaign.pk],
        )
        (found,) = cursor.fetchone()
    return bool(found)
