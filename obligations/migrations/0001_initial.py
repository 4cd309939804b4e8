import datetime
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='CalendarDay',
            fields=[
                ('day', models.DateField(primary_key=True, serialize=False, verbose_name='日期')),
                ('kind', models.CharField(choices=[('holiday', '法定节假日'), ('workday', '调休上班')], max_length=10, verbose_name='类别')),
                ('name', models.CharField(blank=True, max_length=40, verbose_name='名称')),
            ],
            options={
                'verbose_name': '节假日安排',
                'verbose_name_plural': '节假日安排',
                'ordering': ['day'],
            },
        ),
        migrations.CreateModel(
            name='CalendarYear',
            fields=[
                ('year', models.PositiveSmallIntegerField(primary_key=True, serialize=False, verbose_name='年份')),
                ('document', models.CharField(blank=True, max_length=200, verbose_name='文件')),
            ],
            options={
                'verbose_name': '已公布年份',
                'verbose_name_plural': '已公布年份',
                'ordering': ['year'],
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('weekly_report', '周报'), ('correction', '更正周报')], default='weekly_report', max_length=20, verbose_name='种类')),
                ('effective_from', models.DateField(verbose_name='生效日期')),
                ('period_weeks', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(4)], verbose_name='周期（周）')),
                ('due_weekday', models.PositiveSmallIntegerField(choices=[(1, '星期一'), (2, '星期二'), (3, '星期三'), (4, '星期四'), (5, '星期五'), (6, '星期六'), (7, '星期日')], default=5, verbose_name='截止星期')),
                ('due_time', models.TimeField(default=datetime.time(18, 0), verbose_name='截止时间')),
                ('close_after_hours', models.PositiveSmallIntegerField(default=72, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(336)], verbose_name='截止后多少小时关闭')),
                ('on_holiday', models.CharField(choices=[('exempt', '当周免报'), ('move', '提前到前一个工作日')], default='exempt', max_length=10, verbose_name='截止日逢节假日')),
                ('reminder_hours', models.JSONField(default=list, verbose_name='提前多少小时提醒')),
                ('flag_weeks', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(12)], verbose_name='连续未报几周立案')),
                ('correction_working_days', models.PositiveSmallIntegerField(default=3, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(30)], verbose_name='更正期限（工作日）')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                ('created_at', models.DateTimeField(verbose_name='制定时间')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '报送规则',
                'verbose_name_plural': '报送规则',
                'ordering': ['kind', '-effective_from'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'effective_from'), name='policy_version', violation_error_message='该日已有一条规则生效。')],
            },
        ),
        migrations.CreateModel(
            name='Suspension',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('emergency', '突发事件'), ('vacation', '学校放假')], max_length=10, verbose_name='类别')),
                ('scope_label', models.CharField(max_length=120, verbose_name='范围说明')),
                ('starts_at', models.DateTimeField(verbose_name='开始')),
                ('ends_at', models.DateTimeField(verbose_name='结束')),
                ('reason', models.CharField(max_length=300, verbose_name='原因')),
                ('created_at', models.DateTimeField(verbose_name='登记时间')),
                ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='提前结束时间')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organizations', models.ManyToManyField(related_name='suspensions', to='accounts.organization', verbose_name='范围')),
            ],
            options={
                'verbose_name': '停报',
                'verbose_name_plural': '停报',
                'ordering': ['-starts_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='suspension_order', violation_error_message='结束必须晚于开始。'), models.CheckConstraint(condition=models.Q(models.Q(('lifted_at__isnull', True), ('lifted_by__isnull', True)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False)), _connector='OR'), name='suspension_lifted_by_when')],
            },
        ),
        migrations.CreateModel(
            name='Outage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='开始')),
                ('ends_at', models.DateTimeField(verbose_name='结束')),
                ('reason', models.CharField(max_length=300, verbose_name='原因')),
                ('created_at', models.DateTimeField(verbose_name='登记时间')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '平台停机',
                'verbose_name_plural': '平台停机',
                'ordering': ['-starts_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='outage_order', violation_error_message='结束必须晚于开始。')],
            },
        ),
        migrations.CreateModel(
            name='Period',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('weekly_report', '周报'), ('correction', '更正周报')], max_length=20, verbose_name='种类')),
                ('key', models.CharField(max_length=20, verbose_name='编号')),
                ('starts_on', models.DateField(verbose_name='起')),
                ('ends_on', models.DateField(verbose_name='止')),
                ('weeks', models.PositiveSmallIntegerField(default=1, verbose_name='周数')),
                ('opens_at', models.DateTimeField(verbose_name='开始填报')),
                ('due_at', models.DateTimeField(verbose_name='截止')),
                ('closes_at', models.DateTimeField(verbose_name='关闭')),
                ('exempt_reason', models.CharField(blank=True, max_length=100, verbose_name='免报原因')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                ('opened_at', models.DateTimeField(blank=True, null=True, verbose_name='已开始')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='已关闭')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='periods', to='obligations.policy', verbose_name='适用规则')),
            ],
            options={
                'verbose_name': '报送周期',
                'verbose_name_plural': '报送周期',
                'ordering': ['kind', 'starts_on'],
                'indexes': [models.Index(fields=['closed_at', 'closes_at'], name='obligations_closed__330029_idx'), models.Index(fields=['opened_at', 'opens_at'], name='obligations_opened__5e1aae_idx')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='period_key'), models.UniqueConstraint(fields=('kind', 'starts_on'), name='period_start'), models.CheckConstraint(condition=models.Q(('opens_at__lt', models.F('due_at')), ('due_at__lt', models.F('closes_at'))), name='period_order')],
            },
        ),
        migrations.CreateModel(
            name='Obligation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('weekly_report', '周报'), ('correction', '更正周报')], max_length=20, verbose_name='种类')),
                ('key', models.CharField(max_length=40, verbose_name='编号')),
                ('title', models.CharField(max_length=120, verbose_name='事项')),
                ('link', models.CharField(blank=True, max_length=200, verbose_name='办理页面')),
                ('opens_at', models.DateTimeField(verbose_name='开始')),
                ('due_at', models.DateTimeField(verbose_name='截止')),
                ('closes_at', models.DateTimeField(blank=True, null=True, verbose_name='关闭')),
                ('outcome', models.CharField(choices=[('pending', '待报'), ('on_time', '按时'), ('late', '迟报'), ('missed', '未报'), ('exempt', '免报')], default='pending', max_length=10, verbose_name='结果')),
                ('received_at', models.DateTimeField(blank=True, null=True, verbose_name='收到时间')),
                ('filled_at', models.DateTimeField(blank=True, null=True, verbose_name='补报时间')),
                ('source', models.CharField(choices=[('portal', '本平台'), ('platform', '国家平台')], default='portal', max_length=10, verbose_name='来源')),
                ('exempt_reason', models.CharField(blank=True, max_length=200, verbose_name='免报原因')),
                ('reminded_steps', models.PositiveSmallIntegerField(default=0, verbose_name='已提醒次数')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='关闭于')),
                ('excused_at', models.DateTimeField(blank=True, null=True, verbose_name='谅解时间')),
                ('excuse_reason', models.TextField(blank=True, verbose_name='谅解理由')),
                ('excused_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='谅解人')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='obligations', to='accounts.organization', verbose_name='机构')),
                ('period', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='obligations', to='obligations.period', verbose_name='周期')),
            ],
            options={
                'verbose_name': '报送任务',
                'verbose_name_plural': '报送任务',
                'ordering': ['due_at', 'organization'],
                'indexes': [models.Index(fields=['organization', 'kind', 'due_at'], name='obligations_organiz_e53276_idx'), models.Index(fields=['period', 'outcome'], name='obligations_period__674497_idx'), models.Index(fields=['outcome', 'due_at'], name='obligations_outcome_43d2d9_idx')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'kind', 'key'), name='obligation_once'), models.CheckConstraint(condition=models.Q(('opens_at__lte', models.F('due_at'))), name='obligation_order'), models.CheckConstraint(condition=models.Q(('closes_at__isnull', True), ('closes_at__gt', models.F('due_at')), _connector='OR'), name='obligation_close_order'), models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ['on_time', 'late']), _negated=True), ('received_at__isnull', False), _connector='OR'), name='obligation_received_when'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'missed'), _negated=True), ('closed_at__isnull', False), _connector='OR'), name='obligation_missed_closed'), models.CheckConstraint(condition=models.Q(models.Q(('excused_at__isnull', True), ('excused_by__isnull', True)), models.Q(('excused_at__isnull', False), ('excused_by__isnull', False), ('outcome', 'missed')), _connector='OR'), name='obligation_excused_by_when')],
            },
        ),
    ]
