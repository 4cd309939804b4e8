import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_api_tokens'),
        ('accounts', '__first__'),
        ('core', '0003_notice_retry'),
        ('obligations', '0004_case_terms'),
        ('schools', '0002_contacts'),
        ('supervision', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(verbose_name='序次')),
                ('kind', models.CharField(choices=[('revoked', '取消试点资格'), ('rectify', '责令限期整改'), ('dismissed', '不予处理'), ('reversed', '撤销原决定')], max_length=10, verbose_name='决定')),
                ('reasons', models.TextField(max_length=20000, verbose_name='理由')),
                ('decided_at', models.DateTimeField(verbose_name='决定时间')),
                ('effects', models.JSONField(default=dict, verbose_name='效果')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='supervision.case', verbose_name='案件')),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='决定人')),
                ('supersedes', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='supervision.casedecision', verbose_name='取代')),
            ],
            options={
                'verbose_name': '决定',
                'verbose_name_plural': '决定',
                'ordering': ['case', 'number'],
                'constraints': [models.UniqueConstraint(fields=('case', 'number'), name='decision_number')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(max_length=20000, verbose_name='内容')),
                ('saved_at', models.DateTimeField(verbose_name='保存时间')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='提交时间')),
                ('receipt', models.CharField(blank=True, max_length=32, verbose_name='回执编号')),
                ('content_hash', models.CharField(blank=True, max_length=64, verbose_name='内容摘要')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='statements', to='supervision.case', verbose_name='案件')),
                ('sent_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='提交人')),
                ('term', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='statement', to='obligations.obligation', verbose_name='期限')),
            ],
            options={
                'verbose_name': '陈述',
                'verbose_name_plural': '陈述',
                'ordering': ['saved_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('receipt', ''), ('sent_at__isnull', True), ('sent_by__isnull', True)), models.Q(('sent_at__isnull', False), ('sent_by__isnull', False), models.Q(('receipt', ''), _negated=True)), _connector='OR'), name='statement_sent_by_when'), models.UniqueConstraint(condition=models.Q(('receipt', ''), _negated=True), fields=('receipt',), name='statement_receipt')],
            },
        ),
        migrations.CreateModel(
            name='WayOut',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('figures', models.JSONField(default=dict, verbose_name='学生情况')),
                ('text', models.TextField(max_length=2000, verbose_name='安置办法')),
                ('written_at', models.DateTimeField(verbose_name='填写时间')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ways_out', to='supervision.case', verbose_name='案件')),
                ('programme', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='schools.programme', verbose_name='试点项目')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='填写人')),
            ],
            options={
                'verbose_name': '学生安置',
                'verbose_name_plural': '学生安置',
                'ordering': ['programme'],
                'constraints': [models.UniqueConstraint(fields=('case', 'programme'), name='way_out_once')],
            },
        ),
        migrations.CreateModel(
            name='CaseDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('notice', '告知书'), ('decision', '决定书'), ('circular', '取消资格通报')], max_length=10, verbose_name='文种')),
                ('year', models.PositiveSmallIntegerField(verbose_name='年份')),
                ('sequence', models.PositiveIntegerField(verbose_name='顺序号')),
                ('number', models.CharField(max_length=40, verbose_name='文号')),
                ('title', models.CharField(max_length=200, verbose_name='标题')),
                ('issued_at', models.DateTimeField(verbose_name='制发时间')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='supervision.case', verbose_name='案件')),
                ('decision', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='documents', to='supervision.casedecision', verbose_name='决定')),
                ('file', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.attachment', verbose_name='文件')),
                ('issued_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='制发人')),
            ],
            options={
                'verbose_name': '案件文书',
                'verbose_name_plural': '案件文书',
                'ordering': ['issued_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'year', 'sequence'), name='document_number')],
            },
        ),
        migrations.CreateModel(
            name='FollowUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('recovery', '收回专项资金'), ('accountability', '追究主要责任人责任'), ('circular', '通报全省'), ('restore', '按复核结果恢复（退还资金、更正通报等）')], max_length=15, verbose_name='事项')),
                ('created_at', models.DateTimeField(verbose_name='产生时间')),
                ('done_at', models.DateTimeField(blank=True, null=True, verbose_name='办结时间')),
                ('note', models.TextField(blank=True, max_length=2000, verbose_name='办理情况')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='follow_ups', to='supervision.case', verbose_name='案件')),
                ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='follow_ups', to='supervision.casedecision', verbose_name='决定')),
                ('done_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='办结人')),
            ],
            options={
                'verbose_name': '案件后续事项',
                'verbose_name_plural': '案件后续事项',
                'ordering': ['created_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('decision', 'kind'), name='follow_up_once'), models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', True), ('done_by__isnull', True)), models.Q(('done_at__isnull', False), ('done_by__isnull', False)), _connector='OR'), name='follow_up_done_by_when')],
            },
        ),
        migrations.AddField(
            model_name='case',
            name='answer_term',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='obligations.obligation', verbose_name='陈述申辩期限'),
        ),
        migrations.AddField(
            model_name='case',
            name='certified_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='核实国家平台时间'),
        ),
        migrations.AddField(
            model_name='case',
            name='exempt_confirmed_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='确认连续时间'),
        ),
        migrations.AddField(
            model_name='case',
            name='facts',
            field=models.TextField(blank=True, verbose_name='事实'),
        ),
        migrations.AddField(
            model_name='case',
            name='notified_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='告知时间'),
        ),
        migrations.AddField(
            model_name='case',
            name='opened_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='登记人'),
        ),
        migrations.AddField(
            model_name='case',
            name='proposer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='告知人'),
        ),
        migrations.AddField(
            model_name='case',
            name='rectification_term',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='obligations.obligation', verbose_name='整改期限'),
        ),
        migrations.AlterField(
            model_name='case',
            name='ground',
            field=models.CharField(choices=[('not_reporting', '推进试点工作不力、进展缓慢，连续三周不填报周报的'), ('lax_management', '证书培训、考核等工作管理不严的'), ('funds', '试点工作经费使用不规范的'), ('forcing', '强制或变相强制学生参加培训或考核的'), ('other', '存在其他违纪违规情况的')], max_length=30, verbose_name='情形'),
        ),
        migrations.AlterField(
            model_name='case',
            name='state',
            field=models.CharField(choices=[('flagged', '已触发'), ('investigating', '调查核实'), ('notified', '已告知'), ('responded', '已陈述申辩'), ('lapsed', '逾期未陈述'), ('rectifying', '限期整改'), ('overdue', '整改逾期'), ('decided', '已决定')], default='flagged', max_length=15, verbose_name='状态'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer_term__isnull', True), ('notified_at__isnull', True), ('proposer__isnull', True)), models.Q(('answer_term__isnull', False), ('notified_at__isnull', False), ('proposer__isnull', False)), _connector='OR'), name='case_notified_by_when'),
        ),
        migrations.AddConstraint(
            model_name='case',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['flagged', 'investigating', 'decided']), ('notified_at__isnull', False), _connector='OR'), name='case_no_step_skipped'),
        ),
    ]
