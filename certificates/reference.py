"""Owners, certificates and their levels, and majors, from reference files."""

from collections import defaultdict
from pathlib import Path
from typing import Any

from accounts.models import Organization, OrganizationAlias
from accounts.reference import take_aliases, take_organizations
from certificates.models import Certificate, CertificateLevel, Major
from core.reference import BadReference, Counts, Row, normalised, rows, take

LEVELS = {label: value for value, label in CertificateLevel.Level.choices}


class Owners:
    """Training-evaluation organisations by every name that the files give them."""

    def __init__(self) -> None:
        self.by_name: dict[str, Organization] = {}

    def add(self, row: Row, name: str, organization: Organization) -> None:
        known = self.by_name.setdefault(normalised(name), organization)
        if known.pk != organization.pk:
            raise row.fail(f"“{name}”既是 {known.code} 又是 {organization.code}")

    def of(self, row: Row) -> Organization:
        """The owner that `row` names; a name that no file explains is refused, not guessed."""
        found = self.by_name.get(normalised(row.required("owner")))
        if not found:
            raise row.fail(
                f"评价组织“{row['owner']}”不在 evaluators.csv 中；"
                "如是已有组织的另一名称，请写入 evaluator_aliases.csv 并注明依据"
            )
        return found

    def organizations(self) -> list[Organization]:
        return list({organization.pk: organization for organization in self.by_name.values()}.values())


def load_evaluators(folder: Path) -> tuple[dict[str, Counts], Owners]:
    """`evaluators.csv` and `evaluator_aliases.csv`: matched by code, then by alias."""
    listed = [(row, row.required("code")) for row in rows(folder / "evaluators.csv", "code", "name")]
    # The office may have registered one under its own code; an alias with the file's code says so.
    registered = dict(
        OrganizationAlias.objects.filter(
            organization__kind=Organization.Kind.EVALUATOR, name__in=[code for _, code in listed]
        ).values_list("name", "organization__code")
    )
    wanted: list[tuple[Row, dict[str, Any]]] = [
        (row, {"code": registered.get(code, code), "name": row.required("name")}) for row, code in listed
    ]
    counts, found = take_organizations(Organization.Kind.EVALUATOR, wanted)
    by_code = {code: found[registered.get(code, code)] for _, code in listed}
    owners = Owners()
    for row, code in listed:
        owners.add(row, row["name"], by_code[code])
    aliases = []
    for row in rows(folder / "evaluator_aliases.csv", "code", "alias", "source", optional=True):
        organization = row.choice("code", by_code)
        owners.add(row, row.required("alias"), organization)
        aliases.append((row, organization, row["alias"], row.required("source")))
    return {"评价组织": counts, "评价组织别名": take_aliases(aliases)}, owners


def load_certificates(folder: Path, owners: Owners) -> dict[str, Counts]:
    """`certificates_batches_1_2.csv` (no levels known) and `certificates_platform.csv` (certificate × level).

    A level is matched by the national platform's id first, so a certificate that the platform renames
    stays the same record. Only levels that a source names are made.
    """
    batches = list(rows(folder / "certificates_batches_1_2.csv", "batch", "owner", "name"))
    platform = list(
        rows(folder / "certificates_platform.csv", "platform_id", "owner", "name", "level", "batch")
    )
    _follow_renames(platform, owners)
    wanted: dict[tuple[int, str], tuple[Row, dict[str, Any]]] = {}
    for row in batches + platform:
        owner = owners.of(row)
        fields = {
            "owner_id": owner.pk,
            "name": row.required("name"),
            "batch": row["batch"],
            "batch_basis": row["batch_basis"] or "证书名单",
            "source": row["source"],
        }
        wanted.setdefault((owner.pk, row["name"]), (row, fields))
    counts, certificates = take(
        Certificate.objects.filter(owner__in=owners.organizations()),
        wanted.values(),
        key=("owner_id", "name"),
    )
    return {"证书": counts, "证书等级": _load_levels(platform, owners, certificates)}


def _follow_renames(platform: list[Row], owners: Owners) -> None:
    """Give a known certificate the name under which the platform now lists its levels."""
    names: dict[int, set[tuple[int, str]]] = defaultdict(set)
    known = {
        level.platform_id: level.certificate
        for level in CertificateLevel.objects.exclude(platform_id="").select_related("certificate")
    }
    for row in platform:
        if certificate := known.get(row.required("platform_id")):
            names[certificate.pk].add((owners.of(row).pk, row["name"]))
            if len(names[certificate.pk]) > 1:
                raise row.fail(f"同一证书“{certificate}”的各等级名称或评价组织不一致")
    for certificate in {certificate.pk: certificate for certificate in known.values()}.values():
        for owner_id, name in names[certificate.pk] - {(certificate.owner_id, certificate.name)}:
            Certificate.objects.filter(pk=certificate.pk).update(owner=owner_id, name=name)


def _load_levels(
    platform: list[Row], owners: Owners, certificates: dict[tuple[Any, ...], Certificate]
) -> Counts:
    ids: dict[str, Row] = {}
    wanted = []
    for row in platform:
        if (other := ids.setdefault(row["platform_id"], row)) and other is not row:
            raise row.fail(f"国家平台编号与第{other.line}行重复")
        fields = {
            "certificate_id": certificates[(owners.of(row).pk, row["name"])].pk,
            "level": row.choice("level", LEVELS),
            "platform_id": row["platform_id"],
            "platform_state_on": row.day("platform_state_on") if row["platform_state_on"] else None,
        }
        wanted.append((row, fields))
    known = CertificateLevel.objects.filter(certificate__in=[c.pk for c in certificates.values()])
    # How a level is examined is set in the portal and stands in no file.
    return take(known, wanted, key=("certificate_id", "level"), beside=("exam_form_set",))[0]


def load_majors(folder: Path) -> dict[str, Counts]:
    """`majors.csv`: majors by version of the ministry's catalogue. Codes are text (may end in K)."""
    counts, _ = take(
        Major.objects.all(),
        [
            (
                row,
                {
                    "code": row.code("code", r"\d{6}[A-Z]*"),
                    "name": row.required("name"),
                    "level": row.required("level"),
                    "category": row["category"],
                    "catalogue": row.required("catalogue"),
                },
            )
            for row in rows(folder / "majors.csv", "code", "name", "level", "category", "catalogue")
        ],
        key=("catalogue", "level", "code"),
    )
    if not counts.created + counts.updated + counts.unchanged + counts.kept:
        raise BadReference("majors.csv：没有数据")
    return {"专业": counts}
