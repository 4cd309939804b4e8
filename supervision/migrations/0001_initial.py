import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('obligations', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Case',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ground', models.CharField(choices=[('not_reporting', '推进试点工作不力、进展缓慢，连续三周不填报周报的')], max_length=30, verbose_name='情形')),
                ('state', models.CharField(choices=[('flagged', '已触发'), ('investigating', '调查核实'), ('notified', '已告知'), ('responded', '已陈述申辩'), ('lapsed', '逾期未陈述'), ('decided', '已决定')], default='flagged', max_length=15, verbose_name='状态')),
                ('flagged_at', models.DateTimeField(verbose_name='触发时间')),
                ('spans_exempt', models.BooleanField(default=False, verbose_name='跨越免报周')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='cases', to='accounts.organization', verbose_name='对象')),
            ],
            options={
                'verbose_name': '案件',
                'verbose_name_plural': '案件',
                'ordering': ['-flagged_at', '-pk'],
                'indexes': [models.Index(fields=['state', 'flagged_at'], name='supervision_state_0162ff_idx')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'decided'), _negated=True), fields=('organization', 'ground'), name='case_one_open', violation_error_message='该对象已有同一情形的未结案件。')],
            },
        ),
        migrations.CreateModel(
            name='CaseEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('frozen', models.JSONField(verbose_name='当时的记录')),
                ('added_at', models.DateTimeField(verbose_name='加入时间')),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='evidence', to='supervision.case', verbose_name='案件')),
                ('obligation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='obligations.obligation', verbose_name='报送任务')),
            ],
            options={
                'verbose_name': '证据',
                'verbose_name_plural': '证据',
                'ordering': ['obligation__due_at'],
                'constraints': [models.UniqueConstraint(fields=('case', 'obligation'), name='evidence_once')],
            },
        ),
    ]
