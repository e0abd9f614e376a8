"""Who stands behind a contribution together with its author."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from participation.choices import NameShown
from participation.models.contributions import Contribution


class CoAuthorQuerySet(models.QuerySet["CoAuthor"]):
    def accepted(self) -> Self:
        return self.filter(state=CoAuthor.State.ACCEPTED)

    def invited(self) -> Self:
        return self.filter(state=CoAuthor.State.INVITED)

    def with_names(self) -> Self:
        """In the order they joined, with what their names are made of."""
        return self.select_related("user", "organisation", "home_district").order_by("answered_at", "pk")


class CoAuthor(models.Model):
    """One invitation to stand behind a contribution, and what came of it.

    A user is on the row only while the invitation stands accepted, an address and a secret only while it waits: whoever
    says no, leaves or never answers is forgotten. Sex, age band and district are frozen when it is accepted, as the
    author's are on the contribution.
    """

    class State(models.TextChoices):
        INVITED = "invited", pgettext_lazy("co-author", "Invited")
        ACCEPTED = "accepted", pgettext_lazy("co-author", "Accepted")
        DECLINED = "declined", pgettext_lazy("co-author", "Declined")
        LEFT = "left", pgettext_lazy("co-author", "Left")

    contribution = models.ForeignKey(Contribution, on_delete=models.CASCADE, related_name="team")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="co_authored"
    )
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.INVITED)
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("Empty: invited by a link."))
    token_hash = models.CharField(max_length=64, blank=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(_("answered"), null=True)

    name_shown = models.CharField(
        _("name shown"), max_length=5, choices=NameShown.choices, default=NameShown.FIRST
    )
    age_band = models.CharField(max_length=8, blank=True)
    sex = models.CharField(max_length=1, blank=True)
    home_district = models.ForeignKey(
        "accounts.District", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = CoAuthorQuerySet.as_manager()

    class Meta:
        verbose_name = _("co-author")
        verbose_name_plural = _("co-authors")
        constraints = [
            models.UniqueConstraint(
                fields=["contribution", "user"], name="co_author_once", condition=Q(state="accepted")
            ),
            models.UniqueConstraint(
                fields=["contribution", "email"],
                name="co_author_invited_once",
                condition=Q(state="invited") & ~Q(email=""),
            ),
            models.UniqueConstraint(
                fields=["token_hash"], name="co_author_token_once", condition=~Q(token_hash="")
            ),
            models.CheckConstraint(
                name="co_author_user_when_accepted", condition=Q(state="accepted") ^ Q(user__isnull=True)
            ),
            models.CheckConstraint(
                name="co_author_address_while_invited",
                condition=Q(state="invited", expires_at__isnull=False) & ~Q(token_hash="")
                | ~Q(state="invited") & Q(email="", token_hash="", answered_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["contribution", "state"], name="co_author_team")]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.contribution_id}"
