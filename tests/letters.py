"""Letters for tests: small, but such that Digital Post would take them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from mailouts import memo
from mailouts.memo import (
    Action,
    Body,
    Document,
    EntryPoint,
    File,
    IdType,
    Message,
    MessageType,
    Party,
    Reservation,
)

ANNA = "0101010101"  # ends odd: the stand-in sends no NemSMS there
BO = "0202020202"
HTML = '<!doctype html><html lang="da"><head><title>Brev</title></head><body><p>Hej <a href="https://localhost:8000/b">stem</a></p></body></html>'
PDF = b"%PDF-1.7\n%%EOF\n"


def letter(
    number: str = BO,
    *,
    uuid: UUID | None = None,
    label: str = "Stem om budgettet",
    html: str = HTML,
    rich: bool = False,
) -> bytes:
    """`rich`: with a button, a meeting and a PDF beside the letter."""
    actions: tuple[Action, ...] = ()
    more: tuple[Document, ...] = ()
    if rich:
        actions = (
            Action(
                label="Stem her",
                code="SELVBETJENING",
                entry_point=EntryPoint("https://localhost:8000/budget/stem/"),
            ),
            Action(
                label="Borgermøde",
                code="AFTALE",
                reservation=Reservation(
                    uuid=uuid4(),
                    description="Møde om havnen",
                    abstract="Kom og hør",
                    location="Rådhuset, lokale 2",
                    start=datetime(2027, 2, 3, 17, tzinfo=UTC),
                    end=datetime(2027, 2, 3, 19, tzinfo=UTC),
                ),
            ),
        )
        more = (Document(files=(File("application/pdf", "Bilag.pdf", "da", content=PDF),)),)
    main = Document(files=(File("text/html", "brev.html", "da", content=html.encode()),), actions=actions)
    return memo.write(
        _message(
            number,
            uuid or uuid4(),
            label,
            MessageType.DIGITAL_POST,
            body=Body(created=datetime(2026, 11, 2, 9, tzinfo=UTC), main=main, additional=more),
        )
    )


def text_message(number: str = BO, *, uuid: UUID | None = None, text: str = "Husk at stemme") -> bytes:
    return memo.write(_message(number, uuid or uuid4(), "Husk", MessageType.NEMSMS, notification=text))


def _message(
    number: str,
    uuid: UUID,
    label: str,
    kind: MessageType,
    *,
    body: Body | None = None,
    notification: str | None = None,
) -> Message:
    return Message(
        type=kind,
        uuid=uuid,
        label=label,
        sender=Party(id="11110002", id_type=IdType.CVR, label="Kommunen"),
        recipient=Party(id=number, id_type=IdType.CPR),
        body=body,
        notification=notification,
    )
