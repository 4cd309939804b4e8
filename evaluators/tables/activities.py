"""Activities on the page and exported."""

from typing import Any

import django_tables2 as tables

from core.tables import NUMBER, SHORT, WIDE, InstantColumn, PortalTable, StateColumn, with_note
from core.templatetags import portal
from evaluators.models import Activity


class ActivityTable(PortalTable):
    title = tables.Column(linkify=("activities:detail", [tables.A("pk")]), attrs=WIDE)
    state = StateColumn(verbose_name="状态", attrs=SHORT)
    filing = tables.Column("备案情况", empty_values=(), orderable=False, attrs=SHORT)
    starts_at = InstantColumn()
    kind = tables.Column(attrs=SHORT)
    taken = tables.Column("报名", attrs=NUMBER)
    fee = tables.Column("收费（元/人）", attrs=NUMBER)
    place = tables.Column(empty_values=())
    certificate = tables.Column(order_by="certificate__name")
    evaluator = tables.Column(order_by="evaluator__name")

    class Meta(PortalTable.Meta):
        model = Activity
        fields: list[str] = []
        order_by = ("-starts_at",)

    def render_place(self, record: Activity) -> Any:
        return with_note(record.place, "线上" if record.is_online else str(record.city or ""))

    def value_place(self, record: Activity) -> str:
        return f"{'线上' if record.is_online else record.city or ''} {record.place}"

    def render_fee(self, record: Activity) -> str:
        return f"{record.fee:.2f}" if record.fee else "不收费"

    def value_fee(self, record: Activity) -> Any:
        return record.fee

    def render_taken(self, record: Any) -> str:
        return f"{record.taken} / {record.places}" if record.places is not None else str(record.taken)

    def value_taken(self, record: Any) -> int:
        return int(record.taken)

    def render_state(self, record: Activity) -> str:
        return portal.state(record.state, record.get_state_display())

    def value_state(self, record: Activity) -> str:
        return record.get_state_display()

    def render_filing(self, record: Activity) -> str:
        return "开始后备案" if record.was_filed_late else "提前备案"

    def value_filing(self, record: Activity) -> str:
        return self.render_filing(record)
