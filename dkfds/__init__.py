"""The look: Det Fælles Designsystem (npm `dkfds`) as a crispy-forms template pack, and what pages are drawn with.

The pack's templates lie in `templates/dkfds/`, pure components in `templates/components/`. Markup follows the design
system's documentation of version 11; classes of our own live in `static/css/ojenhojde.css`. Nothing here knows a
model: whatever a component shows, it is given.

    {% load crispy_forms_tags dkfds %}
    {% error_summary form %}
    <h1>…</h1>
    {% crispy form %}            or   {{ form|crispy }}   or   {{ form.title|as_crispy_field }}
"""
