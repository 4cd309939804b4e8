"""The demonstration's school filings: those on the published list filed them, or have not yet."""

import datetime as dt
from typing import Any

from core import clock
from core.models import Attachment
from reporting.demo import papers
from reporting.demo.applicants import day
from reporting.demo.province import DemoProvince, DemoSchool
from schools.forms.filings import FilingForm
from schools.models import School, SchoolFiling
from schools.services import filings as services

# A number that is known for never being anybody's.
MOBILE, PHONE = "13800138000", "0351-7000000"
MECHANISM = (
    "工作组每两周例会一次，研究试点专业、师资培训和考核安排；教务处统筹，专业系部落实，实训中心保障场地设备；"
    "每学期末总结并改进。（演示）"
)
MEND = "责任部门与联系人所在部门不一致，请核对；工作方案缺少经费安排，请补充。（演示）"
# How the filings stand, one school after the other; what follows is accepted. A neighbour never filed.
STANDS = ["returned", "submitted", "submitted", "returned", "overdue", "draft", "late", "mended", "overdue"]


def _typed(school: DemoSchool) -> dict[str, str]:
    return {
        "leader_name": "演示校长",
        "leader_position": "校长",
        "leader_phone": PHONE,
        "is_head": "on",
        "department": "教务处",
        "contact_name": school.contact.name,
        "contact_department": "教务处",
        "contact_mobile": MOBILE,
        "contact_phone": PHONE,
        "contact_email": "yanshi@example.com",
        "mechanism": MECHANISM,
        "member-0-name": "演示成员甲",
        "member-0-department": "教务处",
        "member-0-duty": "统筹协调",
        "member-0-phone": PHONE,
        "member-1-name": "演示成员乙",
        "member-1-department": "实训中心",
        "member-1-duty": "考核站点",
        "member-1-phone": PHONE,
    }


def play(province: DemoProvince, listed: list[DemoSchool]) -> None:
    """For the schools on the final list of 30 April 2020; the home school's was sent back two days ago."""
    office = province.users["office1"]
    stands = dict(zip(range(len(listed)), STANDS, strict=False))
    for number, school in enumerate(listed):
        stand = stands.get(number, "accepted")
        if stand != "overdue":
            at = (
                day(6, 8, 9)
                if stand in {"late", "draft"}
                else day(5, 11 + number % 5 + 7 * (number // 5 % 2), 10, number)
            )
            _file(school, stand, at if stand != "submitted" else day(11, 12, 10), office)


def _file(school: DemoSchool, stand: str, at: dt.datetime, office: object) -> None:
    record = _draft(school, at)
    if stand == "draft":
        return
    _hand_in(school, at + dt.timedelta(hours=1))
    if stand == "submitted":
        return
    record.refresh_from_db()
    reviewed = day(11, 16, 15) if stand == "returned" else at + dt.timedelta(days=2)
    if stand in {"returned", "mended"}:
        services.return_filing(record, comment=MEND, by=office, at=reviewed)
    if stand == "mended":
        typed = {**_typed(school), "contact_department": "教务处（试点办公室）"}
        _draft(school, reviewed + dt.timedelta(days=1), typed)
        _hand_in(school, reviewed + dt.timedelta(days=1, hours=1))
        record.refresh_from_db()
    if stand != "returned":
        services.accept_filing(record, by=office, at=reviewed + dt.timedelta(days=3))


def _draft(school: DemoSchool, at: dt.datetime, typed: dict[str, str] | None = None) -> SchoolFiling:
    profile = School.objects.get(pk=school.organization.pk)
    record = SchoolFiling.objects.filter(school=profile).first()
    kept = Attachment.objects.of(record) if record else []
    return services.save_draft(
        school=profile,
        typed={**(typed or _typed(school)), "files": " ".join(str(file.pk) for file in kept)},
        revision=record.draft_revision if record else 0,
        by=school.contact,
        at=at,
        uploads=[] if record else [papers.upload("1+X证书制度试点工作方案")],
    )


def _hand_in(school: DemoSchool, at: dt.datetime) -> None:
    record = SchoolFiling.objects.select_related("school__organization").get(pk=school.organization.pk)
    typed: Any = record.draft
    form = FilingForm(typed, files=list(Attachment.objects.of(record)), check=True)
    if not form.is_valid():
        raise ValueError(form.errors.as_text())
    services.submit_filing(
        record,
        content=form.content(record.school),
        token=f"demo-{record.pk}-{clock.local(at):%m%d%H%M}",
        by=school.contact,
        at=at,
    )
