"""Registering schools and keeping their facts: in sets, because a roster comes in sets.

What belongs to a school's registration is recorded under its supervising authority: an event keeps its
organisation for ever, and a registration made by mistake must still be possible to take back.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction

from accounts.models import Organization, OrganizationAlias, PilotMembership, User
from accounts.pinyin import initials
from core import clock, events
from core.fields import masked
from schools import permissions
from schools.models import School

# The first two are accounts' own actions, carried out here in sets.
events.register(
    alias_added="登记别名",
    pilot_joined="加入试点",
    school_registered="登记院校",
    school_changed="修改院校",
)

BATCH = 500
ORGANIZATION_FIELDS = ("name", "city", "supervisor")
SCHOOL_FIELDS = ("kind", "is_lead", "address", "contact_name", "contact_mobile", "contact_email")
ALIAS_SOURCE = "院校名册"
FORMER_NAME = "曾用名"


@dataclass
class SchoolFacts:
    """`values` holds ORGANIZATION_FIELDS and SCHOOL_FIELDS that are known; `organization` is set where the
    organisation is registered but has no school's profile yet (a college of the reference data)."""

    code: str
    values: dict[str, Any]
    aliases: list[str] = field(default_factory=list)
    organization: Organization | None = None


def guard(by: User) -> None:
    """Raises PermissionDenied: schools, programmes and plans are the office's to set."""
    if not permissions.may_register_schools(by):
        raise PermissionDenied(
            "试点院校名册由省推进办维护（晋教职成〔2020〕9号 三.1）。发现错误请与推进办联系。"
        )


def lock(schools: Collection[int]) -> None:
    """Who begins, hands in or ends something at one school (their keys): one after the other. Before any row of
    the school's is locked; what refers to the school may be written meanwhile."""
    list(
        Organization.objects.select_for_update(no_key=True)
        .filter(pk__in=schools)
        .order_by("pk")
        .values_list("pk")
    )


@transaction.atomic
def register_schools(*, facts: Sequence[SchoolFacts], by: User, at: dt.datetime) -> list[School]:
    """New schools, in the pilot from `at`: each owes from the next period that opens. In the order of `facts`."""
    guard(by)
    made = [
        Organization(
            kind=Organization.Kind.SCHOOL,
            code=f.code,
            pinyin=initials(f.values["name"])[:80],
            **_of_organization(f),
        )
        for f in facts
        if f.organization is None
    ]
    fresh = iter(Organization.objects.bulk_create(made, batch_size=BATCH))
    organizations = [f.organization or next(fresh) for f in facts]
    schools = [
        School(organization=organization, **{n: f.values[n] for n in SCHOOL_FIELDS if n in f.values})
        for f, organization in zip(facts, organizations, strict=True)
    ]
    School.objects.bulk_create(schools, batch_size=BATCH)
    events.record_many(
        about("school_registered", school, by, at, changes=_shown(f.values))
        for f, school in zip(facts, schools, strict=True)
    )
    members = set(
        PilotMembership.objects.as_of(at)
        .filter(organization__in=[f.organization.pk for f in facts if f.organization])
        .values_list("organization", flat=True)
    )
    join_pilot(schools=[school for school in schools if school.pk not in members], by=by, at=at)
    add_aliases(pairs=[(s, a) for f, s in zip(facts, schools, strict=True) for a in f.aliases], by=by, at=at)
    return schools


def register_school(*, facts: SchoolFacts, by: User, at: dt.datetime) -> School:
    """One school by hand. Raises ValidationError."""
    schools = Organization.objects.schools()
    if schools.filter(code=facts.code).exists():
        raise ValidationError({"code": f"代码 {facts.code} 已登记，请在院校列表中查找。"})
    if schools.filter(name=facts.values["name"]).exists():
        raise ValidationError({"name": "同名院校已登记，请在院校列表中查找；代码有变更的，请修改原记录。"})
    return register_schools(facts=[facts], by=by, at=at)[0]


@transaction.atomic
def join_pilot(*, schools: Iterable[School], by: User, at: dt.datetime) -> list[PilotMembership]:
    """From the instant `at` in the pilot. They must not be in it."""
    guard(by)
    schools = list(schools)
    joined = PilotMembership.objects.bulk_create(
        [PilotMembership(organization_id=school.pk, joined_at=at) for school in schools], batch_size=BATCH
    )
    words = {"加入时间": f"{clock.local(at):%Y-%m-%d %H:%M}"}
    events.record_many(about("pilot_joined", school, by, at, changes=words) for school in schools)
    return joined


@transaction.atomic
def add_aliases(*, pairs: Iterable[tuple[School, str]], by: User, at: dt.datetime) -> list[OrganizationAlias]:
    guard(by)
    pairs = list(pairs)
    made = OrganizationAlias.objects.bulk_create(
        [OrganizationAlias(organization_id=s.pk, name=name, source=ALIAS_SOURCE) for s, name in pairs],
        batch_size=BATCH,
    )
    events.record_many(about("alias_added", s, by, at, changes={"别名": [None, name]}) for s, name in pairs)
    return made


@transaction.atomic
def change_schools(*, changes: Sequence[tuple[School, dict[str, Any]]], by: User, at: dt.datetime) -> None:
    """(school, new values by field); a former name stays as an alias."""
    guard(by)
    former, written = [], []
    for school, values in changes:
        organization = school.organization
        before = {name: _owner(school, name, organization) for name in values}
        if "name" in values:
            former.append((school, organization.name))
            organization.pinyin = initials(values["name"])[:80]
        for name, value in values.items():
            setattr(organization if name in ORGANIZATION_FIELDS else school, name, value)
        shown = {label(name): [word(name, before[name]), word(name, value)] for name, value in values.items()}
        written.append(about("school_changed", school, by, at, changes=shown))
        # One by one: a set's update would not encrypt the mobile number.
        if own := [name for name in values if name in SCHOOL_FIELDS]:
            school.save(update_fields=own)
    moved = [s.organization for s, values in changes if set(values) & set(ORGANIZATION_FIELDS)]
    Organization.objects.bulk_update(moved, [*ORGANIZATION_FIELDS, "pinyin"], batch_size=BATCH)
    OrganizationAlias.objects.bulk_create(
        [OrganizationAlias(organization_id=s.pk, name=name, source=FORMER_NAME) for s, name in former],
        ignore_conflicts=True,
        batch_size=BATCH,
    )
    events.record_many(written)


def _of_organization(facts: SchoolFacts) -> dict[str, Any]:
    return {name: facts.values[name] for name in ORGANIZATION_FIELDS if name in facts.values}


def about(action: str, school: School, by: User, at: dt.datetime, **kwargs: Any) -> Any:
    """An unsaved event about the school, kept under its supervising authority."""
    organization = school.organization
    return events.build(
        action,
        organization,
        by=by,
        at=at,
        organization_id=organization.supervisor_id,
        target_label=organization.name,
        **kwargs,
    )


def _owner(school: School, name: str, organization: Organization) -> Any:
    return getattr(organization if name in ORGANIZATION_FIELDS else school, name)


def _shown(values: dict[str, Any]) -> dict[str, Any]:
    return {
        label(name): word(name, value) for name, value in values.items() if value not in (None, "", False)
    }


def label(name: str) -> str:
    """The Chinese name of a fact."""
    model: type[models.Model] = Organization if name in ORGANIZATION_FIELDS else School
    return str(getattr(model._meta.get_field(name), "verbose_name", name))


def word(name: str, value: Any) -> Any:
    """How a fact stands in the record: never the mobile number itself."""
    if name == "contact_mobile":
        return masked(value or "")
    if name == "kind":
        return School.Kind(value).label if value else ""
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value) if value else ""
