"""What other programs read: an Atom feed and a calendar file per process, and one feed for everything."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from participation import formats, phases
from participation.models import NewsItem, Process
from participation.principles.timing import decision_date


class ProcessesFeed(Feed):
    """Processes as they are published."""

    feed_type = Atom1Feed

    def title(self) -> str:
        return _("Take part")

    def link(self) -> str:
        return reverse("participation:process-list")

    def subtitle(self) -> str:
        return _("What you can have a say in")

    def items(self) -> Any:
        return Process.objects.public().order_by("-opens_at", "-pk")[:30]

    def item_title(self, item: Process) -> str:
        return item.heading

    def item_description(self, item: Process) -> str:
        return item.introduction

    def item_updateddate(self, item: Process) -> datetime:
        return item.updated_at


class ProcessNewsFeed(Feed):
    """News of one process."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, slug: str) -> Process:
        return get_object_or_404(Process.objects.public(), slug=slug)

    def title(self, obj: Process) -> str:
        return obj.heading

    def link(self, obj: Process) -> str:
        return obj.get_absolute_url()

    def subtitle(self, obj: Process) -> str:
        return obj.introduction

    def items(self, obj: Process) -> Any:
        return obj.news.all()[:30]

    def item_title(self, item: NewsItem) -> str:
        return item.title

    def item_description(self, item: NewsItem) -> str:
        return item.text

    def item_link(self, item: NewsItem) -> str:
        return f"{item.process.get_absolute_url()}#nyt-{item.pk}"

    def item_pubdate(self, item: NewsItem) -> datetime:
        return item.published_at

    def item_updateddate(self, item: NewsItem) -> datetime:
        return item.published_at


def calendar(request: HttpRequest, slug: str) -> HttpResponse:
    """The phases and the decision of a process as an iCalendar file."""
    process = get_object_or_404(
        Process.objects.public().select_related("meeting__committee").prefetch_related("phases"), slug=slug
    )
    address = request.build_absolute_uri(process.get_absolute_url())
    file = Calendar()
    file.add("prodid", "-//Ojenhojde//DA")
    file.add("version", "2.0")
    fmt = formats.get(process.format)
    for phase in process.phases.all():
        event = Event()
        event.add("uid", f"{process.pk}-{phase.pk}@{request.get_host()}")
        event.add("dtstamp", process.updated_at)
        event.add("summary", f"{phases.label(phase)}: {process.heading}")
        event.add("dtstart", phase.interval.lower)
        event.add("dtend", phase.interval.upper)
        event.add("url", address)
        event.add("description", f"{fmt.label}. {phase.description}".strip())
        file.add_component(event)
    decided_on = decision_date(process)
    if decided_on is not None:
        event = Event()
        event.add("uid", f"{process.pk}-decision@{request.get_host()}")
        event.add("dtstamp", process.updated_at)
        event.add("summary", _("Decision: %(question)s") % {"question": process.heading})
        event.add("dtstart", decided_on)
        event.add("dtend", decided_on + timedelta(days=1))
        event.add("url", address)
        file.add_component(event)
    response = HttpResponse(file.to_ical(), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{process.slug}.ics"'
    return response
