"""Pages that belong to no subject: notices, audit, attachments, help, health."""

from typing import Any

import django_tables2 as tables
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from core import clock, health, help, links, nav, notices
from core.filters import EventFilter
from core.lists import ListPage
from core.models import Attachment, Event, Notice
from core.tables import SHORT, WIDE, InstantColumn, PortalTable


class NoticeTable(PortalTable):
    text = tables.TemplateColumn(template_name="core/_notice.html", orderable=False, attrs=WIDE)
    created_at = InstantColumn()
    carried = tables.TemplateColumn(
        template_name="core/_carried.html",
        accessor="deliveries",
        verbose_name="转达",
        orderable=False,
        attrs=SHORT,
    )

    class Meta(PortalTable.Meta):
        model = Notice
        fields = ["text", "created_at", "carried"]
        row_attrs = {"class": lambda record: "" if record.read_at else "unread"}


class NoticeList(ListPage):
    """One's own notices, newest first."""

    model = Notice
    table_class = NoticeTable
    template_name = "core/notices.html"
    heading = "通知"
    empty_text = "还没有通知。截止提醒、退回更正、预警等会出现在这里。"

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().prefetch_related("deliveries")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(mail_on=settings.EMAIL_ENABLED, **kwargs)


@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks the notice as read and leads to what it is about."""
    notice = get_object_or_404(Notice.objects.visible_to(request.user), pk=pk)
    notices.mark_read(Notice.objects.visible_to(request.user).filter(pk=pk), at=clock.now())
    return redirect(links.local_path(notice.link) or "core:notices")


@require_POST
def read_all_notices(request: HttpRequest) -> HttpResponse:
    notices.mark_read(Notice.objects.visible_to(request.user), at=clock.now())
    return redirect("core:notices")


class EventTable(PortalTable):
    at = InstantColumn()
    actor_label = tables.Column(attrs=WIDE)
    action = tables.Column(attrs=SHORT)
    target_label = tables.Column(attrs=WIDE)
    organization = tables.Column(order_by="organization__name", attrs=SHORT)
    changes = tables.TemplateColumn(
        template_name="core/_changes.html", orderable=False, attrs=WIDE, verbose_name="变更与理由"
    )

    class Meta(PortalTable.Meta):
        model = Event
        fields = ["at", "actor_label", "action", "target_label", "organization", "changes"]

    def render_action(self, record: Event) -> str:
        return record.action_label


class AuditList(ListPage):
    """Who did what, within one's scope: the province, or a city's own schools."""

    model = Event
    table_class = EventTable
    filterset_class = EventFilter
    heading = "操作记录"
    subtitle = "每一次变更都记录操作人、时间、对象和理由，不可修改或删除。"
    export_name = "操作记录"

    def queryset(self) -> QuerySet[Any]:
        if not self.request.user.may_search_audit:
            raise PermissionDenied("操作记录由推进办、市教育局和审计督导查阅。")
        return super().queryset().select_related("organization", "target_type")


@require_safe
def attachment(request: HttpRequest, pk: Any) -> HttpResponse:
    """A file, for those who may see the record that it belongs to."""
    found = get_object_or_404(Attachment.objects.select_related("target_type"), pk=pk)
    model = found.target_type.model_class()
    target = model and model.objects.visible_to(request.user).filter(pk=found.target_id).first()
    if target is None:
        raise Http404
    # A record may keep some of its files from some who see it.
    if hasattr(target, "lets_out") and not target.lets_out(found, request.user):
        raise Http404
    try:
        file = found.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(file, as_attachment=True, filename=found.name, content_type=found.content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    return render(request, "core/help.html", {"topics": help.TOPICS})


@require_safe
def help_topic(request: HttpRequest, slug: str) -> HttpResponse:
    topic = help.TOPICS.get(slug)
    if topic is None:
        raise Http404
    context = {
        "topics": help.TOPICS,
        "slug": slug,
        "heading": topic.title,
        "topic_template": f"core/help/{slug}.html",
        "related": nav.among(request.user, topic.places),
    }
    return render(request, "core/help_topic.html", context)


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    report = health.report()
    return JsonResponse(
        report, status=200 if report["status"] == "ok" else 503, headers={"Cache-Control": "no-store"}
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "core/csrf_failure.html", status=403)
