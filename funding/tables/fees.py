"""Tables of cost caps, of fee standards, and of levels that lack one."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from core import clock
from core.tables import NUMBER, SHORT, WIDE, PortalTable, with_note
from core.templatetags import portal
from funding import fees
from funding.models import FeeCap, FeeStandard

COMING, IN_FORCE, PAST = "未到生效日期", "现行", "已被替代"


def standing(record: Any) -> str:
    """Of a cap, or of a filed standard, annotated with `is_replaced`."""
    if record.effective_from > clock.today():
        return COMING
    return PAST if record.is_replaced else IN_FORCE


_BADGES = {COMING: "pending", IN_FORCE: "active", PAST: "ended"}


class CapTable(PortalTable):
    exam_form = tables.Column(attrs=SHORT)
    certificate_level = tables.Column("证书等级", empty_values=())
    amount = tables.Column(attrs=NUMBER)
    effective_from = tables.Column(attrs=SHORT)
    standing = tables.Column("执行情况", empty_values=(), orderable=False)
    document = tables.Column(attrs=WIDE)
    note = tables.Column(attrs=WIDE)

    class Meta(PortalTable.Meta):
        model = FeeCap
        fields = ("exam_form", "certificate_level", "amount", "effective_from", "document", "note")
        sequence = (
            "exam_form",
            "certificate_level",
            "amount",
            "standing",
            "effective_from",
            "document",
            "note",
        )

    def __init__(self, *args: Any, may_set: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_set = may_set

    def render_certificate_level(self, record: FeeCap) -> str:
        return str(record.certificate_level or "不限")

    def render_standing(self, record: FeeCap) -> Any:
        words = standing(record)
        badge = portal.state(_BADGES[words], words)
        if words != COMING or not self.may_set:
            return badge
        return format_html('{} <a href="{}">撤销</a>', badge, reverse("funding:cap-remove", args=[record.pk]))

    def value_standing(self, record: FeeCap) -> str:
        return standing(record)


class LimitColumn(tables.Column):
    """The cap beside a fee with its document; why there is none. Needs `cap_amount`, `cap_document` and,
    where the form may be unknown, `form`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"accessor": "cap_amount", "verbose_name": "考核成本上限", "empty_values": ()} | kwargs
        super().__init__(attrs=NUMBER, **kwargs)

    def render(self, record: Any, value: Any) -> Any:
        if value is None:
            return fees.NO_CAP if getattr(record, "form", record.exam_form) else fees.NO_FORM
        return with_note(f"{value:.2f}", record.cap_document)

    def value(self, record: Any, value: Any) -> Any:
        return fees.NO_CAP if value is None else value


def above_todays_cap(record: FeeStandard) -> bool:
    """Filed, in force, and more than what a cap set since then allows; annotated as the list has it."""
    is_filed = record.state == FeeStandard.State.FILED
    return is_filed and record.is_above_cap and standing(record) == IN_FORCE


def _only_for(record: FeeStandard) -> str:
    return f"只适用{record.organization}" if record.organization_id else ""


class StandardTable(PortalTable):
    certificate_level = tables.Column(linkify=("funding:standard", [tables.A("pk")]), attrs=WIDE)
    evaluator = tables.Column()
    exam_form = tables.Column(attrs=SHORT)
    amount = tables.Column(attrs=NUMBER)
    cap_amount = LimitColumn()
    effective_from = tables.Column(attrs=SHORT)
    state = tables.Column()
    agreed = tables.Column("同意院校", attrs=NUMBER)
    document = tables.Column()

    class Meta(PortalTable.Meta):
        model = FeeStandard
        fields = (
            "certificate_level",
            "evaluator",
            "exam_form",
            "amount",
            "cap_amount",
            "effective_from",
            "state",
            "agreed",
            "document",
        )

    def render_certificate_level(self, record: FeeStandard) -> Any:
        return with_note(str(record.certificate_level), _only_for(record))

    def value_certificate_level(self, record: FeeStandard) -> str:
        return "，".join(filter(None, [str(record.certificate_level), _only_for(record)]))

    def render_cap_amount(self, record: FeeStandard, value: Any, column: LimitColumn) -> Any:
        shown = column.render(record, value)
        return (
            format_html("{}<br>{}", shown, portal.state("above_cap")) if above_todays_cap(record) else shown
        )

    def render_state(self, record: FeeStandard) -> str:
        """A filed one also says whether it holds now."""
        return portal.state(record.state, self.value_state(record))

    def value_state(self, record: FeeStandard) -> str:
        words = portal.state_word(record.state)
        return f"{words}，{standing(record)}" if record.state == FeeStandard.State.FILED else words


class GapTable(PortalTable):
    certificate = tables.Column("证书等级", empty_values=(), order_by=("certificate", "level"), attrs=WIDE)
    owner = tables.Column("培训评价组织", accessor="certificate__owner", attrs=WIDE)
    form = tables.Column("考核形式", empty_values=(), orderable=False)
    cap_amount = LimitColumn()
    standard_amount = tables.Column("备案标准", empty_values=(), attrs=NUMBER)

    class Meta(PortalTable.Meta):
        fields = ("certificate", "owner", "form", "cap_amount", "standard_amount")

    def __init__(self, *args: Any, may_set_form: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_set_form = may_set_form

    def render_certificate(self, record: Any) -> str:
        return str(record)

    def render_form(self, record: Any) -> Any:
        words = record.form_label
        if not self.may_set_form or record.standard_amount is not None:
            return words
        address, verb = reverse("funding:exam-form", args=[record.pk]), "修改" if record.form else "登记"
        return format_html('{}（<a href="{}">{}</a>）', words, address, verb)

    def value_form(self, record: Any) -> str:
        return str(record.form_label)

    def render_standard_amount(self, value: Any) -> Any:
        return "没有备案标准" if value is None else f"{value:.2f}"


class PublicStandardTable(PortalTable):
    certificate = tables.Column(
        "证书",
        accessor="certificate_level__certificate__name",
        order_by=("certificate_level__certificate__name", "certificate_level__level"),
        attrs=WIDE,
    )
    level = tables.Column(
        "等级",
        accessor="certificate_level__get_level_display",
        order_by="certificate_level__level",
        attrs=SHORT,
    )
    evaluator = tables.Column()
    exam_form = tables.Column(attrs=SHORT)
    amount = tables.Column(attrs=NUMBER)
    effective_from = tables.Column("执行日期", attrs=SHORT)
    document = tables.Column()

    class Meta(PortalTable.Meta):
        model = FeeStandard
        fields = ("certificate", "level", "evaluator", "exam_form", "amount", "effective_from", "document")

    def render_certificate(self, record: FeeStandard, value: str) -> Any:
        return with_note(value, _only_for(record))
