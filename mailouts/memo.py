"""MeMo, the message model of Digital Post, as plain values: written to XML and read from it. Needs no Django.

Source: Digitaliseringsstyrelsen's description of MeMo 1.1 and the examples of 1.2, for which no schema is published. One table
per element (`MESSAGE` and below) says which children it has, in which order; writing, reading and the rules in
`memo_rules` all follow it. A message never leaves with less than it holds: what cannot be written is refused with
`ValueError`, be it a character that XML cannot hold or an element that the version does not have.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final, Literal, NoReturn
from uuid import UUID
from xml.parsers import expat

Version = Literal["1.1", "1.2"]
VERSIONS: Final[tuple[Version, ...]] = ("1.1", "1.2")
SCHEMA_VERSION: Final = "1.1.0"  # memoSchVersion, which 1.2 no longer has

MEMO: Final = "https://DigitalPost.dk/MeMo-1"
GRD: Final = "https://data.gov.dk/model/core/"
KLE: Final = "http://kle-online.dk/"
FORM: Final = "http://www.form-online.dk/"
DMV: Final = "https://motorregister.skat.dk/"
GLN: Final = "https://www.gs1.dk/gs1-standarder/identifikation/gln-global-location-number/"
SOR: Final = "https://services.nsi.dk/en/Services/SOR"
UDD: Final = (
    "https://www.dst.dk/da/TilSalg/Forskningsservice/Dokumentation/hoejkvalitetsvariable/elevregister-2/udd#"
)
PREFIXES: Final = {
    MEMO: "memo",
    GRD: "grd",
    KLE: "kle",
    FORM: "form",
    DMV: "dmv",
    GLN: "gln",
    SOR: "sor",
    UDD: "udd",
}
INSTANCE: Final = "http://www.w3.org/2001/XMLSchema-instance"


class Unreadable(ValueError):
    """This is not a MeMo message; the sentence says what is wrong and never repeats what the message says."""


class MessageType(StrEnum):
    DIGITAL_POST = "DIGITALPOST"
    NEMSMS = "NEMSMS"


class IdType(StrEnum):
    CPR = "CPR"
    CVR = "CVR"


class ActionCode(StrEnum):
    APPOINTMENT = "AFTALE"
    CONFIRM = "BEKRAEFT"
    PAYMENT = "BETALING"
    PREPARE = "FORBEREDELSE"
    INFORMATION = "INFORMATION"
    SELF_SERVICE = "SELVBETJENING"
    ENROL = "TILMELDING"
    SIGN = "UNDERSKRIV"


# Values


@dataclass(frozen=True, slots=True)
class Named:
    """A number, address or key with the name that goes with it; its place says of what."""

    id: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class AddressPoint:
    easting: str | None = None
    northing: str | None = None
    height: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    id: str | None = None
    label: str | None = None
    house_number: str | None = None
    door: str | None = None
    floor: str | None = None
    co: str | None = None
    zip_code: str | None = None
    city: str | None = None
    country: str | None = None
    point: AddressPoint | None = None


@dataclass(frozen=True, slots=True)
class UnstructuredAddress:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Whom at the sender or recipient it concerns."""

    person: Named | None = None
    production_unit: Named | None = None
    location: Named | None = None
    email: Named | None = None
    se_number: Named | None = None
    telephone: Named | None = None
    eid: Named | None = None
    content_responsible: Named | None = None
    generating_system: Named | None = None
    sor: Named | None = None
    address: Address | None = None
    unstructured_address: UnstructuredAddress | None = None


@dataclass(frozen=True, slots=True)
class ContactInfo:
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """Where an answer goes (the authority's contact structure)."""

    id: str
    group: str | None = None
    label: str | None = None
    info: tuple[ContactInfo, ...] = ()


@dataclass(frozen=True, slots=True)
class Party:
    """Sender, recipient, or on whose behalf the sender sends (`representative`, from 1.2). `id_type_label`: only 1.1."""

    id: str = field(repr=False)
    id_type: str
    label: str | None = field(default=None, repr=False)
    attention: Attention | None = field(default=None, repr=False)
    contact_point: ContactPoint | None = field(default=None, repr=False)
    representative: "Party | None" = None
    id_type_label: str | None = None


@dataclass(frozen=True, slots=True)
class CaseId:
    id: str
    system: str


@dataclass(frozen=True, slots=True)
class Kle:
    """Subject in KL's common classification, such as 00.16.00."""

    subject_key: str
    version: str
    label: str
    activity_facet: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """Task in FORM, the common public reference model."""

    task_key: str
    version: str
    label: str
    activity_facet: str | None = None


@dataclass(frozen=True, slots=True)
class AdditionalContent:
    name: str
    value: str
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the message is about, for the recipient's systems."""

    cpr: Named | None = field(default=None, repr=False)
    cvr: Named | None = None
    motor_vehicle: Named | None = None
    property_number: Named | None = None
    case: CaseId | None = None
    kle: Kle | None = None
    form: Form | None = None
    production_unit: Named | None = None
    education: Named | None = None
    address: Address | None = None
    unstructured_address: UnstructuredAddress | None = None
    additional: tuple[AdditionalContent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    message_uuid: UUID
    original_moment: datetime
    original_sender: str
    original_content_responsible: str | None = None
    original_representative: str | None = None
    contact_point_id: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class AdditionalReply:
    label: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One message of the correspondence that this one belongs to."""

    message_uuid: UUID
    message_id: str | None = None
    reply_uuid: UUID | None = None
    sender_id: str | None = field(default=None, repr=False)
    recipient_id: str | None = field(default=None, repr=False)
    case_id: str | None = None
    contact_point_id: str | None = None
    generating_system_id: str | None = None
    comment: str | None = None
    additional: tuple[AdditionalReply, ...] = ()


_BLANK: Final = re.compile("[ \t\r\n]")  # base64 may stand on many lines
_BLANKS: Final = str.maketrans("", "", " \t\r\n")


@dataclass(frozen=True, slots=True)
class File:
    """Give either `content` or `encoded`, its base64 text. Either is put in its written form here, once, however many
    messages the same `File` goes with. `is_base64` is checked here for the same reason."""

    encoding_format: str
    filename: str
    language: str
    content: bytes | None = field(default=None, repr=False, compare=False)
    encoded: str | None = field(default=None, repr=False, compare=False)
    written: bytes = field(init=False, repr=False)
    is_base64: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if (self.content is None) == (self.encoded is None):
            raise ValueError("A file has either content or encoded content.")
        fits, written = True, b""
        if self.content is not None:
            written = b64encode(self.content)
        elif self.encoded is not None:
            text = self.encoded.translate(_BLANKS) if _BLANK.search(self.encoded) else self.encoded
            fits = _is_base64(text)
            written = (text if fits else escape(text)).encode()
        object.__setattr__(self, "written", written)
        object.__setattr__(self, "is_base64", fits)

    def decoded(self) -> bytes:
        """What it holds. Raises `ValueError` if that is not base64."""
        if self.content is not None:
            return self.content
        if not self.is_base64:
            raise ValueError("The file's content is not base64.")
        return b64decode(self.written)


@dataclass(frozen=True, slots=True)
class EntryPoint:
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A meeting for the recipient's calendar."""

    uuid: UUID
    description: str
    abstract: str
    location: str
    start: datetime
    end: datetime
    organizer_mail: str | None = None
    organizer_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the recipient can do: go to an address, or put a meeting in the calendar."""

    label: str
    code: str
    start: datetime | None = None
    end: datetime | None = None
    reservation: Reservation | None = None
    entry_point: EntryPoint | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Several files are the same document in several formats."""

    files: tuple[File, ...]
    id: str | None = None
    label: str | None = None
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    created: datetime
    main: Document
    additional: tuple[Document, ...] = ()
    technical: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A letter, or a text message: that has no body, its text is the `notification`."""

    type: MessageType
    uuid: UUID
    label: str
    sender: Party
    recipient: Party
    id: str | None = None
    code: str | None = None
    notification: str | None = None
    additional_notification: str | None = None
    reply: bool = False
    reply_by: datetime | None = None
    do_not_deliver_until: date | None = None
    mandatory: bool = False
    legal_notification: bool = False
    post_type: str | None = None
    content: Content | None = None
    forward: Forward | None = None
    replies: tuple[Reply, ...] = ()
    body: Body | None = None


# Which child follows which


class Holds(StrEnum):
    """What an element without children holds."""

    TEXT = "text"
    UUID = "a UUID"
    FLAG = "true or false"
    MOMENT = "a moment in UTC that ends in Z"
    DAY = "a date"
    TYPE = "DIGITALPOST or NEMSMS"
    FILE = "base64"


@dataclass(frozen=True, slots=True)
class Child:
    """`most` counts when a message is checked, not when it is read; any other than 1 is a tuple in the value.
    `only`: the one version that has it. `required_in`: the one version that cannot do without."""

    element: str
    attribute: str
    holds: "Holds | Shape" = Holds.TEXT
    required: bool = False
    most: int | None = 1
    limit: int = 256
    only: Version | None = None
    required_in: Version | None = None

    def is_required(self, version: Version) -> bool:
        return self.required or self.required_in == version


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """`makes` is None where the children belong to the value of the element around it."""

    element: str
    makes: type[Any] | None
    children: tuple[Child, ...]
    namespace: str = MEMO


def _pair(
    element: str, id: str, label: str | None, namespace: str = MEMO, *, id_required: bool = True
) -> Shape:
    children = [Child(id, "id", required=id_required)]
    if label is not None:
        children.append(Child(label, "label"))
    return Shape(element, Named, tuple(children), namespace)


def _within(shape: Shape, attribute: str, *, required: bool = False, most: int | None = 1) -> Child:
    return Child(shape.element, attribute, shape, required, most)


_PRODUCTION_UNIT = _pair("ProductionUnit", "productionUnitNumber", "productionUnitName", GRD)
_ADDRESS_POINT = Shape(
    "AddressPoint",
    AddressPoint,
    (
        Child("geographicEastingMeasure", "easting"),
        Child("geographicNorthingMeasure", "northing"),
        Child("geographicHeightMeasure", "height"),
    ),
    GRD,
)
_ADDRESS = Shape(
    "Address",
    Address,
    (
        Child("id", "id"),
        Child("addressLabel", "label"),
        Child("houseNumber", "house_number"),
        Child("door", "door"),
        Child("floor", "floor"),
        Child("co", "co"),
        Child("zipCode", "zip_code"),
        Child("city", "city"),
        Child("country", "country"),
        _within(_ADDRESS_POINT, "point"),
    ),
    GRD,
)
_UNSTRUCTURED = Shape(
    "UnstructuredAddress", UnstructuredAddress, (Child("unstructured", "text", required=True),), GRD
)
_ATTENTION = Shape(
    "AttentionData",
    Attention,
    (
        _within(_pair("AttentionPerson", "personID", "label", id_required=False), "person"),
        _within(_PRODUCTION_UNIT, "production_unit"),
        _within(_pair("GlobalLocationNumber", "globalLocationNumber", "location", GLN), "location"),
        _within(_pair("EMail", "emailAddress", "relatedAgent"), "email"),
        _within(_pair("SEnumber", "seNumber", "companyName", GRD), "se_number"),
        _within(_pair("Telephone", "telephoneNumber", "relatedAgent"), "telephone"),
        _within(_pair("EID", "eID", "label", GRD), "eid"),
        _within(
            _pair("ContentResponsible", "contentResponsibleID", "label", id_required=False),
            "content_responsible",
        ),
        _within(_pair("GeneratingSystem", "generatingSystemID", "label"), "generating_system"),
        _within(_pair("SORdata", "sorIdentifier", "entryName", SOR), "sor"),
        _within(_ADDRESS, "address"),
        _within(_UNSTRUCTURED, "unstructured_address"),
    ),
)
_CONTACT_INFO = Shape(
    "ContactInfo",
    ContactInfo,
    (Child("label", "label", required=True), Child("value", "value", required=True)),
)
_CONTACT_POINT = Shape(
    "ContactPoint",
    ContactPoint,
    (
        Child("contactGroup", "group"),
        Child("contactPointID", "id", required=True),
        Child("label", "label"),
        _within(_CONTACT_INFO, "info", most=2),
    ),
)
_REPRESENTATIVE = Shape(
    "Representative",
    Party,
    (
        Child("representativeID", "id", required=True),
        Child("idType", "id_type", required=True),
        Child("label", "label", required=True),
    ),
)
_SENDER = Shape(
    "Sender",
    Party,
    (
        Child("senderID", "id", required=True),
        Child("idType", "id_type", required=True),
        Child("idTypeLabel", "id_type_label", only="1.1"),
        Child("label", "label", required=True),
        _within(_ATTENTION, "attention"),
        _within(_CONTACT_POINT, "contact_point"),
        Child("Representative", "representative", _REPRESENTATIVE, only="1.2"),
    ),
)
_RECIPIENT = Shape(
    "Recipient",
    Party,
    (
        Child("recipientID", "id", required=True),
        Child("idType", "id_type", required=True),
        Child("idTypeLabel", "id_type_label", only="1.1"),
        Child("label", "label"),
        _within(_ATTENTION, "attention"),
        _within(_CONTACT_POINT, "contact_point"),
    ),
)
_CASE = Shape(
    "CaseID", CaseId, (Child("caseID", "id", required=True), Child("caseSystem", "system", required=True))
)
_KLE = Shape(
    "KLEdata",
    Kle,
    (
        Child("subjectKey", "subject_key", required=True),
        Child("version", "version", required=True),
        Child("activityFacet", "activity_facet"),
        Child("label", "label", required=True),
    ),
    KLE,
)
_FORM = Shape(
    "FORMdata",
    Form,
    (
        Child("taskKey", "task_key", required=True),
        Child("version", "version", required=True),
        Child("activityFacet", "activity_facet"),
        Child("label", "label", required=True),
    ),
    FORM,
)
_MOTOR_VEHICLE = Shape(
    "MotorVehicle",
    Named,
    (Child("licenseNumber", "id", required=True, limit=7), Child("chassisNumber", "label")),
    DMV,
)
_ADDITIONAL_CONTENT = Shape(
    "AdditionalContentData",
    AdditionalContent,
    (
        Child("contentDataType", "type"),
        Child("contentDataName", "name", required=True),
        Child("contentDataValue", "value", required=True),
    ),
)
_CONTENT = Shape(
    "ContentData",
    Content,
    (
        _within(_pair("CPRdata", "cprNumber", "name", GRD), "cpr"),
        _within(_pair("CVRdata", "cvrNumber", "companyName", GRD), "cvr"),
        _within(_MOTOR_VEHICLE, "motor_vehicle"),
        _within(_pair("PropertyNumber", "propertyNumber", None, GRD), "property_number"),
        _within(_CASE, "case"),
        _within(_KLE, "kle"),
        _within(_FORM, "form"),
        _within(_PRODUCTION_UNIT, "production_unit"),
        _within(_pair("Education", "educationCode", "educationName", UDD), "education"),
        _within(_ADDRESS, "address"),
        _within(_UNSTRUCTURED, "unstructured_address"),
        _within(_ADDITIONAL_CONTENT, "additional", most=10),
    ),
)
_FORWARD = Shape(
    "ForwardData",
    Forward,
    (
        Child("messageUUID", "message_uuid", Holds.UUID, required=True),
        Child("originalMessageDateTime", "original_moment", Holds.MOMENT, required=True),
        Child("originalSender", "original_sender", required=True),
        Child("originalContentResponsible", "original_content_responsible"),
        Child("originalRepresentative", "original_representative", only="1.2"),
        Child("contactPointID", "contact_point_id"),
        Child("comment", "comment", limit=512),
    ),
)
_ADDITIONAL_REPLY = Shape(
    "AdditionalReplyData",
    AdditionalReply,
    (Child("label", "label", required=True), Child("value", "value", required=True)),
)
_REPLY = Shape(
    "ReplyData",
    Reply,
    (
        Child("messageID", "message_id"),
        Child("messageUUID", "message_uuid", Holds.UUID, required=True),
        Child("replyUUID", "reply_uuid", Holds.UUID),
        Child("senderID", "sender_id"),
        Child("recipientID", "recipient_id"),
        Child("caseID", "case_id"),
        Child("contactPointID", "contact_point_id"),
        Child("generatingSystemID", "generating_system_id"),
        Child("comment", "comment", limit=512),
        _within(_ADDITIONAL_REPLY, "additional", most=4),
    ),
)
_HEADER = Shape(
    "MessageHeader",
    None,
    (
        Child("messageType", "type", Holds.TYPE, required=True),
        Child("messageUUID", "uuid", Holds.UUID, required=True),
        Child("messageID", "id"),
        Child("messageCode", "code"),
        Child("label", "label", required=True),
        Child("notification", "notification", limit=150),
        Child("additionalNotification", "additional_notification"),
        Child("reply", "reply", Holds.FLAG),
        Child("replyByDateTime", "reply_by", Holds.MOMENT),
        Child("doNotDeliverUntilDate", "do_not_deliver_until", Holds.DAY),
        Child("mandatory", "mandatory", Holds.FLAG, required_in="1.1"),
        Child("legalNotification", "legal_notification", Holds.FLAG, required_in="1.1"),
        Child("postType", "post_type"),
        _within(_SENDER, "sender", required=True),
        _within(_RECIPIENT, "recipient", required=True),
        _within(_CONTENT, "content"),
        _within(_FORWARD, "forward"),
        _within(_REPLY, "replies", most=None),
    ),
)
_FILE = Shape(
    "File",
    File,
    (
        Child("encodingFormat", "encoding_format", required=True),
        Child("filename", "filename", required=True),
        Child("language", "language", required=True),
        Child("content", "encoded", Holds.FILE, required=True),
    ),
)
_RESERVATION = Shape(
    "Reservation",
    Reservation,
    (
        Child("description", "description", required=True),
        Child("reservationUUID", "uuid", Holds.UUID, required=True),
        Child("abstract", "abstract", required=True),
        Child("location", "location", required=True),
        Child("startDateTime", "start", Holds.MOMENT, required=True),
        Child("endDateTime", "end", Holds.MOMENT, required=True),
        Child("organizerMail", "organizer_mail"),
        Child("organizerName", "organizer_name"),
    ),
)
_ACTION = Shape(
    "Action",
    Action,
    (
        Child("label", "label", required=True),
        Child("actionCode", "code", required=True),
        Child("startDateTime", "start", Holds.MOMENT),
        Child("endDateTime", "end", Holds.MOMENT),
        _within(_RESERVATION, "reservation"),
        _within(Shape("EntryPoint", EntryPoint, (Child("url", "url", required=True),)), "entry_point"),
    ),
)


def _document(element: str, id: str, *, has_actions: bool = True) -> Shape:
    children = (Child(id, "id"), Child("label", "label"), _within(_FILE, "files", required=True, most=None))
    actions = (_within(_ACTION, "actions", most=None),) if has_actions else ()
    return Shape(element, Document, (*children, *actions))


_BODY = Shape(
    "MessageBody",
    Body,
    (
        Child("createdDateTime", "created", Holds.MOMENT, required=True),
        _within(_document("MainDocument", "mainDocumentID"), "main", required=True),
        _within(_document("AdditionalDocument", "additionalDocumentID"), "additional", most=10),
        _within(
            _document("TechnicalDocument", "technicalDocumentID", has_actions=False), "technical", most=None
        ),
    ),
)
MESSAGE: Final = Shape("Message", Message, (_within(_HEADER, "", required=True), _within(_BODY, "body")))


# Writing

_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, section 2.2


def escape(text: str) -> str:
    """Text for an element. A carriage return is named, since a parser makes a line feed of it otherwise. Raises
    `ValueError` for characters that XML 1.0 cannot hold."""
    if _SPECIAL.search(text) is None:
        return text
    if FORBIDDEN.search(text) is not None:
        raise ValueError("The text has a character that XML cannot hold.")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")


def moment(value: datetime) -> str:
    """Whole seconds, as in every published example."""
    if value.tzinfo is not UTC:
        if value.utcoffset() is None:
            raise ValueError("A moment without a time zone cannot be written as UTC.")
        value = value.astimezone(UTC)
    return value.isoformat("T", "seconds")[:-6] + "Z"


def _flag(value: bool) -> str:
    return "true" if value else "false"


_RENDER: Final[dict[Holds, Callable[[Any], str]]] = {
    Holds.TEXT: escape,
    Holds.UUID: str,
    Holds.FLAG: _flag,
    Holds.MOMENT: moment,
    Holds.DAY: date.isoformat,
    Holds.TYPE: str,
}


@dataclass(frozen=True, slots=True)
class _Step:
    """What is done for one attribute, thought out once per version."""

    attribute: str
    opening: str
    closing: str
    render: Callable[[Any], str] | None
    inner: "tuple[_Step, ...] | None"
    is_many: bool
    is_required: bool
    refusal: str  # why the attribute cannot be written here, or ""


@cache
def _steps(shape: Shape, version: Version) -> tuple[_Step, ...]:
    steps = []
    for child in shape.children:
        holds = child.holds
        namespace = holds.namespace if isinstance(holds, Shape) else shape.namespace
        prefix = PREFIXES[namespace]
        declared = "" if namespace == shape.namespace else f' xmlns:{prefix}="{namespace}"'
        unknown = child.only not in (None, version)
        steps.append(
            _Step(
                attribute="written" if holds is Holds.FILE else child.attribute,
                opening=f"<{prefix}:{child.element}{declared}>",
                closing=f"</{prefix}:{child.element}>",
                render=None if isinstance(holds, Shape) else _RENDER.get(holds),
                inner=_steps(holds, version) if isinstance(holds, Shape) else None,
                is_many=child.most != 1,
                is_required=child.is_required(version),
                refusal=f"MeMo {version} has no {child.element} in {shape.element}." if unknown else "",
            )
        )
    steps += [
        _Step(name, "", "", None, None, False, False, f"{shape.element} cannot have {name}.")
        for name in misplaced(shape)
    ]
    return tuple(steps)


@cache
def misplaced(shape: Shape) -> tuple[str, ...]:
    """What the value could hold, since it serves elsewhere too, but has no place here: a recipient's representative."""
    if shape.makes is None or shape is MESSAGE:
        return ()
    placed = {child.attribute for child in shape.children} | {"content" if shape.makes is File else ""}
    return tuple(each.name for each in fields(shape.makes) if each.init and each.name not in placed)


def _put(value: Any, steps: tuple[_Step, ...], parts: list[str], chunks: list[bytes]) -> None:
    """`parts` are what is not yet encoded. File contents go to `chunks` as they are, so that they are never escaped or
    encoded anew."""
    for step in steps:
        held = getattr(value, step.attribute) if step.attribute else value
        if held is None or held is False or held == ():
            if not step.is_required:
                continue
            if held is not False:
                raise ValueError(f"{step.closing[2:-1]} is missing.")
        if step.refusal:
            raise ValueError(step.refusal)
        if step.render is not None:
            parts += (step.opening, step.render(held), step.closing)
        elif step.inner is not None:
            for each in held if step.is_many else (held,):
                parts.append(step.opening)
                _put(each, step.inner, parts, chunks)
                parts.append(step.closing)
        else:
            parts.append(step.opening)
            chunks += ("".join(parts).encode(), held)
            parts.clear()
            parts.append(step.closing)


_ROOT: Final[dict[Version, str]] = {
    "1.1": f'<memo:Message xmlns:memo="{MEMO}" memoVersion="1.1" memoSchVersion="{SCHEMA_VERSION}">',
    "1.2": f'<memo:Message xmlns:memo="{MEMO}" memoVersion="1.2">',
}


def _chunks(message: Message, version: Version) -> list[bytes]:
    chunks: list[bytes] = []
    parts = [_ROOT[version]]
    _put(message, _steps(MESSAGE, version), parts, chunks)
    parts.append("</memo:Message>")
    chunks.append("".join(parts).encode())
    return chunks


def write(message: Message, *, version: Version = "1.2") -> bytes:
    """UTF-8 without an XML declaration (which XML does not ask for), so that it can stand inside a `kombi_request` as it
    is. Raises `ValueError` for what the version cannot hold."""
    return b"".join(_chunks(message, version))


def size(message: Message, *, version: Version = "1.2") -> int:
    """How many bytes `write` would give, without putting them together."""
    return sum(map(len, _chunks(message, version)))


# Reading

_DEEPEST = 16  # a message is nine deep
_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_BASE64_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_LAST_LETTERS: Final = {0: _BASE64_LETTERS.decode(), 1: "AEIMQUYcgkosw048", 2: "AQgw"}  # by number of =


def _is_base64(text: str) -> bool:
    """As xs:base64Binary has it: filled up with =, and no stray bits in the last letter."""
    letters = text.rstrip("=")
    filling = len(text) - len(letters)
    if not text:
        return True
    if len(text) % 4 or filling > 2 or not letters.isascii() or letters[-1] not in _LAST_LETTERS[filling]:
        return False
    return not letters.encode().translate(None, _BASE64_LETTERS)


@dataclass(slots=True)
class _Node:
    name: str
    attributes: dict[str, str]
    line: int
    children: "list[_Node]"
    text: list[str]


def _name(expanded: str) -> str:
    """An element's name for people: as short as it can be, and never longer than a line."""
    return expanded.rpartition(" ")[2][:60]


def _tree(xml: bytes) -> _Node:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    outside = _Node("", {}, 0, [], [])
    open_nodes = [outside]

    def doctype(*_what: object) -> NoReturn:
        raise Unreadable("The XML has a DOCTYPE, which a message never has.")

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_nodes) > _DEEPEST:
            raise Unreadable(f"Line {parser.CurrentLineNumber}: elements are nested too deeply.")
        node = _Node(name, attributes, parser.CurrentLineNumber, [], [])
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_name: str) -> None:
        open_nodes.pop()

    def text(data: str) -> None:
        open_nodes[-1].text.append(data)

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(xml, True)
    except Unreadable:
        raise
    except expat.ExpatError as error:
        said = expat.errors.messages.get(error.code, "error")
        raise Unreadable(f"Line {error.lineno}: the XML is not well-formed ({said}).") from None
    except (LookupError, ValueError):
        raise Unreadable("The XML is in an encoding that cannot be read.") from None
    return outside.children[0]


def read(xml: bytes) -> Message:
    """Strict: what MeMo does not know, or knows in another place, makes it `Unreadable`. That a message can be read does
    not make it right: see `memo_rules`."""
    root = _tree(xml)
    if root.name != f"{MEMO} Message":
        raise Unreadable(f"The outermost element is {_name(root.name)}, not a MeMo Message.")
    version = _version(root)
    message: Message = Message(**_values(root, MESSAGE, version))
    return message


def _version(root: _Node) -> Version:
    given = {name: value for name, value in root.attributes.items() if not name.startswith(f"{INSTANCE} ")}
    stated = given.pop("memoVersion", None)
    schema = given.pop("memoSchVersion", None)
    if given:
        raise Unreadable(f"Message has an attribute {_name(next(iter(given)))} that MeMo does not know.")
    for version in VERSIONS:
        if stated == version:
            if (schema is not None) != (version == "1.1"):
                raise Unreadable("memoSchVersion must stand in MeMo 1.1, and may not stand in 1.2.")
            return version
    raise Unreadable("Message has no memoVersion of 1.1 or 1.2.")


@cache
def _places(shape: Shape, version: Version) -> tuple[dict[str, int], tuple[Child, ...]]:
    """Which place an element has among its siblings."""
    children = tuple(child for child in shape.children if child.only in (None, version))
    names = {}
    for place, child in enumerate(children):
        namespace = child.holds.namespace if isinstance(child.holds, Shape) else shape.namespace
        names[f"{namespace} {child.element}"] = place
    return names, children


def _values(node: _Node, shape: Shape, version: Version) -> dict[str, Any]:
    if node.attributes and shape is not MESSAGE:
        raise Unreadable(f"Line {node.line}: {shape.element} has an attribute.")
    if not "".join(node.text).isspace() and node.text:
        raise Unreadable(f"Line {node.line}: {shape.element} has text between its elements.")
    names, children = _places(shape, version)
    values: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    met: set[int] = set()
    furthest = -1
    for inner in node.children:
        place = names.get(inner.name)
        if place is None:
            raise Unreadable(
                f"Line {inner.line}: MeMo {version} knows no {_name(inner.name)} in {shape.element}."
            )
        child = children[place]
        if place < furthest:
            raise Unreadable(f"Line {inner.line}: {child.element} stands too late in {shape.element}.")
        if place in met and child.most == 1:
            raise Unreadable(f"Line {inner.line}: {shape.element} has a second {child.element}.")
        furthest = place
        met.add(place)
        value = _value(inner, child, version)
        if child.most != 1:
            lists.setdefault(child.attribute, []).append(value)
        elif child.attribute:
            values[child.attribute] = value
        else:
            values |= value
    for place, child in enumerate(children):
        if place not in met and child.is_required(version):
            raise Unreadable(f"Line {node.line}: {shape.element} has no {child.element}.")
    return values | {attribute: tuple(many) for attribute, many in lists.items()}


def _value(node: _Node, child: Child, version: Version) -> Any:
    if isinstance(child.holds, Shape):
        values = _values(node, child.holds, version)
        return values if child.holds.makes is None else child.holds.makes(**values)
    if node.attributes or node.children:
        raise Unreadable(f"Line {node.line}: {child.element} has more than text.")
    text = "".join(node.text)
    if child.holds in (Holds.TEXT, Holds.FILE):
        return text
    try:
        return _scalar(text, child.holds)
    except (ValueError, LookupError):
        raise Unreadable(f"Line {node.line}: {child.element} is not {child.holds}.") from None


def _scalar(text: str, holds: Holds) -> Any:
    """XML Schema lets blanks stand around moments, dates and flags, but not around the others."""
    if holds is Holds.UUID and _UUID.fullmatch(text):
        return UUID(text)
    if holds is Holds.TYPE:
        return MessageType(text)
    text = text.strip(" \t\r\n")
    if holds is Holds.FLAG:
        return _FLAGS[text]
    if holds is Holds.MOMENT and _MOMENT.fullmatch(text):
        whole, _dot, fraction = text[:-1].partition(".")
        return datetime.fromisoformat(whole).replace(tzinfo=UTC, microsecond=int(f"{fraction:0<6}"[:6]))
    if holds is Holds.DAY and _DAY.fullmatch(text):
        return date.fromisoformat(text)
    raise ValueError
