"""Certificate levels with their resources, on the page and exported."""

from typing import Any

import django_tables2 as tables

from certificates.models import CertificateLevel
from core import clock
from core.tables import WIDE, DayColumn, PortalTable, with_note
from core.templatetags.portal import state
from evaluators.services.resources import age_state

AGES = {
    "fresh": ("valid", "一年内更新"),
    "old": ("expired", "一年以上未更新"),
    "missing": ("missed", "没有登记"),
}


class ResourceTable(PortalTable):
    level = tables.Column(
        "证书等级",
        order_by=("certificate__name", "level"),
        linkify=("resources:detail", [tables.A("pk")]),
        attrs=WIDE,
    )
    owner = tables.Column(
        "培训评价组织", accessor="certificate__owner", order_by="certificate__owner__name", attrs=WIDE
    )
    textbook = tables.Column("教材", empty_values=(), order_by="resource__textbook", attrs=WIDE)
    updated_on = DayColumn(verbose_name="最近更新", accessor="resource__updated_on")
    age = tables.Column("更新情况", empty_values=(), orderable=False)

    class Meta(PortalTable.Meta):
        model = CertificateLevel
        fields: list[str] = []
        order_by = ("level",)

    def render_level(self, record: CertificateLevel) -> str:
        return str(record)

    def render_textbook(self, record: CertificateLevel) -> Any:
        resource = getattr(record, "resource", None)
        return with_note(resource.textbook, resource.publisher) if resource and resource.textbook else "—"

    def value_textbook(self, record: CertificateLevel) -> str:
        resource = getattr(record, "resource", None)
        return f"{resource.textbook} {resource.publisher}".strip() if resource else ""

    def render_age(self, record: CertificateLevel) -> Any:
        return state(*AGES[self._age(record)])

    def value_age(self, record: CertificateLevel) -> str:
        return AGES[self._age(record)][1]

    def _age(self, record: CertificateLevel) -> str:
        resource = getattr(record, "resource", None)
        return age_state(resource and resource.updated_on, clock.today())
