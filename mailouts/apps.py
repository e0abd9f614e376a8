from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MailoutsConfig(AppConfig):
    name = "mailouts"
    verbose_name = _("mailouts")

    def ready(self) -> None:
        from accounts import persons
        from audit.words import register_words
        from mailouts import checks, merging, personal_data  # noqa: F401  importing checks registers them
        from mailouts.history import ACTIONS
        from mailouts.letters import MergeField, register_field

        register_words(ACTIONS)
        persons.register_holder(personal_data.still_needed)
        persons.register_before_merge(merging.settle)
        for field in (
            MergeField("navn", _("Full name"), "Anna Andersen"),
            MergeField("fornavn", _("First name"), "Anna"),
            MergeField("distrikt", _("District"), "Midtby"),
            MergeField("link", _("Where the button leads"), "https://deltag.example.dk/", is_address=True),
        ):
            register_field(field)
