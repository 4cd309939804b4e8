import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '__first__'),
        ('certificates', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CreditProposal',
            fields=[
                ('draft', models.JSONField(blank=True, null=True, verbose_name='草稿')),
                ('draft_revision', models.PositiveIntegerField(default=0, verbose_name='草稿修订号')),
                ('draft_saved_at', models.DateTimeField(blank=True, null=True, verbose_name='草稿保存时间')),
                ('certificate', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='credit_proposal', serialize=False, to='certificates.certificate', verbose_name='证书')),
                ('state', models.CharField(choices=[('draft', '待提出'), ('submitted', '待审核'), ('accepted', '已接收'), ('returned', '退回修改')], default='draft', max_length=10, verbose_name='状态')),
                ('review_comment', models.TextField(blank=True, verbose_name='审核意见')),
                ('reviewed_at', models.DateTimeField(blank=True, null=True, verbose_name='审核时间')),
                ('draft_saved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '学分记录建议',
                'verbose_name_plural': '学分记录建议',
                'ordering': ['certificate'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('reviewed_at__isnull', True), ('reviewed_by__isnull', True)), models.Q(('reviewed_at__isnull', False), ('reviewed_by__isnull', False)), _connector='OR'), name='credit_proposal_reviewed_by_when')],
            },
        ),
        migrations.CreateModel(
            name='CreditProposalVersion',
            fields=[
                ('number', models.PositiveSmallIntegerField(verbose_name='版本')),
                ('receipt', models.CharField(max_length=32, unique=True, verbose_name='回执编号')),
                ('token', models.CharField(max_length=64, verbose_name='表单令牌')),
                ('received_at', models.DateTimeField(verbose_name='收到时间')),
                ('content', models.JSONField(verbose_name='内容')),
                ('content_hash', models.CharField(max_length=64, verbose_name='内容摘要')),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('proposal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='certificates.creditproposal', verbose_name='学分记录建议')),
                ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '建议版本',
                'verbose_name_plural': '建议版本',
                'ordering': ['proposal', 'number'],
                'constraints': [models.UniqueConstraint(fields=('proposal', 'number'), name='credit_proposal_version_number'), models.UniqueConstraint(fields=('proposal', 'token'), name='credit_proposal_version_token')],
            },
        ),
        migrations.AddField(
            model_name='CreditProposal',
            name='current',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='certificates.creditproposalversion', verbose_name='现行版本'),
        ),
        migrations.AddConstraint(
            model_name='CreditProposal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('current__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('current__isnull', False)), _connector='OR'), name='credit_proposal_filed_has_version'),
        ),
        migrations.AddField(
            model_name='certificate',
            name='published_on',
            field=models.DateField(blank=True, null=True, verbose_name='公布日期'),
        ),
        migrations.AddField(
            model_name='certificatelevel',
            name='exam_form',
            field=models.CharField(blank=True, choices=[('paper', '纸笔考试'), ('computer', '机考'), ('practical', '一般实操'), ('special_practical', '特殊实操')], max_length=20, verbose_name='考核形式'),
        ),
    ]
