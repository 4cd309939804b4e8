from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('schools', '0003_applications'),
    ]

    operations = [
        migrations.AddField(
            model_name='objection',
            name='kept_reason',
            field=models.TextField(blank=True, verbose_name='名单不变的理由'),
        ),
    ]
