"""The list of school filings, on the page and exported; neither shows a phone number."""

from typing import Any

import django_tables2 as tables

from core.tables import SHORT, WIDE, ClosingColumn, InstantColumn, PortalTable, with_note
from core.templatetags import portal
from schools.models import School, SchoolFiling

WORDS = {"none": "未提交", **dict(SchoolFiling.State.choices)}
TONES = {"none": "pending", "submitted": "first_reviewed"}


class FilingTable(PortalTable):
    organization = tables.Column(
        "院校", order_by="organization__name", linkify=("filings:detail", [tables.A("pk")]), attrs=WIDE
    )
    code = tables.Column("代码", accessor="organization__code")
    city = tables.Column(
        "所在市", accessor="organization__city", order_by="organization__city__code", attrs=SHORT
    )
    supervisor = tables.Column(
        "主管部门", accessor="organization__supervisor", order_by="organization__supervisor__code"
    )
    filing_state = tables.Column("状态", attrs=SHORT)
    due_at = ClosingColumn(verbose_name="备案期限", empty_values=(None,))
    duty = tables.Column("是否按时", attrs=SHORT, empty_values=())
    received_at = InstantColumn(verbose_name="最近提交", empty_values=(None,))
    version = tables.Column("版本", visible=False)

    class Meta(PortalTable.Meta):
        model = School
        fields: list[str] = []
        order_by = ("organization__city__code", "code")

    def render_filing_state(self, value: str) -> Any:
        return portal.state(TONES.get(value, value), WORDS[value])

    def value_filing_state(self, value: str) -> str:
        return WORDS[value]

    def render_received_at(self, record: Any, value: Any) -> Any:
        return with_note(portal.when(value), f"第{record.version}版")

    def render_duty(self, record: Any) -> Any:
        if record.is_overdue:
            return with_note(portal.state("missed", "已逾期"), portal.left(record.pending_due_at))
        return portal.state(record.duty) if record.duty else "—"

    def value_duty(self, record: Any) -> str:
        if record.is_overdue:
            return "已逾期"
        return portal.state_word(record.duty) if record.duty else ""
