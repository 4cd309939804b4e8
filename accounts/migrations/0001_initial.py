import core.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='City',
            fields=[
                ('code', models.CharField(max_length=6, primary_key=True, serialize=False, verbose_name='区划代码')),
                ('name', models.CharField(max_length=40, unique=True, verbose_name='名称')),
            ],
            options={
                'verbose_name': '市',
                'verbose_name_plural': '市',
                'ordering': ['code'],
            },
        ),
        migrations.CreateModel(
            name='County',
            fields=[
                ('code', models.CharField(max_length=6, primary_key=True, serialize=False, verbose_name='区划代码')),
                ('name', models.CharField(max_length=40, verbose_name='名称')),
                ('city', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='counties', to='accounts.city', verbose_name='所属市')),
            ],
            options={
                'verbose_name': '县(市、区)',
                'verbose_name_plural': '县(市、区)',
                'ordering': ['code'],
            },
        ),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('province', '省级'), ('city', '市级'), ('school', '院校'), ('evaluator', '评价组织')], max_length=10, verbose_name='类别')),
                ('name', models.CharField(max_length=120, verbose_name='名称')),
                ('code', models.CharField(max_length=32, verbose_name='代码')),
                ('pinyin', models.CharField(blank=True, db_index=True, max_length=80, verbose_name='拼音首字母')),
                ('is_demonstration', models.BooleanField(default=False, verbose_name='演示数据')),
                ('city', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.city', verbose_name='所在市')),
                ('supervisor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='supervised', to='accounts.organization', verbose_name='主管部门')),
            ],
            options={
                'verbose_name': '机构',
                'verbose_name_plural': '机构',
                'ordering': ['kind', 'code'],
                'indexes': [models.Index(fields=['supervisor', 'kind'], name='accounts_or_supervi_9ad002_idx')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'code'), name='organization_code', violation_error_message='该代码已登记。'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'school'), _negated=True), ('supervisor__isnull', False), _connector='OR'), name='school_has_supervisor', violation_error_message='院校必须有主管部门。')],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('username', models.CharField(error_messages={'unique': '该账号已被使用。'}, max_length=60, unique=True, verbose_name='账号')),
                ('name', models.CharField(max_length=60, verbose_name='姓名')),
                ('role', models.CharField(choices=[('office', '推进办'), ('finance', '省级财务'), ('coordinator', '对接专员'), ('leading_group', '领导组'), ('expert', '专家'), ('third_party', '受托第三方'), ('city_bureau', '市教育局'), ('school_contact', '院校联系人'), ('school_leader', '院校负责人'), ('evaluator', '评价组织'), ('auditor', '审计督导'), ('learner', '学习者')], max_length=20, verbose_name='角色')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='电子邮箱')),
                ('mobile', core.fields.EncryptedTextField(blank=True, default='', verbose_name='手机号')),
                ('is_stand_in', models.BooleanField(default=False, verbose_name='代理人')),
                ('must_change_password', models.BooleanField(default=True, verbose_name='须修改密码')),
                ('mail_notices', models.BooleanField(default=True, verbose_name='接收邮件通知')),
                ('is_active', models.BooleanField(default=True, verbose_name='启用')),
                ('created_at', models.DateTimeField(verbose_name='开通时间')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='停用时间')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('successor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='predecessors', to=settings.AUTH_USER_MODEL, verbose_name='接任人')),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='users', to='accounts.organization', verbose_name='所属机构')),
            ],
            options={
                'verbose_name': '账号',
                'verbose_name_plural': '账号',
                'ordering': ['organization', 'role', 'username'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('ended_by__isnull', True)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='user_ended_by_when'), models.CheckConstraint(condition=models.Q(('organization__isnull', False), ('role', 'learner'), _connector='OR'), name='user_has_organization', violation_error_message='除学习者外，账号必须属于一个机构。')],
            },
        ),
        migrations.CreateModel(
            name='OrganizationAlias',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='别名')),
                ('source', models.CharField(blank=True, max_length=200, verbose_name='来源')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='accounts.organization', verbose_name='机构')),
            ],
            options={
                'verbose_name': '机构别名',
                'verbose_name_plural': '机构别名',
                'indexes': [models.Index(fields=['name'], name='accounts_or_name_693ce0_idx')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'name'), name='alias_once')],
            },
        ),
        migrations.CreateModel(
            name='PilotMembership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('joined_at', models.DateTimeField(verbose_name='加入时间')),
                ('left_at', models.DateTimeField(blank=True, null=True, verbose_name='退出时间')),
                ('reason', models.CharField(blank=True, max_length=200, verbose_name='退出原因')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='accounts.organization', verbose_name='机构')),
            ],
            options={
                'verbose_name': '试点资格',
                'verbose_name_plural': '试点资格',
                'ordering': ['joined_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('left_at__isnull', True), ('left_at__gt', models.F('joined_at')), _connector='OR'), name='membership_order', violation_error_message='退出时间必须晚于加入时间。'), models.UniqueConstraint(condition=models.Q(('left_at__isnull', True)), fields=('organization',), name='membership_one_open', violation_error_message='该机构已在试点中。')],
            },
        ),
    ]
