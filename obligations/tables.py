"""Lists of deadlines, suspensions and outages."""

import datetime as dt
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Role, User
from core import clock
from core.tables import WIDE, InstantColumn, PortalTable, StateColumn
from core.templatetags import portal
from obligations.models import Obligation, ObligationKind, Outage, Outcome, Suspension


def _page(obligation: Obligation, user: User) -> str:
    """Where `user` does what is owed, or reads what was done; "" where there is nothing to open."""
    if user.role in Role.of_a_school() and obligation.link:
        return obligation.link
    if obligation.kind != ObligationKind.WEEKLY_REPORT:
        return ""
    doing = user.role == Role.SCHOOL_CONTACT and obligation.outcome == Outcome.PENDING
    return reverse("reporting:edit" if doing else "reporting:report", args=[obligation.pk])


def _with_note(shown: str, note: str) -> SafeString:
    return (
        format_html('{}<br><span class="quiet">{}</span>', shown, note) if note else format_html("{}", shown)
    )


class DeadlineTable(PortalTable):
    organization = tables.Column(
        "机构", linkify=("accounts:organization-detail", [tables.A("organization_id")])
    )
    title = tables.Column("事项", linkify=lambda record, table: _page(record, table.user) or None)
    due_at = tables.Column("截止")
    left = tables.Column("时间", accessor="due_at", orderable=False)
    state = StateColumn(verbose_name="状态", orderable=False)

    class Meta(PortalTable.Meta):
        model = Obligation
        fields = ("organization", "title", "due_at", "left", "state")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, exclude=() if user.sees_reporting else ("organization",), **kwargs)

    def render_due_at(self, record: Obligation) -> SafeString:
        return _with_note(portal.when(record.due_at), record.period.note if record.period else "")

    def value_due_at(self, record: Obligation) -> str:
        return f"{clock.local(record.due_at):%Y-%m-%d %H:%M}"

    def render_left(self, record: Obligation) -> str:
        if record.outcome != Outcome.PENDING:
            done_at = record.received_at or record.filled_at
            return f"{portal.when(done_at)}收到" if done_at else "—"
        left = format_html(
            '<time datetime="{}" data-deadline="{}">{}</time>',
            record.due_at.isoformat(),
            record.due_at.isoformat(),
            portal.left(record.due_at),
        )
        if record.closes_at and record.due_at <= clock.now():
            return format_html("{}<br>{}关闭", left, portal.when(record.closes_at))
        return left

    def value_left(self, record: Obligation) -> str:
        done_at = record.received_at or record.filled_at
        if record.outcome == Outcome.PENDING:
            return portal.left(record.due_at)
        return f"{clock.local(done_at):%Y-%m-%d %H:%M}收到" if done_at else ""

    def render_state(self, record: Obligation) -> SafeString:
        overdue = record.outcome == Outcome.PENDING and record.due_at <= clock.now()
        badge = portal.state("lapsed", label="逾期待报") if overdue else portal.state(record.state)
        return _with_note(badge, record.exempt_reason if record.outcome == Outcome.EXEMPT else "")

    def value_state(self, record: Obligation) -> str:
        return portal.state_word(record.state)


class SuspensionTable(PortalTable):
    scope_label = tables.Column("范围", linkify=("obligations:suspension-detail", [tables.A("pk")]))
    kind = tables.Column("类别")
    starts_at = tables.Column("自")
    last_day = tables.Column("至（含当日）", order_by="ends_at")
    reason = tables.Column("原因", attrs=WIDE, orderable=False)
    standing = tables.Column("现状", accessor="stands_until", orderable=False)

    class Meta(PortalTable.Meta):
        model = Suspension
        fields = ("scope_label", "kind", "starts_at", "last_day", "reason", "standing")

    def render_starts_at(self, value: dt.datetime) -> str:
        return portal.day(value)

    def render_last_day(self, value: dt.date) -> str:
        return portal.day(value)

    def render_standing(self, record: Suspension) -> str:
        now = clock.now()
        if record.lifted_at:
            return f"{portal.when(record.lifted_at)}提前结束"
        if now < record.starts_at:
            return "未开始"
        return "停报中" if now < record.ends_at else "已结束"


class OutageTable(PortalTable):
    starts_at = InstantColumn(verbose_name="自")
    ends_at = InstantColumn(verbose_name="至")
    reason = tables.Column("原因", attrs=WIDE, orderable=False)
    created_by = tables.Column("登记人")
    created_at = InstantColumn(verbose_name="登记时间")

    class Meta(PortalTable.Meta):
        model = Outage
        fields = ("starts_at", "ends_at", "reason", "created_by", "created_at")
