"""The words a process is described in. Statuses come with the named groups that rules ask about."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Status(TextChoices):
    DRAFT = "draft", _("Draft")
    IN_REVIEW = "in_review", _("In review")
    APPROVED = "approved", _("Approved")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    DECIDED = "decided", _("Decided")
    CONCLUDED = "concluded", _("Concluded")
    CANCELLED = "cancelled", _("Cancelled")
    INFORMED = "informed", _("For information")


UNPUBLISHED = frozenset({Status.DRAFT, Status.IN_REVIEW})
PUBLIC = frozenset(Status) - UNPUBLISHED
FROZEN = frozenset({Status.APPROVED, Status.OPEN, Status.CLOSED, Status.DECIDED, Status.CONCLUDED})
BEFORE_DECISION = frozenset({Status.DRAFT, Status.IN_REVIEW, Status.APPROVED, Status.OPEN, Status.CLOSED})
OVER = frozenset({Status.DECIDED, Status.CONCLUDED, Status.CANCELLED, Status.INFORMED})


class Size(TextChoices):
    SMALL = "small", _("Small")
    ORDINARY = "ordinary", _("Ordinary")
    LARGE = "large", _("Large")


class Purpose(TextChoices):
    """Why citizens are asked (Ballerup's catalogue: democracy, effectiveness, innovation)."""

    DEMOCRACY = "democracy", _("Democracy")
    EFFECTIVENESS = "effectiveness", _("Effectiveness")
    INNOVATION = "innovation", _("Innovation")


class LadderStep(TextChoices):
    """The participation ladder (Tortzen; its last step from Skanderborg)."""

    INFORMATION = "information", _("Information")
    HEARING = "hearing", _("Consultation")
    DIALOGUE = "dialogue", _("Dialogue")
    INFLUENCE = "influence", _("Influence")
    CODECISION = "codecision", _("Co-decision")
    CORESPONSIBILITY = "coresponsibility", _("Co-responsibility")


class DecisionBasis(TextChoices):
    LAW = "law", _("Law")
    MONEY = "money", _("Money")
    PROFESSIONAL = "professional", _("Professional view")


class DecisionStage(TextChoices):
    IDEA = "idea", _("While there are only ideas")
    DRAFT = "draft", _("While there is a draft")
    FINAL = "final", _("When there is a final proposal")


class AnswerHow(TextChoices):
    EACH = "each", _("Each contribution gets its own answer")
    THEME = "theme", _("Contributions are grouped and each theme gets an answer")


class Touches(TextChoices):
    MUNICIPALITY = "municipality", _("The whole municipality")
    DISTRICTS = "districts", _("One or more districts")
    PARENTS = "parents", _("Parents")
    USERS = "users", _("Users of a service")


class Recruitment(TextChoices):
    OPEN = "open", _("Open to all")
    INVITED = "invited", _("Invited")
    OUTREACH = "outreach", _("Outreach where people are")
    LOT = "lot", _("Random lot")


class Outcome(TextChoices):
    """What came of a contribution."""

    ADOPTED = "adopted", _("Adopted")
    PARTLY = "partly", _("Partly adopted")
    NOT_ADOPTED = "not_adopted", _("Not adopted")
    NOTED = "noted", _("Noted")


class Moderation(TextChoices):
    PENDING = "pending", _("Waiting for a look")
    PUBLISHED = "published", _("Published")
    REJECTED = "rejected", _("Not published")
    WITHDRAWN = "withdrawn", _("Withdrawn by its author")
    MERGED = "merged", pgettext_lazy("contribution", "Gathered into another")


class IntakeChannel(TextChoices):
    """How a contribution or a vote reached the municipality."""

    WEB = "web", _("Here on the site")
    TELEPHONE = "telephone", _("By telephone")
    LETTER = "letter", _("By letter")
    LIBRARY = "library", _("At the library")
    STALL = "stall", _("At a stall")
    POLLING_PLACE = "polling_place", _("At a polling place")


class NameShown(TextChoices):
    FIRST = "first", _("First name and district")
    FULL = "full", _("Full name and district")
    NONE = "none", _("No name")
