"""Two mailouts of the demo: one that leaves as soon as the workers run, so that the stand-in's inboxes have letters, and one that
waits for a second pair of eyes. The people are those of the invented register."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from config.demo_mitid import PEOPLE
from mailouts import actions
from mailouts.models import Campaign
from participation import breadth, clock
from participation.actions.mailing import begin_mailout, invite_missing
from participation.choices import Status
from participation.models import Process

if TYPE_CHECKING:
    from demo.story import Tell, Town

VOTE_LETTER = """Kære {fornavn}

Du kan være med til at bestemme, hvad 300.000 kroner skal bruges til i Vestervang. Afstemningen er åben nu.

## Sådan stemmer du

- Se projekterne på {link}
- Vælg op til tre
- Stem med MitID. Det tager fem minutter

**Har du ikke MitID?** Så kan du stemme på biblioteket hver dag mellem 10 og 18. Du kan også ringe til os og få en stemmekode.

Brevet er demodata. Det er skrevet med Brændkjær bestemmer i Kolding Kommune som forbillede."""


def letters(town: "Town", say: "Tell", *, voting: Process) -> None:
    say("letters")
    with clock.frozen(town.day(-1, 10)):
        vote_letter(town, voting)
        for process in Process.objects.filter(status=Status.OPEN).order_by("pk"):
            if waiting_letter(town, process) is not None:
                break


def vote_letter(town: "Town", process: Process) -> Campaign:
    """Approved: to some of Vestervang drawn by lot, and to those of the stand-in MitID."""
    kirsten, bo = town.staff["Kirsten"], town.staff["Bo"]
    campaign = begin_mailout(process=process, by=kirsten, title="Brev om afstemningen i Vestervang")
    campaign = actions.edit_campaign(
        campaign=campaign,
        by=kirsten,
        subject="Stem om 300.000 kroner i Vestervang",
        text=VOTE_LETTER,
        action_label="Stem her",
        action_url=settings.SITE_URL + reverse("budgets:vote", args=[process.slug]),
    )
    actions.add_source(
        campaign=campaign,
        by=kirsten,
        kind="lot",
        params={
            "age_from": 15,
            "age_to": None,
            "districts": [town.districts["vest"].pk],
            "amount": 120,
            "seed": "demo",
        },
    )
    known = "\n".join(each.cpr for each in PEOPLE if each.lives_here)
    actions.add_list(campaign=campaign, by=kirsten, name="Demoens borgere", text=f"cpr\n{known}\n")
    campaign = frozen(campaign, kirsten)
    return actions.approve(campaign=campaign, by=bo, typed=campaign.count)


def waiting_letter(town: "Town", process: Process) -> Campaign | None:
    """Frozen, to a group that is missing: the manager can look it through."""
    kirsten = town.staff["Kirsten"]
    breadth.forget(process)
    missing = breadth.measured(process).missing()
    if not missing:
        return None
    campaign = invite_missing(process=process, by=kirsten, key=missing[0].key, amount=60)
    return frozen(campaign, kirsten)


def frozen(campaign: Campaign, by: User) -> Campaign:
    campaign = actions.build_list(campaign=campaign)
    campaign = actions.edit_campaign(campaign=campaign, by=by, expected=campaign.list_numbers["letters"])
    campaign = actions.note_test(campaign=campaign, by=by, tested=campaign.hash_of_text())
    return actions.freeze(campaign=campaign, by=by)
