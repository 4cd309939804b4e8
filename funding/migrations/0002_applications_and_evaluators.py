import django.core.validators
import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_api_tokens'),
        ('accounts', '__first__'),
        ('certificates', '0002_applications_and_evaluators'),
        ('funding', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CostElement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='成本项目')),
                ('rank', models.PositiveSmallIntegerField(default=0, verbose_name='序号')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                ('source', models.CharField(blank=True, max_length=200, verbose_name='来源')),
            ],
            options={
                'verbose_name': '成本项目',
                'verbose_name_plural': '成本项目',
                'ordering': ['rank', 'name'],
            },
        ),
        migrations.CreateModel(
            name='FeeCap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('exam_form', models.CharField(choices=[('paper', '纸笔考试'), ('computer', '机考'), ('practical', '一般实操'), ('special_practical', '特殊实操')], max_length=20, verbose_name='考核形式')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=9, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))], verbose_name='上限（元/人）')),
                ('effective_from', models.DateField(verbose_name='生效日期')),
                ('document', models.CharField(max_length=120, verbose_name='文号')),
                ('note', models.CharField(blank=True, max_length=200, verbose_name='说明')),
                ('created_at', models.DateTimeField(verbose_name='登记时间')),
                ('certificate_level', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fee_caps', to='certificates.certificatelevel', verbose_name='证书等级')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '考核成本上限',
                'verbose_name_plural': '考核成本上限',
                'ordering': ['exam_form', models.OrderBy(models.F('certificate_level'), nulls_first=True), '-effective_from'],
                'constraints': [models.UniqueConstraint(fields=('exam_form', 'certificate_level', 'effective_from'), name='fee_cap_once', violation_error_message='该考核形式、该证书等级当日已有一条上限。'), models.UniqueConstraint(condition=models.Q(('certificate_level__isnull', True)), fields=('exam_form', 'effective_from'), name='fee_cap_of_form_once', violation_error_message='该考核形式当日已有一条上限。'), models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='fee_cap_positive', violation_error_message='上限必须大于 0。')],
            },
        ),
        migrations.CreateModel(
            name='FeePolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_from', models.DateField(error_messages={'unique': '当日已有一条规则。'}, unique=True, verbose_name='生效日期')),
                ('scope', models.CharField(choices=[('province', '全省每个证书等级一个标准'), ('school', '可按院校分别协商')], default='province', max_length=10, verbose_name='标准的范围')),
                ('over_cap', models.CharField(choices=[('refuse', '一律不予受理'), ('reason', '原则上不得高于上限，确需高于的须说明理由')], default='refuse', max_length=10, verbose_name='高于上限时')),
                ('document', models.CharField(blank=True, max_length=120, verbose_name='依据文件')),
                ('created_at', models.DateTimeField(verbose_name='制定时间')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '考核费用规则',
                'verbose_name_plural': '考核费用规则',
                'ordering': ['-effective_from'],
            },
        ),
        migrations.CreateModel(
            name='FeeStandard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('exam_form', models.CharField(choices=[('paper', '纸笔考试'), ('computer', '机考'), ('practical', '一般实操'), ('special_practical', '特殊实操')], max_length=20, verbose_name='考核形式')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=9, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))], verbose_name='标准（元/人）')),
                ('effective_from', models.DateField(verbose_name='生效日期')),
                ('basis', models.TextField(blank=True, verbose_name='测算说明')),
                ('over_cap_reason', models.CharField(blank=True, max_length=300, verbose_name='高于上限的理由')),
                ('document', models.CharField(blank=True, max_length=120, verbose_name='备案文号')),
                ('state', models.CharField(choices=[('proposed', '协商中'), ('filed', '已备案'), ('returned', '退回修改'), ('refused', '不予备案'), ('withdrawn', '已撤回')], default='proposed', max_length=12, verbose_name='状态')),
                ('proposed_at', models.DateTimeField(verbose_name='提出时间')),
                ('filed_at', models.DateTimeField(blank=True, null=True, verbose_name='备案时间')),
                ('cap', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='funding.feecap', verbose_name='对照的上限')),
                ('certificate_level', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fee_standards', to='certificates.certificatelevel', verbose_name='证书等级')),
                ('evaluator', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='fee_standards', to='accounts.organization', verbose_name='培训评价组织')),
                ('filed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization', verbose_name='适用院校')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '考核费用标准',
                'verbose_name_plural': '考核费用标准',
                'ordering': ['certificate_level', '-effective_from', '-pk'],
                'indexes': [models.Index(fields=['certificate_level', 'state', 'effective_from'], name='funding_fee_certifi_b939eb_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='fee_standard_positive', violation_error_message='标准必须大于 0。'), models.CheckConstraint(condition=models.Q(models.Q(('filed_at__isnull', True), ('filed_by__isnull', True)), models.Q(('filed_at__isnull', False), ('filed_by__isnull', False)), _connector='OR'), name='fee_standard_filed_by_when'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'filed'), _negated=True), ('filed_at__isnull', False), _connector='OR'), name='fee_standard_filed_when'), models.UniqueConstraint(condition=models.Q(('state', 'filed')), fields=('certificate_level', 'organization', 'effective_from'), name='fee_standard_of_school_filed_once'), models.UniqueConstraint(condition=models.Q(('organization__isnull', True), ('state', 'filed')), fields=('certificate_level', 'effective_from'), name='fee_standard_filed_once')],
            },
        ),
        migrations.CreateModel(
            name='StandardConsent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('agreed_at', models.DateTimeField(verbose_name='同意时间')),
                ('agreed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization', verbose_name='院校')),
                ('standard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='funding.feestandard', verbose_name='考核费用标准')),
            ],
            options={
                'verbose_name': '院校同意',
                'verbose_name_plural': '院校同意',
                'ordering': ['agreed_at'],
                'constraints': [models.UniqueConstraint(fields=('standard', 'organization'), name='standard_consent_once')],
            },
        ),
        migrations.CreateModel(
            name='StandardCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=9, validators=[django.core.validators.MinValueValidator(0)], verbose_name='金额（元/人）')),
                ('element', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='funding.costelement', verbose_name='成本项目')),
                ('standard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='costs', to='funding.feestandard', verbose_name='考核费用标准')),
            ],
            options={
                'verbose_name': '成本构成',
                'verbose_name_plural': '成本构成',
                'ordering': ['element'],
                'constraints': [models.UniqueConstraint(fields=('standard', 'element'), name='standard_cost_once')],
            },
        ),
    ]
