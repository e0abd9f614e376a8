"""A letter and a text message that nothing is wrong with, and messages of every shape that MeMo allows."""

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from mailouts import memo
from mailouts.memo import (
    Action,
    AdditionalContent,
    Body,
    CaseId,
    Content,
    Document,
    EntryPoint,
    File,
    Holds,
    IdType,
    Kle,
    Message,
    MessageType,
    Named,
    Party,
    Reservation,
    Shape,
)

DENMARK = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
CVR, CPR = "10150817", "0101010101"

BRIEF = File("text/html", "brev.html", "da", content="<p>Kære borger</p>".encode())
VOTE = Action(
    label="Stem her", code="SELVBETJENING", entry_point=EntryPoint("https://deltag.example.dk/stem?a=1&b=2")
)
MEETING = Reservation(
    uuid=UUID("6a0b4e0e-5f0c-4d7e-9a55-0f6d5c1c9b11"),
    description="Borgermøde om parken",
    abstract="Borgermøde",
    location="Rådhuset",
    start=datetime(2026, 8, 1, 19, tzinfo=DENMARK),
    end=datetime(2026, 8, 1, 21, tzinfo=DENMARK),
    organizer_mail="deltag@example.dk",
    organizer_name="Kommunen",
)
INVITATION = Action(label="Kom til møde", code="AFTALE", reservation=MEETING)


def letter(**changes):
    made = Message(
        type=MessageType.DIGITAL_POST,
        uuid=UUID("0b6f1e52-2f0f-4c37-8a52-6f4e2a1b7c90"),
        label="Stem om borgerbudgettet",
        sender=Party(CVR, IdType.CVR, "Kommunen"),
        recipient=Party(CPR, IdType.CPR, "Åse Ørsted"),
        content=Content(
            cpr=Named(CPR, "Åse Ørsted"),
            cvr=Named(CVR),
            case=CaseId("2026-17", "portalen"),
            kle=Kle("00.16.00", "2026", "Demokrati"),
            additional=(AdditionalContent("mailout", "7"),),
        ),
        body=Body(created=NOW, main=Document(id="1", files=(BRIEF,), actions=(VOTE, INVITATION))),
    )
    return replace(made, **changes)


def sms(**changes):
    return replace(
        letter(type=MessageType.NEMSMS, content=None, body=None, notification="Afstemningen er åben."),
        **changes,
    )


def with_body(**changes):
    return letter(body=replace(letter().body, **changes))


def with_files(*files, **more):
    return with_body(main=Document(id="1", files=files), **more)


def with_file(**changes):
    """`content` or `encoded`, never both."""
    content = None if "encoded" in changes else changes.pop("content", b"x")
    return with_files(replace(BRIEF, content=content, **changes))


def with_action(action=VOTE, **changes):
    return with_body(main=Document(files=(BRIEF,), actions=(replace(action, **changes),)))


# Everything a schema lets through

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff").filter(
        lambda letter: letter >= " " or letter in "\t\n\r"
    ),
    max_size=12,
)
FITTING = {
    "licenseNumber": st.sampled_from(["AB12345", "Ø<&>1"]),
    "productionUnitNumber": st.just("1003388394"),
    "globalLocationNumber": st.just("5798000012345"),
    "url": st.sampled_from(["https://deltag.example.dk/stem?a=1&b=2", "https://kommunen.dk/høring"]),
    "language": st.sampled_from(["da", "en"]),
}
LEAVES = {
    Holds.TEXT: TEXTS,
    Holds.UUID: st.uuids(version=4),
    Holds.FLAG: st.booleans(),
    Holds.MOMENT: st.builds(
        lambda moment, zone: moment.replace(microsecond=0, tzinfo=zone),
        st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1)),
        st.sampled_from([UTC, DENMARK]),
    ).map(lambda moment: moment.astimezone(UTC)),
    Holds.DAY: st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    Holds.TYPE: st.sampled_from(MessageType),
    Holds.FILE: st.binary(max_size=40),
}


@cache
def values(shape: Shape, version: memo.Version):
    """Any value of this shape."""
    given, merged = {}, []
    for child in shape.children:
        if child.only not in (None, version):
            continue
        if isinstance(child.holds, Shape):
            one = values(child.holds, version)
        else:
            one = FITTING.get(child.element, LEAVES[child.holds])
        if not child.attribute:
            merged.append(one)
        elif child.most != 1:
            given[child.attribute] = st.lists(one, min_size=int(child.required), max_size=2).map(tuple)
        elif child.required or child.holds is Holds.FLAG:
            given["content" if child.holds is Holds.FILE else child.attribute] = one
        else:
            given[child.attribute] = st.none() | one
    if shape.makes is None:
        return st.fixed_dictionaries(given)
    if merged:
        return st.builds(lambda inner, **more: shape.makes(**inner, **more), *merged, **given)
    made = st.builds(shape.makes, **given)
    if shape.makes is Action:  # a schema has no place for both
        return made.map(lambda action: replace(action, entry_point=None) if action.reservation else action)
    return made


def messages(version: memo.Version):
    return values(memo.MESSAGE, version)
