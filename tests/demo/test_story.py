"""The demo is told by the real actions, so it breaks when they do."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.imports.organisations import parse
from accounts.models import Organisation, Resident, User
from budgets.models import Count, Project, Round
from config import people
from config.demo_mitid import PEOPLE
from demo import geography, organisations, register, staff, story
from participation import clock
from participation.choices import Status
from participation.models import Process


@pytest.fixture
def told(transactional_db, settings, tmp_path, monkeypatch):
    """The story with one in twelve of its people."""
    every = register.people
    monkeypatch.setattr(register, "people", lambda today: (found := every(today))[:11] + found[11::12])
    monkeypatch.setattr(story, "VOTERS_2025", 400)
    monkeypatch.setattr(people, "FILE", tmp_path / "people.json")
    monkeypatch.setattr(people.save, "__defaults__", (tmp_path / "people.json",))
    settings.MUNICIPALITY = settings.MUNICIPALITY | {"code": register.MUNICIPALITY_CODE}
    call_command("demo_fill", stdout=io.StringIO())
    return tmp_path / "people.json"


def test_the_demo_is_filled_shown_and_moved(told):
    status = dict(Process.objects.values_list("title", "status"))
    assert sorted(status.values()) == [Status.CONCLUDED, Status.DECIDED, *[Status.OPEN] * 3]
    kinds = set(Count.objects.values_list("round__kind", flat=True))
    assert kinds == {"final", "shortlist", "meeting"}
    count = Count.objects.get(round__process__status=Status.CONCLUDED)
    assert count.winners
    assert count.round.ballot_count == 400
    for process in Process.objects.all():
        assert Client().get(process.get_absolute_url()).status_code == 200
    assert Organisation.objects.count() == len(organisations.ORGANISATIONS)
    known = people.load(told)
    assert len(known.citizens) == 12
    assert {one.email for one in known.staff} == {one.email for one in staff.COLLEAGUES}
    with pytest.raises(CommandError, match="people here already"):
        call_command("demo_fill")

    collecting = Process.objects.get(
        status=Status.OPEN, phases__kind="ideas", phases__interval__contains=clock.now()
    )
    call_command("demo_clock", "vote", stdout=io.StringIO())
    assert not Project.objects.filter(contribution__process=collecting, assessment="undecided").exists()
    call_command("demo_clock", "closed", collecting.slug, stdout=io.StringIO())
    collecting.refresh_from_db()
    assert collecting.status == Status.CLOSED
    assert Round.objects.get(process=collecting).roll.count() > 100
    call_command("demo_clock", "now", stdout=io.StringIO())


def test_everybody_in_the_register_is_invented_and_lives_somewhere():
    today = timezone.localdate(clock.now())
    lines = register.people(today)
    assert len(lines) == register.SIZE == sum(area.people for area in geography.AREAS)
    assert len({line.cpr for line in lines}) == register.SIZE
    assert all(61 <= int(line.cpr[:2]) <= 91 for line in lines), "not synthetic"
    assert all(line.birth_date <= today for line in lines)
    assert lines == register.people(today)


@pytest.mark.django_db
def test_the_clock_says_what_it_does_not_understand(settings):
    for wrong in ("tomorrow", "+x", "vote"):
        with pytest.raises(CommandError):
            call_command("demo_clock", wrong)
    settings.CLOCK_FILE = ""
    with pytest.raises(CommandError, match="CLOCK_FILE"):
        call_command("demo_clock", "now")
    with pytest.raises(CommandError, match="CLOCK_FILE"):
        call_command("demo_fill")
    assert not User.objects.exists()
    assert not Resident.objects.exists()


def test_the_organisations_of_the_demo_have_numbers_that_check_and_codes():
    known = parse(organisations.as_csv())
    assert 20 <= len(known) <= 30
    assert {one.kind for one in known} == set(Organisation.Kind.values)
    assert all(one.cvr.startswith("9900") for one in known), "not plainly the demo's"
    assert {one.cvr for one in PEOPLE if one.cvr} <= {one.cvr for one in known}
