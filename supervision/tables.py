"""Table of cases."""

import django_tables2 as tables

from core.tables import NUMBER, WIDE, ClosingColumn, InstantColumn, PortalTable, StateColumn
from supervision.models import Case, FollowUp


class CaseTable(PortalTable):
    organization = tables.Column(linkify=("supervision:case-detail", {"pk": tables.A("pk")}))
    supervisor = tables.Column(verbose_name="主管部门", accessor="organization__supervisor")
    ground = tables.Column(attrs=WIDE)
    state = StateColumn(accessor="state")
    weeks = tables.Column(verbose_name="证据（周期）", attrs=NUMBER)
    answer_due = ClosingColumn(verbose_name="陈述申辩期限", accessor="answer_term__due_at")
    spans_exempt = tables.BooleanColumn(verbose_name="跨越免报周", yesno="是,否")
    flagged_at = InstantColumn()

    class Meta(PortalTable.Meta):
        model = Case
        fields = (
            "organization",
            "supervisor",
            "ground",
            "state",
            "weeks",
            "answer_due",
            "spans_exempt",
            "flagged_at",
        )


class FollowUpTable(PortalTable):
    kind = tables.Column()
    case = tables.Column(
        verbose_name="案件", linkify=("supervision:case-detail", [tables.A("case_id")]), attrs=WIDE
    )
    created_at = InstantColumn()
    done_at = InstantColumn()
    done_by = tables.Column()
    note = tables.Column(attrs=WIDE)
    finish = tables.TemplateColumn(
        template_name="supervision/_finish.html",
        verbose_name="办理",
        orderable=False,
        exclude_from_export=True,
    )

    class Meta(PortalTable.Meta):
        model = FollowUp
        fields = ("kind", "case", "created_at", "done_at", "done_by", "note", "finish")
