"""The list of schools as a table, on the page and exported."""

from typing import Any

import django_tables2 as tables

from core.tables import NUMBER, WIDE, PortalTable
from core.templatetags import portal
from schools.models import School


class SchoolTable(PortalTable):
    organization = tables.Column(
        "院校", order_by="organization__name", linkify=("schools:detail", [tables.A("pk")]), attrs=WIDE
    )
    code = tables.Column("代码", accessor="organization__code")
    kind = tables.Column()
    city = tables.Column("所在市", accessor="organization__city", order_by="organization__city__code")
    supervisor = tables.Column(
        "主管部门", accessor="organization__supervisor", order_by="organization__supervisor__code"
    )
    is_lead = tables.Column("牵头", empty_values=())
    levels = tables.Column("证书等级数", attrs=NUMBER)
    dormant = tables.Column("其中休眠", attrs=NUMBER)
    planned = tables.Column("本年拟考证人数", attrs=NUMBER)
    in_pilot = tables.Column("状态", empty_values=())

    class Meta(PortalTable.Meta):
        model = School
        fields: list[str] = []
        order_by = ("-in_pilot", "code")

    def render_is_lead(self, value: bool) -> str:
        return "是" if value else "—"

    def value_is_lead(self, value: bool) -> str:
        return "是" if value else "否"

    def render_in_pilot(self, value: bool) -> Any:
        return portal.state("active") if value else portal.state("ended", "不在试点")

    def value_in_pilot(self, value: bool) -> str:
        return "在试点" if value else "不在试点"
