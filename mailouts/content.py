"""One mailout's letter made ready once, and then written for each recipient: MeMo, NemSMS, paper, e-mail.

What all letters share (marks read, tags written, sender, button) is prepared when a worker takes the mailout up; per letter
only names are put in.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone, translation
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from audit import clock
from dkfds import wording
from mailouts import letters, memo, paper
from mailouts.choices import ActionKind, Channel, Policy
from mailouts.letters import FIELD, Letter
from mailouts.memo_rules import is_https
from mailouts.models import Campaign
from mailouts.recipients import Recipient

HTML_NAME = "brev.html"
CODE_FIELD = "kode"  # whoever registers it: it stands in large print on paper


def letters_of(campaign: Campaign) -> tuple[Letter, Letter | None]:
    """The Danish letter, and the English one where there is one."""
    danish = Letter.parse(campaign.subject, campaign.text, language="da")
    if not campaign.english_text:
        return danish, None
    return danish, Letter.parse(
        campaign.english_subject or campaign.subject, campaign.english_text, language="en"
    )


TextCheck = Callable[[Campaign, Letter, Letter | None], Iterable[str]]
_checks: list[TextCheck] = []


def register_text_check(check: TextCheck) -> None:
    """`check(campaign, danish, english)` says what must be mended, in sentences; for a room that has registered a field."""
    if check not in _checks:
        _checks.append(check)


def problems(campaign: Campaign) -> list[str]:
    """What must be mended before the letter can be frozen."""
    if campaign.policy == Policy.NEMSMS:
        text = campaign.sms_text.strip()
        if not text:
            return [_("Write the text of the NemSMS.")]
        if FIELD.search(text):
            return [_("A NemSMS is the same for everyone: it can't hold a field in braces.")]
        return [_("A NemSMS has 150 characters at most.")] if len(text) > 150 else []
    danish, english = letters_of(campaign)
    found = danish.problems()
    if english is not None:
        found += [_("In English: %(problem)s") % {"problem": each} for each in english.problems()]
    uses_link = "link" in danish.fields or (english is not None and "link" in english.fields)
    if campaign.action_kind == ActionKind.LINK:
        if not campaign.action_label.strip() or not campaign.action_url.strip():
            found.append(_("The button needs words and an address."))
        elif not is_https(_secure(campaign.action_url)):
            found.append(_("The button's address must begin with https://."))
    elif uses_link:
        found.append(_("The letter says {link}, but it has no button that leads anywhere."))
    if campaign.action_kind == ActionKind.MEETING and not (
        campaign.meeting_starts and campaign.meeting_ends and campaign.meeting_place.strip()
    ):
        found.append(_("Say when and where the meeting is."))
    for check in _checks:
        found += check(campaign, danish, english)
    return found


_MARKED_AT = datetime(1901, 2, 3, 4, 5, 6, tzinfo=UTC)


class _Form:
    """A message to one kind of recipient, written once with marks where each one's own goes: writing all of it for every
    letter would be a tenth of its cost. `filled` gives what `memo.write` would."""

    def __init__(self, prepared: "Prepared", letter: Letter, id_type: memo.IdType, *, named: bool) -> None:
        self.uuid, self.label, self.number, self.name, self.file = (uuid4() for _ in range(5))
        party = memo.Party(self.number.hex, id_type, self.name.hex if named else None)
        html = memo.File("text/html", HTML_NAME, letter.language, encoded=self.file.hex)
        message = prepared.enveloped(
            uuid=self.uuid, label=self.label.hex, party=party, html=html, at=_MARKED_AT
        )
        written = memo.write(message, version=prepared.version).decode()
        marks = (str(self.uuid), self.label.hex, self.number.hex, self.name.hex, self.file.hex)
        self.pieces = re.split(f"({'|'.join((*marks, memo.moment(_MARKED_AT)))})", written)

    def filled(self, *, uuid: UUID, label: str, number: str, name: str, html: str, at: datetime) -> bytes:
        own = {
            str(self.uuid): str(uuid),
            self.label.hex: memo.escape(label),
            self.number.hex: memo.escape(number),
            self.name.hex: memo.escape(name),
            self.file.hex: b64encode(html.encode()).decode(),
            memo.moment(_MARKED_AT): memo.moment(at),
        }
        return "".join([own.get(piece, piece) for piece in self.pieces]).encode()


@dataclass(frozen=True)
class Prepared:
    """A mailout ready to be written to anyone."""

    campaign: Campaign
    danish: Letter
    english: Letter | None
    sender: memo.Party
    actions: tuple[memo.Action, ...]
    content: memo.Content | None
    version: memo.Version
    off_paper: Mapping[str, Mapping[str, str]]
    """For each language what stands for the fields that exist on paper only."""
    _forms: dict[tuple[str, memo.IdType, bool], _Form] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, campaign: Campaign) -> "Prepared":
        danish, english = letters_of(campaign)
        municipality = settings.MUNICIPALITY
        about = None
        if campaign.case_number or campaign.kle:
            about = memo.Content(
                case=memo.CaseId(campaign.case_number, municipality["portal"])
                if campaign.case_number
                else None,
                kle=memo.Kle(campaign.kle, "1.0", campaign.kle) if campaign.kle else None,
            )
        return cls(
            campaign=campaign,
            danish=danish,
            english=english,
            sender=memo.Party(settings.DIGITAL_POST["sender_cvr"], memo.IdType.CVR, municipality["name"]),
            actions=_actions(campaign),
            content=about,
            version=settings.DIGITAL_POST["memo_version"],
            off_paper={each.language: _off_paper(each) for each in (danish, english) if each is not None},
        )

    @property
    def fields(self) -> frozenset[str]:
        return self.danish.fields | (self.english.fields if self.english else frozenset())

    def letter_to(self, who: Recipient) -> Letter:
        return self.english if who.english and self.english is not None else self.danish

    def values(self, who: Recipient, *, on_paper: bool | None = None) -> dict[str, str]:
        """As the letter goes, unless it is said to be on paper or not: what comes along with paper is not paper."""
        values = who.values() | {"link": self.campaign.action_url}
        if not (who.channel == Channel.PAPER if on_paper is None else on_paper):
            values |= self.off_paper[self.letter_to(who).language]
        return values

    def message(self, who: Recipient, *, at: datetime) -> memo.Message:
        """Digital Post: the letter as HTML, which a screen reader and a phone can read, with its button beside it."""
        letter, values = self.letter_to(who), self.values(who, on_paper=False)
        html = memo.File("text/html", HTML_NAME, letter.language, letter.html(values).encode())
        return self.enveloped(
            uuid=who.uuid, label=letter.heading(values), party=_party(who), html=html, at=at
        )

    def enveloped(
        self, *, uuid: UUID, label: str, party: memo.Party, html: memo.File, at: datetime
    ) -> memo.Message:
        return memo.Message(
            type=memo.MessageType.DIGITAL_POST,
            uuid=uuid,
            label=label,
            sender=self.sender,
            recipient=party,
            content=self.content,
            body=memo.Body(
                created=at,
                main=memo.Document(
                    files=(html,),
                    label=label,
                    actions=tuple(_named(each, label) for each in self.actions),
                ),
            ),
        )

    def written(self, who: Recipient, *, at: datetime) -> bytes:
        """The same as MeMo's XML."""
        letter, values, party = self.letter_to(who), self.values(who, on_paper=False), _party(who)
        kind = (letter.language, memo.IdType(party.id_type), bool(party.label))
        form = self._forms.get(kind)
        if form is None:
            form = self._forms[kind] = _Form(self, letter, kind[1], named=bool(party.label))
        return form.filled(
            uuid=who.uuid,
            label=letter.heading(values),
            number=party.id,
            name=party.label or "",
            html=letter.html(values),
            at=at,
        )

    @property
    def sms_label(self) -> str:
        subject = self.campaign.subject.strip()
        return settings.MUNICIPALITY["name"] if not subject or FIELD.search(subject) else subject[:256]

    def sms(self, who: Recipient) -> memo.Message:
        return memo.Message(
            type=memo.MessageType.NEMSMS,
            uuid=who.uuid,
            label=self.sms_label,
            sender=self.sender,
            recipient=_party(who),
            notification=self.campaign.sms_text.strip(),
        )

    def meeting_words(self, language: str) -> list[str]:
        """When and where, for those who get no calendar entry: paper and e-mail."""
        campaign = self.campaign
        if (
            campaign.action_kind != ActionKind.MEETING
            or campaign.meeting_starts is None
            or campaign.meeting_ends is None
        ):
            return []
        with translation.override(language):
            starts, ends = (
                timezone.localtime(campaign.meeting_starts),
                timezone.localtime(campaign.meeting_ends),
            )
            return [
                _("Meeting: %(day)s from %(starts)s to %(ends)s, %(place)s")
                % {
                    "day": wording.day(starts.date(), clock.today()),
                    "starts": wording.clock(starts),
                    "ends": wording.clock(ends),
                    "place": campaign.meeting_place,
                }
            ]

    def sheet(self, who: Recipient) -> paper.Sheet:
        """What is printed: the address in the window, and a square: the recipient's own, else the button's."""
        letter, values = self.letter_to(who), self.values(who, on_paper=True)
        square = who.square
        if square is None and (example := values.get(CODE_FIELD)):
            square = paper.Code(code=example, address=settings.SITE_URL)
        elif square is None and self.campaign.action_kind == ActionKind.LINK:
            square = paper.Code(
                code="",
                address=self.campaign.action_url,
                label=self.campaign.action_label,
                words=self.campaign.action_url.partition("://")[2],
            )
        return paper.Sheet(
            name=who.name,
            lines=[line.strip() for line in who.address.split(",") if line.strip()],
            day=clock.today(),
            values=values,
            case_number=self.campaign.case_number,
            code=square,
            after=self.meeting_words(letter.language),
        )

    def pdf(self, who: Recipient) -> bytes:
        return paper.letter_pdf(self.letter_to(who), self.sheet(who))

    def email(self, who: Recipient) -> EmailMultiAlternatives:
        letter, values = self.letter_to(who), self.values(who, on_paper=False)
        with translation.override(letter.language):
            meeting = self.meeting_words(letter.language)
            button = "".join(f"\n\n{words}" for words in meeting)
            if self.campaign.action_kind == ActionKind.LINK:
                button = f"\n\n{self.campaign.action_label}:\n{self.campaign.action_url}"
            municipality = settings.MUNICIPALITY
            signed = _("This letter is from %(municipality)s. Do you have questions? Call %(phone)s.") % {
                "municipality": municipality["name"],
                "phone": municipality["phone"],
            }
            mail = EmailMultiAlternatives(
                subject=" ".join(letter.heading(values).split()),
                body=f"{letter.plain(values)}{button}\n\n{signed}\n",
                from_email=f"{municipality['name']} <{settings.DEFAULT_FROM_EMAIL}>",
                to=[who.email],
                headers={
                    "Auto-Submitted": "auto-generated",
                    "Message-ID": message_id(who.uuid),
                },
            )
            html = letter.html(values)
            more = format_html_join("", "<p><strong>{}</strong></p>", ((words,) for words in meeting))
            if self.campaign.action_kind == ActionKind.LINK:
                more += format_html(
                    '<p><a href="{}">{}</a></p>', self.campaign.action_url, self.campaign.action_label
                )
            html = html.replace("</main>", f"{more}</main>", 1)
            mail.attach_alternative(html, "text/html")
        return mail


def _off_paper(letter: Letter) -> dict[str, str]:
    with translation.override(letter.language):
        return letters.off_paper(letter.fields)


def message_id(uuid: UUID) -> str:
    """How a bounce tells which delivery it is about."""
    return f"<{uuid}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>"


def _party(who: Recipient) -> memo.Party:
    if who.cpr:
        return memo.Party(who.cpr, memo.IdType.CPR)
    return memo.Party(who.cvr, memo.IdType.CVR, who.name or None)


def _actions(campaign: Campaign) -> tuple[memo.Action, ...]:
    if campaign.action_kind == ActionKind.LINK:
        return (
            memo.Action(
                label=campaign.action_label,
                code=memo.ActionCode.SELF_SERVICE,
                entry_point=memo.EntryPoint(_secure(campaign.action_url)),
            ),
        )
    if campaign.action_kind == ActionKind.MEETING and campaign.meeting_starts and campaign.meeting_ends:
        return (
            memo.Action(
                label=campaign.action_label or "Møde",
                code=memo.ActionCode.APPOINTMENT,
                start=campaign.meeting_starts,
                end=campaign.meeting_ends,
                reservation=memo.Reservation(
                    uuid=_meeting_uuid(campaign),
                    description=campaign.subject,
                    abstract=campaign.subject,
                    location=campaign.meeting_place,
                    start=campaign.meeting_starts,
                    end=campaign.meeting_ends,
                    organizer_mail=settings.MUNICIPALITY["email"],
                    organizer_name=settings.MUNICIPALITY["name"],
                ),
            ),
        )
    return ()


def _named(action: memo.Action, heading: str) -> memo.Action:
    """In the recipient's calendar a meeting is called what the letter to them is called."""
    if action.reservation is None:
        return action
    called = replace(action.reservation, description=heading, abstract=heading)
    return replace(action, reservation=called)


def _secure(address: str) -> str:
    """Digital Post takes https alone, and a portal on one's own machine has none: the stand-in knows that."""
    return address.replace("http://", "https://", 1) if address.startswith(settings.SITE_URL) else address


def _meeting_uuid(campaign: Campaign) -> UUID:
    """The same meeting in every letter of the mailout; shaped as version 4, which is what Digital Post takes."""
    name: Any = f"{settings.SITE_URL}/mailouts/{campaign.pk}/meeting"
    return UUID(bytes=uuid5(NAMESPACE_URL, name).bytes, version=4)
