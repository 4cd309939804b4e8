"""The list of evaluators' filings, on the page and exported; neither shows a person's data."""

from typing import Any

import django_tables2 as tables

from certificates.models import Certificate
from core.tables import SHORT, WIDE, ClosingColumn, InstantColumn, PortalTable, with_note
from core.templatetags import portal
from evaluators.models import EvaluatorFiling

WORDS = {"none": "未提交", **dict(EvaluatorFiling.State.choices)}
TONES = {"none": "pending", "submitted": "first_reviewed"}


class FilingTable(PortalTable):
    name = tables.Column("证书", linkify=("evaluator-filings:detail", [tables.A("pk")]), attrs=WIDE)
    owner = tables.Column("评价组织", order_by="owner__name", attrs=WIDE)
    filing_state = tables.Column("状态", attrs=SHORT)
    is_on_file = tables.Column("已予备案", attrs=SHORT, empty_values=())
    due_at = ClosingColumn(verbose_name="备案期限", empty_values=(None,))
    duty = tables.Column("是否按时", attrs=SHORT, empty_values=())
    received_at = InstantColumn(verbose_name="最近提交", empty_values=(None,))
    version = tables.Column("版本", visible=False)

    class Meta(PortalTable.Meta):
        model = Certificate
        fields: list[str] = []
        order_by = ("owner", "name")

    def render_filing_state(self, value: str) -> Any:
        return portal.state(TONES.get(value, value), WORDS[value])

    def value_filing_state(self, value: str) -> str:
        return WORDS[value]

    def render_is_on_file(self, value: bool) -> str:
        return "是" if value else "否"

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
