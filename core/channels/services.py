"""Keeping the channels: an authority's robot, trying a channel now, sending again what did not arrive."""

import datetime as dt
import smtplib
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from core import events
from core.channels import mails, robots
from core.models import Delivery, DeliveryQuerySet, Robot

events.register(
    robot_set="设置群机器人",
    robot_tested="试发群机器人",
    mail_tested="试发邮件",
    delivery_retried="重发通知",
)

_REFUSAL = "通知渠道由推进办和市教育局各自维护。"


def robot_of(user: Any) -> Robot | None:
    """The robot of the user's own organisation. Raises PermissionDenied."""
    if not user.may_keep_channels:
        raise PermissionDenied(_REFUSAL)
    return Robot.objects.filter(organization=user.organization_id).first()


@transaction.atomic
def set_robot(*, format: str, address: str, secret: str, on: bool, by: Any, at: dt.datetime) -> Robot:
    """Make or change the robot of `by`'s own organisation.

    An empty `address` keeps the present robot and, if `secret` is empty too, its secret; a new address
    comes with its own secret or none. Raises ValidationError, PermissionDenied.
    """
    robot = robot_of(by) or Robot(organization_id=by.organization_id)
    before = {} if robot._state.adding else _shown(robot)
    if not address and not robot.address:
        raise ValidationError({"address": "请填写群机器人的 Webhook 地址。"})
    if address:
        try:
            robots.check_address(address)
        except ValidationError as error:
            raise ValidationError({"address": error.messages}) from None
        robot.address, robot.secret = address, secret
    robot.format = format
    robot.secret = (secret or robot.secret) if format == Robot.Format.DINGTALK else ""
    robot.on_since = (robot.on_since or at) if on else None
    robot.save()
    if not on:
        Delivery.objects.waiting().filter(robot=robot).update(state=Delivery.State.DROPPED)
    changes: dict[str, Any] = {
        name: [before.get(name, ""), value]
        for name, value in _shown(robot).items()
        if before.get(name) != value
    }
    # Neither address nor secret is written: they let anybody speak in the group.
    changes |= {name: "已更换" for name, given in (("地址", address), ("加签密钥", secret)) if given}
    events.record("robot_set", robot, by=by, at=at, organization_id=by.organization_id, changes=changes)
    return robot


def _shown(robot: Robot) -> dict[str, str]:
    return {
        "平台": robot.get_format_display(),
        "主机": robots.host(robot),
        "启用": "是" if robot.on_since else "否",
    }


def try_robot(*, by: Any, at: dt.datetime) -> str:
    """Send a test message now; why it was not taken, or "" when it was. Raises PermissionDenied."""
    robot = robot_of(by)
    if robot is None:
        return "还没有设置群机器人。"
    failure = ""
    try:
        robots.send(robot, robots.compose(["测试消息。收到它，说明平台的重要通知可以发到本群。"]))
    except robots.NotTaken as error:
        failure = str(error)
    _record_test("robot_tested", robot, failure, by=by, at=at)
    return failure


def try_mail(*, by: Any, at: dt.datetime) -> str:
    """Mail a test to one's own address now; why it was not taken, or "" when it was. Raises PermissionDenied."""
    if not by.may_keep_channels:
        raise PermissionDenied(_REFUSAL)
    if not settings.EMAIL_ENABLED:
        return "平台没有配置邮件服务器（EMAIL_URL），请联系运维人员。"
    if not by.email:
        return "您的账号没有填写电子邮箱。"
    failure = ""
    try:
        mails.trial(by.email, by.name).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        failure = mails.words(error)
    _record_test("mail_tested", by, failure, by=by, at=at)
    return failure


def _record_test(action: str, target: Any, failure: str, *, by: Any, at: dt.datetime) -> None:
    changes = {"结果": failure or "已送达"}
    events.record(action, target, by=by, at=at, organization_id=by.organization_id, changes=changes)


@transaction.atomic
def retry(*, deliveries: DeliveryQuerySet, by: Any, at: dt.datetime) -> int:
    """Queue again what did not arrive, of those within the user's scope; how many. Raises PermissionDenied."""
    if not by.may_keep_channels:
        raise PermissionDenied(_REFUSAL)
    found = deliveries.visible_to(by).undelivered().select_related("notice__recipient")
    # Only those that are not being sent this moment: a claim makes them queued.
    again = [
        row
        for row in found
        if Delivery.objects.undelivered()
        .filter(pk=row.pk)
        .update(state=Delivery.State.QUEUED, attempts=0, queued_at=at, retry_at=None)
    ]
    events.record_many(
        events.build(
            "delivery_retried",
            row,
            by=by,
            at=at,
            organization_id=row.notice.recipient.organization_id,
            changes={"上次原因": row.last_error} if row.last_error else {},
        )
        for row in again
    )
    return len(again)
