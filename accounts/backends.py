"""Django asks for permissions by model name; here they are answered from the one permission table."""

from typing import TYPE_CHECKING

from django.contrib.auth.backends import ModelBackend

from accounts.permissions import Permission

if TYPE_CHECKING:
    from accounts.models import User

# Which permission opens which models in the admin; the admin classes ask further, object by object.
_OPENS: dict[str, Permission] = {
    "accounts.user": Permission.MANAGE_PEOPLE,
    "accounts.unit": Permission.MANAGE_PEOPLE,
    "accounts.organisation": Permission.MANAGE_PEOPLE,
    "accounts.district": Permission.MANAGE_TEXTS,
    "accounts.registerextract": Permission.IMPORT_REGISTER,
    "accounts.populationfigure": Permission.IMPORT_REGISTER,
    "audit.entry": Permission.READ_AUDIT,
}
_BY_APP: dict[str, Permission] = {
    "participation": Permission.SET_UP_PROCESS,
    "budgets": Permission.SET_UP_PROCESS,
    "mailouts": Permission.SEND_MAILOUT,
}


class RoleBackend(ModelBackend):
    """Finds the signed-in user again. Permissions come from the user's role; sign-in itself is allauth's."""

    def authenticate(self, request: object, **credentials: object) -> None:  # type: ignore[override]
        return None


def may_in_admin(user: "User", perm: str) -> bool:
    """Whether the role opens `app.verb_model` in the admin. The audit table can only be read."""
    app, _, rest = perm.partition(".")
    verb, _, model = rest.partition("_")
    if app == "audit" and verb != "view":
        return False
    needed = _OPENS.get(f"{app}.{model}") or _BY_APP.get(app)
    if needed is None:
        return False
    if verb == "view" and needed is Permission.SET_UP_PROCESS:
        needed = Permission.READ_DRAFTS if user.role == "administrator" else needed
    return user.is_staff and user.may(needed)
