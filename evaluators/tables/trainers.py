"""Trainers on the page and exported; phones are never exported."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from core.tables import SHORT, WIDE, DayColumn, PortalTable
from evaluators.models import Trainer


class TrainerTable(PortalTable):
    name = tables.Column()
    employer = tables.Column(attrs=WIDE)
    employer_kind = tables.Column(attrs=SHORT)
    title = tables.Column()
    masked_phone = tables.Column("电话", orderable=False, exclude_from_export=True)
    evaluator = tables.Column(order_by="evaluator__name", attrs=WIDE)
    joined_on = DayColumn()
    left_on = DayColumn(default="在团队")
    step = tables.Column("办理", empty_values=(), orderable=False, exclude_from_export=True)

    class Meta(PortalTable.Meta):
        model = Trainer
        fields: list[str] = []
        order_by = ("left_on", "name")

    def __init__(self, *args: Any, may_keep: bool, **kwargs: Any) -> None:
        """The last column is for those who keep the team, the evaluator for all others."""
        super().__init__(*args, exclude=("evaluator",) if may_keep else ("step",), **kwargs)

    def render_step(self, record: Trainer) -> Any:
        if record.left_on:
            return ""
        return format_html(
            '<a href="{}">修改<span class="visually-hidden">{}</span></a> '
            '<a href="{}">退出<span class="visually-hidden">：{}</span></a>',
            reverse("trainers:edit", args=[record.pk]),
            record.name,
            reverse("trainers:leave", args=[record.pk]),
            record.name,
        )
