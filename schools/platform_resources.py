"""The sheet of the national platform's approvals: one row per school, certificate level and year."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from import_export.results import RowResult

from accounts.models import Organization, OrganizationAlias
from certificates.models import CertificateLevel
from core import clock
from core.imports.columns import Choice, Code, Column, Day, Text, WholeNumber
from core.imports.resource import WHOLE_ROW, Row, SheetResource, shown
from core.reference import normalised
from core.templatetags.portal import full_day
from schools import roster
from schools.models import PlatformApproval
from schools.resources import LEVELS, YEAR_FIRST
from schools.services import platform


class Approval(Choice):
    """(approved there, the words as the list has them)."""

    APPROVED = ("审核通过", "已通过", "通过")
    NOT_APPROVED = (
        "待审核",
        "审核中",
        "未通过",
        "审核不通过",
        "不通过",
        "已退回",
        "退回",
        "已撤销",
        "已撤回",
    )

    def __init__(self) -> None:
        super().__init__(
            {word: (True, word) for word in self.APPROVED}
            | {word: (False, word) for word in self.NOT_APPROVED}
        )


@dataclass
class StateRow(Row):
    code: str | None = None
    name: str | None = None
    certificate: str | None = None
    level: int | None = None
    owner: str | None = None
    year: int | None = None
    approval: tuple[bool, str] | None = None
    candidates: int | None = None
    as_of: dt.date | None = None
    # What judging found out
    said: platform.Said | None = None


class PlatformStateResource(SheetResource):
    sheet = "国家平台审核结果"
    version = "国家平台审核结果 2020-1"
    title = "国家平台审核结果"
    row_class = StateRow

    code = Column(
        "code", "学校代码", Code(), required=True, width=16, note="文本格式，按代码或登记为别名的代码匹配。"
    )
    name = Column(
        "name", "学校名称", Text(), width=30, note="可留空；填了就要与登记的名称或别名一致，防止错行。"
    )
    certificate = Column(
        "certificate",
        "证书名称",
        Text(),
        required=True,
        width=34,
        note="可省略“职业技能等级证书”。",
    )
    level = Column(
        "level",
        "等级",
        LEVELS,
        required=True,
        options=CertificateLevel.Level.labels,
        note="初级、中级、高级。",
    )
    owner = Column("owner", "培训评价组织", Text(), width=30, note="证书同名时必填。")
    year = Column(
        "year", "年度", WholeNumber(YEAR_FIRST, 2100, "年"), required=True, width=8, note="四位年份。"
    )
    approval = Column(
        "approval",
        "审核状态",
        Approval(),
        required=True,
        options=[*Approval.APPROVED, *Approval.NOT_APPROVED],
        note="国家平台上显示的状态，从下拉列表选择。",
    )
    candidates = Column(
        "candidates",
        "计划人数",
        WholeNumber(0, 99_999, "人"),
        width=12,
        note="国家平台上的计划人数；平台没有显示的留空，人数不作比较。",
    )
    as_of = Column(
        "as_of", "数据日期", Day(), required=True, note="从国家平台查到或导出的日期，如 2020-11-20。"
    )

    def load(self, rows: list[dict[str, Any]]) -> None:
        self.known = roster.Known.load(self.at)
        self.today = clock.local(self.at).date()
        names = OrganizationAlias.objects.filter(organization__kind=Organization.Kind.SCHOOL)
        self.names = {pk: {normalised(o.name)} for pk, o in self.known.by_id.items()}
        for pk, name in names.values_list("organization", "name"):
            self.names[pk].add(normalised(name))
        self.kept = {
            (row.organization_id, row.certificate_level_id, row.year): row
            for row in PlatformApproval.objects.all()
        }
        self.seen: dict[tuple[int, int, int], int] = {}

    def judge(self, row: StateRow) -> Iterator[tuple[str, str]]:
        found = self.known.by_code.get(row.code or "")
        school = self.known.by_id[found] if found else None
        if row.code and school is None:
            yield "code", f"没有登记代码为 {row.code} 的院校。请核对代码，或先在院校名册中登记。"
        elif school and row.name and normalised(row.name) not in self.names[school.pk]:
            yield "name", f"代码 {row.code} 登记的是“{school}”，与这里的“{row.name}”不同。请核对是否错行。"
        if row.year is not None and row.year > self.today.year + 1:
            yield "year", f"{row.year} 年太远。请填 {YEAR_FIRST} 到 {self.today.year + 1} 之间的年度。"
        if row.as_of and row.as_of > self.today:
            yield "as_of", f"{full_day(row.as_of)}还没有到。请填从国家平台查到的日期。"
        level = yield from self._level(row)
        if school and level and row.year is not None and row.approval and row.as_of:
            yield from self._told(row, school, level)

    def _level(self, row: StateRow) -> Any:
        """Errors, and the certificate level in the end."""
        if not row.certificate:
            return None
        found = self.known.certificate(row.certificate, row.owner)
        if isinstance(found, str):
            yield ("owner" if "请填写培训评价组织" in found else "certificate"), found
            return None
        if row.level is not None and row.level not in found:
            levels = "、".join(str(CertificateLevel.Level(n).label) for n in sorted(found))
            yield "level", f"该证书没有这个等级，目录中有：{levels}。"
        return found.get(row.level) if row.level is not None else None

    def _told(
        self, row: StateRow, school: Organization, level: CertificateLevel
    ) -> Iterator[tuple[str, str]]:
        key = (school.pk, level.pk, row.year)
        if key in self.seen:
            yield (
                WHOLE_ROW,
                f"与第{self.seen[key]}行重复：同一学校、证书等级、年度只能有一行。请留数据日期较晚的一行。",
            )
            return
        self.seen[key] = row.number
        is_approved, words = row.approval
        row.said = platform.Said(school, level, row.year, is_approved, words, row.candidates, row.as_of)
        row.label = f"{school} {level} {row.year}年"
        kept = self.kept.get(key)
        if kept and kept.as_of > row.as_of:
            yield "as_of", f"已有较新的数据（{full_day(kept.as_of)}）。请核对日期，或删去这一行。"
            return
        if kept is None:
            row.effect = RowResult.IMPORT_TYPE_NEW
        elif row.candidates is None and kept.as_of == row.as_of:
            # A blank cell says nothing: it does not clear what the same day's list has said.
            row.said = row.said._replace(candidates=kept.candidates)
        row.changes = self._changes(row.said, kept)
        if kept is not None and row.changes:
            row.effect = RowResult.IMPORT_TYPE_UPDATE

    def _changes(self, said: platform.Said, kept: PlatformApproval | None) -> list[str]:
        labels = {
            "state_words": "审核状态",
            "candidates": "计划人数",
            "as_of": "数据日期",
        }
        found = []
        for name, label in labels.items():
            before, after = (shown(getattr(kept, name)) if kept else None), shown(getattr(said, name))
            if before != after:
                words = "（空）" if after is None else after
                found.append(
                    f"{label}：{words}" if kept is None else f"{label}：{before or '（空）'} → {words}"
                )
        return found

    def write(self, rows: list[Any]) -> dict[str, Any]:
        return platform.take_states(rows=[row.said for row in rows], by=self.by, at=self.at)


def options() -> dict[str, list[str]]:
    levels = CertificateLevel.objects.select_related("certificate__owner").order_by(
        "certificate__name", "level"
    )
    return {
        "证书名称": list(dict.fromkeys(level.certificate.name for level in levels)),
        "培训评价组织": list(dict.fromkeys(level.certificate.owner.name for level in levels)),
    }


NOTES = (
    "国家平台没有公布导出格式：请把平台上的审核结果整理到本模板，一行一所学校的一个证书等级、一个年度。",
    "学校按代码匹配，不只凭名称；证书按名称和等级匹配，同名的要填培训评价组织。",
    "只登记国家平台的状态，不改变本平台的项目和计划；不一致的列在“与国家平台的审核差异”。",
)
