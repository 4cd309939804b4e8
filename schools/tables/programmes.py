"""The programmes, and the differences from the national platform, as tables."""

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html

from certificates.models import Certificate, CertificateLevel
from core.tables import NUMBER, SHORT, WIDE, DayColumn, PortalTable, with_note
from core.templatetags import portal
from schools.models import Programme

WORDS = {"active": "有效", "dormant": "休眠", "ended": "已结束"}


class ProgrammeTable(PortalTable):
    school = tables.Column("院校", order_by="school__organization__name", attrs=WIDE)
    code = tables.Column("代码", accessor="school__organization__code")
    city = tables.Column(
        "所在市",
        accessor="school__organization__city",
        order_by="school__organization__city__code",
        default="—",
        attrs=SHORT,
    )
    certificate_level = tables.Column(
        "证书等级",
        order_by=("certificate_level__certificate__name", "certificate_level__level"),
        linkify=("schools:programme", [tables.A("pk")]),
        attrs=WIDE,
    )
    planned = tables.Column("拟考证人数", attrs=NUMBER, default="未设")
    state = tables.Column("状态", attrs=SHORT)
    has_agreement = tables.Column("合作协议", empty_values=())
    there_words = tables.Column("国家平台", empty_values=(), order_by="there_approved", attrs=SHORT)
    # Shown below what the platform says; a column of the file.
    there_on = DayColumn(verbose_name="数据日期", default="—", visible=False)
    there = tables.Column("国家平台人数", attrs=NUMBER, default="—")

    class Meta(PortalTable.Meta):
        model = Programme
        fields: list[str] = []
        order_by = ("code", "certificate_level")

    def __init__(self, *args: Any, year: int, listed: bool, of_one_school: bool, **kwargs: Any) -> None:
        hidden = ("school", "code", "city") if of_one_school else ()
        super().__init__(*args, exclude=hidden, **kwargs)
        self.columns["planned"].column.verbose_name = f"{year}年拟考证人数"
        self.listed = listed

    def render_state(self, value: str) -> Any:
        return portal.state(value, WORDS[value])

    def value_state(self, value: str) -> str:
        return WORDS[value]

    def render_has_agreement(self, value: bool, record: Any) -> str:
        return "有" if value else ("缺" if record.state != "ended" else "—")

    def render_there_words(self, value: str | None, record: Any) -> Any:
        note = f"{portal.full_day(record.there_on)}数据" if record.there_on else ""
        return with_note(self.value_there_words(value), note)

    def value_there_words(self, value: str | None) -> str:
        return value or ("名单中没有" if self.listed else "未导入")


class DifferenceTable(PortalTable):
    school_name = tables.Column("院校", attrs=WIDE)
    code = tables.Column("代码")
    city_name = tables.Column("所在市", order_by="city_code", default="—", attrs=SHORT)
    certificate_name = tables.Column("证书", attrs=WIDE)
    level_number = tables.Column("等级")
    year = tables.Column("年度")
    here = tables.Column("本平台人数", attrs=NUMBER, default="没有计划")
    there = tables.Column("国家平台人数", attrs=NUMBER, default="—")
    there_words = tables.Column("国家平台状态", default="名单中没有", attrs=SHORT)
    there_on = DayColumn(verbose_name="数据日期", default="—")

    class Meta(PortalTable.Meta):
        order_by = ("code", "certificate_name", "level_number")

    def render_school_name(self, value: str, record: Any) -> str:
        if not record.has_profile:
            return value
        return format_html('<a href="{}">{}</a>', reverse("schools:detail", args=[record.school_pk]), value)

    def value_school_name(self, value: str) -> str:
        return value

    def render_certificate_name(self, value: str, record: Any) -> str:
        short = Certificate(name=value).short_name
        if record.programme_pk is None:
            return short
        url = reverse("schools:programme", args=[record.programme_pk])
        return format_html('<a href="{}">{}</a>', url, short)

    def value_certificate_name(self, value: str) -> str:
        return value

    def render_level_number(self, value: int) -> str:
        return str(CertificateLevel.Level(value).label)
