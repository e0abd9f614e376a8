"""What the application's database role may do: everything it needs, and nothing to the audit table but adding to it.

Runs after each migrate, as the owner. Without DATABASE_APP_ROLE there is only one role and nothing to grant
(`check --deploy` warns).
"""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction

TABLE = "audit_entry"


def grant_application_role(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    role = settings.DATABASE_APP_ROLE
    connection = connections[using]
    if not role:
        return
    name = connection.ops.quote_name(role)
    # One transaction: there is no moment at which the audit table could be changed.
    with transaction.atomic(using), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            return
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {name}")
        cursor.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {name}"
        )
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}")
        cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {TABLE} FROM {name}")
