"""The roster: one row per school × certificate level, a school's facts repeated or left blank."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from import_export.results import RowResult

from accounts.models import City, Organization
from certificates.models import CertificateLevel
from core import clock
from core.imports.columns import Choice, Code, Column, Email, Text, WholeNumber, tidy
from core.imports.resource import WHOLE_ROW, Row, SheetResource
from core.reference import normalised
from core.templatetags.portal import full_day
from schools import roster, services
from schools.models import School
from schools.roster import Draft
from schools.services.schools import lock

TECHNICAL = (
    "技工学校不属于试点范围：晋教职成〔2020〕9号 三.1 规定试点院校以“高等职业院校、中等职业学校（不含技工学校）”为主。"
    "请删除这一行。"
)
YEAR_FIRST = 2019
KIND_ALIASES = {
    "高职": School.Kind.HIGHER_VOCATIONAL,
    "高职专科": School.Kind.HIGHER_VOCATIONAL,
    "高等职业院校": School.Kind.HIGHER_VOCATIONAL,
    "高职院校": School.Kind.HIGHER_VOCATIONAL,
    "中职": School.Kind.SECONDARY_VOCATIONAL,
    "中职学校": School.Kind.SECONDARY_VOCATIONAL,
    "中专": School.Kind.SECONDARY_VOCATIONAL,
    "职业高中": School.Kind.SECONDARY_VOCATIONAL,
    "本科层次职业学校": School.Kind.VOCATIONAL_BACHELOR,
    "应用型本科高校": School.Kind.APPLIED_BACHELOR,
    "国家开放大学": School.Kind.OPEN_UNIVERSITY,
}
LEVEL_ALIASES = {"1": 1, "2": 2, "3": 3, "初": 1, "中": 2, "高": 3}


class SchoolKind(Choice):
    def __init__(self) -> None:
        super().__init__({label: value for value, label in School.Kind.choices}, KIND_ALIASES)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Any:
        if "技工" in tidy(str(value)):
            raise ValueError(TECHNICAL)
        return super().clean(value, row, **kwargs)


LEVELS = Choice({label: value for value, label in CertificateLevel.Level.choices}, LEVEL_ALIASES)
YES_NO = Choice({"是": True, "否": False}, {"Y": True, "N": False, "√": True})
MOBILE = Code(11, r"1[3-9][0-9]{9}", "11 位手机号")


@dataclass
class RosterRow(Row):
    code: str | None = None
    name: str | None = None
    kind: str | None = None
    city: Any = None
    supervisor: Any = None
    aliases: str | None = None
    is_lead: bool | None = None
    certificate: str | None = None
    level: int | None = None
    owner: str | None = None
    year: int | None = None
    candidates: int | None = None
    contact_name: str | None = None
    contact_mobile: str | None = None
    contact_email: str | None = None
    # What judging found out
    draft: Draft | None = None
    new_aliases: list[str] = field(default_factory=list)
    joins: bool = False
    certificate_level: CertificateLevel | None = None
    starts: bool = False
    plan: tuple[int, int] | None = None


FACTS = ("name", "kind", "city", "supervisor", "is_lead", "contact_name", "contact_mobile", "contact_email")


class SchoolSheet(SheetResource):
    """Rows about schools: none joins, leaves or begins anything between what the rows are compared with and what is
    written."""

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        if kwargs["write"]:
            lock(set(Organization.objects.schools().values_list("pk", flat=True)))
        super().before_import(dataset, **kwargs)


class RosterResource(SchoolSheet):
    sheet = "院校名册"
    version = "院校名册 2020-1"
    title = "院校名册"
    row_class = RosterRow

    code = Column(
        "code",
        "学校代码",
        Code(),
        required=True,
        width=16,
        note="10 位学校标识码等，文本格式；已登记的学校按代码匹配。",
    )
    name = Column(
        "name", "学校名称", Text(), required=True, width=30, note="全称。与已登记的别名一致时不改名。"
    )
    kind = Column(
        "kind", "办学类型", SchoolKind(), required=True, width=16, options=School.Kind.labels,
        note="从下拉列表选择。技工学校不在试点范围。",
    )  # fmt: skip
    city = Column("city", "所在市", Text(), required=True, note="市的名称，如“太原市”。")
    supervisor = Column(
        "supervisor",
        "主管部门",
        Text(),
        required=True,
        width=20,
        note="主管的市教育局（可只写市名），省属的写“省”。",
    )
    aliases = Column(
        "aliases", "别名", Text(), width=20, note="曾用名、简称，多个用顿号或分号隔开。只增加，不删除。"
    )
    is_lead = Column("is_lead", "是否牵头院校", YES_NO, options=["是", "否"], note="双高、示范院校填“是”。")
    certificate = Column(
        "certificate",
        "证书名称",
        Text(),
        width=34,
        note="一行一个证书等级；可省略“职业技能等级证书”。与证书等级同时填写。",
    )
    level = Column(
        "level", "证书等级", LEVELS, options=CertificateLevel.Level.labels, note="初级、中级、高级。"
    )
    owner = Column("owner", "培训评价组织", Text(), width=30, note="证书同名时必填。")
    year = Column(
        "year", "年度", WholeNumber(YEAR_FIRST, 2100, "年"), width=8, note="四位年份，与拟考证人数同时填写。"
    )
    candidates = Column(
        "candidates",
        "拟考证人数",
        WholeNumber(0, 99_999, "人"),
        width=12,
        note="当年计划，0 到 99999 的整数。",
    )
    contact_name = Column("contact_name", "联系人姓名", Text(60), note="本校试点工作联系人。")
    contact_mobile = Column(
        "contact_mobile", "联系人手机", MOBILE, width=16, note="11 位手机号，文本格式。加密保存。"
    )
    contact_email = Column("contact_email", "联系人邮箱", Email(254), width=24, note="电子邮箱。")

    def load(self, rows: list[dict[str, Any]]) -> None:
        self.known = roster.Known.load(self.at)
        self.drafts: dict[str, Draft] = {}
        self.names_in_file: dict[str, Draft] = {}
        self.seen: dict[tuple[Any, ...], int] = {}
        self.last_year = clock.local(self.at).year + 1

    # Judging

    def judge(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        if row.name and "技工学校" in row.name:
            yield "name", TECHNICAL
        yield from self._places(row)
        yield from self._year(row)
        yield from self._certificate(row)
        if row.code and row.name:
            yield from self._school(row)
            yield from self._membership(row)
            yield from self._repeated(row)
            yield from self._carried_over(row)
        if row.draft:
            self._effect(row)

    def _places(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        if row.city and not (city := self.known.cities.get(normalised(row.city))):
            yield "city", f"没有“{row.city}”这个市。请从模板“可选值”表中选择。"
        elif row.city:
            row.city = city
        if row.supervisor and not (supervisor := self.known.supervisors.get(normalised(row.supervisor))):
            yield (
                "supervisor",
                f"没有登记“{row.supervisor}”这个主管部门。请从模板“可选值”表中选择，省属的写“省”。",
            )
        elif row.supervisor:
            row.supervisor = supervisor

    def _year(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        if row.year is not None and row.year > self.last_year:
            yield "year", f"{row.year} 年太远。请填 {YEAR_FIRST} 到 {self.last_year} 之间的年度。"
        if row.year is None and row.candidates is not None:
            yield "year", "填了拟考证人数，就要填年度。"
        if row.candidates is None and row.year is not None:
            yield "candidates", "填了年度，就要填拟考证人数；没有计划请两格都留空。"
        if row.year is not None and not row.certificate:
            yield "certificate", "填了年度和人数，就要填证书名称和证书等级。"

    def _certificate(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        if row.level is not None and not row.certificate:
            yield "certificate", "填了证书等级，就要填证书名称。"
        if not row.certificate:
            return
        if row.level is None:
            yield "level", "填了证书名称，就要填证书等级（初级、中级、高级）。"
        found = self.known.certificate(row.certificate, row.owner)
        if isinstance(found, str):
            yield ("owner" if "培训评价组织" in found else "certificate"), found
        elif row.level is not None:
            row.certificate_level = found.get(row.level)
            if row.certificate_level is None:
                levels = "、".join(str(CertificateLevel.Level(n).label) for n in sorted(found))
                yield "level", f"该证书没有这个等级，目录中有：{levels}。"

    def _school(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        code, name = row.code or "", normalised(row.name or "")
        organization = self.known.by_code.get(code)
        other = self.known.by_name.get(name)
        if other and other != organization:
            shown = self.known.by_id[other]
            yield (
                "code",
                f"“{row.name}”已登记在代码 {shown.code}（{shown.name}）下。如是同一所学校，请把代码改为 {shown.code}；"
                "如确是另一所学校，请把名称写得能够区分。",
            )
            return
        draft = self.drafts.get(code) or Draft(code, *self.known.pair(organization), row.number)
        self.drafts[code] = row.draft = draft
        namesake = self.names_in_file.setdefault(name, draft)
        if namesake is not draft:
            yield (
                "code",
                f"与第{namesake.first_row}行的学校同名而代码不同（那里是 {namesake.code}）。请核对代码。",
            )
        for fact in FACTS:
            yield from self._agrees(row, draft, fact)

    def _membership(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        """A roster, which may be older than a revocation, brings no school back into the pilot."""
        if row.draft and row.draft.first_row == row.number and row.draft.organization:
            organization = row.draft.organization
            if left := self.known.left.get(organization.pk):
                yield (
                    "code",
                    f"“{organization}”已于{full_day(clock.local(left).date())}退出试点，导入名册不能使它重新加入。"
                    "确要重新加入的，先在机构页面登记加入试点，自加入之日起再导入。",
                )

    def _agrees(self, row: RosterRow, draft: Draft, fact: str) -> Iterator[tuple[str, str]]:
        value = getattr(row, fact)
        if value is None or (fact in {"city", "supervisor"} and isinstance(value, str)):
            return
        if fact not in draft.said:
            draft.said[fact] = (value, row.number)
            return
        said, number = draft.said[fact]
        if (normalised(said) != normalised(value)) if isinstance(value, str) else said != value:
            heading = self.fields[fact].heading
            yield (
                fact,
                f"与第{number}行不一致：同一所学校的“{heading}”那里是“{services.word(fact, said)}”。请改为相同。",
            )

    def _repeated(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        key = (row.code, row.certificate_level and row.certificate_level.pk, row.year)
        if row.certificate and row.certificate_level is None:
            return
        if key in self.seen:
            yield WHOLE_ROW, f"与第{self.seen[key]}行重复：同一学校、证书等级、年度只能有一行。请删去一行。"
        self.seen.setdefault(key, row.number)

    def _carried_over(self, row: RosterRow) -> Iterator[tuple[str, str]]:
        """A plan's total cannot fall below what was carried over into it."""
        if not (row.draft and row.certificate_level and row.year is not None and row.candidates is not None):
            return
        running = self.known.programme(row.draft, row.certificate_level)
        carried = self.known.carried_over.get((running.pk, row.year), 0) if running else 0
        if row.candidates < carried:
            yield "candidates", f"该项目 {row.year} 年计划中沿用上年 {carried} 人，总数不能少于它。"

    # What an accepted row does

    def _effect(self, row: RosterRow) -> None:
        draft = row.draft
        row.label = f"{row.name}（{row.code}）"
        is_first = draft.first_row == row.number
        if is_first and draft.school is None:
            row.changes.append("登记院校")
        self._differences(row, draft)
        self._joining(row, draft, is_first)
        self._aliases(row, draft)
        self._programme(row, draft)
        is_new = (
            row.joins
            or row.starts
            or (is_first and draft.school is None)
            or row.effect == RowResult.IMPORT_TYPE_NEW
        )
        if is_new:
            row.effect = RowResult.IMPORT_TYPE_NEW
        elif row.changes:
            row.effect = RowResult.IMPORT_TYPE_UPDATE

    def _differences(self, row: RosterRow, draft: Draft) -> None:
        """What this row is the first to say and is not so yet."""
        for fact, (value, number) in draft.said.items():
            if number != row.number or not draft.has(fact):
                continue
            before = draft.fact(fact)
            if fact == "name" and self.known.is_alias(draft.organization, value):
                continue
            if before != value:
                draft.changed[fact] = value
                row.changes.append(
                    f"{self.fields[fact].heading}：{services.word(fact, before) or '（空）'} → {services.word(fact, value)}"
                )

    def _joining(self, row: RosterRow, draft: Draft, is_first: bool) -> None:
        member = draft.organization is not None and draft.organization.pk in self.known.members
        if is_first and not member:
            row.joins = True
            row.changes.append("加入试点")

    def _aliases(self, row: RosterRow, draft: Draft) -> None:
        for text in (
            (row.aliases or "")
            .replace("；", "、")
            .replace(";", "、")
            .replace(",", "、")
            .replace("，", "、")
            .split("、")
        ):
            name = tidy(text)
            if name and normalised(name) != normalised(row.name or "") and self.known.note_alias(draft, name):
                row.new_aliases.append(name)
                row.changes.append(f"别名：{name}")

    def _programme(self, row: RosterRow, draft: Draft) -> None:
        level = row.certificate_level
        if level is None:
            return
        running = self.known.programme(draft, level)
        if running is None and self.known.note_programme(draft, level):
            row.starts = True
            row.changes.append(f"开设 {level}")
        if row.year is None or row.candidates is None:
            return
        before = self.known.plans.get((running.pk, row.year)) if running else None
        if before != row.candidates:
            row.plan = (row.year, row.candidates)
            words = f"{before} → {row.candidates}" if before is not None else str(row.candidates)
            row.changes.append(f"{row.year}年计划：{words} 人")
            if before is None:
                row.effect = RowResult.IMPORT_TYPE_NEW

    def write(self, rows: list[Any]) -> dict[str, Any]:
        return roster.write(rows, self.known, by=self.by, at=self.at)


def options() -> dict[str, list[str]]:
    """Drop-down texts that only the database knows."""
    levels = CertificateLevel.objects.select_related("certificate__owner").order_by(
        "certificate__name", "level"
    )
    certificates = dict.fromkeys(level.certificate.name for level in levels)
    owners = dict.fromkeys(level.certificate.owner.name for level in levels)
    supervisors = Organization.objects.authorities()
    return {
        "所在市": list(City.objects.values_list("name", flat=True)),
        "主管部门": list(supervisors.values_list("name", flat=True)),
        "证书名称": list(certificates),
        "培训评价组织": list(owners),
    }


NOTES = (
    "每行一所学校的一个证书等级；同一所学校占几行的，学校的各项要写得一致。",
    "学校按代码匹配；名称与已登记的另一代码相同时不导入，需先核对代码。",
    "新登记的学校自导入时起加入试点，从下一个开始的报送周期起填报周报。",
    "技工学校不在试点范围（晋教职成〔2020〕9号 三.1）。",
)
