"""Every address of the URLconf, and the object that is behind it in the world of these tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation

from audit.models import Entry
from budgets import ballots
from budgets.admin.implementation import STEPS
from participation import notices
from participation.models import OpeningMinimum, PrincipleText, StandardAnswer
from participation.principles import judging
from tests.site.world import World

# Answered by a middleware before the URLconf is asked.
BESIDE_THE_URLCONF = ("/healthz", "/readyz", "/metrics")


@dataclass(frozen=True)
class Address:
    """`name` as in reverse(), or the pattern itself where it has none."""

    name: str
    pattern: str
    arguments: tuple[str, ...]
    named: bool


def every_address() -> list[Address]:
    found: dict[str, Address] = {}
    for address in _walk(get_resolver(), "", "", ()):
        found.setdefault(address.name, address)
    return list(found.values())


def _walk(resolver: URLResolver, prefix: str, namespace: str, above: tuple[str, ...]) -> Iterator[Address]:
    for one in resolver.url_patterns:
        pattern = prefix + str(one.pattern)
        arguments = (*above, *one.pattern.converters, *_groups(one))
        if isinstance(one, URLResolver):
            inside = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from _walk(one, pattern, inside, arguments)
        else:
            yield Address(
                f"{namespace}{one.name}" if one.name else pattern, pattern, arguments, bool(one.name)
            )


def _groups(one: URLPattern | URLResolver) -> tuple[str, ...]:
    regex = getattr(one.pattern, "regex", None)
    if one.pattern.converters or regex is None:
        return ()
    return tuple(regex.groupindex)


def key_of(address: Address) -> str:
    return address.name if address.named else f"/{address.pattern}"


def path_of(address: Address, values: dict[str, Any]) -> str:
    if address.named:
        with translation.override("da"):
            return reverse(address.name, kwargs={name: values[name] for name in address.arguments})
    path = re.sub(r"<\w+:(\w+)>", lambda found: str(values[found[1]]), address.pattern)
    return "/" + re.sub(r"\(\?P<(\w+)>[^)]*\)\$?", lambda found: str(values[found[1]]), path)


@cache
def behind(world: World) -> Callable[[Address], dict[str, Any]]:
    """What to put into an address so that something is there."""
    opened, voting, decided = (world.processes[key] for key in ("open", "vote", "decided"))
    project, worker, citizen = world.project, world.people["worker"], world.people["citizen"]
    common = {
        "slug": opened.slug,
        "pk": opened.pk,
        "public_id": project.public_id,
        "argument": world.argument.public_id,
        "theme": world.theme.pk,
        "change": world.change.pk,
        "format_key": opened.format,
        "number": world.round.number,
        "key": judging.findings(world.processes["draft"])[0].key,
        "name": "cancel",
        "app_label": "participation",
        "provider_id": "mitid",
        "token": notices.unsubscribe_token(citizen),
        "object_id": opened.pk,
        "sample": "answer-samlet",
        "group": "sex:F",
        "url": "findes-ikke",
    }
    special: dict[str, dict[str, Any]] = {
        "account_confirm_email": {"key": EmailConfirmationHMAC(world.address).key},
        "account_reset_password_from_key": {
            "uidb36": user_pk_to_url_str(worker),
            "key": default_token_generator.make_token(worker),
        },
        "mfa_remove_webauthn": {"pk": world.passkey.pk},
        "mfa_edit_webauthn": {"pk": world.passkey.pk},
        "admin:contribution-split": {"public_id": world.gathered.public_id},
        "participation:co-author-invitation": {"token": world.invitation_token},
        "participation:programme-detail": {"slug": world.programme.slug},
        "admin:contribution-take-down-file": {"attachment": world.project.attachments.get().pk},
        "participation:photo": {"public_id": world.photo.pk, "width": 480, "name": world.photo.name},
        "participation:file": {"public_id": world.file.pk, "name": world.file.name},
        "admin:question-answer": {"public_id": world.question.public_id},
        "admin:budget-seal": {"pk": voting.pk, "number": 1},
        "admin:budget-count": {"pk": decided.pk},
        "admin:budget-lot": {"pk": decided.pk},
        "admin:budget-decide": {"pk": decided.pk},
        "admin:budget-lot-pot": {"pk": world.pots.process_id, "number": 1, "pot": "nord"},
        "budgets:votes-file-pot": {"slug": world.pots.process.slug, "number": 1, "pot": "nord"},
        "admin:process-override": {"pk": world.processes["draft"].pk},
    }
    special |= {
        f"admin:{name}": {"public_id": world.argument.public_id}
        for name in ("process-argument", "argument-moderate", "argument-dismiss", "argument-comment")
    }
    special |= {
        f"admin:budget-codes{page}": {"pk": voting.pk, "batch": world.batch.pk, "lock": world.code_lock.pk}
        for page in ("", "-class", "-letters", "-one", "-block", "-fetch", "-unlock")
    }
    special |= {f"budgets:{name}": {"slug": voting.slug} for name in ("vote", "can-i-vote")}
    special |= {f"budgets:{name}": {"slug": voting.slug} for name in ("vote", "can-i-vote", "code")}
    special |= {f"budgets:{name}": {"slug": voting.slug} for name in ("vote", "can-i-vote", "voting-day")}
    special |= {
        f"polling:{name}": {"pk": world.place.pk} for name in ("place", "voter", "mark", "undo", "incident")
    }
    special |= {
        f"polling:{name}": {"pk": world.counted_place.pk, "number": 1}
        for name in ("bundles", "bundle", "account")
    }
    special |= {
        f"admin:{name}": {
            "pk": voting.pk,
            "place": world.place.pk,
            "kind": "final",
            "incident": world.incident.pk,
        }
        for name in (
            "budget-places",
            "budget-place",
            "budget-place-remove",
            "budget-paper-order",
            "budget-ballot-pdf",
            "budget-incident",
            "budget-incident-correct",
        )
    }
    special |= {
        f"budgets:{name}": {"slug": decided.slug}
        for name in (
            *("result", "result-round", "votes-file", "votes-file-round", "recount", "tracker"),
            *("vote-receipt-pdf", "vote-after"),
        )
    }
    carried = world.carried.project.implementation
    of_carried = {"slug": decided.slug, "pk": decided.pk, "public_id": world.carried.public_id}
    special |= {
        name: of_carried | {"number": number}
        for name, number in {
            "admin:budget-implementations": 1,
            "admin:budget-implementation": 1,
            "admin:budget-implementation-accounts": 1,
            "budgets:project-tell": 1,
            "budgets:project-spend": 1,
        }.items()
    }
    rows = {
        "promise": carried.promises.first().pk,
        "milestone-move": carried.milestones.first().pk,
        "milestone-reach": carried.milestones.first().pk,
        "milestone-remove": carried.milestones.first().pk,
        "payment-correct": world.payment.pk,
        "note": world.note.pk,
        "news-down": world.note.pk,
        "entry": world.entry.pk,
        "entry-receipt": world.entry.pk,
        "entry-correct": world.entry.pk,
    }
    special |= {
        f"admin:budget-implementation-{name}": of_carried | {"number": rows.get(name, 1)} for name in STEPS
    }
    draft, frozen, sending = (world.mailouts[stage] for stage in ("draft", "frozen", "sending"))
    special |= {
        f"admin:mailout{page}": {
            "pk": draft.pk,
            "kind": "register",
            "source": draft.sources.get().pk,
            "delivery": draft.deliveries.filter(protected=False).earliest("pk").pk,
        }
        for page in (
            *(
                "",
                "-letter",
                "-look",
                "-recipients",
                "-find",
                "-source",
                "-source-remove",
                "-how",
                "-preview",
            ),
            *("-preview-one", "-preview-pdf", "-test", "-freeze", "-copy", "-delete"),
        )
    }
    special |= {f"admin:mailout-{page}": {"pk": frozen.pk} for page in ("approve", "thaw")}
    special |= {
        f"admin:mailout-{page}": {"pk": sending.pk, "number": 1}
        for page in (
            "progress",
            "pause",
            "resume",
            "stop",
            "failures",
            "failed",
            "print",
            "print-lost",
            "print-list",
        )
    }
    records = {
        "accounts/unit": world.other_unit,
        "accounts/user": world.people["other_worker"],
        "accounts/organisation": world.organisation,
        "accounts/district": world.district,
        "accounts/registerextract": world.extract,
        "audit/entry": Entry.objects.first(),
        "accounts/populationfigure": world.figure,
        "participation/committee": world.meeting.committee,
        "participation/programme": world.programme,
        "participation/openingminimum": OpeningMinimum.objects.first(),
        "participation/principletext": PrincipleText.objects.first(),
        "participation/standardanswer": StandardAnswer.objects.first(),
        "participation/notice": world.notice,
    }

    def values(address: Address) -> dict[str, Any]:
        found = common | special.get(address.name, {})
        model = re.match(r"admin/(\w+/\w+)/<path:object_id>", address.pattern)
        if model:
            record = records.get(model[1])
            found["object_id"] = getattr(record, "pk", 1)
        return found

    return values


def query_of(address: Address, world: World) -> str:
    """What an address needs besides its path to be more than an empty form."""
    listed = ("admin:contributions-answer", "admin:contributions-gather", "admin:contributions-merge")
    chosen = dict.fromkeys(listed, world.project.pk)
    if address.name in chosen:
        return f"?chosen={chosen[address.name]}"
    if address.name == "participation:contribute-review":
        return f"?kladde={world.draft_token}"
    if address.name == "admin:mailout-failed":
        return "?stand=failed&grund=refused&kanal=paper"
    return ""


def body_of(address: Address, world: World) -> dict[str, str]:
    """What is posted where an empty form would be nothing."""
    if address.name == "polling:undo":
        return {"attempt": str(world.mark), "reason": "other"}
    if address.name == "budgets:vote-receipt-pdf":
        citizen = world.people["citizen"]
        return {"tracker": ballots.sign_tracker(ballots.new_tracker(), round=world.round, by=citizen)}
    return {}
