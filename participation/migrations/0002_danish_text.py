"""Danish spelling and order as immutable functions: no ICU, no dictionary files, the same on every server.

`da_fold` makes texts and queries comparable: lower case, å = aa, æ = ae, ø = oe, accents gone ("Århus" = "Aarhus").
`da_sort` gives a key in Danish order (… z æ ø å, aa as å); compare it in collation "C" (participation.danish does).
"""

from django.db import migrations

FOLD = """
CREATE FUNCTION da_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT translate(
    replace(replace(replace(replace(replace(replace(
        lower(translate(normalize(value, NFC), 'ÆØÅÄÖÜÉÈÊËÁÀÂÃÍÌÎÏÓÒÔÕÚÙÛÝÑÇÐÞ', 'æøåäöüéèêëáàâãíìîïóòôõúùûýñçðþ')),
        'å', 'aa'), 'æ', 'ae'), 'ä', 'ae'), 'ø', 'oe'), 'ö', 'oe'), 'ß', 'ss'),
    'üéèêëáàâãíìîïóòôõúùûýÿñçðšžłćčńś', 'ueeeeaaaaiiiioooouuuyyncdszlccns')
$$
"""

SORT = """
CREATE FUNCTION da_sort(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT translate(
    replace(
        lower(translate(normalize(value, NFC), 'ÆØÅÄÖÜÉÈÊËÁÀÂÃÍÌÎÏÓÒÔÕÚÙÛÝÑÇÐÞ', 'æøåäöüéèêëáàâãíìîïóòôõúùûýñçðþ')),
        'aa', 'å'),
    'æäøöåüéèêëáàâãíìîïóòôõúùûýÿñçðšžłćčńś', '{{||}yeeeeaaaaiiiioooouuuyyncdszlccns')
$$
"""


class Migration(migrations.Migration):
    dependencies = [("participation", "0001_initial")]

    operations = [
        migrations.RunSQL(FOLD, "DROP FUNCTION da_fold(text)"),
        migrations.RunSQL(SORT, "DROP FUNCTION da_sort(text)"),
    ]
