"""The lists of sites and of conditions."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from core.tables import NUMBER, SHORT, WIDE, InstantColumn, PortalTable, with_note
from core.templatetags import portal
from evaluators.models import ExamSite, SiteCondition


def badge(site: ExamSite) -> Any:
    return portal.state(site.state, site.state_word)


class SiteTable(PortalTable):
    """Rows with `is_party`: whether the user sees requests about them."""

    name = tables.Column("站点", linkify=("sites:detail", [tables.A("pk")]), attrs=WIDE)
    certificate = tables.Column("证书", order_by="certificate__name", attrs=WIDE)
    school = tables.Column("学校", order_by="school__organization__name")
    city = tables.Column("所在市", order_by="city__code", attrs=SHORT)
    county = tables.Column("县（市、区）", order_by="county__code")
    places = tables.Column("考位", attrs=NUMBER)
    state = tables.Column("状态", attrs=SHORT)
    filed_at = InstantColumn(verbose_name="备案")
    address = tables.Column("地址", visible=False)

    class Meta(PortalTable.Meta):
        model = ExamSite
        fields: list[str] = []
        order_by = ("certificate", "city", "name")

    def render_state(self, record: Any) -> Any:
        asked = record.is_party and record.state == ExamSite.State.FILED and record.ending_asked_at
        return with_note(badge(record), "学校请求撤销" if asked else "")

    def value_state(self, record: ExamSite) -> str:
        return record.state_word

    def render_filed_at(self, value: Any) -> str:
        return portal.day(value)


class ConditionTable(PortalTable):
    certificate = tables.Column(
        "证书", order_by="certificate__name", linkify=("sites:condition", [tables.A("pk")]), attrs=WIDE
    )
    owner = tables.Column("培训评价组织", accessor="certificate__owner", order_by="certificate__owner__name")
    minimum_places = tables.Column("最少考位", attrs=NUMBER)
    items = tables.Column("条件", accessor="text", orderable=False, attrs=WIDE)
    published_at = InstantColumn(verbose_name="公布")
    act = tables.Column("本校", empty_values=(), orderable=False, exclude_from_export=True, attrs=SHORT)

    class Meta(PortalTable.Meta):
        model = SiteCondition
        fields: list[str] = []
        order_by = ("certificate",)

    def __init__(self, *args: Any, may_apply: bool, own: dict[int, ExamSite], **kwargs: Any) -> None:
        """`own`: certificate → the user's school's site or open application."""
        super().__init__(*args, **kwargs)
        self.own = own
        if not may_apply:
            self.columns.hide("act")

    def render_items(self, record: SiteCondition) -> str:
        first, *rest = record.items or [""]
        return f"{first}（共 {len(record.items)} 条）" if rest else first

    def value_items(self, record: SiteCondition) -> str:
        return record.text

    def render_published_at(self, value: Any) -> str:
        return portal.day(value)

    def render_act(self, record: SiteCondition) -> Any:
        if there := self.own.get(record.certificate_id):
            return format_html('<a href="{}">{}</a>', reverse("sites:detail", args=[there.pk]), badge(there))
        return format_html('<a href="{}">申报</a>', reverse("sites:apply", args=[record.certificate_id]))
