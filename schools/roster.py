"""What the roster import compares with, writes, and takes back."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Model, ProtectedError, QuerySet

from accounts.models import City, Organization, OrganizationAlias, PilotMembership, User
from accounts.pinyin import initials
from certificates.models import CertificateLevel
from core import clock, crypto, events
from core.imports.services import CannotUndo, blockers
from core.models import Attachment
from core.reference import normalised
from obligations.models import Obligation
from schools import services
from schools.models import AnnualPlan, Programme, School
from schools.services import ORGANIZATION_FIELDS, SchoolFacts

events.register(registration_undone="撤销登记", import_reverted="恢复导入前的内容")

PROVINCE_WORDS = ("省", "省属", "省级", "省直", "省教育厅")
_UNDO_ROW = "schools.roster.undo"


@dataclass
class Draft:
    """A school of the file: what is registered of it, and what the rows so far say (fact: value and row)."""

    code: str
    organization: Organization | None
    school: School | None
    first_row: int
    said: dict[str, tuple[Any, int]] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)

    def has(self, fact: str) -> bool:
        return bool(self.organization if fact in ORGANIZATION_FIELDS else self.school)

    def fact(self, fact: str) -> Any:
        return getattr(self.organization if fact in ORGANIZATION_FIELDS else self.school, fact)


@dataclass
class Known:
    """Everything a row is compared with, fetched by a fixed number of queries."""

    cities: dict[str, City]
    supervisors: dict[str, Organization]
    by_id: dict[int, Organization]
    schools: dict[int, School]
    by_code: dict[str, int]
    by_name: dict[str, int]
    members: set[int]
    # When those left who were in the pilot and are not now.
    left: dict[int, dt.datetime]
    levels: dict[str, dict[int, dict[int, CertificateLevel]]]
    owners: dict[int, set[str]]
    programmes: dict[tuple[int, int], Programme]
    plans: dict[tuple[int, int], int]
    carried_over: dict[tuple[int, int], int]
    noted: set[tuple[Any, ...]] = field(default_factory=set)

    @classmethod
    def load(cls, at: dt.datetime) -> "Known":
        organizations = {o.pk: o for o in Organization.objects.schools().select_related("city", "supervisor")}
        schools = {s.pk: s for s in School.objects.all()}
        for school in schools.values():
            school.organization = organizations[school.pk]
        by_code = {o.code: o.pk for o in organizations.values()}
        by_name: dict[str, int] = {}
        for organization in organizations.values():
            by_name.setdefault(normalised(organization.name), organization.pk)
        for pk, name in OrganizationAlias.objects.filter(organization__kind="school").values_list(
            "organization", "name"
        ):
            by_name.setdefault(normalised(name), pk)
            by_code.setdefault(name, pk)
        levels, owners = _catalogue()
        # Who left while the request, which came in at `at`, waited for the schools' lock has left.
        now = max(at, clock.now())
        members = set(PilotMembership.objects.as_of(now).values_list("organization", flat=True))
        left = PilotMembership.objects.filter(left_at__lte=now).exclude(organization__in=members)
        programmes = Programme.objects.running_at(at).select_related("certificate_level__certificate")
        plans = list(AnnualPlan.objects.values_list("programme", "year", "candidates", "carried_over"))
        return cls(
            cities=_cities(),
            supervisors=_supervisors(),
            by_id=organizations,
            schools=schools,
            by_code=by_code,
            by_name=by_name,
            members=members,
            left={m.organization_id: m.left_at for m in left.order_by("left_at") if m.left_at},
            levels=levels,
            owners=owners,
            programmes={(p.school_id, p.certificate_level_id): p for p in programmes},
            plans={(p, y): n for p, y, n, _ in plans},
            carried_over={(p, y): carried for p, y, _, carried in plans if carried},
        )

    def pair(self, organization: int | None) -> tuple[Organization | None, School | None]:
        return (self.by_id[organization], self.schools.get(organization)) if organization else (None, None)

    def is_alias(self, organization: Organization | None, name: str) -> bool:
        return organization is not None and self.by_name.get(normalised(name)) == organization.pk

    def note_alias(self, draft: Draft, name: str) -> bool:
        """Whether the alias is new for the school, to the database and to this file."""
        key = (draft.code, normalised(name))
        if key in self.noted or self.is_alias(draft.organization, name):
            return False
        self.noted.add(key)
        return True

    def programme(self, draft: Draft, level: CertificateLevel) -> Programme | None:
        return self.programmes.get((draft.school.pk, level.pk)) if draft.school else None

    def note_programme(self, draft: Draft, level: CertificateLevel) -> bool:
        """Whether this is the file's first row that starts the programme."""
        key = (draft.code, level.pk)
        if key in self.noted:
            return False
        self.noted.add(key)
        return True

    def certificate(self, name: str, owner: str | None) -> dict[int, CertificateLevel] | str:
        """The certificate's levels by number, or what is wrong with the name."""
        found = self.levels.get(_certificate_key(name), {})
        if not found:
            return f"证书目录里没有“{name[:40]}”。请从模板“可选值”表中选择，或先请推进办登记该证书。"
        if owner:
            found = {pk: levels for pk, levels in found.items() if normalised(owner) in self.owners[pk]}
            if not found:
                return f"培训评价组织“{owner[:40]}”名下没有这个证书。请核对证书名称与培训评价组织。"
        if len(found) > 1:
            return "有多个培训评价组织的证书同名，请填写培训评价组织。"
        return next(iter(found.values()))


def _certificate_key(name: str) -> str:
    return normalised(name).removesuffix("职业技能等级证书")


def _cities() -> dict[str, City]:
    cities = list(City.objects.all())
    return {normalised(c.name.removesuffix("市")): c for c in cities} | {
        normalised(c.name): c for c in cities
    }


def _supervisors() -> dict[str, Organization]:
    """City bureaux under their city's name too; the province under what schools write for it."""
    found: dict[str, Organization] = {}
    organizations = Organization.objects.authorities().select_related("city")
    for organization in organizations.prefetch_related("aliases").order_by("kind", "code"):
        names = [organization.name, *(alias.name for alias in organization.aliases.all())]
        if organization.kind == Organization.Kind.PROVINCE:
            names += PROVINCE_WORDS
        elif organization.city:
            names += [organization.city.name, organization.city.name.removesuffix("市")]
        for name in names:
            found.setdefault(normalised(name), organization)
    return found


def _catalogue() -> tuple[dict[str, dict[int, dict[int, CertificateLevel]]], dict[int, set[str]]]:
    """(levels by certificate name, certificate and level number; names of each certificate's owner)."""
    aliases: dict[int, set[str]] = {}
    for pk, name in OrganizationAlias.objects.filter(organization__kind="evaluator").values_list(
        "organization", "name"
    ):
        aliases.setdefault(pk, set()).add(normalised(name))
    levels: dict[str, dict[int, dict[int, CertificateLevel]]] = {}
    owners: dict[int, set[str]] = {}
    for level in CertificateLevel.objects.select_related("certificate__owner"):
        certificate = level.certificate
        levels.setdefault(_certificate_key(certificate.name), {}).setdefault(certificate.pk, {})[
            level.level
        ] = level
        owners[certificate.pk] = {normalised(certificate.owner.name)} | aliases.get(
            certificate.owner_id, set()
        )
    return levels, owners


# Writing


def write(rows: list[Any], known: Known, *, by: User, at: dt.datetime) -> dict[str, Any]:
    """The accepted rows, in sets. Returns what `undo` needs."""
    drafts = list({id(row.draft): row.draft for row in rows}.values())
    unregistered = [draft for draft in drafts if draft.school is None]
    made = [draft for draft in unregistered if draft.organization is None]
    joining = [row.draft for row in rows if row.joins and row.draft.school]
    changes = [(draft, _kept(draft)) for draft in drafts if draft.changed]
    facts = [
        SchoolFacts(d.code, {fact: value for fact, (value, _) in d.said.items()}, organization=d.organization)
        for d in unregistered
    ]
    for draft, school in zip(unregistered, services.register_schools(facts=facts, by=by, at=at), strict=True):
        draft.school = school
    services.join_pilot(schools=[draft.school for draft in joining], by=by, at=at)
    services.change_schools(changes=[(d.school, d.changed) for d, _ in changes], by=by, at=at)
    pairs = [(row.draft.school, name) for row in rows for name in row.new_aliases]
    aliases = services.add_aliases(pairs=pairs, by=by, at=at)
    starts = [(row.draft.school, row.certificate_level) for row in rows if row.starts]
    started = services.start_programmes(pairs=starts, by=by, at=at)
    known.programmes |= {(p.school_id, p.certificate_level_id): p for p in started}
    plans = [
        (known.programmes[row.draft.school.pk, row.certificate_level.pk], *row.plan)
        for row in rows
        if row.plan
    ]
    new_plans, changed_plans = services.set_annual_plans(plans=plans, by=by, at=at)
    touched = [draft.school.pk for draft in drafts]
    joined = PilotMembership.objects.filter(organization__in=touched, joined_at=at, left_at=None)
    return {
        "organizations": [draft.school.pk for draft in made],
        "schools": [draft.school.pk for draft in unregistered],
        "memberships": list(joined.values_list("pk", flat=True)),
        "aliases": [alias.pk for alias in aliases],
        "programmes": [programme.pk for programme in started],
        "plans": [[plan.pk, plan.candidates] for plan in new_plans],
        "changed_plans": [[plan.pk, before, plan.candidates] for plan, before in changed_plans],
        "changed_schools": [[draft.school.pk, before] for draft, before in changes],
    }


def _kept(draft: Draft) -> dict[str, list[Any]]:
    return {
        fact: [_pack(fact, draft.fact(fact)), _pack(fact, value)] for fact, value in draft.changed.items()
    }


def _pack(fact: str, value: Any) -> Any:
    """As JSON; the mobile number stays encrypted outside its row too."""
    if fact == "contact_mobile":
        return crypto.encrypt(value, row=_UNDO_ROW) if value else ""
    return value.pk if isinstance(value, Model) else value


def _unpack(fact: str, value: Any) -> Any:
    return crypto.decrypt(value, row=_UNDO_ROW) if fact == "contact_mobile" and value else value


# Taking back


@transaction.atomic
def undo(*, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """All that `write` did, or nothing. Raises CannotUndo."""
    if reasons := [*_used(data), *_restore(data, by, at)]:
        raise CannotUndo(reasons)
    registered = Organization.objects.filter(pk__in=data["organizations"])
    events.record_many(
        events.build("registration_undone", o, by=by, at=at, organization_id=o.supervisor_id)
        for o in registered
    )
    reasons = []
    for rows in (
        AnnualPlan.objects.filter(pk__in=[pk for pk, _ in data["plans"]]),
        Programme.objects.filter(pk__in=data["programmes"]),
        OrganizationAlias.objects.filter(pk__in=data["aliases"]),
        PilotMembership.objects.filter(pk__in=data["memberships"]),
        School.objects.filter(pk__in=data["schools"]),
        registered,
    ):
        reasons += _delete(rows)
    if reasons:
        raise CannotUndo(list(dict.fromkeys(reasons)))


def _delete(rows: QuerySet[Any]) -> list[str]:
    try:
        rows.delete()
    except ProtectedError as error:
        name = rows.model._meta.verbose_name
        return [f"这次导入的{name}已经有了：{'、'.join(blockers(error))}。"]
    return []


def _used(data: dict[str, Any]) -> Iterator[str]:
    """What the database itself would not hold on to."""
    memberships = PilotMembership.objects.filter(pk__in=data["memberships"]).select_related("organization")
    owing = set(
        Obligation.objects.filter(
            organization__memberships__in=data["memberships"],
            opens_at__gte=F("organization__memberships__joined_at"),
        ).values_list("organization", flat=True)
    )
    for membership in memberships:
        if membership.organization_id in owing:
            yield f"{membership.organization}：已经有报送任务。"
        if membership.left_at:
            yield f"{membership.organization}：导入后已退出试点。"
    for organization in Organization.objects.filter(
        pk__in=data["organizations"], suspensions__isnull=False
    ).distinct():
        yield f"{organization}：已列入停报范围。"
    programmes = Programme.objects.filter(pk__in=data["programmes"]).select_related(
        "school__organization", "certificate_level__certificate"
    )
    for programme in programmes.filter(ended_at__isnull=False):
        yield f"{programme.school} {programme}：导入后已结束。"
    # Files are tied to a number alone, which another programme may come to bear.
    with_files = set(
        Attachment.objects.filter(
            target_type=ContentType.objects.get_for_model(Programme),
            target_id__in=[str(pk) for pk in data["programmes"]],
        ).values_list("target_id", flat=True)
    )
    for programme in programmes:
        if programme.courses or str(programme.pk) in with_files:
            yield f"{programme.school} {programme}：导入后学校登记了融入课程或人才培养方案。"
    later = AnnualPlan.objects.filter(programme__in=programmes).exclude(
        pk__in=[pk for pk, _ in data["plans"]]
    )
    for plan in later.select_related(
        "programme__school__organization", "programme__certificate_level__certificate"
    ):
        yield f"{plan.programme.school} {plan}：导入后另设的计划。"
    yield from _plans_changed([(pk, number) for pk, number in data["plans"]])


def _plans_changed(expected: Iterable[tuple[int, int]]) -> Iterator[str]:
    numbers = dict(expected)
    plans = AnnualPlan.objects.filter(pk__in=numbers).select_related(
        "programme__school__organization", "programme__certificate_level__certificate"
    )
    for plan in plans:
        if plan.candidates != numbers[plan.pk]:
            yield f"{plan.programme.school} {plan}：导入后又改过。"


def _restore(data: dict[str, Any], by: User, at: dt.datetime) -> list[str]:
    """Old values back where the import's are still there."""
    reasons = list(_plans_changed([(pk, after) for pk, _, after in data["changed_plans"]]))
    for pk, before, _ in data["changed_plans"]:
        AnnualPlan.objects.filter(pk=pk).update(candidates=before)
    fields = dict(data["changed_schools"])
    written = []
    for school in School.objects.filter(pk__in=fields).select_related(
        "organization__city", "organization__supervisor"
    ):
        draft = Draft(school.organization.code, school.organization, school, 0)
        for fact, (before, after) in fields[school.pk].items():
            now = draft.fact(fact)
            if (now.pk if isinstance(now, Model) else now) != _unpack(fact, after):
                reasons.append(f"{school}：“{services.label(fact)}”导入后又改过。")
                continue
            _put_back(draft, fact, _unpack(fact, before))
        if school.pk not in data["schools"]:
            school.save()
        school.organization.save()
        words = {"恢复": [services.label(fact) for fact in fields[school.pk]]}
        supervisor = school.organization.supervisor_id
        written.append(
            events.build(
                "import_reverted",
                school.organization,
                by=by,
                at=at,
                organization_id=supervisor,
                changes=words,
            )
        )
    events.record_many(written)
    return reasons


def _put_back(draft: Draft, fact: str, value: Any) -> None:
    organization = draft.organization
    if fact == "name" and organization:
        organization.aliases.filter(name=value, source=services.FORMER_NAME).delete()
        organization.pinyin = initials(value)[:80]
    target = organization if fact in ORGANIZATION_FIELDS else draft.school
    setattr(target, f"{fact}_id" if fact in {"city", "supervisor"} else fact, value)
