"""Law and practice as dated data, the five principles in the municipality's words, and standard answers.

All of it can be edited in the admin; the checks stay. Statutory minimums: planloven § 24 and BEK 700/2014. The voluntary
ones are a municipality's own practice and only a beginning.
"""

from datetime import date

from django.db import migrations

ALWAYS = date(2020, 1, 1)
OWN = "Kommunens egen praksis"

# name, formats, days, longest, statutory, source
MINIMUMS = [
    ("Kommuneplan", ["hearing"], 56, 120, True, "planloven § 24, stk. 3"),
    ("Lokalplan eller mindre ændring af kommuneplan", ["hearing"], 28, 90, True, "planloven § 24, stk. 4-5"),
    ("Lokalplan af mindre betydning", ["hearing"], 14, 60, True, "planloven § 24, stk. 6"),
    ("Nedlæggelse af skole", ["hearing"], 56, 120, True, "BEK nr. 700 af 23. juni 2014"),
    ("Frivillig høring", ["hearing"], 28, 90, False, OWN),
    ("Borgerbudget", ["citizen_budget"], 28, 270, False, OWN),
    ("Lille lokalt borgerbudget", ["citizen_budget"], 21, 180, False, OWN),
    ("Anden frivillig inddragelse", [], 21, 180, False, OWN),
]

PRINCIPLES = [
    (
        "framing",
        "Tydelige rammer",
        "Du skal kunne se, hvad du kan få indflydelse på, og hvad der ligger fast. Når noget ligger fast, siger vi hvorfor. Du kan også se, hvem der bestemmer til sidst, og hvad de lover at gøre med svarene.",
        "Folk bliver skuffede, når de først bagefter hører, at det vigtigste var afgjort. En klar ramme er ærlig over for dem, der bruger deres tid.",
        "Du kan foreslå, hvad legepladsen skal indeholde. Placeringen ligger fast, fordi kommunen kun ejer den ene grund.",
        "Alle ideer er velkomne!",
    ),
    (
        "listening",
        "Vi lytter og er åbne",
        "Vi svarer alle, der bidrager. Vi fortæller, hvad der kom ud af det, og hvad vi ikke gjorde, og hvorfor. Vi prøver også noget, vi ikke plejer.",
        "Det er svaret, der viser, om nogen lyttede. Uden svar er det spild af folks tid.",
        "Anne fra Park og Vej svarer på alle forslag senest den 1. juni. Vi er klar til at lade børnehaven vælge farverne.",
        "Svarene vil indgå i det videre arbejde.",
    ),
    (
        "timing",
        "Tidligt og på det rigtige tidspunkt",
        "Vi spørger, mens svaret kan ændre noget: efter at byrådet har sat rammen, og før det beslutter.",
        "En høring efter beslutningen er for sent. Et spørgsmål uden en ramme er for tidligt.",
        "Byrådet vedtog rammen i marts. I kan komme med ideer i april, og udvalget beslutter i juni.",
        "Lokalplanen er færdig, men sig endelig, hvad du synes.",
    ),
    (
        "time",
        "Tid nok, brugt godt",
        "Der er tid til at læse, tale sammen og skrive, og tid til at vi kan arbejde med svarene. Samtidig skal det komme videre.",
        "Korte frister i ferien rammer dem, der har mindst tid. Lange forløb mister folk undervejs.",
        "Åbent i fem uger uden for sommerferien, et møde på skolen og to uger til at arbejde med svarene.",
        "Fristen er fredag i uge 29.",
    ),
    (
        "breadth",
        "Bredt og relevant",
        "Vi opsøger dem, det handler om, og ser ud over den konkrete opgave. Der er altid en vej ind for dem, der ikke er på nettet.",
        "Ellers hører vi kun dem, vi plejer at høre.",
        "Vi spørger naboerne, børnene i 6. klasse, og dem der cykler forbi hver dag. På biblioteket hjælper de dig med at skrive.",
        "Alle kan skrive på hjemmesiden.",
    ),
]

AUDIENCES = [
    {"kind": "touched", "name": "De, der bor i området eller bruger det"},
    {"kind": "beyond", "name": "Andre i kommunen, der har lyst til at være med"},
    {"kind": "families", "name": "Familier med børn i områdets skoler og institutioner"},
    {"kind": "young", "name": "Unge i klubber og på ungdomsuddannelser"},
]
CHANNELS = [
    {"name": "Portalen her", "digital": True},
    {"name": "Plakater og hjælp på biblioteket", "digital": False},
]

# format, size, field, value. Nothing for large: a large process answers in its own words.
STANDARDS = [
    (format, size, field, value)
    for size in ("small", "ordinary")
    for format, field, value in [
        ("", "purposes", ["democracy"]),
        ("", "decision_basis", ["money", "professional"]),
        ("", "answer_how", "theme"),
        ("", "offline_route", "Ring til os, skriv et brev, eller kom på biblioteket. De hjælper dig med at være med, og dit svar tæller på samme måde."),
        ("", "recruitment", ["open"]),
        ("", "processing_days", 14),
        ("", "audiences", AUDIENCES),
        ("", "channels", CHANNELS),
        ("", "legal_basis", "Anden frivillig inddragelse"),
        ("citizen_budget", "legal_basis", "Lille lokalt borgerbudget" if size == "small" else "Borgerbudget"),
        ("citizen_budget", "why_this_format", "De, der bor her, ved bedst, hvad pengene skal bruges til."),
        ("citizen_budget", "decision_basis", ["money"]),
    ]
] + [
    ("", "small", "politicians_role", "Politikerne har sat rammen og beslutter til sidst. De blander sig ikke undervejs."),
    ("", "small", "willing_to_try", "Vi prøver gerne noget, vi ikke plejer, hvis det er lovligt og kan betales."),
    ("", "small", "carried_into_decision", "Vi samler det, I skriver, og lægger det ved sagen, før der bliver besluttet noget."),
    ("", "small", "decision_stage", "idea"),
    ("", "small", "decision_on", {"days_after_closing": 28}),
    ("", "small", "planned_dialogues", 1),
    ("", "small", "staff_hours", 40),
    ("", "small", "preparation", "Læs rammen her på siden. Spørg os, hvis noget er uklart."),
    ("", "small", "ladder_step", "dialogue"),
    ("citizen_budget", "small", "ladder_step", "codecision"),
]  # fmt: skip


def fill(apps, schema_editor):
    model = apps.get_model("participation", "OpeningMinimum")
    for name, formats, days, longest, statutory, source in MINIMUMS:
        model.objects.get_or_create(
            name=name,
            valid_from=ALWAYS,
            defaults={
                "formats": formats,
                "days": days,
                "longest_days": longest,
                "statutory": statutory,
                "source": source,
            },
        )
    model = apps.get_model("participation", "PrincipleText")
    for key, title, body, why, good, bad in PRINCIPLES:
        model.objects.get_or_create(
            key=key,
            defaults={
                "title": title,
                "body": body,
                "why_we_ask": why,
                "good_example": good,
                "bad_example": bad,
            },
        )
    model = apps.get_model("participation", "StandardAnswer")
    for format, size, field, value in STANDARDS:
        model.objects.get_or_create(format=format, size=size, field=field, defaults={"value": value})


class Migration(migrations.Migration):
    dependencies = [("participation", "0006_frozen_rules")]

    operations = [
        # Going back keeps the rows: they may have been edited and used.
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
