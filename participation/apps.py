from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ParticipationConfig(AppConfig):
    name = "participation"
    verbose_name = _("Participation")

    def ready(self) -> None:
        from accounts import persons
        from accounts.personal_data import register_eraser
        from audit.signals import recorded
        from audit.words import register_words
        from dkfds.navigation import Area, Place, register
        from mailouts.post import register_post
        from participation import checks, debate, files, merging, my_page, notice_mail, personal_data, team  # noqa: F401  importing checks registers them
        from participation.actions import arguments
        from participation.actions import team as teams
        from participation.history import ACTIONS, FOR_THEMSELVES
        from participation.mailing import register_sources
        from participation.page_cache import QUIET, forget_pages
        from participation.permissions.files import HUNG_ON_CONTRIBUTIONS

        register_words(ACTIONS, shown_to_nobody=FOR_THEMSELVES)
        recorded.connect(
            lambda entry, **kwargs: None if entry.action in QUIET else forget_pages(),
            weak=False,
            dispatch_uid="participation.page_cache",
        )
        files.register(HUNG_ON_CONTRIBUTIONS)
        my_page.register()
        register_sources()
        for kind in ("notice", "digest"):
            register_post(kind, notice_mail.compose)
        register(Place("take-part", _("Take part"), "participation:process-list", order=10))
        register(Place("results", _("Results"), "participation:results", order=20))
        register(Place("idea", _("Do you have an idea?"), "participation:have-an-idea", order=40))
        register(Place("about", _("About citizen participation"), "participation:about", order=50))
        register(Place("search", _("Search"), "participation:search", area=Area.SEARCH))
        for order, (key, label) in enumerate(
            [
                ("accessibility", _("Accessibility statement")),
                ("open-data", _("Open data")),
                ("debate-rules", _("Rules of the debate")),
            ]
        ):
            register(Place(key, label, f"participation:{key}", order=order, area=Area.FOOTER))
        persons.register_holder(personal_data.still_needed)
        persons.register_tidier(teams.be_one)
        for part in (
            merging.Part("participation.InternalComment"),
            merging.Part("participation.ContributionReport", once=("by",)),
            merging.Part("participation.Impact.contributions", once=("impact",)),
            merging.InOrder("participation.Attachment", once=("file",), words=merging.photos_and_files),
            debate.Supports("participation.Support", once=("person",), words=debate.supporters),
            debate.SupportOfThoseWhoJoin("participation.Support:own", once=("person",)),
            debate.Arguments("participation.Argument", words=debate.arguments),
            merging.Part("participation.Draft"),
            team.Invitations("participation.CoAuthor", only={"state": "invited"}, once=("email",)),
        ):
            merging.register(part)
        register_eraser("participation", teams.pass_on)
        register_eraser("participation", personal_data.erase_files)
        persons.register_before_merge(arguments.settle_merged_persons)
        register_eraser("participation", arguments.forget_supporter)
