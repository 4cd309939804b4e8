"""The sheet of the national platform's list: one row per school and week that was filed there."""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from import_export.results import RowResult

from accounts.models import Organization, OrganizationAlias
from core.imports.columns import Code, Column, Moment, Text, tidy
from core.imports.resource import WHOLE_ROW, Row, SheetResource
from core.reference import normalised
from core.templatetags import portal
from obligations import platform
from obligations.models import Obligation, ObligationKind, Outcome, Period, PlatformFiling, PlatformImport

_WEEK = re.compile(r"(?:(\d{4})\s*(?:年第?|-?W|-))\s*(\d{1,2})(?:[-–]\d{1,2})?\s*周?", re.IGNORECASE)


class Week(Text):
    """`2020年第47周` or `2020-W47`, as the key of a period."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = super().clean(value, row, **kwargs)
        if not (found := _WEEK.fullmatch(text)):
            raise ValueError(f"“{text[:30]}”不是周次。请按 2020年第47周 或 2020-W47 的样子填写。")
        return f"{found[1]}-W{int(found[2]):02d}"


@dataclass
class ListRow(Row):
    code: str | None = None
    name: str | None = None
    week: str | None = None
    filed_at: dt.datetime | None = None
    # What judging found out
    filing: platform.ListedFiling | None = None


class PlatformListResource(SheetResource):
    """`said` is {"periods": [ids], "listed_at": ISO instant}: what the list covers, also where it is empty."""

    sheet = "国家平台填报名单"
    version = "国家平台填报名单 2020-1"
    title = "国家平台填报名单"
    row_class = ListRow
    may_be_empty = True

    code = Column("code", "学校代码", Code(), required=True, width=16, note="文本格式，按代码匹配。")
    name = Column(
        "name", "学校名称", Text(), width=30, note="可留空；填了就要与登记的名称或别名一致，防止错行。"
    )
    week = Column("week", "周次", Week(), required=True, width=16, note="如 2020年第47周 或 2020-W47。")
    filed_at = Column(
        "filed_at",
        "填报时间",
        Moment(),
        required=True,
        width=20,
        note="国家平台上显示的填报时间，到分钟，如 2020-11-20 17:30。同一周填报几次的，填第一次。",
    )

    def load(self, rows: list[dict[str, Any]]) -> None:
        self.listed_at = dt.datetime.fromisoformat(self.said["listed_at"])
        self.periods = {p.key: p for p in Period.objects.filter(pk__in=self.said["periods"])}
        self.organizations, self.names = _schools()
        owed = Obligation.objects.filter(period__in=self.periods.values())
        self.owed = {(o.organization_id, o.period_id): o for o in owed}
        known = PlatformFiling.objects.filter(
            period__in=self.periods.values(), platform_import__undone_at=None
        )
        self.known: dict[tuple[int, int], set[dt.datetime]] = {}
        for organization, period, filed_at in known.values_list("organization", "period", "filed_at"):
            self.known.setdefault((organization, period), set()).add(filed_at)
        self.seen: dict[tuple[int, int], int] = {}

    # Judging

    def judge(self, row: ListRow) -> Iterator[tuple[str, str]]:
        organization = self.organizations.get(row.code or "")
        if row.code and organization is None:
            yield "code", f"没有登记代码为 {row.code} 的院校。请核对代码，或先在院校名册中登记。"
        elif organization and row.name and normalised(row.name) not in self.names[organization.pk]:
            yield (
                "name",
                f"代码 {row.code} 登记的是“{organization}”，与这里的“{row.name}”不同。请核对是否错行。",
            )
        period = self.periods.get(row.week or "")
        if row.week and period is None:
            yield "week", "这一周不在上传时写明的覆盖周次之内。请核对周次，或重新上传并写明覆盖到这一周。"
        if row.filed_at and row.filed_at > self.listed_at:
            yield "filed_at", f"晚于名单导出时间（{_exact(self.listed_at)}）。请核对填报时间或导出时间。"
        elif row.filed_at and period and row.filed_at < period.opens_at:
            yield "filed_at", f"早于这一周开始（{_exact(period.opens_at)}）。请核对周次。"
        if organization and period and row.filed_at:
            yield from self._listed(row, organization, period, row.filed_at)

    def _listed(
        self, row: ListRow, organization: Organization, period: Period, filed_at: dt.datetime
    ) -> Iterator[tuple[str, str]]:
        key = (organization.pk, period.pk)
        if key in self.seen:
            yield WHOLE_ROW, f"与第{self.seen[key]}行重复：同一院校、同一周只能有一行，请留第一次填报的一行。"
            return
        self.seen[key] = row.number
        row.filing = platform.ListedFiling(*key, filed_at)
        row.label = f"{organization} {period.label}"
        known = self.known.get(key, set())
        if filed_at in known:
            return
        row.effect = RowResult.IMPORT_TYPE_UPDATE if known else RowResult.IMPORT_TYPE_NEW
        row.changes = [f"{_exact(filed_at)}填报", consequence(self.owed.get(key), filed_at)]

    # The whole list

    def whole(self) -> list[str]:
        listed = PlatformImport.objects.standing().filter(listed_at__gte=self.listed_at)
        known = set(listed.filter(periods__in=self.periods.values()).values_list("periods", flat=True))
        is_news = any(p.pk not in known for p in self.periods.values())
        if not is_news and all(row.effect == RowResult.IMPORT_TYPE_SKIP for row in self.accepted):
            return []
        lines = [f"名单导出时间：{_exact(self.listed_at)}。"]
        filed = Counter(row.filing.period_id for row in self.accepted if row.filing)
        owed = Counter(o.period_id for o in self.owed.values() if o.outcome != Outcome.EXEMPT)
        for period in sorted(self.periods.values(), key=lambda p: p.starts_on):
            late = self.listed_at >= period.closes_at
            lines.append(
                f"{period.label}：应报 {owed[period.pk]} 所，名单中 {filed[period.pk]} 所。"
                + ("" if late else "导出时本周尚未关闭，关闭后还须再导入一次，才能据以认定未填报。")
            )
        return lines

    def write(self, rows: list[Any]) -> dict[str, Any]:
        return platform.take_list(
            periods=sorted(self.periods.values(), key=lambda p: p.starts_on),
            listed_at=self.listed_at,
            filings=[row.filing for row in self.accepted],
            file_name=self.file_name,
            content=self.content,
            by=self.by,
            at=self.at,
        )


def consequence(obligation: Obligation | None, filed_at: dt.datetime) -> str:
    """What a filing there comes to here, in words."""
    if obligation is None:
        return "该校这一周不属应报，仅登记"
    if platform.excuses(obligation, filed_at):
        return "未报已谅解，仅登记" if obligation.excused_at else "未报，自动谅解，不计入连续未报"
    fields = platform.arrival(obligation, filed_at)
    if "outcome" in fields:
        return f"记为{fields['outcome'].label}"
    if "filled_at" in fields:
        return "关闭后填报，记为已补报"
    return "免报周，登记为自愿报送" if fields else "本平台已有收到记录，仅登记"


def _schools() -> tuple[dict[str, Organization], dict[int, set[str]]]:
    """(schools by code and by former code, the names under which each is known)."""
    schools = list(Organization.objects.schools())
    by_code = {school.code: school for school in schools}
    names = {school.pk: {normalised(school.name)} for school in schools}
    by_id = {school.pk: school for school in schools}
    for pk, name in OrganizationAlias.objects.filter(organization__in=by_id).values_list(
        "organization", "name"
    ):
        names[pk].add(normalised(name))
        by_code.setdefault(tidy(name), by_id[pk])
    return by_code, names


def _exact(instant: dt.datetime) -> str:
    return portal.exact(instant)


def options() -> dict[str, list[str]]:
    """Weeks to choose from: the opened ones, latest first."""
    opened = Period.objects.filter(kind=ObligationKind.WEEKLY_REPORT, opened_at__isnull=False)
    return {"周次": [period.label for period in opened.order_by("-starts_on")[:60]]}


NOTES = (
    "国家平台没有公布导出格式：请把平台上各校的填报情况整理到本模板，一行一所学校的一周。",
    "上传时须写明名单覆盖哪几周、何时从国家平台导出。覆盖周次里没有列出的学校，视为在导出时尚未在国家平台填报。",
    "一所也没有填报的周，也要上传（可以没有数据行），写明覆盖周次，才能据以认定。",
    "按时、迟报按国家平台的填报时间判断；已关闭记为未报、而国家平台在关闭前已填报的，结果不改，自动谅解。",
)
