"""Danish spelling and order in queries (the functions themselves: migration 0002)."""

from django.db.models import Func, TextField


class DaFold(Func):
    """Text as it is compared: lower case, å = aa, accents gone. Use it on column and query alike."""

    function = "da_fold"
    output_field = TextField()
    arity = 1


class DaSort(Func):
    """A key in Danish order: … z, æ, ø, å, and aa as å."""

    function = "da_sort"
    template = '(%(function)s(%(expressions)s) COLLATE "C")'
    output_field = TextField()
    arity = 1
