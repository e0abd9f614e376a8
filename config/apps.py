"""Django's admin with our own site: the start page says what needs the caseworker today."""

from django.contrib.admin.apps import AdminConfig


class StaffAdminConfig(AdminConfig):
    default_site = "config.admin_site.StaffSite"

    def ready(self) -> None:
        from config import checks  # noqa: F401

        super().ready()
