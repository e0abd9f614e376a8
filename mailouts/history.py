"""What is done with mailouts, as the history tells it."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "mailouts.create": _("A mailout begun"),
    "mailouts.edit": _("A mailout changed"),
    "mailouts.add_recipients": _("Recipients added to a mailout"),
    "mailouts.remove_recipients": _("Recipients taken out of a mailout"),
    "mailouts.build_list": _("The list of a mailout made"),
    "mailouts.send_test": _("A test letter sent"),
    "mailouts.freeze": _("A mailout frozen"),
    "mailouts.thaw": _("A mailout thawed"),
    "mailouts.approve": _("A mailout approved by a second person"),
    "mailouts.start": _("A mailout begun to be sent"),
    "mailouts.pause": _("A mailout paused"),
    "mailouts.resume": _("A mailout resumed"),
    "mailouts.stop": _("A mailout stopped"),
    "mailouts.finish": _("A mailout sent to the end"),
    "mailouts.send_again": _("Letters sent again"),
    "mailouts.print": _("Letters made ready for printing"),
    "mailouts.fetch_print": _("Letters fetched for printing"),
    "mailouts.lose_print": _("Letters fetched for printing reported as lost"),
    "mailouts.forget_print": _("Letters that nobody fetched for printing destroyed"),
    "mailouts.delete_content": _("An old mailout's content deleted"),
    "mailouts.delete_draft": _("The draft of a mailout deleted"),
    "mailouts.disable_address": _("An e-mail address that bounces put out of use"),
    "mailouts.enable_address": _("An e-mail address put to use again"),
    "mailouts.invite_group": _("A group that is missing invited by lot"),
}
