"""The words of a mailout's life, and how letters travel."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Stage(TextChoices):
    """Where a mailout stands. Everything that is sent depends on it, so PostgreSQL guards how it moves."""

    DRAFT = "draft", _("Draft")
    FROZEN = "frozen", _("Frozen, waits for approval")
    APPROVED = "approved", _("Approved, waits for its time")
    SENDING = "sending", _("Being sent")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Sent")
    STOPPED = "stopped", _("Stopped")


MOVES: dict[str, frozenset[str]] = {
    Stage.DRAFT: frozenset({Stage.FROZEN}),
    Stage.FROZEN: frozenset({Stage.DRAFT, Stage.APPROVED}),
    Stage.APPROVED: frozenset({Stage.DRAFT, Stage.SENDING, Stage.STOPPED}),
    Stage.SENDING: frozenset({Stage.PAUSED, Stage.DONE, Stage.STOPPED}),
    Stage.PAUSED: frozenset({Stage.SENDING, Stage.STOPPED}),
    Stage.DONE: frozenset({Stage.SENDING}),  # a failed letter is sent again
    Stage.STOPPED: frozenset(),
}
OVER = frozenset({Stage.DONE, Stage.STOPPED})
BEGUN = frozenset({Stage.SENDING, Stage.PAUSED, Stage.DONE, Stage.STOPPED})


class Channel(TextChoices):
    DIGITAL = "digital", _("Digital Post")
    PAPER = "paper", _("Letter on paper")
    EMAIL = "email", _("E-mail")
    NEMSMS = "nemsms", _("NemSMS")


class Policy(TextChoices):
    """How the channel of each recipient is chosen (`mailouts.channels`)."""

    AUTOMATIC = "automatic", _("Digital Post, and paper for those who are exempt")
    DIGITAL = "digital", _("Digital Post only")
    PAPER = "paper", _("Paper for everybody")
    EMAIL = "email", _("E-mail only")
    NEMSMS = "nemsms", _("NemSMS, a short text on the phone")


class PaperRoute(TextChoices):
    REMOTE = "remote", _("Remote print: the gateway prints and posts them")
    BATCH = "batch", _("Our own print: we fetch a PDF and a list")


class State(TextChoices):
    """Where one delivery stands. `sending` is written before anything leaves the house; what is not answered for becomes
    `uncertain`, and only a receipt or a person moves it from there."""

    QUEUED = "queued", _("In the queue")
    CLAIMED = "claimed", _("Next to be sent")
    SENDING = "sending", _("Being sent")
    PRINTED = "printed", _("Ready to be fetched for printing")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    UNCERTAIN = "uncertain", _("Uncertain")
    FAILED = "failed", _("Failed")
    LEFT_OUT = "left_out", _("Left out")
    CANCELLED = "cancelled", _("Not sent: stopped")


WAITING = frozenset({State.QUEUED, State.CLAIMED, State.SENDING})
ARRIVED = frozenset({State.SENT, State.DELIVERED})


class ActionKind(TextChoices):
    NONE = "none", _("None")
    LINK = "link", _("A button that leads to a page")
    MEETING = "meeting", _("A meeting for the calendar")


class Earlier(TextChoices):
    LEAVE_OUT = "leave_out", _("Leave them out")
    INCLUDE = "include", _("Send to them again")
