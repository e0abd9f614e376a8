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
