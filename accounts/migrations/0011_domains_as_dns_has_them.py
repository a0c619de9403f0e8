from django.db import migrations


def spell_as_dns(apps, schema_editor):
    """Give each address with an international domain the spelling that DNS has, by which it is looked for now.

    Where both spellings had an account, the other one keeps the address, and this one is left for staff to see to.
    """
    import idna

    users, changes = apps.get_model("accounts", "User"), apps.get_model("accounts", "EmailChange")
    for table, columns in ((users, ("email",)), (changes, ("old_email", "new_email"))):
        for row in table.objects.only("pk", *columns).iterator():
            found = {column: getattr(row, column) for column in columns}
            wanted = {column: _spelled(idna, address) for column, address in found.items()}
            if wanted == found or (table is users and _is_taken(users, wanted["email"])):
                continue
            if table is changes and wanted["old_email"] == wanted["new_email"]:
                # It changed nothing but the spelling.
                row.delete()
                continue
            table.objects.filter(pk=row.pk).update(**wanted)


def _spelled(idna, address):
    local, at, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{local}{at}{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address


def _is_taken(users, address):
    return users.objects.filter(email=address).exists()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_signed_out_everywhere")]

    operations = [migrations.RunPython(spell_as_dns, migrations.RunPython.noop, elidable=True)]
