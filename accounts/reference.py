"""A province's divisions, authorities and colleges as organisations, from its reference files.

Being listed makes no school a pilot: nothing here writes a membership.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts.models import City, County, Organization, OrganizationAlias
from accounts.pinyin import initials
from core.reference import BadReference, Counts, Row, normalised, rows, take

FORMER_NAME = "原名"


@dataclass(frozen=True)
class Province:
    """What later files refer to: the office, and the cities by name."""

    office: Organization
    cities: dict[str, City]


def load_divisions(folder: Path) -> tuple[dict[str, Counts], Province]:
    """`divisions.csv`: the province, its cities and counties (GB/T 2260), and their authorities.

    Raises BadReference; also when the database already holds another province.
    """
    by_level: dict[str, list[Row]] = {"province": [], "city": [], "county": []}
    for row in rows(folder / "divisions.csv", "code", "name", "level", "city"):
        row.code("code", r"\d{6}")
        row.required("name")
        row.choice("level", by_level).append(row)
    if len(by_level["province"]) != 1:
        raise BadReference(f"divisions.csv：应有一行 province，现有{len(by_level['province'])}行")
    city_counts, cities = take(
        City.objects.all(),
        [(row, {"code": row["code"], "name": row["name"]}) for row in by_level["city"]],
        key=("code",),
    )
    by_name = {city.name: city for city in cities.values()}
    county_counts, _ = take(
        County.objects.all(),
        [
            (row, {"code": row["code"], "name": row["name"], "city_id": row.choice("city", by_name).code})
            for row in by_level["county"]
        ],
        key=("code",),
    )
    office_counts, office = _load_office(by_level["province"][0])
    bureau_counts = _load_bureaux(by_level["city"], office)
    counts = {"市": city_counts, "县（市、区）": county_counts, "主管部门": office_counts + bureau_counts}
    return counts, Province(office, by_name)


def take_organizations(
    kind: str, wanted: list[tuple[Row, dict[str, Any]]]
) -> tuple[Counts, dict[str, Organization]]:
    """Organisations of one kind by code; `wanted` names code, name and what else there is.

    A changed name stays as an alias. Demonstration organisations are never matched.
    """
    renamed: list[OrganizationAlias] = []

    def keep_name(organization: Organization, changes: dict[str, Any]) -> None:
        if "name" in changes:
            renamed.append(
                OrganizationAlias(organization=organization, name=organization.name, source=FORMER_NAME)
            )

    counts, found = take(
        Organization.objects.filter(kind=kind, is_demonstration=False),
        [(row, {"kind": kind, "pinyin": initials(fields["name"])[:80], **fields}) for row, fields in wanted],
        key=("code",),
        before_update=keep_name,
    )
    OrganizationAlias.objects.bulk_create(renamed, ignore_conflicts=True)
    return counts, {code: organization for (code,), organization in found.items()}


def _load_office(row: Row) -> tuple[Counts, Organization]:
    provinces = Organization.objects.filter(kind=Organization.Kind.PROVINCE, is_demonstration=False)
    if other := provinces.exclude(code=row["code"]).first():
        raise row.fail(f"数据库中已有另一个省：{other}（{other.code}）。一个数据库只为一个省服务")
    name = row["authority"] or f"{row['name']}教育厅"
    counts, found = take_organizations(
        Organization.Kind.PROVINCE, [(row, {"code": row["code"], "name": name})]
    )
    return counts, found[row["code"]]


def _load_bureaux(city_rows: list[Row], office: Organization) -> Counts:
    counts, _ = take_organizations(
        Organization.Kind.CITY,
        [
            (
                row,
                {
                    "code": row["code"],
                    "name": row["authority"] or f"{row['name']}教育局",
                    "city_id": row["code"],
                    "supervisor_id": office.pk,
                },
            )
            for row in city_rows
        ],
    )
    return counts


def load_colleges(folder: Path, province: Province) -> tuple[dict[str, Counts], dict[str, Row]]:
    """`colleges.csv`: higher schools, supervised by the province; `colleges_former.csv`: what they were called.

    The code is the ministry's 10-digit one; where that is unknown `HEI-` and the 5-digit one, else the
    file's own `local_code`. The 10-digit code is never derived from the 5-digit one. Once it is known, the
    organisation is recoded. Returns the counts, and the rows by the code that their organisation has.
    """
    listed: dict[str, Row] = {}
    wanted = []
    for row in rows(
        folder / "colleges.csv", "name", "level", "school_code_5", "moe_id_10", "city", optional=True
    ):
        code, *lesser = _codes(row)
        city = row.choice("city", province.cities) if row["city"] else None
        Organization.objects.filter(kind=Organization.Kind.SCHOOL, code__in=lesser).update(code=code)
        fields = {"code": code, "name": row.required("name"), "supervisor_id": province.office.pk}
        wanted.append((row, {**fields, "city_id": city and city.code}))
        listed[code] = row
    counts, colleges = take_organizations(Organization.Kind.SCHOOL, wanted)
    aliases = [
        (row, colleges[code], row["school_code_5"], "五位院校代码")
        for code, row in listed.items()
        if row["school_code_5"]
    ]
    aliases += _former_names(folder, colleges)
    return {"高校": counts, "别名": take_aliases(aliases)}, listed


def _codes(row: Row) -> list[str]:
    """The codes that stand for the row's college, best first."""
    codes = []
    if row["moe_id_10"]:
        codes.append(row.code("moe_id_10", r"\d{10}"))
    if row["school_code_5"]:
        codes.append(f"HEI-{row.code('school_code_5', r'[0-9]{5}')}")
    if row["local_code"]:
        codes.append(row["local_code"])
    if not codes:
        raise row.fail("moe_id_10、school_code_5、local_code 至少填一个")
    return codes


def _former_names(
    folder: Path, colleges: dict[str, Organization]
) -> list[tuple[Row, Organization, str, str]]:
    """Names that a college bore under the same 10-digit code; others are nobody's that we know of."""
    return [
        (row, colleges[row["moe_id_10"]], row["name"], row["source"])
        for row in rows(folder / "colleges_former.csv", "moe_id_10", "name", "source", optional=True)
        if row["moe_id_10"] in colleges
        and normalised(row["name"]) != normalised(colleges[row["moe_id_10"]].name)
    ]


def take_aliases(wanted: list[tuple[Row, Organization, str, str]]) -> Counts:
    """Aliases as (row, organisation, alias, source)."""
    counts, _ = take(
        OrganizationAlias.objects.filter(
            organization__in={organization.pk for _, organization, *_ in wanted}
        ),
        [
            (row, {"organization_id": organization.pk, "name": name, "source": source})
            for row, organization, name, source in wanted
        ],
        key=("organization_id", "name"),
    )
    return counts
