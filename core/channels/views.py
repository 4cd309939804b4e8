"""The page of the channels: what is set up, what did not arrive, trying and sending again."""

from typing import Any

import django_tables2 as tables
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core import clock
from core.channels import robots, services
from core.channels.forms import DeliveryFilter, RobotForm
from core.lists import ListPage
from core.models import Delivery
from core.tables import NUMBER, SHORT, WIDE, InstantColumn, PortalTable
from core.templatetags import portal


class DeliveryTable(PortalTable):
    notice = tables.Column(attrs=WIDE, orderable=False)
    recipient = tables.Column(accessor="notice", verbose_name="发给", orderable=False)
    channel = tables.Column(verbose_name="渠道", order_by="robot", attrs=SHORT)
    attempts = tables.Column(attrs=NUMBER)
    queued_at = InstantColumn()
    last_error = tables.TemplateColumn(template_name="core/channels/_error.html", attrs=WIDE, orderable=False)

    class Meta(PortalTable.Meta):
        model = Delivery
        fields = ["notice", "recipient", "channel", "state", "attempts", "queued_at", "last_error"]

    def render_state(self, record: Delivery) -> str:
        return portal.state(record.state, record.get_state_display())

    def render_recipient(self, record: Delivery) -> str:
        recipient = record.notice.recipient
        return (
            str(recipient.organization)
            if record.robot_id
            else f"{recipient.name}（{recipient.organization}）"
        )


class ChannelPage(ListPage):
    model = Delivery
    table_class = DeliveryTable
    filterset_class = DeliveryFilter
    template_name = "core/channels/page.html"
    heading = "通知渠道"
    subtitle = "通知都在平台内；邮件和群机器人只是转达"
    empty_text = "没有未送达的通知。"

    def queryset(self) -> QuerySet[Any]:
        """Without a state asked for: what has not arrived."""
        rows = super().queryset().select_related("notice__recipient__organization")
        return rows if self.request.GET.get("state") else rows.undelivered()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        robot = services.robot_of(self.request.user)
        return super().get_context_data(
            mail_on=settings.EMAIL_ENABLED,
            robots_on=bool(settings.WEBHOOK_ALLOWED_HOSTS),
            robot=robot,
            robot_host=robots.host(robot) if robot else "",
            undelivered=Delivery.objects.visible_to(self.request.user).undelivered().count(),
            **kwargs,
        )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def robot(request: HttpRequest) -> HttpResponse:
    """Make or change the robot of one's own organisation."""
    present = services.robot_of(request.user)
    form = RobotForm(request.POST or None, robot=present)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_robot(**form.cleaned_data, by=request.user, at=clock.now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "群机器人已保存。可以试发一条看看。")
            return redirect("core:channels")
    context = {
        "heading": f"群机器人：{request.user.organization}",
        "intro": "预警、案件和通报完成等重要通知会汇总发到本机构的群里，不含个人信息。",
        "form": form,
        "cancel_url": reverse("core:channels"),
    }
    return render(request, "core/form_page.html", context)


@require_POST
def try_robot(request: HttpRequest) -> HttpResponse:
    return _said(
        request, services.try_robot(by=request.user, at=clock.now()), "测试消息已送达，请到群里查看。"
    )


@require_POST
def try_mail(request: HttpRequest) -> HttpResponse:
    failure = services.try_mail(by=request.user, at=clock.now())
    return _said(request, failure, f"测试邮件已交给邮件服务器，请到 {request.user.email} 查收。")


def _said(request: HttpRequest, failure: str, success: str) -> HttpResponse:
    if failure:
        messages.error(request, f"没有送达。{failure}")
    else:
        messages.success(request, success)
    return redirect("core:channels")


@require_POST
def retry(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """One, or all that did not arrive."""
    if not request.user.may_keep_channels:
        raise PermissionDenied("通知渠道由推进办和市教育局各自维护。")
    deliveries = Delivery.objects.visible_to(request.user)
    if pk is not None:
        deliveries = deliveries.filter(pk=pk)
        if not deliveries.exists():
            raise Http404
    count = services.retry(deliveries=deliveries, by=request.user, at=clock.now())
    if count:
        messages.success(request, f"{count} 条已重新排队，一两分钟内发出。")
    else:
        messages.info(request, "没有需要重发的：可能正在发送，或已送达。")
    return redirect("core:channels")
