"""The review queue as a table, on the page and exported (审核结果表)."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import clock
from core.tables import NUMBER, NUMBER_IF_WIDE, SHORT, SHORT_IF_WIDE, PortalTable, StateColumn, with_note
from core.templatetags import portal
from obligations.rates import Rate
from schools import queue
from schools.models import ApplicationItem

SCHOOL = "application__school__organization__"
MOST_MAJORS = 3


def badge(item: ApplicationItem) -> SafeString:
    """Handed in is not done here: it waits for the city."""
    is_waiting = item.state == ApplicationItem.State.SUBMITTED
    return portal.state("pending" if is_waiting else item.state, item.get_state_display())


class ReviewStateColumn(StateColumn):
    def render(self, record: Any, bound_column: Any) -> str:
        return badge(record)

    def value(self, record: Any, bound_column: Any, **kwargs: Any) -> str:
        return str(record.get_state_display())


class QueueTable(PortalTable):
    """On the page some facts stand in one cell, in the file each in a column of its own (`in_full`)."""

    school = tables.Column("院校", accessor="application__school", order_by=f"{SCHOOL}code")
    code = tables.Column("代码", accessor=f"{SCHOOL}code", visible=False)
    supervisor = tables.Column("主管部门", accessor=f"{SCHOOL}supervisor", visible=False)
    certificate_level = tables.Column(
        "证书等级、专业", order_by=("certificate_level__certificate__name", "certificate_level__level")
    )
    majors = tables.Column("专业", empty_values=(), orderable=False, visible=False)
    planned = tables.Column("拟考证人数", attrs=NUMBER)
    last_plan = tables.Column("上年计划", visible=False)
    fee = tables.Column("协议费用", accessor="agreement__fee", attrs=NUMBER_IF_WIDE)
    trainers = tables.Column("培训教师", attrs=NUMBER_IF_WIDE)
    rate = tables.Column("本年填报率", empty_values=(), orderable=False, attrs=NUMBER_IF_WIDE)
    state = ReviewStateColumn(attrs=SHORT)
    waiting = tables.Column(
        "等待起", empty_values=(), accessor="submitted_at", order_by="submitted_at", attrs=SHORT
    )
    left = tables.Column("剩余时间", empty_values=(), orderable=False, visible=False)
    review_comment = tables.Column("审核意见", visible=False)

    class Meta(PortalTable.Meta):
        model = ApplicationItem
        fields: list[str] = []

    def __init__(self, *args: Any, may_tick: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_tick = may_tick
        self.rates: dict[int, Rate] = {}
        self.since: dict[int, Any] = {}
        self.returned: dict[int, Any] = {}

    def beside(self, user: Any, items: Any) -> None:
        """Load what stands beside these rows: the schools' reporting rates, and how long they have waited."""
        items = list(items)
        self.rates = queue.reporting_rates(user, {item.application.school_id for item in items})
        self.since = queue.waiting_since(items)
        self.returned = queue.past_returns(items) if self.columns["review_comment"].visible else {}
        if len({item.state for item in items}) == 1:
            self.columns["state"].column.attrs = SHORT_IF_WIDE

    def render_school(self, value: Any, record: Any) -> SafeString:
        name = format_html(
            '<a href="{}">{}</a>', reverse("reviews:application", args=[record.application_id]), value
        )
        if self.may_tick:
            name = format_html(
                '<input class="form-check-input" type="checkbox" name="item" value="{}" form="decide"'
                ' aria-label="选择{} {}"> {}',
                record.pk,
                value,
                record.certificate_level,
                name,
            )
        return with_note(name, str(record.application.school.organization.supervisor))

    def value_school(self, value: Any) -> str:
        return str(value)

    def in_full(self) -> None:
        for name in ("code", "supervisor", "majors", "last_plan", "left", "review_comment"):
            self.columns.show(name)

    def render_certificate_level(self, value: Any, record: Any) -> SafeString:
        link = format_html('<a href="{}">{}</a>', reverse("reviews:item", args=[record.pk]), value)
        note = ["续报年度计划"] if record.is_renewal else []
        return with_note(link, "；".join(filter(None, [*note, _majors(record)])))

    def value_certificate_level(self, value: Any) -> str:
        return str(value)

    def value_majors(self, record: Any) -> str:
        return "、".join(str(major) for major in record.majors.all())

    def render_review_comment(self, record: Any) -> str:
        return queue.comment_words(record, self.returned.get(record.pk))

    def render_trainers(self, value: int, record: Any) -> Any:
        """The short form of a renewal does not ask for them."""
        return "—" if record.is_renewal else value

    def value_trainers(self, value: int, record: Any) -> Any:
        return "" if record.is_renewal else value

    def render_rate(self, record: Any) -> str:
        return self.rates.get(record.application.school_id, Rate()).text

    def render_planned(self, value: int, record: Any) -> SafeString:
        return with_note(str(value), "" if record.last_plan is None else f"上年 {record.last_plan}")

    def value_planned(self, value: int) -> int:
        return value

    def render_waiting(self, record: Any) -> SafeString:
        since = self.since.get(record.pk) or record.submitted_at
        return with_note(
            portal.moment(since, clock.now()) if since else "—", portal.left(queue.step_closes(record))
        )

    def value_waiting(self, record: Any) -> Any:
        return self.since.get(record.pk) or record.submitted_at or ""

    def value_left(self, record: Any) -> str:
        return portal.left(queue.step_closes(record))


def _majors(item: ApplicationItem) -> str:
    names = [major.name for major in item.majors.all()]
    return "、".join(names[:MOST_MAJORS]) + (f"等 {len(names)} 个" if len(names) > MOST_MAJORS else "")
