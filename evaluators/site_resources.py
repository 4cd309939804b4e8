"""The sheet of exam sites that were on file before the portal: one row per school and certificate."""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from import_export.results import RowResult
from import_export.widgets import Widget

from accounts.models import Organization
from certificates.models import Certificate
from core import clock
from core.imports.columns import Code, Column, Day, Text, WholeNumber, tidy
from core.imports.resource import WHOLE_ROW, Row
from core.reference import normalised
from core.templatetags.portal import full_day
from evaluators.models import EvaluatorFiling, ExamSite, SiteCondition
from evaluators.permissions import FILING_FIRST
from evaluators.services import site_lists
from schools import roster
from schools.resources import SchoolSheet


class Degrees(Widget):
    """Degrees with at most five decimals, from -`limit` to `limit`."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self.text = Text()

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Decimal:
        # A float's own text, not its binary value: 112.54886 stays as it was typed.
        text = repr(value) if isinstance(value, float) and math.isfinite(value) else None
        text = text or self.text.clean(value, row, **kwargs)
        try:
            degrees = Decimal(text).quantize(Decimal("0.00001"))
        except InvalidOperation:
            raise ValueError(f"“{text[:30]}”不是度数。请按 37.87059 的样子填写，不写度分秒。") from None
        if not -self.limit <= degrees <= self.limit:
            raise ValueError(f"{degrees} 超出范围。请填 -{self.limit} 到 {self.limit} 之间的度数。")
        return degrees


@dataclass
class SiteRow(Row):
    code: str | None = None
    school_name: str | None = None
    certificate: str | None = None
    owner: str | None = None
    name: str | None = None
    county: str | None = None
    address: str | None = None
    places: int | None = None
    equipment: str | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    filed_on: dt.date | None = None
    # What judging found out
    site: ExamSite | None = None
    before: dict[str, Any] | None = None


class SiteResource(SchoolSheet):
    sheet = "考核站点"
    version = "考核站点 2020-1"
    title = "考核站点"
    row_class = SiteRow

    code = Column("code", "学校代码", Code(), required=True, width=16, note="文本格式，按代码匹配。")
    school_name = Column(
        "school_name", "学校名称", Text(), width=28, note="可留空；填了就要与登记的名称或别名一致，防止错行。"
    )
    certificate = Column(
        "certificate", "证书名称", Text(), required=True, width=34, note="可省略“职业技能等级证书”。"
    )
    owner = Column("owner", "培训评价组织", Text(), width=28, note="证书同名时必填。")
    name = Column("name", "站点名称", Text(), required=True, width=28)
    county = Column(
        "county",
        "县(市、区)",
        Text(40),
        note="名称或六位区划代码；不同市有重名的填代码。留空按学校所在市登记。",
    )
    address = Column("address", "地址", Text(200), required=True, width=34)
    places = Column("places", "考位", WholeNumber(1, 100_000, "个"), required=True, width=8)
    equipment = Column("equipment", "设备与场地", Text(2000), required=True, width=40)
    latitude = Column("latitude", "纬度", Degrees(90), width=12, note="与经度同填，如 37.87059。")
    longitude = Column("longitude", "经度", Degrees(180), width=12)
    filed_on = Column("filed_on", "备案日期", Day(), required=True, note="原备案的日期，不晚于今天。")

    def load(self, rows: list[dict[str, Any]]) -> None:
        self.known = roster.Known.load(self.at)
        self.today = clock.local(self.at).date()
        self.counties = site_lists.counties_by_name()
        self.conditions = {c.certificate_id: c for c in SiteCondition.objects.current()}
        self.on_file = set(EvaluatorFiling.objects.accepted().values_list("pk", flat=True))
        self.named = site_lists.place_names()
        self.sites = site_lists.open_sites()
        self.seen: dict[tuple[int, int], int] = {}

    def judge(self, row: SiteRow) -> Iterator[tuple[str, str]]:
        school = yield from self._school(row)
        certificate = yield from self._certificate(row)
        if row.filed_on and row.filed_on > self.today:
            yield "filed_on", f"{full_day(row.filed_on)}还没有到。请填原备案的日期。"
            return
        if (row.latitude is None) != (row.longitude is None):
            yield "latitude", "纬度、经度要么都填，要么都不填。"
            return
        complete = row.name and row.address and row.places and row.equipment and row.filed_on
        if school and certificate and complete:
            yield from self._site(row, school, certificate)

    def _school(self, row: SiteRow) -> Any:
        """Errors, and the school in the end."""
        found = self.known.by_code.get(row.code or "")
        school = self.known.by_id[found] if found else None
        if row.code and (school is None or school.pk not in self.known.schools):
            yield "code", f"没有登记代码为 {row.code} 的院校。请核对代码，或先在院校名册中登记。"
            return None
        same = school is None or normalised(row.school_name or school.name) == normalised(school.name)
        if not same and not self.known.is_alias(school, row.school_name or ""):
            yield "school_name", f"代码 {row.code} 登记的是“{school}”，与这里的不同。请核对是否错行。"
        if school and school.pk not in self.known.members:
            yield "code", f"“{school}”现在不在试点院校名单中，考核站点设在试点院校。"
        return school

    def _certificate(self, row: SiteRow) -> Any:
        """Errors, and the certificate in the end."""
        if not row.certificate:
            return None
        found = self.known.certificate(row.certificate, row.owner)
        if isinstance(found, str):
            yield ("owner" if "请填写培训评价组织" in found else "certificate"), found
            return None
        certificate = next(iter(found.values())).certificate
        if certificate.pk not in self.on_file:
            yield "certificate", FILING_FIRST
            return None
        return certificate

    def _site(
        self, row: SiteRow, school: Organization, certificate: Certificate
    ) -> Iterator[tuple[str, str]]:
        key = (school.pk, certificate.pk)
        if key in self.seen:
            yield WHOLE_ROW, f"与第{self.seen[key]}行重复：同一学校、同一证书只能有一个站点。"
            return
        self.seen[key] = row.number
        kept = self.sites.get(key)
        if kept and kept.state != ExamSite.State.FILED:
            yield WHOLE_ROW, f"学校正在平台上申报这个站点（{kept.get_state_display()}），请在平台上办理。"
            return
        condition = kept.condition if kept else self._condition_of_then(row, certificate)
        if condition and row.places and row.places < condition.minimum_places:
            yield "places", f"评价组织公布的条件要求考位不少于 {condition.minimum_places} 个。"
        county = None
        if row.county:
            named = self.counties.get(tidy(row.county), [])
            if len(named) != 1:
                words = "不同市有重名，请填六位区划代码" if named else "没有这个县（市、区），请核对"
                yield "county", f"“{row.county[:20]}”：{words}。"
                return
            county = named[0]
        city = county.city if county else (kept.city if kept else school.city)
        if city is None:
            yield "county", f"“{school}”没有登记所在市，请填县(市、区)。"
            return
        self._take(row, school, certificate, kept, {"county": county, "city": city})

    def _condition_of_then(self, row: SiteRow, certificate: Certificate) -> SiteCondition | None:
        """What was published later did not hold when the site was filed."""
        condition = self.conditions.get(certificate.pk)
        if condition and row.filed_on and clock.local(condition.published_at).date() <= row.filed_on:
            return condition
        return None

    def _take(
        self,
        row: SiteRow,
        school: Organization,
        certificate: Certificate,
        kept: ExamSite | None,
        found: dict[str, Any],
    ) -> None:
        """A blank optional cell says nothing: it does not clear what is stored."""
        site = kept or ExamSite(
            certificate=certificate,
            school=self.known.schools[school.pk],
            condition=None,
            state=ExamSite.State.FILED,
            applied_by=self.by,
            applied_at=self.at,
        )
        row.before = site_lists.values_of(site) if kept else None
        given: dict[str, Any] = {
            "name": row.name,
            "address": row.address,
            "places": row.places,
            "equipment": row.equipment,
        }
        given |= {"latitude": row.latitude, "longitude": row.longitude, **found}
        for name, value in given.items():
            if value is not None:
                setattr(site, name, value)
        if site.filed_at is None and row.filed_on:
            site.filed_at = clock.at(row.filed_on)
        row.site, row.label = site, f"{school} {certificate}"
        after = site_lists.values_of(site)
        row.changes = site_lists.change_words(row.before, after, self.named)
        if row.before is None:
            row.effect = RowResult.IMPORT_TYPE_NEW
        elif row.changes:
            row.effect = RowResult.IMPORT_TYPE_UPDATE

    def write(self, rows: list[Any]) -> dict[str, Any]:
        return site_lists.take_in([(row.site, row.before) for row in rows], by=self.by, at=self.at)


def options() -> dict[str, list[str]]:
    certificates = Certificate.objects.select_related("owner").order_by("name")
    return {
        "证书名称": list(dict.fromkeys(certificate.name for certificate in certificates)),
        "培训评价组织": list(dict.fromkeys(certificate.owner.name for certificate in certificates)),
    }


NOTES = (
    "每行一个学校的一个证书的站点；导入的直接登记为“已备案”，只用于平台启用前已备案的站点。",
    "新设站点由学校在平台上对照条件申报，不用导入。",
    "评价组织的备案没有予以备案的证书，站点不能导入（晋教职成〔2020〕9号 三.8）。",
)
