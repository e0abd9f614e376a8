"""Two connections at once: one human being never becomes two persons, two accounts or two lines."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connections

from accounts import adapters, mitid, persons
from accounts.models import Organisation, Person, PersonKey, User
from tests.accounts.factories import cpr_for
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 6


def together(act):
    """Runs `act` on as many connections, all starting at the same moment; returns what each gave or raised."""
    barrier = threading.Barrier(AT_ONCE)

    def one(number):
        try:
            barrier.wait(timeout=PATIENCE)
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [
            done.result(timeout=PATIENCE) for done in [pool.submit(one, number) for number in range(AT_ONCE)]
        ]


@pytest.mark.parametrize("attempt", range(3))
def test_first_sign_ins_of_one_person_make_one_account(attempt):
    cpr = cpr_for(date(1980, 5, 17), 1000 + attempt)
    identity = mitid.Identity(subject="s", assurance="Substantial", cpr=cpr, mitid_uuid="u")
    users = together(
        lambda number: adapters.citizen_for(
            identity, account=SocialAccount(provider="mitid", uid=f"s{number % 2}")
        )
    )
    assert len({user.pk for user in users}) == 1
    assert User.objects.count() == Person.objects.count() == 1
    assert PersonKey.objects.count() == 2
    assert SocialAccount.objects.count() == 2


def test_first_sign_ins_of_one_who_is_known_make_one_account():
    cpr = cpr_for(date(1980, 5, 17), 3000)
    persons.recognise(cpr=cpr, mitid="s")
    identity = mitid.Identity(subject="s", assurance="Substantial", cpr=cpr)
    users = together(
        lambda number: adapters.citizen_for(
            identity, account=SocialAccount(provider="mitid", uid=str(number))
        )
    )
    assert len({user.pk for user in users}) == User.objects.count() == 1


@pytest.mark.parametrize("known", [True, False])
def test_first_sign_ins_for_an_organisation_make_one_account(known):
    if known:
        Organisation.objects.create(cvr="99001062", name="Lunde Cykler ApS")
    identity = mitid.Identity(
        subject="s", assurance="Substantial", cvr="99001062", organisation="Lunde Cykler ApS"
    )
    users = together(
        lambda number: adapters.citizen_for(identity, account=SocialAccount(provider="mitid", uid="s"))
    )
    assert len({user.pk for user in users}) == User.objects.count() == Organisation.objects.count() == 1


def test_recognising_one_number_makes_one_person():
    cpr = cpr_for(date(1980, 5, 17), 2000)
    found = together(lambda number: persons.recognise(cpr=cpr))
    assert len({person.pk for person in found}) == 1
    assert Person.objects.count() == 1
