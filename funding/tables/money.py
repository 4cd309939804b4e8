"""The list of allocations."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse

from core.tables import NUMBER, PortalTable
from core.templatetags.portal import full_day
from funding.models import Allocation
from funding.permissions import may_note_arrival


def _arrival(record: Allocation, table: Any) -> str | None:
    if may_note_arrival(table.request.user, record):
        return reverse("funding:arrival", args=[record.pk])
    return None


class AllocationTable(PortalTable):
    organization = tables.Column("院校", linkify=("schools:detail", [tables.A("organization_id")]))
    year = tables.Column("年度")
    source = tables.Column("来源")
    document = tables.Column("文号")
    amount = tables.Column("金额（元）", attrs=NUMBER)
    allocated_on = tables.Column("下达日期")
    arrived_on = tables.Column("到账日期", linkify=_arrival, empty_values=())

    class Meta(PortalTable.Meta):
        model = Allocation
        fields = ["organization", "year", "source", "document", "amount", "allocated_on", "arrived_on"]

    def render_arrived_on(self, value: Any) -> Any:
        return full_day(value) or "尚未确认"

    def value_arrived_on(self, value: Any) -> Any:
        return value or ""
