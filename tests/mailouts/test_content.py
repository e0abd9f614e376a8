"""A letter written from its form is the letter written whole."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailouts import memo
from mailouts.content import Prepared
from mailouts.models import Campaign
from mailouts.recipients import Recipient

NAMES = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30
)


@given(
    name=NAMES,
    cpr=st.sampled_from(["0101010101", ""]),
    english=st.booleans(),
    kind=st.sampled_from(["none", "link", "meeting"]),
    at=st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)),
    version=st.sampled_from(["1.1", "1.2"]),
)
def test_a_form_filled_in_is_the_message_written(
    name: str, cpr: str, english: bool, kind: str, at: datetime, version: memo.Version
) -> None:
    campaign = Campaign(
        subject="Til {navn} & <alle>",
        text="Kære {fornavn}\n\n**Hej** {navn}",
        english_text="Dear {navn}",
        action_kind=kind,
        action_label="Stem <her> & nu",
        action_url="https://deltag.example.dk/stem?a=1&b=2",
        meeting_starts=datetime(2027, 1, 7, 18, tzinfo=UTC),
        meeting_ends=datetime(2027, 1, 7, 20, tzinfo=UTC),
        meeting_place="Rådhuset & salen",
        case_number="2026-17",
        kle="00.16.00",
    )
    prepared = Prepared.of(campaign)
    object.__setattr__(prepared, "version", version)
    for _ in range(2):
        who = Recipient(
            1, uuid4(), "digital", 0, english=english, name=name, cpr=cpr, cvr="" if cpr else "12345674"
        )
        assert prepared.written(who, at=at) == memo.write(prepared.message(who, at=at), version=version)


def test_what_xml_cannot_hold_is_refused_either_way() -> None:
    prepared = Prepared.of(Campaign(subject="Brev", text="Tekst"))
    who = Recipient(1, uuid4(), "digital", 0, name="\x00", cvr="12345674")
    with pytest.raises(ValueError, match="XML"):
        memo.write(prepared.message(who, at=datetime.now(UTC)))
    with pytest.raises(ValueError, match="XML"):
        prepared.written(who, at=datetime.now(UTC))
