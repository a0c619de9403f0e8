from django.db import migrations

import smartcourse.db.encryption
import smartcourse.webhooks.models
from smartcourse.db.encryption import Sealed, seal


def seal_secrets(apps, schema_editor):
    Endpoint = apps.get_model("webhooks", "Endpoint")
    fields = [Endpoint._meta.get_field(name) for name in ("secret", "previous_secret")]
    for row in Endpoint.objects.values("pk", "secret", "previous_secret"):
        clear = [field for field in fields if row[field.name] and not Sealed(row[field.name]).key_id]
        if clear:
            Endpoint.objects.filter(pk=row["pk"]).update(
                **{field.name: seal(row[field.name], place=field.place_of(row["pk"])) for field in clear}
            )


class Migration(migrations.Migration):

    dependencies = [("webhooks", "0001_endpoints_and_deliveries")]

    operations = [
        migrations.AlterField(
            model_name="endpoint",
            name="secret",
            field=smartcourse.db.encryption.EncryptedTextField(
                default=smartcourse.webhooks.models.new_secret, editable=False
            ),
        ),
        migrations.AlterField(
            model_name="endpoint",
            name="previous_secret",
            field=smartcourse.db.encryption.EncryptedTextField(blank=True, editable=False),
        ),
        # What was sealed is not told again by going back: a release before this one cannot read it anyway.
        migrations.RunPython(seal_secrets, migrations.RunPython.noop),
    ]
