"""A citizen budget: the money, the projects, and a vote that nobody can tie to a voter."""

from budgets.models.codes import CodeBatch, CodeLock, CodePrint, VotingCode
from budgets.models.counts import Count, Lot
from budgets.models.implementation import (
    AccountEntry,
    Carrier,
    ExtraGrant,
    Implementation,
    Milestone,
    Payment,
    Progress,
    ProgressNote,
    Promise,
)
from budgets.models.meetings import Grant, Meeting
from budgets.models.paper import Bundle, PaperEntry, PaperOrder, PlaceAccount, Reading
from budgets.models.polling import Incident, PollingPlace, TurnoutHour, UndoneMark
from budgets.models.projects import Assessment, CostLine, Project, ProjectDecision
from budgets.models.rounds import (
    Ballot,
    BallotProject,
    Began,
    CountedBallot,
    HowItWas,
    Roll,
    Round,
    VoteChannel,
)
from budgets.models.rules import (
    Alternative,
    BallotType,
    CitizenBudget,
    CountingRule,
    DecidedBy,
    DistrictVote,
    Leftover,
    Pot,
)

__all__ = [
    "AccountEntry",
    "Alternative",
    "Assessment",
    "Ballot",
    "BallotProject",
    "BallotType",
    "Began",
    "Bundle",
    "Carrier",
    "CitizenBudget",
    "CodeBatch",
    "CodeLock",
    "CodePrint",
    "CostLine",
    "Count",
    "CountedBallot",
    "CountingRule",
    "DecidedBy",
    "DistrictVote",
    "ExtraGrant",
    "Grant",
    "HowItWas",
    "Implementation",
    "Incident",
    "Leftover",
    "Lot",
    "Meeting",
    "Milestone",
    "PaperEntry",
    "PaperOrder",
    "Payment",
    "PlaceAccount",
    "PollingPlace",
    "Pot",
    "Progress",
    "ProgressNote",
    "Project",
    "ProjectDecision",
    "Promise",
    "Reading",
    "Roll",
    "Round",
    "TurnoutHour",
    "UndoneMark",
    "VoteChannel",
    "VotingCode",
]
