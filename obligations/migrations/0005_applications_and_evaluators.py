import django.core.validators
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_api_tokens'),
        ('accounts', '__first__'),
        ('obligations', '0004_case_terms'),
    ]

    operations = [
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(max_length=64, unique=True, verbose_name='摘要')),
                ('role', models.CharField(choices=[('office', '推进办'), ('finance', '省级财务'), ('coordinator', '对接专员'), ('leading_group', '领导组'), ('expert', '专家'), ('third_party', '受托第三方'), ('city_bureau', '市教育局'), ('school_contact', '院校联系人'), ('school_leader', '院校负责人'), ('evaluator', '评价组织'), ('auditor', '审计督导'), ('learner', '学习者')], max_length=20, verbose_name='角色')),
                ('created_at', models.DateTimeField(verbose_name='生成时间')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='停用时间')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization', verbose_name='所属机构')),
                ('revoked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calendar_feeds', to=settings.AUTH_USER_MODEL, verbose_name='账号')),
            ],
            options={
                'verbose_name': '日历订阅',
                'verbose_name_plural': '日历订阅',
                'ordering': ['-created_at', 'pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('user',), name='calendar_feed_one_standing', violation_error_message='已有一个订阅地址；请换新地址或先停用。'), models.CheckConstraint(condition=models.Q(models.Q(('revoked_at__isnull', True), ('revoked_by__isnull', True)), models.Q(('revoked_at__isnull', False), ('revoked_by__isnull', False)), _connector='OR'), name='calendar_feed_revoked_by_when')],
            },
        ),
        migrations.AddField(
            model_name='policy',
            name='due_day',
            field=models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(60)], verbose_name='结束后第几日（或第几个工作日）'),
        ),
        migrations.AddField(
            model_name='policy',
            name='due_in',
            field=models.CharField(choices=[('working_days', '结束后第几个工作日'), ('days', '结束后第几日')], default='working_days', max_length=12, verbose_name='截止日算法'),
        ),
        migrations.AlterField(
            model_name='obligation',
            name='kind',
            field=models.CharField(choices=[('weekly_report', '周报'), ('correction', '更正'), ('case_answer', '陈述申辩'), ('rectification', '限期整改'), ('application', '试点申报'), ('first_review', '申报初审'), ('approval', '申报审核'), ('objection', '公示异议答复'), ('school_filing', '院校备案'), ('monthly_report', '月报'), ('half_year_summary', '半年总结'), ('evaluator_filing', '评价组织备案'), ('site_review', '考核站点审核'), ('credit_proposal', '学分记录建议'), ('certificate_entry', '证书信息录入'), ('agreement', '合作协议续签'), ('feedback', '反馈答复')], max_length=20, verbose_name='种类'),
        ),
        migrations.AlterField(
            model_name='period',
            name='kind',
            field=models.CharField(choices=[('weekly_report', '周报'), ('correction', '更正'), ('case_answer', '陈述申辩'), ('rectification', '限期整改'), ('application', '试点申报'), ('first_review', '申报初审'), ('approval', '申报审核'), ('objection', '公示异议答复'), ('school_filing', '院校备案'), ('monthly_report', '月报'), ('half_year_summary', '半年总结'), ('evaluator_filing', '评价组织备案'), ('site_review', '考核站点审核'), ('credit_proposal', '学分记录建议'), ('certificate_entry', '证书信息录入'), ('agreement', '合作协议续签'), ('feedback', '反馈答复')], max_length=20, verbose_name='种类'),
        ),
        migrations.AlterField(
            model_name='policy',
            name='kind',
            field=models.CharField(choices=[('weekly_report', '周报'), ('correction', '更正'), ('case_answer', '陈述申辩'), ('rectification', '限期整改'), ('application', '试点申报'), ('first_review', '申报初审'), ('approval', '申报审核'), ('objection', '公示异议答复'), ('school_filing', '院校备案'), ('monthly_report', '月报'), ('half_year_summary', '半年总结'), ('evaluator_filing', '评价组织备案'), ('site_review', '考核站点审核'), ('credit_proposal', '学分记录建议'), ('certificate_entry', '证书信息录入'), ('agreement', '合作协议续签'), ('feedback', '反馈答复')], default='weekly_report', max_length=20, verbose_name='种类'),
        ),
        migrations.AlterField(
            model_name='policy',
            name='on_holiday',
            field=models.CharField(choices=[('exempt', '当期免报'), ('move', '提前到前一个工作日')], default='exempt', max_length=10, verbose_name='截止日逢节假日'),
        ),
    ]
