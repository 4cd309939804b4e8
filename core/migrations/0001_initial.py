import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClockOrigin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('real_at', models.DateTimeField(verbose_name='真实时刻')),
                ('portal_at', models.DateTimeField(verbose_name='平台时刻')),
            ],
            options={
                'verbose_name': '演示时钟',
                'verbose_name_plural': '演示时钟',
            },
        ),
        migrations.CreateModel(
            name='TaskSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('task', models.CharField(max_length=80)),
                ('slot', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('task', 'slot'), name='task_slot_once')],
            },
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('target_id', models.CharField(max_length=40)),
                ('file', models.FileField(max_length=200, upload_to='attachments/%Y/%m', verbose_name='文件')),
                ('name', models.CharField(max_length=200, verbose_name='文件名')),
                ('content_type', models.CharField(max_length=100, verbose_name='类型')),
                ('size', models.PositiveBigIntegerField(verbose_name='字节数')),
                ('sha256', models.CharField(max_length=64, verbose_name='SHA-256')),
                ('uploaded_at', models.DateTimeField(verbose_name='上传时间')),
                ('target_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contenttypes.contenttype')),
                ('uploaded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '附件',
                'verbose_name_plural': '附件',
                'indexes': [models.Index(fields=['target_type', 'target_id'], name='core_attach_target__237adc_idx')],
            },
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True, verbose_name='时间')),
                ('actor_label', models.CharField(max_length=120, verbose_name='操作人')),
                ('action', models.CharField(db_index=True, max_length=60, verbose_name='操作')),
                ('target_id', models.CharField(max_length=40, verbose_name='对象编号')),
                ('target_label', models.CharField(max_length=200, verbose_name='对象')),
                ('from_state', models.CharField(blank=True, max_length=30, verbose_name='原状态')),
                ('to_state', models.CharField(blank=True, max_length=30, verbose_name='新状态')),
                ('changes', models.JSONField(default=dict, verbose_name='变更内容')),
                ('reason', models.TextField(blank=True, verbose_name='理由')),
                ('request_id', models.CharField(blank=True, max_length=32, verbose_name='请求编号')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='操作人')),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organization', verbose_name='所属机构')),
                ('target_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='contenttypes.contenttype', verbose_name='对象类型')),
            ],
            options={
                'verbose_name': '操作记录',
                'verbose_name_plural': '操作记录',
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['target_type', 'target_id', 'at'], name='core_event_target__b5ba00_idx'), models.Index(fields=['organization', 'at'], name='core_event_organiz_7b3827_idx')],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=60, verbose_name='种类')),
                ('state', models.CharField(choices=[('queued', '排队中'), ('running', '进行中'), ('done', '完成'), ('failed', '失败')], default='queued', max_length=10, verbose_name='状态')),
                ('arguments', models.JSONField(default=dict, verbose_name='参数')),
                ('result', models.JSONField(default=dict, verbose_name='结果')),
                ('error', models.TextField(blank=True, verbose_name='错误')),
                ('done_steps', models.PositiveIntegerField(default=0, verbose_name='已完成')),
                ('total_steps', models.PositiveIntegerField(default=0, verbose_name='总数')),
                ('attempt', models.PositiveSmallIntegerField(default=0, verbose_name='尝试次数')),
                ('created_at', models.DateTimeField(verbose_name='创建时间')),
                ('heartbeat_at', models.DateTimeField(blank=True, null=True, verbose_name='心跳')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='完成时间')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': '后台任务',
                'verbose_name_plural': '后台任务',
                'ordering': ['-created_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running']), ('finished_at__isnull', False), _connector='OR'), name='job_finished_when')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=120, verbose_name='唯一键')),
                ('text', models.CharField(max_length=500, verbose_name='内容')),
                ('link', models.CharField(blank=True, max_length=300, verbose_name='链接')),
                ('created_at', models.DateTimeField(verbose_name='时间')),
                ('read_at', models.DateTimeField(blank=True, null=True, verbose_name='已读时间')),
                ('mailed_at', models.DateTimeField(blank=True, null=True, verbose_name='邮件发送时间')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='发送次数')),
                ('last_error', models.CharField(blank=True, max_length=200, verbose_name='发送错误')),
                ('recipient', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL, verbose_name='收件人')),
            ],
            options={
                'verbose_name': '通知',
                'verbose_name_plural': '通知',
                'ordering': ['-created_at', '-pk'],
                'indexes': [models.Index(fields=['recipient', 'read_at', '-created_at'], name='core_notice_recipie_b2680f_idx')],
                'constraints': [models.UniqueConstraint(fields=('recipient', 'key'), name='notice_once')],
            },
        ),
    ]
