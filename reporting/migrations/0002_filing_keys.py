import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('reporting', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FilingKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('fingerprint', models.CharField(max_length=64)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='filing_keys', to='reporting.weeklyreport')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reporting.reportversion')),
            ],
            options={
                'verbose_name': '接口提交',
                'verbose_name_plural': '接口提交',
                'constraints': [models.UniqueConstraint(fields=('report', 'key'), name='filing_key_once')],
            },
        ),
    ]
