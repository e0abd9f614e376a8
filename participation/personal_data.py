"""What is personal in the shared process: who gave, asked, follows and was told (accounts/personal_data.py explains)."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.personal_data import OnErase, Table, link, own, plain, secret, staff, text
from participation.choices import OVER

PERSONAL: dict[str, Table] = {
    "participation.Programme": Table(plain("id", "slug", "title", "introduction", "unit")),
    "participation.Committee": Table(plain("id", "name")),
    "participation.CommitteeMeeting": Table(plain("id", "committee", "held_at", "agenda_deadline")),
    "participation.OpeningMinimum": Table(
        plain(
            "id",
            "name",
            "formats",
            "days",
            "longest_days",
            "statutory",
            "source",
            "valid_from",
            "valid_to",
        )
    ),
    "participation.PrincipleText": Table(
        plain("id", "key", "title", "body", "why_we_ask", "good_example", "bad_example")
    ),
    "participation.StandardAnswer": Table(plain("id", "format", "size", "field", "value")),
    "participation.Process": Table(
        plain(
            "id",
            "decision_stage",
            "frame_adopted_on",
            "meeting",
            "decision_on",
            "touches",
            "touches_whom",
            "conflict",
            "few_but_relevant",
            "recruitment",
            "offline_route",
            "question",
            "purposes",
            "why_this_format",
            "ladder_step",
            "who_decides",
            "decision_basis",
            "promise",
            "politicians_role",
            "blank_sheet",
            "standing_decision_url",
            "who_answers",
            "answers_due_on",
            "answer_how",
            "willing_to_try",
            "carried_into_decision",
            "nothing_changed_because",
            "told_outside_how",
            "told_outside_on",
            "opens_at",
            "closes_at",
            "legal_basis",
            "processing_days",
            "planned_dialogues",
            "staff_hours",
            "preparation",
            "format",
            "slug",
            "title",
            "introduction",
            "programme",
            "size",
            "status",
            "reversible",
            "listed",
            "version",
            "unit",
            "created_at",
            "updated_at",
            "will_listen",
            "timing_is_right",
            "there_is_time",
            "frame_is_clear",
            "willing_to_try_new",
            "went_on_because",
            "from_standard",
            "moderate_first",
            "edit_minutes",
            "names_until",
            "public_note",
            "closed_at",
            "concluded_at",
            "search_vector",
            "touched_districts",
        )
        | staff("owner", "deputy", "author", "approved_by")
    ),
    "participation.Summary": Table(plain("id", "process", "language", "title", "text")),
    "participation.FramePoint": Table(plain("id", "process", "kind", "text", "reason", "position")),
    "participation.InternalPromise": Table(plain("id", "process", "unit", "what", "said_yes_on")),
    "participation.Audience": Table(plain("id", "process", "kind", "name")),
    "participation.Channel": Table(plain("id", "process", "name", "digital")),
    "participation.CouncilHeard": Table(
        plain("id", "process", "council", "must_be_heard", "asked_on", "statement")
    ),
    "participation.Phase": Table(plain("id", "process", "kind", "interval", "description")),
    "participation.Override": Table(plain("id", "process", "check_key", "reason", "at") | staff("by")),
    "participation.Change": Table(
        plain("id", "process", "kind", "changes", "reason", "at", "confirmed_at")
        | staff("by", "confirmed_by")
    ),
    "participation.Transition": Table(
        plain("id", "process", "name", "from_status", "to_status", "comment", "at") | staff("by")
    ),
    "participation.Theme": Table(
        plain("id", "process", "title", "outcome", "answer", "answered_at") | staff("answered_by")
    ),
    "participation.Contribution": Table(
        plain("id", "public_id", "process", "phase", "name_shown", "channel", "received_on", "created_at")
        | plain(
            "edited_at", "version", "moderation", "moderation_reason", "published_at", "theme", "merged_into"
        )
        | plain("outcome", "answer", "answered_at", "told_at")
        | plain("support_count", "arguments_for", "arguments_against")
        | own("author_name", "author_contact", "told_how")
        | text("title", "body", "place", "lat", "lng", "district", "age_band", "sex", "home_district")
        | link("author", "person", "organisation")
        | secret("search_vector")
        | staff("recorded_by", "moderated_by", "answered_by"),
        owner=("author", "person__user"),
        on_erase=OnErase.ANONYMISE,
    ),
    "participation.CoAuthor": Table(
        plain("id", "contribution", "state", "name_shown", "expires_at", "answered_at")
        | own("email", "invited_at")
        | text("age_band", "sex", "home_district")
        | link("user", "organisation")
        | secret("token_hash")
        | staff("invited_by"),
        owner=("user",),
        on_erase=OnErase.DELETE,
    ),
    "participation.StoredFile": Table(
        plain(
            "id", "kind", "content_type", "size", "sha256", "width", "height", "widths", "file", "removed_at"
        )
        | own("name", "alt", "uploaded_at")
        | link("uploaded_by"),
        owner=("uploaded_by",),
        stays=_("The photos and files you sent that accounts must be able to show. The others are deleted."),
    ),
    "participation.Attachment": Table(plain("id", "contribution", "file", "position")),
    "participation.DraftFile": Table(plain("id", "draft", "file")),
    "participation.Merge": Table(
        plain("id", "kept", "gone", "reason", "at", "was", "kept_version", "took_theme", "moved", "undone_at")
        | text("kept_title", "kept_body")
        | staff("by", "undone_by"),
        owner=("kept__author",),
    ),
    "participation.Support": Table(
        plain("id", "contribution") | own("day", "age_band", "sex", "home_district") | link("person", "user"),
        owner=("user", "person__user"),
        stays=_("That you support something, without your name, so that nobody supports it twice."),
    ),
    "participation.Argument": Table(
        plain("id", "public_id", "contribution", "parent", "side", "name_shown", "created_at", "edited_at")
        | plain("version", "moderation", "moderation_reason", "moderated_at", "published_at")
        | plain("useful", "not_useful", "reply_count", "score")
        | text("text", "age_band", "sex", "home_district")
        | link("author", "person", "organisation")
        | staff("moderated_by"),
        owner=("author", "person__user"),
        on_erase=OnErase.ANONYMISE,
    ),
    "participation.ArgumentRating": Table(
        plain("id", "argument") | own("useful") | link("person"),
        owner=("person__user",),
        stays=_("Which arguments you found useful, without your name, so that nobody rates them twice."),
    ),
    "participation.ArgumentReport": Table(
        plain("id", "argument", "at", "handled_at") | text("reason") | link("by") | staff("handled_by"),
        owner=("by",),
        on_erase=OnErase.ANONYMISE,
    ),
    "participation.ArgumentComment": Table(plain("id", "argument", "text", "at") | staff("by")),
    "participation.InternalComment": Table(plain("id", "contribution", "text", "at") | staff("by")),
    "participation.ContributionReport": Table(
        plain("id", "contribution", "at", "handled_at") | text("reason") | link("by") | staff("handled_by"),
        owner=("by",),
        on_erase=OnErase.ANONYMISE,
        stays=_("Your reports of what others wrote, without your name."),
    ),
    "participation.Draft": Table(
        plain("id", "process", "contribution", "argument", "saved_at", "expires_at")
        | own("data")
        | link("user")
        | secret("token_hash"),
        owner=("user",),
        on_erase=OnErase.DELETE,
    ),
    "participation.ProcessQuestion": Table(
        plain("id", "public_id", "process", "asked_at", "due_on", "moderation", "answer", "answered_at")
        | own("asker_email")
        | text("text")
        | link("asker")
        | staff("answered_by"),
        owner=("asker",),
        on_erase=OnErase.ANONYMISE,
    ),
    "participation.Follow": Table(
        plain("id", "process") | own("since") | link("user"), owner=("user",), on_erase=OnErase.DELETE
    ),
    "participation.AskAgain": Table(
        plain("id") | own("topic", "since") | link("user"), owner=("user",), on_erase=OnErase.DELETE
    ),
    "participation.NoticePreference": Table(
        own("rhythm", "digest_hour") | link("user"), owner=("user",), on_erase=OnErase.DELETE
    ),
    "participation.ProcessCampaign": Table(plain("campaign", "process", "group", "before")),
    "participation.Notice": Table(
        plain("id", "process", "event", "kind", "url", "created_at", "read_at", "delivery")
        | own("title", "text", "address")
        | link("user"),
        owner=("user",),
        on_erase=OnErase.DELETE,
    ),
    "participation.Decision": Table(
        plain("id", "process", "decided_on", "body", "text", "differs_because", "meeting", "url")
        | plain("recorded_at")
        | staff("recorded_by")
    ),
    "participation.Impact": Table(
        plain("id", "process", "text", "recorded_at", "contributions") | staff("recorded_by")
    ),
    "participation.NewsItem": Table(plain("id", "process", "title", "text", "published_at") | staff("by")),
}


def erase_files(user: Any) -> None:
    """What a citizen sent goes with them; what staff recorded belongs to the case."""
    from participation.actions.files import forget_files_of

    if not user.is_staff:
        forget_files_of(user=user)


def still_needed(persons: Sequence[object]) -> Iterable[object]:
    """Those a contribution was recorded for, and those who supported or rated something, stay known until its process is
    over, so that they are one and the same."""
    from participation.models import ArgumentRating, Contribution, Support

    given = Contribution.objects.filter(person__in=persons).exclude(process__status__in=OVER)
    supported = Support.objects.filter(person__in=persons).exclude(contribution__process__status__in=OVER)
    rated = ArgumentRating.objects.filter(person__in=persons).exclude(
        argument__contribution__process__status__in=OVER
    )
    return {pk for rows in (given, supported, rated) for pk in rows.values_list("person", flat=True)}
