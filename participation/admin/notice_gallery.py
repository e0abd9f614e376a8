"""Every kind of e-mail we write about what happens, to look at before anyone gets it. All of it is made up here."""

from dataclasses import dataclass
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from participation import notice_mail
from participation.models import Notice

Kind = Notice.Kind
WORDS: dict[str, tuple[Any, Any]] = {
    Kind.PHASE: (_("You can vote now: The square"), _("The vote is open until Sunday at 23.59.")),
    Kind.ANSWER: (
        _("We have answered you: More trees on the square"),
        _("Thank you. We plant ten lime trees in the spring, as you and 34 others proposed."),
    ),
    Kind.DECISION: (
        _("It has been decided: The square"),
        _(
            "The town council has decided to rebuild the square. The car park stays, because the shops asked for it."
        ),
    ),
    Kind.IMPACT: (
        _("This is what you changed: The square"),
        _("There are twice as many benches in the plan as there were before you took part."),
    ),
    Kind.CHANGE: (
        _("Something has changed: The square"),
        _("You have a week more to send in proposals, because the weather closed the library."),
    ),
    Kind.NEWS: (_("The first trees are in the ground"), _("Come and see them on Saturday at 10.")),
    Kind.MODERATION: (
        _("Your contribution is shown again"),
        _("We have looked at it after somebody reported it. It keeps to the rules of the debate."),
    ),
    Kind.REMINDER: (
        _("You began to vote and are not done"),
        _("The vote closes on Sunday at 23.59. You can go on where you stopped."),
    ),
    Kind.DUTY: (
        _("You are to answer a question: The square"),
        _("A question about the square has waited for five days."),
    ),
}
DIGEST = "samlet"
NO_ACCOUNT = "uden-konto"
READER = "Anna"
ADDRESS = "anna@example.dk"
# The e-mail as a page of its own that our page may show in a frame: nothing in it loads, runs or leads anywhere.
FRAME_POLICY = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"


@dataclass(frozen=True)
class Sample:
    key: str
    label: Any
    kinds: tuple[str, ...]
    account: bool = True

    def mail(self) -> EmailMultiAlternatives:
        told = [
            Notice(kind=kind, title=str(WORDS[kind][0]), text=str(WORDS[kind][1]), url="/forloeb/")
            for kind in self.kinds
        ]
        return notice_mail.written(
            told,
            name=READER if self.account else "",
            address=ADDRESS,
            unsubscribe_url=f"{settings.SITE_URL}/beskeder/afmeld/…/" if self.account else "",
        )


def samples() -> dict[str, Sample]:
    """Each kind on its own and first in a day's e-mail, and the answer to somebody without an account."""
    kinds = list(Kind)
    found = [Sample(kind.value, kind.label, (kind,)) for kind in kinds]
    found += [
        Sample(
            f"{kind.value}-{DIGEST}",
            _("%(kind)s, in the daily e-mail") % {"kind": kind.label},
            (kind, kinds[(number + 1) % len(kinds)], kinds[(number + 2) % len(kinds)]),
        )
        for number, kind in enumerate(kinds)
    ]
    found.append(Sample(NO_ACCOUNT, _("An answer to somebody without an account"), (Kind.ANSWER,), False))
    return {sample.key: sample for sample in found}


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    every = samples().values()
    groups = [
        (_("One at a time"), [one for one in every if one.account and len(one.kinds) == 1]),
        (_("The daily e-mail"), [one for one in every if len(one.kinds) > 1]),
        (_("Without an account"), [one for one in every if not one.account]),
    ]
    return render(request, "admin/notice_gallery.html", {"groups": groups})


@require_GET
@csp_update({"frame-src": [SELF]})
def sample(request: HttpRequest, sample: str) -> HttpResponse:
    found = _sample(sample)
    return render(request, "admin/notice_sample.html", {"sample": found, "mail": found.mail()})


@require_GET
def sample_html(request: HttpRequest, sample: str) -> HttpResponse:
    html, _type = _sample(sample).mail().alternatives[0]
    response = HttpResponse(html)
    response["Content-Security-Policy"] = FRAME_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _sample(key: str) -> Sample:
    try:
        return samples()[key]
    except KeyError:
        raise Http404 from None
