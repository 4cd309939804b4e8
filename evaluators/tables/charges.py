"""The list of evaluators: who looks after them, how their filings stand, whom to call."""

from typing import Any

import django_tables2 as tables
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe

from core.tables import SHORT, WIDE, PortalTable
from evaluators.models import Charge, Evaluator


class EvaluatorTable(PortalTable):
    organization = tables.Column(
        "评价组织",
        order_by=("organization__pinyin", "organization__name"),
        linkify=("evaluators:detail", [tables.A("pk")]),
        attrs=WIDE,
    )
    certificates = tables.Column("证书", attrs=SHORT)
    on_file = tables.Column("已备案", attrs=SHORT)
    schools = tables.Column("本省院校", attrs=SHORT)
    coordinators = tables.Column("对接专员", accessor="charges_now", orderable=False, empty_values=())
    contacts = tables.Column(
        "备案的负责人", accessor="organization__filed", orderable=False, empty_values=(), attrs=WIDE
    )

    class Meta(PortalTable.Meta):
        model = Evaluator
        fields: list[str] = []
        # Those at work in the province first: the catalogue holds many that are not.
        order_by = ("-schools", "organization")

    def render_coordinators(self, value: list[Charge]) -> str:
        return "、".join(charge.coordinator.name for charge in value) or "未安排"

    def render_contacts(self, value: list[Any]) -> Any:
        """Whom the organisation named for each certificate, with their numbers."""
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in _people(value))) or "—"

    def value_contacts(self, value: list[Any]) -> str:
        """Exported without phone numbers."""
        return "、".join(dict.fromkeys(c.filing.accepted.content["name"] for c in value))


def _people(certificates: list[Any]) -> list[str]:
    contents = [certificate.filing.accepted.content for certificate in certificates]
    return list(dict.fromkeys(f"{content['name']} {content['phone']}" for content in contents))
