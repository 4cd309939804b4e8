import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('obligations', '0005_applications_and_evaluators'),
        ('reporting', '0002_filing_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='Summary',
            fields=[
                ('draft', models.JSONField(blank=True, null=True, verbose_name='草稿')),
                ('draft_revision', models.PositiveIntegerField(default=0, verbose_name='草稿修订号')),
                ('draft_saved_at', models.DateTimeField(blank=True, null=True, verbose_name='草稿保存时间')),
                ('obligation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='summary', serialize=False, to='obligations.obligation', verbose_name='报送任务')),
                ('draft_saved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '月报和半年总结',
                'verbose_name_plural': '月报和半年总结',
            },
        ),
        migrations.CreateModel(
            name='SummaryVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='版本')),
                ('receipt', models.CharField(max_length=32, unique=True, verbose_name='回执编号')),
                ('token', models.CharField(max_length=64, verbose_name='表单令牌')),
                ('received_at', models.DateTimeField(verbose_name='收到时间')),
                ('content', models.JSONField(verbose_name='内容')),
                ('content_hash', models.CharField(max_length=64, verbose_name='内容摘要')),
                ('is_zero', models.BooleanField(default=False, verbose_name='无新进展')),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='reporting.summary', verbose_name='月报或总结')),
                ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '月报和总结版本',
                'verbose_name_plural': '月报和总结版本',
                'ordering': ['report', 'number'],
                'constraints': [models.UniqueConstraint(fields=('report', 'number'), name='summary_version_number'), models.UniqueConstraint(fields=('report', 'token'), name='summary_version_token')],
            },
        ),
        migrations.AddField(
            model_name='Summary',
            name='current',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='reporting.summaryversion', verbose_name='现行版本'),
        ),
    ]
