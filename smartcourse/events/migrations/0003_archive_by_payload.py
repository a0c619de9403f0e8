from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    # The archive may be large, and facts are archived while it is built.
    atomic = False

    dependencies = [("events", "0002_deliveries_in_order_and_archive")]

    operations = [
        AddIndexConcurrently(
            model_name="archivedfact",
            index=GinIndex(fields=["payload"], name="archive_by_payload", opclasses=["jsonb_path_ops"]),
        ),
    ]
