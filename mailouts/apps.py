from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from allauth.account.models import EmailAddress


class MailoutsConfig(AppConfig):
    name = "mailouts"
    verbose_name = _("mailouts")

    def ready(self) -> None:
        from allauth.account.signals import email_confirmed

        from accounts import persons
        from accounts.personal_data import register_eraser, register_exporter
        from audit.words import register_words
        from mailouts import checks, merging, personal_data  # noqa: F401  importing checks registers them
        from mailouts.history import ACTIONS
        from mailouts.letters import MergeField, register_field

        register_words(ACTIONS)
        persons.register_holder(personal_data.still_needed)
        register_exporter("mailouts", personal_data.exported)
        persons.register_before_merge(merging.settle)
        register_eraser("mailouts", personal_data.erase_post)
        email_confirmed.connect(_put_to_use_again, dispatch_uid="mailouts.confirmed")
        for field in (
            MergeField("navn", _("Full name"), "Anna Andersen"),
            MergeField("fornavn", _("First name"), "Anna"),
            MergeField("distrikt", _("District"), "Midtby"),
            MergeField("link", _("Where the button leads"), "https://deltag.example.dk/", is_address=True),
        ):
            register_field(field)


def _put_to_use_again(email_address: "EmailAddress", **kwargs: Any) -> None:
    from mailouts.actions.addresses import enable

    enable(email=email_address.email)
