"""Numbers, money and moments as people say them, in the language of the page. Pure: the present moment is given.

Danish: 158.000 · 12,5 % · 640.000 kr. · i dag kl. 23.59 · om 3 dage (fredag den 6. marts).
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

NEAR = 14  # days: beyond this a count of days says less than the date
NBSP = "\N{NO-BREAK SPACE}"

Number = int | float | Decimal


def number(value: Number, decimals: int | None = None) -> str:
    """With thousands separated; decimals as given, else none for whole numbers and one for others."""
    if decimals is None:
        decimals = 0 if value == int(value) else 1
    return formats.number_format(
        round(Decimal(str(value)), decimals), decimals, use_l10n=True, force_grouping=True
    )


def percent(share: Number, decimals: int | None = None) -> str:
    """`share` is a part of one: 0.125 is 12,5 %."""
    value = Decimal(str(share)) * 100
    if decimals is None:
        decimals = 0 if value == value.to_integral_value() else 1
    return _("%(number)s%%") % {"number": number(value, decimals)}


def kroner(amount: Number) -> str:
    """Whole kroner; øre only where there are any."""
    decimals = 0 if amount == int(amount) else 2
    return _("DKK %(amount)s") % {"amount": number(amount, decimals)}


def day(value: date, today: date) -> str:
    """fredag den 6. marts; with the year when it is another than this one."""
    pattern = _("l j F") if value.year == today.year else _("l j F Y")
    return formats.date_format(value, pattern)


def clock(moment: datetime) -> str:
    return formats.date_format(moment, pgettext("time of day", "H:i"))


def days_away(value: date, today: date) -> str:
    """in 3 days, today, yesterday; empty beyond two weeks, where the date says more."""
    distance = (value - today).days
    if distance == 0:
        return _("today")
    if distance == 1:
        return _("tomorrow")
    if distance == -1:
        return _("yesterday")
    if 0 < distance <= NEAR:
        return ngettext("in %(days)d day", "in %(days)d days", distance) % {"days": distance}
    if -NEAR <= distance < 0:
        return ngettext("%(days)d day ago", "%(days)d days ago", -distance) % {"days": -distance}
    return ""


def closing(moment: datetime) -> datetime:
    """Local time of the last minute before a half-open interval ends: midnight is the day before at 23.59."""
    local = timezone.localtime(moment)
    if (local.hour, local.minute, local.second) == (0, 0, 0):
        return local - timedelta(minutes=1)
    return local


def deadline(moment: datetime | date, now: datetime) -> str:
    """When something ends or ended: relative while it is near, and always the date."""
    if not isinstance(moment, datetime):
        return _away_and_day(moment, timezone.localdate(now))
    return _moment(closing(moment), now)


def opening(moment: datetime | date, now: datetime) -> str:
    """When something begins: the hour is said unless it is midnight."""
    if not isinstance(moment, datetime):
        return _away_and_day(moment, timezone.localdate(now))
    local = timezone.localtime(moment)
    if (local.hour, local.minute) == (0, 0):
        return _away_and_day(local.date(), timezone.localdate(now))
    return _moment(local, now)


def period(start: datetime | date, end: datetime | date, today: date) -> str:
    """2.–30. marts: shared month and year are said once; this year is not said at all."""
    first = timezone.localtime(start).date() if isinstance(start, datetime) else start
    last = closing(end).date() if isinstance(end, datetime) else end
    with_month = _("j F")
    with_year = with_month if last.year == first.year == today.year else _("j F Y")
    if first == last:
        return formats.date_format(first, with_year)
    if (first.year, first.month) == (last.year, last.month):
        day_alone = formats.date_format(first, pgettext("day of a period", "j"))
        return f"{day_alone}–{formats.date_format(last, with_year)}"
    begin = formats.date_format(first, with_month if first.year == last.year else _("j F Y"))
    return f"{begin} – {formats.date_format(last, with_year)}"


def person(name: str, district: str = "") -> str:
    """First name and district, as names are shown unless the writer chose more; never empty."""
    first = name.split()[0] if name.split() else _("A citizen")
    return f"{first}, {district}" if district else first


def _away_and_day(value: date, today: date) -> str:
    away, named = days_away(value, today), day(value, today)
    return f"{away} ({named})" if away else named


def _moment(local: datetime, now: datetime) -> str:
    today = timezone.localdate(now)
    away = days_away(local.date(), today)
    if local.date() == today:
        return _("today at %(time)s") % {"time": clock(local)}
    if abs((local.date() - today).days) == 1:
        words = {"when": away, "day": day(local.date(), today), "time": clock(local)}
        return _("%(when)s at %(time)s (%(day)s)") % words
    return _away_and_day(local.date(), today)
