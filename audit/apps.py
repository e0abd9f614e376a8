from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "audit"

    def ready(self) -> None:
        from audit import checks  # noqa: F401
        from audit.grants import grant_application_role

        post_migrate.connect(grant_application_role, sender=self, dispatch_uid="audit.grants")
