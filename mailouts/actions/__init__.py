"""One door for every write of a mailout."""

from mailouts.actions.after import delete_content, finish, go_another_way, note_receipt, send_again
from mailouts.actions.campaigns import (
    add_list,
    add_source,
    ask_for_list,
    build_list,
    copy_campaign,
    create_campaign,
    delete_draft,
    edit_campaign,
    note_test,
    remove_source,
    send_test,
)
from mailouts.actions.printing import fetch_print, forget_prints, lose_print, make_print_batch
from mailouts.actions.safety import approve, freeze, pause, resume, start, stop, thaw

__all__ = [
    "add_list",
    "add_source",
    "approve",
    "ask_for_list",
    "build_list",
    "copy_campaign",
    "create_campaign",
    "delete_content",
    "delete_draft",
    "edit_campaign",
    "fetch_print",
    "finish",
    "forget_prints",
    "freeze",
    "go_another_way",
    "lose_print",
    "make_print_batch",
    "note_receipt",
    "note_test",
    "pause",
    "remove_source",
    "resume",
    "send_again",
    "send_test",
    "start",
    "stop",
    "thaw",
]
