"""The nearest in a process, by shared letters (participation.similar): the index holds the process and the folded beginning."""

from django.db import migrations

FORWARD = """
CREATE INDEX contribution_alike ON participation_contribution
USING gist (process_id, da_fold(title || ' ' || left(body, 400)) gist_trgm_ops(siglen = 256));
"""


class Migration(migrations.Migration):
    dependencies = [("participation", "0012_place_point")]

    operations = [
        migrations.RunSQL(FORWARD, "DROP INDEX contribution_alike"),
    ]
