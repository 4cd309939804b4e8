"""Table of cases."""

import django_tables2 as tables

from core.tables import NUMBER, WIDE, InstantColumn, PortalTable, StateColumn
from supervision.models import Case


class CaseTable(PortalTable):
    organization = tables.Column(linkify=("supervision:case-detail", {"pk": tables.A("pk")}))
    supervisor = tables.Column(verbose_name="主管部门", accessor="organization__supervisor")
    ground = tables.Column(attrs=WIDE)
    state = StateColumn(accessor="state")
    weeks = tables.Column(verbose_name="证据（周期）", attrs=NUMBER)
    spans_exempt = tables.BooleanColumn(verbose_name="跨越免报周", yesno="是,否")
    flagged_at = InstantColumn()

    class Meta(PortalTable.Meta):
        model = Case
        fields = ("organization", "supervisor", "ground", "state", "weeks", "spans_exempt", "flagged_at")
