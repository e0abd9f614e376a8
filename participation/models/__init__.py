"""The shared process: one concrete table, rows for what is many, one contribution for every format."""

from participation.models.contributions import (
    Contribution,
    ContributionReport,
    Draft,
    InternalComment,
    ProcessQuestion,
    Theme,
)
from participation.models.files import Attachment, DraftFile, StoredFile
from participation.models.following import AskAgain, Follow, Notice, NoticePreference
from participation.models.merging import Merge
from participation.models.outcomes import Decision, Impact, NewsItem
from participation.models.process import (
    Audience,
    Change,
    Channel,
    Committee,
    CommitteeMeeting,
    CouncilHeard,
    FramePoint,
    InternalPromise,
    OpeningMinimum,
    Override,
    Phase,
    PrincipleText,
    Process,
    ProcessDetail,
    Programme,
    StandardAnswer,
    Summary,
    Transition,
)
from participation.models.team import CoAuthor

__all__ = [
    "AskAgain",
    "Attachment",
    "Audience",
    "Change",
    "Channel",
    "CoAuthor",
    "Committee",
    "CommitteeMeeting",
    "Contribution",
    "ContributionReport",
    "CouncilHeard",
    "Decision",
    "Draft",
    "DraftFile",
    "Follow",
    "FramePoint",
    "Impact",
    "InternalComment",
    "InternalPromise",
    "Merge",
    "NewsItem",
    "Notice",
    "NoticePreference",
    "OpeningMinimum",
    "Override",
    "Phase",
    "PrincipleText",
    "Process",
    "ProcessDetail",
    "ProcessQuestion",
    "Programme",
    "StandardAnswer",
    "StoredFile",
    "Summary",
    "Theme",
    "Transition",
]
