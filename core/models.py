"""Models that every app shares: events, notices and their ways, attachments, jobs, the clock's origin."""

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from core.fields import EncryptedTextField


class AppendOnly(Exception):
    """Events and receipts are written once."""


class ClockOrigin(models.Model):
    """The stored "today" of demonstration data: at `real_at` the portal's clock showed `portal_at`."""

    real_at = models.DateTimeField("真实时刻")
    portal_at = models.DateTimeField("平台时刻")

    class Meta:
        verbose_name = verbose_name_plural = "演示时钟"

    def __str__(self) -> str:
        return f"{self.portal_at:%Y-%m-%d}"


class EventQuerySet(models.QuerySet["Event"]):
    def about(self, obj: models.Model) -> "EventQuerySet":
        """The timeline of one record, oldest first."""
        return self.filter(
            target_type=ContentType.objects.get_for_model(obj), target_id=str(obj.pk)
        ).order_by("at", "pk")

    def visible_to(self, user: Any) -> "EventQuerySet":
        """The audit page's rows: everything for those who see the whole province, else what concerns
        the organisations within the user's scope."""
        from django.apps import apps

        if user.sees_province:
            return self.all()
        if not user.may_search_audit:
            return self.none()
        organizations = apps.get_model("accounts.Organization").objects.visible_to(user)
        return self.filter(organization__in=organizations)

    def update(self, **kwargs: Any) -> int:
        raise AppendOnly

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnly


class Event(models.Model):
    """Who did what to which record, when and why: history and audit in one row.

    Written by the service, in the transaction of the change. The target's label and organisation are
    frozen as they were. On PostgreSQL a trigger refuses UPDATE and DELETE too.
    """

    at = models.DateTimeField("时间", db_index=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="操作人",
    )
    actor_label = models.CharField("操作人", max_length=120)
    action = models.CharField("操作", max_length=60, db_index=True)
    target_type = models.ForeignKey(ContentType, models.PROTECT, verbose_name="对象类型")
    target_id = models.CharField("对象编号", max_length=40)
    target_label = models.CharField("对象", max_length=200)
    organization = models.ForeignKey(
        "accounts.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="所属机构",
    )
    from_state = models.CharField("原状态", max_length=30, blank=True)
    to_state = models.CharField("新状态", max_length=30, blank=True)
    changes = models.JSONField("变更内容", default=dict)
    reason = models.TextField("理由", blank=True)
    request_id = models.CharField("请求编号", max_length=32, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "操作记录"
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["target_type", "target_id", "at"]),
            models.Index(fields=["organization", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action} {self.target_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnly

    @property
    def action_label(self) -> str:
        from core.events import label

        return label(self.action)


class NoticeQuerySet(models.QuerySet["Notice"]):
    def visible_to(self, user: Any) -> "NoticeQuerySet":
        return self.filter(recipient=user.pk)

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at=None)

    def wanted_by_mail(self) -> "NoticeQuerySet":
        """Unread, of somebody who has an address and wants mail."""
        return self.filter(read_at=None, recipient__mail_notices=True, recipient__is_active=True).exclude(
            recipient__email=""
        )


class Notice(models.Model):
    """A message to one user; the row is the truth, channels only carry it.

    `important` ones (warnings, cases, a circular that is ready) also go to the robot of the recipient's
    organisation: their texts name organisations, no persons.
    """

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices", verbose_name="收件人"
    )
    key = models.CharField("唯一键", max_length=120)
    text = models.CharField("内容", max_length=500)
    link = models.CharField("链接", max_length=300, blank=True)
    created_at = models.DateTimeField("时间", db_index=True)
    read_at = models.DateTimeField("已读时间", null=True, blank=True)
    important = models.BooleanField("发机构群", default=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通知"
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["recipient", "key"], name="notice_once")]
        indexes = [models.Index(fields=["recipient", "read_at", "-created_at"])]

    def __str__(self) -> str:
        return self.text


class Robot(models.Model):
    """The group robot of an authority. Its address holds its key, so it is kept like the secret: encrypted."""

    class Format(models.TextChoices):
        WECOM = "wecom", "企业微信"
        DINGTALK = "dingtalk", "钉钉"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.OneToOneField(
        "accounts.Organization", models.PROTECT, related_name="robot", verbose_name="机构"
    )
    format = models.CharField("平台", max_length=10, choices=Format)
    address = EncryptedTextField("地址")
    secret = EncryptedTextField("加签密钥", blank=True, default="")
    # What was told before it was switched on stays where it is; empty: off.
    on_since = models.DateTimeField("启用时间", null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "群机器人"

    def __str__(self) -> str:
        return f"{self.organization}的{self.get_format_display()}群机器人"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: Any) -> "DeliveryQuerySet":
        """For who keeps channels: the office all, a bureau what goes to itself and to its schools."""
        from django.apps import apps

        if not user.may_keep_channels:
            return self.none()
        if user.sees_province:
            return self.all()
        organizations = apps.get_model("accounts.Organization").objects.visible_to(user)
        return self.filter(notice__recipient__organization__in=organizations)

    def waiting(self) -> "DeliveryQuerySet":
        return self.filter(state__in=[Delivery.State.QUEUED, Delivery.State.FAILED])

    def undelivered(self) -> "DeliveryQuerySet":
        """What has failed at least once and has not arrived."""
        return self.filter(state__in=[Delivery.State.FAILED, Delivery.State.GIVEN_UP])

    def due(self, at: dt.datetime) -> "DeliveryQuerySet":
        """Waiting, and in no other worker's hands."""
        return self.waiting().filter(Q(retry_at=None) | Q(retry_at__lte=at))


class Delivery(models.Model):
    """One notice on one channel: by mail to its recipient, or by robot to the recipient's organisation.

    A robot is told each matter (`key`) once, though each officer has a notice of it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", "待发"
        SENT = "sent", "已送达"
        FAILED = "failed", "未送达，将重试"
        GIVEN_UP = "given_up", "未送达，已停止"
        DROPPED = "dropped", "无需再发"

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries", verbose_name="通知")
    robot = models.ForeignKey(
        Robot, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="渠道"
    )
    key = models.CharField(max_length=120)
    state = models.CharField("状态", max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    queued_at = models.DateTimeField("排队时间")
    retry_at = models.DateTimeField("不早于此时再发", null=True, blank=True)
    sent_at = models.DateTimeField("送达时间", null=True, blank=True)
    last_error = models.CharField("原因", max_length=200, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "通知送达"
        ordering = ["-queued_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice"], condition=Q(robot__isnull=True), name="delivery_mailed_once"
            ),
            models.UniqueConstraint(fields=["robot", "key"], name="delivery_robot_once"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="delivery_sent_when",
            ),
        ]
        indexes = [models.Index(fields=["state", "retry_at"])]

    def __str__(self) -> str:
        return f"{self.channel}：{self.notice}"

    @property
    def channel(self) -> str:
        return "群机器人" if self.robot_id else "邮件"


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def of(self, obj: models.Model) -> "AttachmentQuerySet":
        return self.filter(
            target_type=ContentType.objects.get_for_model(obj), target_id=str(obj.pk)
        ).order_by("uploaded_at", "pk")


class Attachment(models.Model):
    """A checked file that belongs to one record; who may see the record may see the file."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    target_type = models.ForeignKey(ContentType, models.PROTECT)
    target_id = models.CharField(max_length=40)
    target = GenericForeignKey("target_type", "target_id")
    file = models.FileField("文件", upload_to="attachments/%Y/%m", max_length=200)
    name = models.CharField("文件名", max_length=200)
    content_type = models.CharField("类型", max_length=100)
    size = models.PositiveBigIntegerField("字节数")
    sha256 = models.CharField("SHA-256", max_length=64)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField("上传时间")

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "附件"
        indexes = [models.Index(fields=["target_type", "target_id"])]

    def __str__(self) -> str:
        return self.name


class TaskSlot(models.Model):
    """A beat entry's claim on one minute: whoever inserts the row does the work."""

    task = models.CharField(max_length=80)
    slot = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["task", "slot"], name="task_slot_once")]

    def __str__(self) -> str:
        return f"{self.task} {self.slot:%Y-%m-%d %H:%M}"


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> "JobQuerySet":
        return self.filter(created_by=user.pk)


class Job(models.Model):
    """Long work as a row: attempt, heartbeat, progress. A worker that dies leaves a stale heartbeat,
    and the job is queued again."""

    class State(models.TextChoices):
        QUEUED = "queued", "排队中"
        RUNNING = "running", "进行中"
        DONE = "done", "完成"
        FAILED = "failed", "失败"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField("种类", max_length=60)
    state = models.CharField("状态", max_length=10, choices=State, default=State.QUEUED)
    arguments = models.JSONField("参数", default=dict)
    result = models.JSONField("结果", default=dict)
    error = models.TextField("错误", blank=True)
    done_steps = models.PositiveIntegerField("已完成", default=0)
    total_steps = models.PositiveIntegerField("总数", default=0)
    attempt = models.PositiveSmallIntegerField("尝试次数", default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField("创建时间")
    heartbeat_at = models.DateTimeField("心跳", null=True, blank=True)
    finished_at = models.DateTimeField("完成时间", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"]) | Q(finished_at__isnull=False),
                name="job_finished_when",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.get_state_display()}"
