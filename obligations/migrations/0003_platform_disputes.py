import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
        ('obligations', '0002_reminder_hours'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlatformImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('listed_at', models.DateTimeField(verbose_name='名单导出时间')),
                ('file_name', models.CharField(max_length=200, verbose_name='文件')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('imported_at', models.DateTimeField(verbose_name='导入时间')),
                ('undone_at', models.DateTimeField(blank=True, null=True, verbose_name='撤销时间')),
                ('imported_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='导入人')),
                ('periods', models.ManyToManyField(related_name='platform_imports', to='obligations.period', verbose_name='覆盖周期')),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '国家平台名单',
                'verbose_name_plural': '国家平台名单',
                'ordering': ['-imported_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('undone_at__isnull', True), ('undone_by__isnull', True)), models.Q(('undone_at__isnull', False), ('undone_by__isnull', False)), _connector='OR'), name='platform_import_undone_by_when')],
            },
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', '待答复'), ('upheld', '成立'), ('rejected', '不成立'), ('withdrawn', '已撤回')], default='open', max_length=10, verbose_name='状态')),
                ('claim', models.TextField(max_length=2000, verbose_name='异议理由')),
                ('filed_at', models.DateTimeField(verbose_name='提出时间')),
                ('answer_due_at', models.DateTimeField(verbose_name='答复期限')),
                ('answer', models.TextField(blank=True, max_length=2000, verbose_name='答复理由')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='答复时间')),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='答复人')),
                ('filed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='提出人')),
                ('obligation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='obligations.obligation', verbose_name='未报记录')),
            ],
            options={
                'verbose_name': '异议',
                'verbose_name_plural': '异议',
                'ordering': ['-filed_at', '-pk'],
                'indexes': [models.Index(fields=['state', 'answer_due_at'], name='obligations_state_0e9b98_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('obligation',), name='dispute_open_once', violation_error_message='这一周的异议正在等待答复。'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', False), ('state__in', ['upheld', 'rejected']), ('answered_by__isnull', False)), models.Q(('answered_at__isnull', True), ('answered_by__isnull', True), ('state__in', ['open', 'withdrawn'])), _connector='OR'), name='dispute_answered_when')],
            },
        ),
        migrations.CreateModel(
            name='PlatformFiling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('filed_at', models.DateTimeField(verbose_name='国家平台填报时间')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='platform_filings', to='accounts.organization', verbose_name='院校')),
                ('period', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='platform_filings', to='obligations.period', verbose_name='周期')),
                ('platform_import', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='filings', to='obligations.platformimport', verbose_name='名单')),
            ],
            options={
                'verbose_name': '国家平台填报',
                'verbose_name_plural': '国家平台填报',
                'ordering': ['period', 'organization'],
                'indexes': [models.Index(fields=['period', 'organization'], name='obligations_period__0ddc75_idx')],
                'constraints': [models.UniqueConstraint(fields=('platform_import', 'organization', 'period'), name='platform_filing_once')],
            },
        ),
        migrations.AddField(
            model_name='policy',
            name='dispute_working_days',
            field=models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(30)], verbose_name='异议答复期限（工作日）'),
        ),
    ]
