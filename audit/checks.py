"""System check: the role that web and workers log in with can't change what is in the audit table."""

from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connection

from audit.grants import TABLE


@register(Tags.security, deploy=True)
def the_audit_table_only_grows(**kwargs: Any) -> list[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_or(has_table_privilege(oid, may)) FROM pg_class, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) may"
            " WHERE oid = to_regclass(%s)",
            [TABLE],
        )
        (may_change,) = cursor.fetchone()
    if not may_change:
        return []
    return [
        Warning(
            "The role in DATABASE_URL may change or remove what is in the audit table.",
            hint="Give web and workers a role of their own: DATABASE_URL and DATABASE_APP_ROLE in docs/operations.md.",
            id="audit.W001",
        )
    ]
