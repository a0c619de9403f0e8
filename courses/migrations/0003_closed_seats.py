"""The door of a course, in the row that everybody who enrolls has to change; what is archived already is closed."""

from typing import Any

from django.db import migrations, models


def close_what_is_archived(apps: Any, schema_editor: Any) -> None:
    apps.get_model("courses", "CourseSeats").objects.filter(course__status="ARCHIVED").update(is_closed=True)


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0002_publications_freeze_quizzes"),
    ]

    operations = [
        migrations.AddField(
            model_name="courseseats",
            name="is_closed",
            field=models.BooleanField(
                default=False, editable=False, help_text="No seat is given out any more."
            ),
        ),
        migrations.RunPython(close_what_is_archived, migrations.RunPython.noop),
    ]
