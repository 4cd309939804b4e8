"""Lists of deadlines, suspensions and outages."""

import datetime as dt
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Role, User
from core import clock
from core.tables import NUMBER, WIDE, ClosingColumn, InstantColumn, PortalTable, StateColumn, with_note
from core.templatetags import portal
from obligations import permissions
from obligations.models import (
    PERIODIC,
    Dispute,
    Obligation,
    ObligationKind,
    Outage,
    Outcome,
    PlatformImport,
    Suspension,
)

# Their pages are open to whoever sees the obligation; those of cases and corrections to the school only.
_FOR_ALL_WHO_SEE_IT = {
    ObligationKind.APPLICATION,
    ObligationKind.FIRST_REVIEW,
    ObligationKind.APPROVAL,
    ObligationKind.OBJECTION,
    ObligationKind.AGREEMENT,
    ObligationKind.CREDIT_PROPOSAL,
    ObligationKind.FEEDBACK,
}
# What is done, not reported.
_DONE_NOT_REPORTED = {
    ObligationKind.FIRST_REVIEW,
    ObligationKind.APPROVAL,
    ObligationKind.OBJECTION,
    ObligationKind.SITE_REVIEW,
    ObligationKind.AGREEMENT,
    ObligationKind.FEEDBACK,
}


def _page(obligation: Obligation, user: User) -> str:
    """Where `user` does what is owed, or reads what was done; "" where there is nothing to open."""
    is_own = obligation.organization_id == user.organization_id
    if obligation.link and (is_own or obligation.kind in _FOR_ALL_WHO_SEE_IT):
        return obligation.link
    if obligation.kind not in PERIODIC:
        return ""
    doing = user.role in {Role.SCHOOL_CONTACT, Role.EVALUATOR} and obligation.outcome == Outcome.PENDING
    return reverse("reporting:edit" if doing else "reporting:report", args=[obligation.pk])


class DeadlineTable(PortalTable):
    organization = tables.Column("机构", linkify=lambda record, table: table.page_of_whom(record))
    title = tables.Column("事项", linkify=lambda record, table: _page(record, table.user) or None)
    due_at = tables.Column("截止")
    left = tables.Column("时间", accessor="due_at", orderable=False)
    state = StateColumn(verbose_name="状态", orderable=False)

    class Meta(PortalTable.Meta):
        model = Obligation
        template_name = "obligations/_deadline_table.html"
        fields = ("organization", "title", "due_at", "left", "state")

    def __init__(self, *args: Any, user: User, by_organization: bool = False, **kwargs: Any) -> None:
        self.user = user
        self.by_organization = by_organization
        exclude = () if permissions.may_watch_deadlines(user) else ("organization",)
        super().__init__(*args, exclude=exclude, **kwargs)

    def page_of_whom(self, record: Obligation) -> str | None:
        """A coordinator looks after organisations whose pages are not his or hers to read."""
        if not self.user.sees_reporting:
            return None
        return reverse("accounts:organization-detail", args=[record.organization_id])

    def heading_of(self, record: Obligation) -> str:
        """The day (what is done apart), or the organisation; "" once it was sorted by a column."""
        if self.order_by:
            return ""
        if self.by_organization:
            return record.organization.name
        # What closes at midnight belongs to the day before.
        day = portal.day(record.due_at - dt.timedelta(microseconds=1))
        return day if record.outcome == Outcome.PENDING else f"已结束 · {day}"

    def render_due_at(self, record: Obligation) -> SafeString:
        return with_note(portal.closing(record.due_at), record.period.note if record.period else "")

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
            return format_html("{}<br>{}关闭", left, portal.closing(record.closes_at))
        return left

    def value_left(self, record: Obligation) -> str:
        done_at = record.received_at or record.filled_at
        if record.outcome == Outcome.PENDING:
            return portal.left(record.due_at)
        return f"{clock.local(done_at):%Y-%m-%d %H:%M}收到" if done_at else ""

    def render_state(self, record: Obligation) -> SafeString:
        if record.outcome == Outcome.PENDING and record.opens_at > clock.now():
            return portal.state("coming")
        overdue = record.outcome == Outcome.PENDING and record.due_at <= clock.now()
        badge = (
            portal.state("lapsed", self._words(record))
            if overdue
            else portal.state(record.state, self._words(record))
        )
        return with_note(badge, record.exempt_reason if record.outcome == Outcome.EXEMPT else "")

    def value_state(self, record: Obligation) -> str:
        return self._words(record) or portal.state_word(record.state)

    @staticmethod
    def _words(record: Obligation) -> str:
        """What is reported is 待报, what a reviewer has to do is 待办; "" for the state's own word."""
        if record.outcome != Outcome.PENDING:
            return ""
        if record.opens_at > clock.now():
            return portal.state_word("coming")
        overdue = "逾期" if record.due_at <= clock.now() else ""
        return f"{overdue}{'待办' if record.kind in _DONE_NOT_REPORTED else '待报'}"


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


class PlatformImportTable(PortalTable):
    imported_at = InstantColumn(
        verbose_name="导入时间", linkify=("obligations:platform-list", [tables.A("pk")])
    )
    weeks = tables.Column("覆盖周次", accessor="periods", orderable=False)
    listed_at = InstantColumn(verbose_name="名单导出时间")
    rows = tables.Column("填报记录", accessor="row_count", attrs=NUMBER)
    imported_by = tables.Column("导入人", accessor="imported_by__name")
    file_name = tables.Column("文件", attrs=WIDE)
    standing = tables.Column("状态", accessor="undone_at", orderable=False, empty_values=())

    class Meta(PortalTable.Meta):
        model = PlatformImport
        fields = ("imported_at", "weeks", "listed_at", "rows", "imported_by", "file_name", "standing")

    def render_weeks(self, record: PlatformImport) -> str:
        return weeks_words(record)

    def render_standing(self, record: PlatformImport) -> str:
        return portal.state("ended", "已撤销") if record.undone_at else portal.state("active", "有效")

    def value_standing(self, record: PlatformImport) -> str:
        return "已撤销" if record.undone_at else "有效"


def weeks_words(record: PlatformImport) -> str:
    """`2020年第45周 至 2020年第47周`: a list covers weeks that follow each other."""
    periods = sorted(record.periods.all(), key=lambda period: period.starts_on)
    first, last = periods[0], periods[-1]
    return first.label if first == last else f"{first.label} 至 {last.label}"


class DisputeTable(PortalTable):
    organization = tables.Column("院校", accessor="obligation__organization")
    week = tables.Column(
        "周报",
        accessor="obligation__title",
        linkify=("obligations:dispute", [tables.A("pk")]),
        order_by="obligation__due_at",
    )
    claim = tables.Column("异议理由", attrs=WIDE, orderable=False)
    filed_at = InstantColumn(verbose_name="提出时间")
    answer_due_at = ClosingColumn(verbose_name="答复期限")
    state = tables.Column("状态")

    class Meta(PortalTable.Meta):
        model = Dispute
        fields = ("week", "organization", "claim", "filed_at", "answer_due_at", "state")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, exclude=() if user.sees_reporting else ("organization",), **kwargs)

    def render_claim(self, value: str) -> str:
        return value if len(value) <= 60 else f"{value[:60]}…"

    def value_claim(self, value: str) -> str:
        return value

    def render_state(self, record: Dispute) -> SafeString:
        note = "已超期" if record.is_overdue(clock.now()) else ""
        return with_note(portal.state(record.state), note)

    def value_state(self, record: Dispute) -> str:
        return record.get_state_display()
