"""What was told of an incident is not taken back either: nothing is changed, and nothing is removed."""

from django.db import migrations

FORWARD = """
DROP TRIGGER budgets_incident_kept ON budgets_incident;
CREATE TRIGGER budgets_incident_kept BEFORE UPDATE OR DELETE ON budgets_incident
FOR EACH ROW EXECUTE FUNCTION budgets_keep_incident();
"""

BACKWARD = """
DROP TRIGGER budgets_incident_kept ON budgets_incident;
CREATE TRIGGER budgets_incident_kept BEFORE UPDATE ON budgets_incident
FOR EACH ROW EXECUTE FUNCTION budgets_keep_incident();
"""


class Migration(migrations.Migration):
    dependencies = [("budgets", "0015_count_asked")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
