"""Teachers with their qualifications, and trainers per student, on the page and exported."""

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html_join

from core import clock
from core.tables import NUMBER, SHORT, WIDE, DayColumn, PortalTable
from core.templatetags.portal import state
from evaluators.models import Qualification, Teacher
from evaluators.shares import majors_of
from schools.models import Programme


class TeacherTable(PortalTable):
    name = tables.Column(linkify=("teachers:detail", [tables.A("pk")]))
    staff_number = tables.Column(attrs=SHORT)
    school = tables.Column(order_by="school__organization__name", attrs=WIDE)
    majors = tables.Column(attrs=WIDE)
    held = tables.Column("资格", empty_values=(), orderable=False, attrs=WIDE)
    left_on = DayColumn(default="在校")

    class Meta(PortalTable.Meta):
        model = Teacher
        fields: list[str] = []
        order_by = ("school", "staff_number")

    def __init__(self, *args: Any, own: bool, **kwargs: Any) -> None:
        """Nobody is shown what is the same on every row."""
        super().__init__(*args, exclude=("school",) if own else (), **kwargs)

    def render_held(self, record: Any) -> Any:
        today = clock.today()
        rows = [
            (f"{q.certificate_level} {q.get_kind_display()}", state(q.state_on(today)))
            for q in record.shown_qualifications
        ]
        return format_html_join("", "<div>{} {}</div>", rows) or "—"

    def value_held(self, record: Any) -> str:
        return "；".join(_words(q) for q in record.shown_qualifications)


class RatioTable(PortalTable):
    """Of programmes as `shares.ratios` gives them."""

    school = tables.Column(order_by="school__organization__name", attrs=WIDE)
    certificate = tables.Column(
        "证书",
        accessor="certificate_level__certificate",
        order_by="certificate_level__certificate__name",
        attrs=WIDE,
    )
    majors = tables.Column("试点专业", empty_values=(), orderable=False, attrs=WIDE)
    planned = tables.Column("本年拟考证人数", attrs=NUMBER)
    needed = tables.Column("应有培训师", attrs=NUMBER)
    trainers = tables.Column("现有培训师", attrs=NUMBER)
    lacking = tables.Column("缺额", attrs=SHORT)

    class Meta(PortalTable.Meta):
        model = Programme
        fields: list[str] = []
        order_by = ("-lacking", "school", "certificate")

    def __init__(self, *args: Any, own: bool, **kwargs: Any) -> None:
        """Nobody is shown what is the same on every row."""
        super().__init__(*args, exclude=("school",) if own else (), **kwargs)

    def render_majors(self, record: Any) -> str:
        return "、".join(majors_of(record)) or "未登记"

    def render_lacking(self, value: int) -> str:
        return f"缺 {value} 人" if value else "达到"

    def value_lacking(self, value: int) -> int:
        return value


def _words(q: Qualification) -> str:
    until = f"有效期至{q.valid_until}" if q.valid_until else "长期有效"
    return f"{q.certificate_level} {q.get_kind_display()} {q.number} {q.obtained_on}取得，{until}"
