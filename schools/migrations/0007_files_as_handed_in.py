"""Which files of an item belong to what was last handed in."""

from django.db import migrations, models


def mark(apps, schema_editor):
    """Of returned items those that the current version names, of all others those that are kept."""
    files = apps.get_model("schools", "ItemFile").objects
    handed_in = files.filter(removed_at=None).exclude(item__state__in=["draft", "returned"])
    handed_in.update(is_handed_in=True)
    returned = files.filter(item__state="returned", item__application__current__isnull=False)
    returned = returned.select_related("attachment", "item__application__current")
    for file in returned.order_by("pk"):
        version, level = file.item.application.current, file.item.certificate_level_id
        items = [item for item in version.content.get("items", []) if item["level"] == level]
        sent = {sent["sha256"] for item in items for sent in item["files"]}
        in_time = file.attachment.uploaded_at <= version.received_at
        stayed = file.removed_at is None or file.removed_at > version.received_at
        if in_time and stayed and file.attachment.sha256 in sent:
            file.is_handed_in = True
            file.save(update_fields=["is_handed_in"])


class Migration(migrations.Migration):
    dependencies = [("schools", "0006_agreement_voids_and_leavers")]

    operations = [
        migrations.AddField(
            model_name="itemfile",
            name="is_handed_in",
            field=models.BooleanField(default=False, verbose_name="已随申报提交"),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
    ]
