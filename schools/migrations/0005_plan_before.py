from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("schools", "0004_objection_kept_reason"),
    ]

    operations = [
        migrations.AddField(
            model_name="applicationitem",
            name="plan_before",
            field=models.JSONField(blank=True, null=True, verbose_name="批准前的年度计划"),
        ),
    ]
