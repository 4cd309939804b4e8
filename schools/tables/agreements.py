"""Agreements, and programmes without one, on the page and exported."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from core.tables import NUMBER, SHORT, WIDE, DayColumn, PortalTable, StateColumn, with_note
from core.templatetags.portal import full_day
from schools.models import Agreement, Programme


class AgreementTable(PortalTable):
    certificate_level = tables.Column(
        order_by=("certificate_level__certificate__name", "certificate_level__level"),
        linkify=("agreements:detail", [tables.A("pk")]),
        attrs=WIDE,
    )
    schools = tables.Column("院校", empty_values=(), orderable=False, attrs=WIDE)
    evaluator = tables.Column(order_by="evaluator__name")
    # Found by the search and exported; the page has no room for it.
    reference = tables.Column(visible=False)
    fee = tables.Column(attrs=NUMBER)
    signed_on = DayColumn()
    valid_until = DayColumn()
    state = StateColumn(verbose_name="状态", attrs=SHORT)

    class Meta(PortalTable.Meta):
        model = Agreement
        fields: list[str] = []
        order_by = ("-signed_on",)

    def render_schools(self, record: Agreement) -> Any:
        parties = _those_in(record)
        waiting = sum(party.state == "unconfirmed" for party in parties)
        first = next((p for p in parties if p.school_id == record.organization_id), parties[0])
        names = f"{first.school} 等 {len(parties)} 所" if len(parties) > 1 else str(first.school)
        return with_note(names, f"{waiting} 所待确认" if waiting else "")

    def value_schools(self, record: Agreement) -> str:
        return "、".join(
            f"{party.school}{'（待确认）' if party.state == 'unconfirmed' else ''}"
            for party in _those_in(record)
        )

    def render_fee(self, record: Agreement) -> Any:
        return with_note(f"{record.fee:.2f}", "" if record.cap_id else "登记时未设上限")

    def value_fee(self, record: Agreement) -> Any:
        return record.fee


def _those_in(agreement: Agreement) -> list[Any]:
    """All but those that said no; were it all of them, all."""
    parties = list(agreement.parties.all())
    return [party for party in parties if party.state != "declined"] or parties


class MissingTable(PortalTable):
    certificate_level = tables.Column(
        order_by=("certificate_level__certificate__name", "certificate_level__level"), attrs=WIDE
    )
    school = tables.Column(
        order_by="school__organization__name", linkify=("schools:detail", [tables.A("school_id")]), attrs=WIDE
    )
    city = tables.Column(
        "所在市", accessor="school__organization__city", order_by="school__organization__city__code"
    )
    evaluator = tables.Column(
        "培训评价组织",
        accessor="certificate_level__certificate__owner",
        order_by="certificate_level__certificate__owner__name",
        attrs=WIDE,
    )
    why = tables.Column("情况", empty_values=(), orderable=False)
    step = tables.Column("办理", empty_values=(), orderable=False, exclude_from_export=True)

    class Meta(PortalTable.Meta):
        model = Programme
        fields: list[str] = []
        order_by = ("city", "school", "certificate_level")

    def __init__(self, *args: Any, may_register: bool, **kwargs: Any) -> None:
        """The last column is for those who register agreements."""
        hidden = () if may_register else ("step",)
        super().__init__(*args, exclude=hidden, **kwargs)

    def render_why(self, record: Any) -> str:
        return _why(record, full_day)

    def value_why(self, record: Any) -> str:
        return _why(record, str)

    def render_step(self, record: Any) -> Any:
        if record.invited:
            return _link(reverse("agreements:detail", args=[record.invited]), "核对并确认", record)
        asked = {"level": record.certificate_level_id, "next": reverse("agreements:missing")}
        if record.last_until and not record.last_ended_on:
            asked["renew"] = record.last_agreement
        return _link(f"{reverse('agreements:new')}?{urlencode(asked)}", "登记协议", record)


def _why(record: Any, told: Callable[[dt.date], str]) -> str:
    if record.invited:
        return "已由其他院校登记，待学校确认"
    if record.last_ended_on:
        return f"协议已于 {told(record.last_ended_on)} 终止"
    return f"协议已于 {told(record.last_until)} 到期" if record.last_until else "没有登记过协议"


def _link(address: str, label: str, programme: Programme) -> str:
    return format_html(
        '<a href="{}">{}<span class="visually-hidden">：{}</span></a>', address, label, programme
    )
