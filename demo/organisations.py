"""The demo's businesses and associations: invented, as a file from the CVR register would tell of them.

Their numbers check as CVR numbers do, and all begin with 9900 as that of the stand-in MitID's business does. Industry codes are
those of Dansk Branchekode 2007.
"""

import csv
import io

from accounts.imports.organisations import COLUMNS

SHOP, CLUB, OTHER = "virksomhed", "forening", "949900"
ORGANISATIONS = (
    ("99001062", "Lunde Cykler ApS", SHOP, "476420", "Detailhandel med cykler og knallerter"),
    ("99001321", "Café Torvehjørnet", SHOP, "563000", "Caféer, værtshuse, diskoteker mv."),
    ("99002468", "Restaurant Fjordblik ApS", SHOP, "561010", "Restauranter"),
    ("99002727", "Nørrelund Grill", SHOP, "561020", "Pizzeriaer, grillbarer, isbarer mv."),
    ("99002875", "Lunde Dagligvarer A/S", SHOP, "471120", "Supermarkeder"),
    ("99004096", "Bageriet i Torvegade", SHOP, "472400", "Detailhandel med brød, konditori- og sukkervarer"),
    ("99004207", "Boghandlen ved Kirken", SHOP, "476100", "Detailhandel med bøger"),
    ("99004355", "Klip i Midtbyen", SHOP, "960210", "Frisørsaloner"),
    ("99004614", "Lunde El ApS", SHOP, "432100", "El-installation"),
    (
        "99004762",
        "Tømrer Overgaard og Datter",
        SHOP,
        "433200",
        "Tømrer- og bygningssnedkervirksomhed",
    ),
    ("99006242", "Hotel Lunde Strand", SHOP, "551010", "Hoteller"),
    ("99006390", "Engdal Mælk I/S", SHOP, "014100", "Avl af malkekvæg"),
    ("99006501", "Lunde Boldklub", CLUB, "931200", "Sportsklubber"),
    ("99007389", "Nørrelund Badmintonklub", CLUB, "931200", "Sportsklubber"),
    ("99007648", "Foreningen Vestervangs Venner", CLUB, OTHER, "Andre organisationer og foreninger i.a.n."),
    ("99007796", "Lunde Handelsforening", CLUB, OTHER, "Andre organisationer og foreninger i.a.n."),
    ("99007907", "Ejerforeningen Søvej 12-40", CLUB, "683220", "Ejerforeninger"),
    ("99009128", "Lunde Naturværn", CLUB, OTHER, "Andre organisationer og foreninger i.a.n."),
    ("99009276", "Skolebestyrelsen ved Vestervang Skole", "bestyrelse", "852010", "Folkeskoler o.lign."),
    ("99009535", "Bestyrelsen for Børnehaven Solsikken", "bestyrelse", "889130", "Børnehaver"),
    ("99009683", "Lunde Ungeråd", "råd", "", ""),
    ("99009942", "Lokalrådet i Nørrelund", "råd", "", ""),
)


def as_csv() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(ORGANISATIONS)
    return text.getvalue().encode()
