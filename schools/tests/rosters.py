"""Workbooks of the roster for the tests."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from core import clock
from core.imports import services as imports
from schools.resources import RosterResource

HEADINGS = [column.shown_heading for column in RosterResource.columns()]
GOOD = {
    "学校代码": "4214000001",
    "学校名称": "新建演示职业学校",
    "办学类型": "中等职业学校",
    "所在市": "太原市",
    "主管部门": "太原市教育局",
    "别名": "新建职校",
    "是否牵头院校": "否",
    "证书名称": "演示运维",
    "证书等级": "中级",
    "年度": 2020,
    "拟考证人数": 120,
    "联系人姓名": "演示甲",
    "联系人手机": "13800000000",
    "联系人邮箱": "a@example.cn",
}


def row(**changes):
    return {**GOOD, **changes}


def workbook(*rows):
    book = Workbook()
    book.active.title = RosterResource.sheet
    book.active.append(HEADINGS)
    for cells in rows:
        book.active.append([cells.get(heading.rstrip("*")) for heading in HEADINGS])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def upload(*rows, name="名册.xlsx"):
    return SimpleUploadedFile(name, workbook(*rows))


def check(by, *rows):
    """The dry run's outcome."""
    return RosterResource(by=by, at=clock.now()).check(workbook(*rows), "名册.xlsx")


def take_in(by, *rows):
    """Upload, check, apply; the job as it then stands."""
    job = imports.start(kind="schools.roster", upload=upload(*rows), by=by, at=clock.now())
    job.refresh_from_db()
    imports.apply(job=job)
    job.refresh_from_db()
    return job
