"""Lists of opinions asked for, and of experts' ties."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from core.tables import SHORT, WIDE, ClosingColumn, InstantColumn, PortalTable, StateColumn, with_note
from core.templatetags import portal
from schools.models import ExpertInterest, ExpertOpinion


class OpinionTable(PortalTable):
    item = tables.Column(
        "申报项目",
        order_by=("item__application__school__organization__name", "item__certificate_level"),
        linkify=("opinions:detail", [tables.A("pk")]),
        attrs=WIDE,
    )
    round = tables.Column("批次", accessor="item__application__round", attrs=SHORT)
    expert = tables.Column("专家", order_by="expert__name", attrs=SHORT)
    state = StateColumn(attrs=SHORT)
    due_at = ClosingColumn()
    advice = tables.Column("意见", attrs=SHORT)
    given_at = InstantColumn(empty_values=(None,))

    class Meta(PortalTable.Meta):
        model = ExpertOpinion
        fields: list[str] = []
        order_by = ("due_at",)

    def render_item(self, record: ExpertOpinion) -> Any:
        return with_note(str(record.item), str(record.item.application.school))

    def value_item(self, record: ExpertOpinion) -> str:
        return f"{record.item.application.school} {record.item}"

    def render_due_at(self, record: ExpertOpinion) -> Any:
        left = portal.left(record.due_at) if record.state == ExpertOpinion.State.ASKED else ""
        return with_note(portal.when(record.due_at), left)

    def render_given_at(self, record: ExpertOpinion) -> Any:
        return with_note(portal.when(record.given_at), "逾期答复" if record.is_late else "")


class InterestTable(PortalTable):
    expert = tables.Column("专家", order_by="expert__name")
    organization = tables.Column("院校或评价组织", order_by="organization__name", attrs=WIDE)
    note = tables.Column("关系", attrs=WIDE)
    declared_by = tables.Column("登记人", order_by="declared_by__name", attrs=SHORT)
    declared_at = InstantColumn()

    class Meta(PortalTable.Meta):
        model = ExpertInterest
        fields: list[str] = []
        order_by = ("expert", "organization")


class KeptInterestTable(InterestTable):
    """As the office sees it, with what it may do."""

    pk = tables.Column("办理", orderable=False, exclude_from_export=True, attrs=SHORT)

    class Meta(InterestTable.Meta):
        sequence = ("...", "pk")

    def render_pk(self, record: ExpertInterest) -> Any:
        return format_html(
            '<a href="{}">取消<span class="visually-hidden">：{} {}</span></a>',
            reverse("opinions:interest-remove", args=[record.pk]),
            record.expert,
            record.organization,
        )
