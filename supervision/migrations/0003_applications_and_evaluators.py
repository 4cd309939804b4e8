import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_api_tokens'),
        ('accounts', '__first__'),
        ('certificates', '0002_applications_and_evaluators'),
        ('obligations', '0005_applications_and_evaluators'),
        ('supervision', '0002_procedure'),
    ]

    operations = [
        migrations.CreateModel(
            name='Feedback',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('receipt', models.CharField(max_length=32, unique=True, verbose_name='回执编号')),
                ('token', models.CharField(max_length=64, verbose_name='表单令牌')),
                ('ground', models.CharField(choices=[('bundling', '捆绑销售（指定设备、软件、教材课程品牌）'), ('fees', '高收费、变相收费'), ('forced_training', '强制培训'), ('service', '服务不到位'), ('other', '其他')], max_length=20, verbose_name='情形')),
                ('text', models.TextField(verbose_name='情况')),
                ('state', models.CharField(choices=[('filed', '待交办'), ('assigned', '办理中'), ('answered', '已答复'), ('closed', '已办结')], default='filed', max_length=10, verbose_name='状态')),
                ('filed_at', models.DateTimeField(verbose_name='收到时间')),
                ('answer', models.TextField(blank=True, verbose_name='答复')),
                ('measures', models.TextField(blank=True, verbose_name='措施')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='答复时间')),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='经办人')),
                ('certificate', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='certificates.certificate', verbose_name='证书')),
                ('evaluator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='feedback_about', to='accounts.organization', verbose_name='培训评价组织')),
                ('filed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='feedback_given', to='accounts.organization', verbose_name='反馈学校')),
                ('term', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='obligations.obligation', verbose_name='答复期限')),
            ],
            options={
                'verbose_name': '对评价组织的反馈',
                'verbose_name_plural': '对评价组织的反馈',
                'ordering': ['-filed_at', 'pk'],
                'indexes': [models.Index(fields=['evaluator', 'ground', 'filed_at'], name='supervision_evaluat_786fc8_idx')],
                'constraints': [models.UniqueConstraint(fields=('school', 'token'), name='feedback_token'), models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True), ('answered_by__isnull', True)), models.Q(('answered_at__isnull', False), ('answered_by__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='feedback_answered_by_when'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', False), ('state__in', ['answered', 'closed'])), models.Q(('answered_at__isnull', True), ('state__in', ['filed', 'assigned'])), _connector='OR'), name='feedback_answered_state'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'assigned'), _negated=True), ('assignee__isnull', False), _connector='OR'), name='feedback_assigned_to')],
            },
        ),
        migrations.CreateModel(
            name='MonitoringTurn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_on', models.DateField(verbose_name='自')),
                ('ends_on', models.DateField(verbose_name='至')),
                ('reason', models.TextField(verbose_name='选定理由')),
                ('chosen_at', models.DateTimeField(verbose_name='选定时间')),
                ('certificate', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='monitoring_turns', to='certificates.certificate', verbose_name='证书')),
                ('chosen_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '监测点',
                'verbose_name_plural': '监测点',
                'ordering': ['-starts_on', 'certificate'],
                'constraints': [models.UniqueConstraint(fields=('certificate', 'starts_on'), name='monitoring_turn_once'), models.CheckConstraint(condition=models.Q(('ends_on__gte', models.F('starts_on'))), name='monitoring_turn_order', violation_error_message='结束日期不能早于开始日期。')],
            },
        ),
        migrations.CreateModel(
            name='FeedbackQuestion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('text', models.TextField(verbose_name='问题')),
                ('asked_at', models.DateTimeField(verbose_name='发出时间')),
                ('answer', models.TextField(blank=True, verbose_name='说明')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='说明时间')),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('evaluator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='feedback_questions', to='accounts.organization', verbose_name='培训评价组织')),
                ('feedback', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='supervision.feedback', verbose_name='反馈')),
            ],
            options={
                'verbose_name': '了解情况',
                'verbose_name_plural': '了解情况',
                'ordering': ['-asked_at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True), ('answered_by__isnull', True)), models.Q(('answered_at__isnull', False), ('answered_by__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='feedback_question_answered_by_when')],
            },
        ),
        migrations.CreateModel(
            name='MonitoringPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_proposed', models.BooleanField(default=False, verbose_name='平台拟定')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='monitoring_points', to='accounts.organization', verbose_name='院校')),
                ('turn', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='points', to='supervision.monitoringturn', verbose_name='监测点名单')),
            ],
            options={
                'verbose_name': '监测点院校',
                'verbose_name_plural': '监测点院校',
                'ordering': ['turn', 'organization'],
                'constraints': [models.UniqueConstraint(fields=('turn', 'organization'), name='monitoring_point_once')],
            },
        ),
    ]
