"""A school's week as a file to be typed or uploaded on the national platform.

That platform has published no format: the layout is the portal's own, and the file says so. Ids are
texts, so that no spreadsheet shortens them.
"""

from collections.abc import Iterator
from typing import Any

from openpyxl import Workbook

from certificates.models import CertificateLevel
from core import exports
from core.templatetags import portal
from obligations.models import Obligation
from reporting import content as shape
from reporting.models import ReportVersion
from schools.models import Programme

LAYOUT_IS_OURS = "国家平台没有公布填报格式，本表是本平台自定的版式，供逐项录入或整理后上传。"


def build(obligation: Obligation, version: ReportVersion) -> bytes:
    """.xlsx of two sheets: the programmes' figures, and the week's figures and texts."""
    book = Workbook(write_only=True)
    exports.add_sheet(
        book, "试点项目数据", _programmes(obligation, version), widths=(16, 30, 16, 34, 8, 30, *[10] * 6, 30)
    )
    exports.add_sheet(book, "周报内容", _week(obligation, version), widths=(18, 90))
    return exports.saved(book)


def _programmes(obligation: Obligation, version: ReportVersion) -> Iterator[list[Any]]:
    yield [
        "学校代码",
        "学校名称",
        "国家平台编号",
        "证书名称",
        "等级",
        "培训评价组织",
        *(f"{figure.label}（{figure.unit}，本年累计）" for figure in shape.FIGURES),
        "变动说明",
    ]
    told = version.content["programmes"]
    programmes = Programme.objects.filter(pk__in=told).select_related("certificate_level__certificate__owner")
    for programme in programmes.order_by(
        "certificate_level__certificate__name", "certificate_level__level", "pk"
    ):
        level: CertificateLevel = programme.certificate_level
        row = told[str(programme.pk)]
        yield [
            obligation.organization.code,
            obligation.organization.name,
            level.platform_id,
            level.certificate.name,
            level.get_level_display(),
            level.certificate.owner.name,
            *(_number(row[figure.name]) for figure in shape.FIGURES),
            row["explanation"],
        ]


def _number(value: int | str) -> int | float:
    return value if isinstance(value, int) else float(value)


def _week(obligation: Obligation, version: ReportVersion) -> Iterator[list[Any]]:
    period = obligation.period
    content = version.content
    yield ["项目", "内容"]
    yield ["说明", LAYOUT_IS_OURS]
    yield ["学校代码", obligation.organization.code]
    yield ["学校名称", obligation.organization.name]
    if period:
        yield ["周次", period.label]
        yield ["起止日期", f"{period.starts_on} 至 {period.ends_on}"]
    yield ["有无新进展", "无新进展（零报告）" if content["is_zero"] else "有"]
    yield ["本周培训教师（人次）", content["teachers_trained"]]
    yield ["本周支出经费（元）", float(content["money_spent"])]
    for name, label in shape.TEXTS.items():
        yield [label, content[name]]
    yield ["填报人", version.submitted_by.name]
    yield ["本平台收到时间", portal.exact(version.received_at)]
    yield ["本平台回执编号", version.receipt]
