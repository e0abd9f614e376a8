"""What somebody with a connection of their own could do to a mailout behind the actions' back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from audit import clock
from mailouts.models import Campaign, Delivery
from tests.accounts.factories import make_resident
from tests.databases import as_owner


@contextmanager
def triggers_off() -> Iterator[None]:
    with as_owner(connection) as unhindered:
        assert unhindered
        yield


def text(campaign: Campaign) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(text="Noget helt andet")


def grow(campaign: Campaign) -> None:
    person = make_resident(name="Den Nye").person
    Delivery.objects.create(
        campaign=campaign,
        recipient_key=f"p:{person.pk}",
        person=person,
        channel="digital",
        due_at=clock.now(),
    )


def shrink(campaign: Campaign) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM mailouts_delivery WHERE id = (SELECT min(id) FROM mailouts_delivery WHERE campaign_id = %s)",
            [campaign.pk],
        )


def swap(campaign: Campaign) -> None:
    person = make_resident(name="Den Anden").person
    first = campaign.deliveries.earliest("pk")
    Delivery.objects.filter(pk=first.pk).update(recipient_key=f"p:{person.pk}", person=person)


def swap_person(campaign: Campaign) -> None:
    """The key stays, and the letter would go to somebody else."""
    person = make_resident(name="Den Anden").person
    Delivery.objects.filter(pk=campaign.deliveries.earliest("pk").pk).update(person=person)


EVERY_WAY: dict[str, tuple[Callable[[Campaign], None], str]] = {
    "text": (text, "text_changed"),
    "grown": (grow, "list_grown"),
    "shrunk": (shrink, "list_changed"),
    "swapped": (swap, "list_changed"),
    "another person behind the key": (swap_person, "list_changed"),
}
