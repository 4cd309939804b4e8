"""Lists of rounds, and of where every school stands in one."""

import datetime as dt
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Organization, User
from core import clock
from core.tables import NUMBER, SHORT, WIDE, ClosingColumn, InstantColumn, PortalTable, with_note
from core.templatetags import portal
from schools.models import ApplicationRound, Closings, School
from schools.permissions import may_open_school
from schools.services.rounds import standing_closings


class StandingColumn(ClosingColumn):
    """A closing of a round as it stands with the extensions for all, which no column of the database holds."""

    def __init__(self, step: str, **kwargs: Any) -> None:
        super().__init__(orderable=False, **kwargs)
        self.step = step

    def _closing(self, round: ApplicationRound) -> dt.datetime:
        found: dt.datetime = getattr(standing_closings(round, None), self.step)
        return found

    def render(self, record: ApplicationRound) -> str:  # type: ignore[override]
        return super().render(self._closing(record))

    def value(self, record: ApplicationRound, **kwargs: Any) -> str:  # type: ignore[override]
        return super().value(self._closing(record))


def stage(round: ApplicationRound, closings: Closings, at: dt.datetime) -> tuple[str, str]:
    """(state for the badge, words): where a round stands for those closings."""
    if at < round.opens_at:
        return "", "未开始"
    if at < closings.school:
        return "active", "院校填报中"
    if at < closings.city:
        return "active", "市级初审中"
    if at < closings.province:
        return "active", "省级审核中"
    return "ended", "已截止"


class RoundTable(PortalTable):
    title = tables.Column(
        "批次",
        accessor="number",
        order_by=("year", "number"),
        linkify=("rounds:detail", [tables.A("pk")]),
        attrs=SHORT,
    )
    stage = tables.Column("进度", empty_values=(), orderable=False)
    opens_at = InstantColumn(verbose_name="开始申报")
    school_closes_at = StandingColumn("school", verbose_name="院校填报截止")
    city_closes_at = StandingColumn("city", verbose_name="市级初审截止")
    province_closes_at = StandingColumn("province", verbose_name="省级审核截止")
    document = tables.Column("通知文号", attrs=WIDE)

    class Meta(PortalTable.Meta):
        model = ApplicationRound
        fields: list[str] = []

    def render_title(self, record: ApplicationRound) -> str:
        return str(record)

    def value_title(self, record: ApplicationRound) -> str:
        return str(record)

    def render_stage(self, record: ApplicationRound) -> SafeString:
        state, words = stage(record, standing_closings(record, None), clock.now())
        return portal.state(state, words)

    def value_stage(self, record: ApplicationRound) -> str:
        return stage(record, standing_closings(record, None), clock.now())[1]


COUNTS = [
    ("first", "submitted", "待初审"),
    ("second", "first_reviewed", "待审核"),
    ("returned", "returned", "退回"),
    ("approved", "approved", "批准"),
    ("rejected", "rejected", "未通过"),
]


class ProgressTable(PortalTable):
    """Rows are schools with the annotations of `schools.views.rounds.progress_of`."""

    organization = tables.Column("院校", order_by="organization__name", attrs=WIDE)
    supervisor = tables.Column(
        "主管部门", accessor="organization__supervisor", order_by="organization__supervisor__code"
    )
    kind = tables.Column()
    standing = tables.Column("申报", empty_values=(), order_by=("handed_in", "application"))
    first = tables.Column("待初审", attrs=NUMBER)
    second = tables.Column("待审核", attrs=NUMBER)
    returned = tables.Column("退回", attrs=NUMBER)
    approved = tables.Column("批准", attrs=NUMBER)
    rejected = tables.Column("未通过", attrs=NUMBER)
    closes_at = tables.Column("本校截止", empty_values=(), orderable=False)

    class Meta(PortalTable.Meta):
        model = School
        fields: list[str] = []
        order_by = ("supervisor", "code")

    def __init__(self, *args: Any, round: ApplicationRound, user: User, **kwargs: Any) -> None:
        self.round, self.user = round, user
        self.named = {e.organization_id for e in round.extensions.all() if e.organization_id}
        super().__init__(*args, **kwargs)

    def render_organization(self, value: Organization, record: School) -> str | SafeString:
        if not may_open_school(self.user, value):
            return str(value)
        return format_html('<a href="{}">{}</a>', reverse("schools:detail", args=[record.pk]), value)

    def value_organization(self, value: Organization) -> str:
        return str(value)

    def render_standing(self, record: Any) -> SafeString:
        return portal.state(*_standing(record))

    def value_standing(self, record: Any) -> str:
        return _standing(record)[1]

    def render_closes_at(self, record: School) -> str | SafeString:
        closings = self.round.closings_of(record.pk)
        if record.pk not in self.named:
            return portal.closing(closings.school)
        return with_note(portal.closing(closings.school), "单独延期")

    def value_closes_at(self, record: School) -> str:
        return portal.closing(self.round.closings_of(record.pk).school)


def _standing(record: Any) -> tuple[str, str]:
    if record.handed_in:
        return "submitted", f"已提交{record.handed_in}项"
    return ("draft", "填写中") if record.application else ("", "未申报")
