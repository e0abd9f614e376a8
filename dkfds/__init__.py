"""The look: Det Fælles Designsystem (npm `dkfds`) as a crispy-forms template pack, and what pages are drawn with.

The pack's templates lie in `templates/dkfds/`, pure components in `templates/components/`. Markup follows the design
system's documentation of version 11; classes of our own live in `static/css/ojenhojde.css`. Nothing here knows a
model: whatever a component shows, it is given.

    {% load crispy_forms_tags dkfds %}
    {% error_summary form %}
    <h1>…</h1>
    {% crispy form %}            or   {{ form|crispy }}   or   {{ form.title|as_crispy_field }}

Pages extend `base.html`, tasks `focused.html`; a page whose form counts characters and extends base.html includes
`partials/form_scripts.html` in its scripts block. Layout classes: `hero` > `container hero-inner` (in before_main),
`band` > `container` (in after_main, full width), `with-aside`, `section-head` (a heading and its link), `card-grid` (a list of
cards), `act` (do_now.html beside offline.html), `tag-row`, `prose`, `button-row-plain`, `scroll-x`. `/stil/` shows it all.
What stands in header and footer is told by each room to `dkfds/navigation.py`.
"""
