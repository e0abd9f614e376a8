"""The state of a notice's e-mail is its delivery's."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("participation", "0015_notices_as_post")]

    operations = [
        migrations.RemoveIndex(model_name="notice", name="notice_due"),
        *(
            migrations.RemoveField(model_name="notice", name=name)
            for name in ("due_at", "digest", "state", "attempts", "claimed_at", "sent_at", "failure")
        ),
    ]
