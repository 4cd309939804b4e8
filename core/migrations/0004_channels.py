import uuid

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import core.fields


def carry_over(apps, schema_editor):
    """What a notice knew of its mail becomes its delivery."""
    Notice, Delivery = apps.get_model("core", "Notice"), apps.get_model("core", "Delivery")
    tried = Notice.objects.filter(Q(mailed_at__isnull=False) | Q(attempts__gt=0))
    Delivery.objects.bulk_create(
        (
            Delivery(
                notice_id=notice.pk,
                key=notice.key,
                state="sent" if notice.mailed_at else "failed",
                attempts=notice.attempts,
                queued_at=notice.created_at,
                retry_at=notice.retry_at,
                sent_at=notice.mailed_at,
                last_error=notice.last_error,
            )
            for notice in tried.iterator()
        ),
        batch_size=1000,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_api_tokens"),
        ("core", "0003_notice_retry"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="important",
            field=models.BooleanField(default=False, verbose_name="发机构群"),
        ),
        migrations.AlterField(
            model_name="notice",
            name="created_at",
            field=models.DateTimeField(db_index=True, verbose_name="时间"),
        ),
        migrations.CreateModel(
            name="Robot",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("wecom", "企业微信"), ("dingtalk", "钉钉")],
                        max_length=10,
                        verbose_name="平台",
                    ),
                ),
                ("address", core.fields.EncryptedTextField(verbose_name="地址")),
                ("secret", core.fields.EncryptedTextField(blank=True, default="", verbose_name="加签密钥")),
                ("on_since", models.DateTimeField(blank=True, null=True, verbose_name="启用时间")),
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="robot",
                        to="accounts.organization",
                        verbose_name="机构",
                    ),
                ),
            ],
            options={"verbose_name": "群机器人", "verbose_name_plural": "群机器人"},
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "待发"),
                            ("sent", "已送达"),
                            ("failed", "未送达，将重试"),
                            ("given_up", "未送达，已停止"),
                            ("dropped", "无需再发"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="次数")),
                ("queued_at", models.DateTimeField(verbose_name="排队时间")),
                ("retry_at", models.DateTimeField(blank=True, null=True, verbose_name="不早于此时再发")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="送达时间")),
                ("last_error", models.CharField(blank=True, max_length=200, verbose_name="原因")),
                (
                    "notice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="core.notice",
                        verbose_name="通知",
                    ),
                ),
                (
                    "robot",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.robot",
                        verbose_name="渠道",
                    ),
                ),
            ],
            options={
                "verbose_name": "通知送达",
                "verbose_name_plural": "通知送达",
                "ordering": ["-queued_at", "-pk"],
                "indexes": [models.Index(fields=["state", "retry_at"], name="core_delive_state_c5f46d_idx")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(robot__isnull=True), fields=("notice",), name="delivery_mailed_once"
                    ),
                    models.UniqueConstraint(fields=("robot", "key"), name="delivery_robot_once"),
                    models.CheckConstraint(
                        condition=Q(
                            Q(sent_at__isnull=False, state="sent"),
                            Q(~Q(state="sent"), sent_at__isnull=True),
                            _connector="OR",
                        ),
                        name="delivery_sent_when",
                    ),
                ],
            },
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        migrations.RemoveField(model_name="notice", name="attempts"),
        migrations.RemoveField(model_name="notice", name="last_error"),
        migrations.RemoveField(model_name="notice", name="mailed_at"),
        migrations.RemoveField(model_name="notice", name="retry_at"),
    ]
