"""Every rule with a message that breaks it and nothing else, its limit, and what it must not refuse."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid1

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailouts import memo, memo_rules
from mailouts.memo import (
    ActionCode,
    AdditionalContent,
    AdditionalReply,
    Attention,
    ContactInfo,
    ContactPoint,
    Content,
    Document,
    EntryPoint,
    File,
    Forward,
    MessageType,
    Named,
    Party,
    Reply,
    write,
)
from mailouts.memo_rules import Problem, is_cpr, is_cvr, problems, problems_in
from tests.mailouts.messages import (
    BRIEF,
    CPR,
    CVR,
    DENMARK,
    INVITATION,
    MEETING,
    NOW,
    VOTE,
    letter,
    messages,
    sms,
    with_action,
    with_body,
    with_file,
    with_files,
)

OLD_UUID = UUID("0b6f1e52-2f0f-1c37-8a52-6f4e2a1b7c90")
OLD_MOMENT = datetime(2026, 6, 1, tzinfo=UTC)
HEADER, BODY = "MessageHeader", "MessageBody"


def found(message):
    return [(problem.code, problem.where.removeprefix("Message/")) for problem in problems(message, now=NOW)]


def sent(id=CVR, id_type="CVR", **more):
    return letter(sender=Party(id, id_type, "Kommunen", **more))


def received(id=CPR, id_type="CPR", **more):
    return letter(recipient=Party(id, id_type, **more))


def linked(url):
    return with_action(entry_point=EntryPoint(url))


def replying(**changes):
    return letter(replies=(Reply(**{"message_uuid": letter().uuid, **changes}),))


def additional(number):
    return tuple(Document(id=f"b{each}", files=(BRIEF,)) for each in range(number))


def contents(number):
    return letter(content=Content(additional=(AdditionalContent("navn", "værdi"),) * number))


def infos(number):
    return sent(contact_point=ContactPoint(id="1", info=(ContactInfo("a", "b"),) * number))


MAIN = f"{BODY}/MainDocument"
FILE = f"{MAIN}/File[1]"
ACTION = f"{MAIN}/Action[1]"
NAIVE = datetime(2026, 7, 1, 12, 0)

BROKEN = {
    # identities
    "sender is a person": (sent(CPR, "CPR"), [("sender_not_cvr", f"{HEADER}/Sender/idType")]),
    "sender's CVR": (sent("10150818"), [("cvr", f"{HEADER}/Sender/senderID")]),
    "CVR too short": (received("1015081", "CVR"), [("cvr", f"{HEADER}/Recipient/recipientID")]),
    "CPR too long": (received("01010101011"), [("cpr", f"{HEADER}/Recipient/recipientID")]),
    "CPR with a hyphen": (received("010101-0101"), [("cpr", f"{HEADER}/Recipient/recipientID")]),
    "CPR without a date": (received("3102010101"), [("cpr", f"{HEADER}/Recipient/recipientID")]),
    "CPR as content": (
        letter(content=Content(cpr=Named("1"))),
        [("cpr", f"{HEADER}/ContentData/CPRdata/cprNumber")],
    ),
    "CVR as content": (
        letter(content=Content(cvr=Named("1"))),
        [("cvr", f"{HEADER}/ContentData/CVRdata/cvrNumber")],
    ),
    "unknown kind of ID": (received(id_type="eID"), [("id_type", f"{HEADER}/Recipient/idType")]),
    "representative": (
        sent(representative=Party("1", "CVR", "Fælles")),
        [("cvr", f"{HEADER}/Sender/Representative/representativeID")],
    ),
    "production unit": (
        received(attention=Attention(production_unit=Named("12 a"))),
        [("number", f"{HEADER}/Recipient/AttentionData/ProductionUnit/productionUnitNumber")],
    ),
    "global location": (
        received(attention=Attention(location=Named("579800001234"))),
        [("number", f"{HEADER}/Recipient/AttentionData/GlobalLocationNumber/globalLocationNumber")],
    ),
    # presence
    "sender without a name": (letter(sender=Party(CVR, "CVR")), [("missing", f"{HEADER}/Sender/label")]),
    "no files": (with_files(), [("missing", f"{MAIN}/File")]),
    "blank label": (letter(label=" \n"), [("empty", f"{HEADER}/label")]),
    "empty optional text": (received(label=""), [("empty", f"{HEADER}/Recipient/label")]),
    "empty file": (with_file(content=b""), [("empty", f"{FILE}/content")]),
    "recipient's representative": (
        received(representative=Party(CVR, "CVR", "x")),
        [("misplaced", f"{HEADER}/Recipient")],
    ),
    "action of a technical document": (
        with_body(technical=(Document(files=(BRIEF,), actions=(VOTE,)),)),
        [("misplaced", f"{BODY}/TechnicalDocument[1]")],
    ),
    # lengths
    "label": (letter(label="å" * 257), [("too_long", f"{HEADER}/label")]),
    "notification": (letter(notification="å" * 151), [("too_long", f"{HEADER}/notification")]),
    "additional notification": (
        letter(additional_notification="å" * 257),
        [("too_long", f"{HEADER}/additionalNotification")],
    ),
    "comment": (replying(comment="å" * 513), [("too_long", f"{HEADER}/ReplyData[1]/comment")]),
    "license number": (
        letter(content=Content(motor_vehicle=Named("AB123456"))),
        [("too_long", f"{HEADER}/ContentData/MotorVehicle/licenseNumber")],
    ),
    "long link": (
        linked(f"https://a.dk/{'a' * 244}"),
        [("too_long", f"{ACTION}/EntryPoint/url")],
    ),
    "long file name": (with_file(filename=f"{'a' * 252}.html"), [("too_long", f"{FILE}/filename")]),
    "character": (letter(label="a\x0bb"), [("character", f"{HEADER}/label")]),
    # numbers of things
    "additional content": (contents(11), [("too_many", f"{HEADER}/ContentData/AdditionalContentData")]),
    "contact information": (infos(3), [("too_many", f"{HEADER}/Sender/ContactPoint/ContactInfo")]),
    "additional reply data": (
        replying(additional=(AdditionalReply("a", "b"),) * 5),
        [("too_many", f"{HEADER}/ReplyData[1]/AdditionalReplyData")],
    ),
    "additional documents": (
        with_body(additional=additional(11)),
        [("too_many", f"{BODY}/AdditionalDocument")],
    ),
    # UUIDs
    "message's UUID": (letter(uuid=uuid1()), [("uuid", f"{HEADER}/messageUUID")]),
    "reservation's UUID": (
        with_action(INVITATION, reservation=replace(MEETING, uuid=OLD_UUID)),
        [("uuid", f"{ACTION}/Reservation/reservationUUID")],
    ),
    "forwarded UUID": (
        letter(forward=Forward(message_uuid=OLD_UUID, original_moment=NOW, original_sender="x")),
        [("uuid", f"{HEADER}/ForwardData/messageUUID")],
    ),
    "answered UUID": (replying(message_uuid=OLD_UUID), [("uuid", f"{HEADER}/ReplyData[1]/messageUUID")]),
    # text messages
    "SMS with a body": (sms(body=letter().body), [("sms_body", BODY)]),
    "SMS without a text": (sms(notification=None), [("sms_text", f"{HEADER}/notification")]),
    "long SMS": (sms(notification="å" * 151), [("too_long", f"{HEADER}/notification")]),
    "letter without a body": (letter(body=None), [("no_body", "Message")]),
    # moments
    "local time as UTC": (
        with_body(created=NOW.astimezone(DENMARK).replace(tzinfo=UTC)),
        [("local_time", f"{BODY}/createdDateTime")],
    ),
    "created without a zone": (with_body(created=NAIVE), [("naive_moment", f"{BODY}/createdDateTime")]),
    "meeting without a zone": (
        with_action(INVITATION, reservation=replace(MEETING, end=NAIVE)),
        [("naive_moment", f"{ACTION}/Reservation/endDateTime")],
    ),
    "reply deadline without a zone": (
        letter(reply=True, reply_by=NAIVE),
        [("naive_moment", f"{HEADER}/replyByDateTime")],
    ),
    "reply deadline without reply": (letter(reply_by=NOW), [("reply_deadline", f"{HEADER}/replyByDateTime")]),
    "delivery in the past": (
        letter(do_not_deliver_until=date(2026, 6, 30)),
        [("date_past", f"{HEADER}/doNotDeliverUntilDate")],
    ),
    "meeting ends before it begins": (
        with_action(INVITATION, reservation=replace(MEETING, end=MEETING.start - timedelta(seconds=1))),
        [("period", f"{ACTION}/Reservation/endDateTime")],
    ),
    "action ends before it begins": (
        with_action(start=NOW, end=OLD_MOMENT),
        [("period", f"{ACTION}/endDateTime")],
    ),
    # actions
    "unknown code": (with_action(code="STEM"), [("action_code", f"{ACTION}/actionCode")]),
    "neither": (with_action(entry_point=None), [("action_target", ACTION)]),
    "both": (with_action(reservation=MEETING), [("action_target", ACTION)]),
    # documents
    "two of one ID": (
        with_body(additional=(Document(id="1", files=(BRIEF,)),)),
        [("duplicate_id", f"{BODY}/AdditionalDocument[1]")],
    ),
    "technical of the same ID": (
        with_body(additional=additional(1), technical=(Document(id="b0", files=(BRIEF,)),)),
        [("duplicate_id", f"{BODY}/TechnicalDocument[1]")],
    ),
    "language's name": (with_file(language="dansk"), [("language", f"{FILE}/language")]),
    "language of one letter": (with_file(language="d"), [("language", f"{FILE}/language")]),
    "unknown type": (
        with_file(encoding_format="application/zip", filename="a.zip"),
        [("file_type", f"{FILE}/encodingFormat")],
    ),
    "XML to people": (
        with_file(encoding_format="text/xml", filename="a.xml"),
        [("file_type", f"{FILE}/encodingFormat")],
    ),
    "no extension": (with_file(filename="brev"), [("extension", f"{FILE}/filename")]),
    "nothing but an extension": (with_file(filename=".html"), [("extension", f"{FILE}/filename")]),
    "another extension": (with_file(filename="brev.pdf"), [("extension", f"{FILE}/filename")]),
    "base64 cut off": (with_file(encoded="QQ="), [("base64", f"{FILE}/content")]),
    "base64 of other letters": (with_file(encoded="Q-Q_"), [("base64", f"{FILE}/content")]),
    "base64 with accents": (with_file(encoded="QéQQ"), [("base64", f"{FILE}/content")]),
    "base64 with stray bits": (with_file(encoded="QR=="), [("base64", f"{FILE}/content")]),
    "second file": (
        with_files(BRIEF, replace(BRIEF, language="1a")),
        [("language", f"{MAIN}/File[2]/language")],
    ),
    "file of another document": (
        with_body(additional=(*additional(1), Document(files=(replace(BRIEF, language="1a"),)))),
        [("language", f"{BODY}/AdditionalDocument[2]/File[1]/language")],
    ),
}
FORBIDDEN = [
    "<",
    ">",
    ":",
    '"',
    "/",
    "\\",
    "|",
    "?",
    "*",
    "\n",
    "\r",
    "\t",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
]
BROKEN |= {
    f"file name with {letter_!a}": (
        with_file(filename=f"br{letter_}ev.html"),
        [("filename", f"{FILE}/filename")],
    )
    for letter_ in FORBIDDEN
}
BROKEN |= {
    f"link {url!a}": (linked(url), [("link", f"{ACTION}/EntryPoint/url")])
    for url in [
        "http://deltag.example.dk/",
        "deltag.example.dk",
        "//deltag.example.dk",
        "https:///stem",
        "https://",
        "javascript:alert(1)",
        "mailto:a@example.dk",
        " https://deltag.example.dk",
        "https://deltag.example.dk/a b",
        "https://deltag.example.dk/\n",
        "https://deltag.example.dk/\x7f",
        "https://[deltag",
    ]
}

RIGHT = {
    "letter": letter(),
    "text message": sms(),
    "to a company": received(CVR, "CVR", label="A/S"),
    "full label": letter(label="å" * 256),
    "full notification": letter(notification="å" * 150),
    "full text message": sms(notification="å" * 150),
    "full comment": replying(comment="å" * 512),
    "full link": linked(f"https://a.dk/{'a' * 243}"),
    "Danish link": linked("https://kommunen.dk/høring?sag=1#svar"),
    "ten additional contents": contents(10),
    "two contact infos": infos(2),
    "four additional reply data": replying(additional=(AdditionalReply("a", "b"),) * 4),
    "ten additional documents": with_body(additional=additional(10)),
    "documents without IDs": with_body(additional=(Document(files=(BRIEF,)),) * 2),
    "a clock that is a little fast": with_body(created=NOW + timedelta(minutes=5)),
    "summer time": with_body(created=NOW.astimezone(DENMARK)),
    "delivered today": letter(do_not_deliver_until=date(2026, 7, 1)),
    "reply deadline": letter(reply=True, reply_by=NOW),
    "a meeting of no length": with_action(INVITATION, reservation=replace(MEETING, end=MEETING.start)),
    "an open end": with_action(start=NOW),
    "English in capitals": with_file(language="EN"),
    "extension in capitals": with_file(filename="BREV.HTML"),
    "Danish file name": with_file(filename="Ændring, nr. 2 (år 2026) – 🌳.html"),
    "base64 on two lines": with_file(encoded="QUJD\r\nQUJD"),
    "XML to machines": with_body(
        technical=(Document(files=(File("text/xml", "a.xml", "da", content=b"x"),)),)
    ),
    "representative": sent(representative=Party(CVR, "CVR", "Fælles")),
    "production unit": received(attention=Attention(production_unit=Named("1003388394"))),
}


@pytest.mark.parametrize("case", BROKEN)
def test_every_rule_refuses_what_breaks_it_and_says_where(case):
    message, expected = BROKEN[case]
    assert found(message) == expected


@pytest.mark.parametrize("case", RIGHT)
def test_what_is_right_is_not_refused(case):
    assert found(RIGHT[case]) == []
    assert problems_in(write(RIGHT[case]), now=NOW)[1] == []


@pytest.mark.parametrize("code", ActionCode)
def test_every_action_code_is_known(code):
    assert found(with_action(code=code.value)) == []


@pytest.mark.parametrize(("type", "extension"), memo_rules.FILE_TYPES.items())
def test_every_file_type_has_its_extension(type, extension):
    assert found(with_file(encoding_format=type, filename=f"Bilag 1{extension}")) == []
    assert found(with_file(encoding_format=type, filename="Bilag 1.exe")) == [
        ("extension", f"{FILE}/filename")
    ]


def test_the_list_of_file_types_is_the_published_one():
    published = [
        "pdf",
        "html",
        "txt",
        "doc",
        "docx",
        "rtf",
        "bmp",
        "gif",
        "jpg",
        "png",
        "tif",
        "xls",
        "xlsx",
        "odt",
        "ods",
    ]
    assert {ending.removeprefix(".") for ending in memo_rules.FILE_TYPES.values()} == set(published)


@pytest.mark.parametrize(
    ("now", "until", "expected"),
    [
        (datetime(2026, 7, 1, 21, 59, tzinfo=UTC), date(2026, 7, 1), []),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 1), ["date_past"]),
        (datetime(2026, 12, 1, 22, 30, tzinfo=UTC), date(2026, 12, 1), []),
        (datetime(2026, 12, 1, 23, 0, tzinfo=UTC), date(2026, 12, 1), ["date_past"]),
    ],
)
def test_a_day_ends_at_danish_midnight(now, until, expected):
    message = letter(do_not_deliver_until=until)
    assert [problem.code for problem in problems(message, now=now)] == expected


@pytest.mark.parametrize("month", [1, 7])
def test_local_time_with_a_z_is_found_in_winter_and_summer(month):
    now = datetime(2026, month, 1, 12, 0, tzinfo=UTC)
    stamped = now.astimezone(DENMARK).replace(tzinfo=UTC)
    right, wrong = with_body(created=now.astimezone(DENMARK)), with_body(created=stamped)
    for message, expected in ((right, []), (wrong, ["local_time"])):
        assert [problem.code for problem in problems(message, now=now)] == expected
        assert [problem.code for problem in problems_in(write(message), now=now)[1]] == expected
    fast = with_body(created=now + timedelta(minutes=5, seconds=1))
    assert [problem.code for problem in problems(fast, now=now)] == ["local_time"]


# Sizes


def test_the_limit_counts_the_message_as_it_is_sent(monkeypatch):
    exact = len(write(letter()))
    monkeypatch.setattr(memo_rules, "LARGEST", exact)
    assert found(letter()) == []
    monkeypatch.setattr(memo_rules, "LARGEST", exact - 1)
    assert found(letter()) == [("too_large", "Message")]
    assert [problem.code for problem in problems_in(write(letter()), now=NOW)[1]] == ["too_large"]


def test_a_size_that_is_known_is_not_counted_again(monkeypatch):
    monkeypatch.setattr(memo, "size", None)
    assert problems(letter(), now=NOW, size=99_500_000) == []
    assert [problem.code for problem in problems(letter(), now=NOW, size=99_500_001)] == ["too_large"]


def test_what_cannot_be_written_may_be_too_large_all_the_same(monkeypatch):
    message = with_body(created=NAIVE)
    monkeypatch.setattr(memo_rules, "LARGEST", len(BRIEF.written) - 1)
    assert found(message) == [("naive_moment", f"{BODY}/createdDateTime"), ("too_large", "Message")]
    assert found(letter(label="\0", body=None))[0] == ("character", f"{HEADER}/label")


# Numbers


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("0101010101", True),
        ("3112999999", True),
        ("2902000101", False),  # 1900 was no leap year
        ("2902004101", True),  # 2000 was
        ("2902045101", True),  # 2004
        ("2902018101", False),  # 2001
        ("2902606101", True),  # 1860
        ("2902619101", False),  # 1961
        ("3102010101", False),
        ("0013010101", False),
        ("0000000000", False),
        ("6101010101", True),  # a replacement number: 60 is added to the day
        ("9202010101", False),
        ("010101010", False),
        ("01010101011", False),
        ("010101-010", False),
        ("٠١٠١٠١٠١٠١", False),
        ("0101010101\n", False),
        ("", False),
    ],
)
def test_a_cpr_number_begins_with_a_possible_date(number, right):
    assert is_cpr(number) is right


@pytest.mark.parametrize(
    ("number", "right"),
    [
        ("10150817", True),
        ("29189846", True),
        ("12345678", False),
        ("10150818", False),
        ("01150817", False),
        ("1015081", False),
        ("101508170", False),
        ("1015081７", False),
        ("", False),
    ],
)
def test_a_cvr_number_checks(number, right):
    assert is_cvr(number) is right


@given(number=st.integers(10_000_000, 99_999_999).map(str), place=st.integers(0, 7), other=st.integers(0, 9))
def test_one_wrong_digit_of_a_cvr_number_is_always_seen(number, place, other):
    wrong = number[:place] + str(other) + number[place + 1 :]
    assert wrong == number or not (is_cvr(number) and is_cvr(wrong))


# As XML


def test_what_cannot_be_read_is_one_problem():
    message, found_ = problems_in(b"<a/>", now=NOW)
    assert message is None
    assert found_ == [Problem("unreadable", "Message", "The outermost element is a, not a MeMo Message.")]


def test_what_is_wrong_in_xml_is_found_with_the_message():
    message, found_ = problems_in(write(sms(body=letter().body)), now=NOW)
    assert message.type is MessageType.NEMSMS
    assert [problem.code for problem in found_] == ["sms_body"]


def test_all_that_is_wrong_is_said_at_once():
    message = letter(
        label="",
        sender=Party("1", "CVR", "x"),
        reply_by=NOW,
        body=with_file(language="x", filename="a:b").body,
    )
    assert {code for code, _where in found(message)} == {
        "empty",
        "cvr",
        "reply_deadline",
        "language",
        "filename",
        "extension",
    }


@pytest.mark.parametrize("case", BROKEN)
def test_no_problem_repeats_what_a_message_says(case):
    secret = "3102012345"
    message = replace(BROKEN[case][0], recipient=Party(secret, "CPR"))
    said = problems(message, now=NOW)
    assert said
    assert not any(secret in problem.text or secret in problem.where for problem in said)
    assert all(problem.text.endswith((".", "*")) for problem in said)


@pytest.mark.parametrize("version", memo.VERSIONS)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_can_be_said_can_be_judged_and_alike_before_and_after(data, version):
    """Every problem of a message is found in its XML too, so that both ends say the same."""
    message = data.draw(messages(version))
    xml = write(message, version=version)
    assert problems_in(xml, now=NOW) == (message, problems(message, now=NOW, size=len(xml)))


def test_the_present_has_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        problems(letter(), now=NAIVE)


def test_neither_module_needs_django():
    code = "import sys, mailouts.memo_rules; sys.exit(any(name.startswith('django') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
