"""The list of objections as a table. Who objects is not in it."""

from typing import Any

import django_tables2 as tables

from core.tables import WIDE, ClosingColumn, InstantColumn, PortalTable
from core.templatetags import portal
from schools.models import Objection


class ObjectionTable(PortalTable):
    receipt = tables.Column("受理编号", linkify=("publications:objection", [tables.A("pk")]))
    result_list = tables.Column("公示", attrs=WIDE, order_by="result_list__published_at")
    about = tables.Column("所涉院校", default="不针对某一所", order_by="about__name")
    received_at = InstantColumn(verbose_name="收到时间")
    due_at = ClosingColumn(verbose_name="答复期限")
    state = tables.Column("状态", accessor="pk", order_by=("is_upheld", "received_at"))

    class Meta(PortalTable.Meta):
        model = Objection
        fields = ("receipt", "result_list", "about", "received_at", "due_at", "state")

    def render_state(self, record: Objection) -> Any:
        return portal.state(record.state)

    def value_state(self, record: Objection) -> str:
        return portal.state_word(record.state)
