"""Application rounds: opening one, changing it, extending its steps (HB 四, SX 三.1).

Instants are aware. Closings are half-open, so midnight is told as 24:00 of the day before.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import clock, events
from core.models import Notice
from core.notices import Message, tell
from core.templatetags.portal import closing, when
from obligations.closing import people_of
from obligations.models import Obligation, ObligationKind
from obligations.previews import dry_run
from schools.models import (
    Application,
    ApplicationItem,
    ApplicationRound,
    Closings,
    RoundExtension,
    RoundRoute,
    School,
)
from schools.models.rounds import AUTHORITIES
from schools.permissions import may_keep_rounds
from schools.services import duties
from schools.services.publications import WAITING

events.register(round_opened="发布申报批次", round_changed="修改申报批次", round_extended="延长申报时限")

TEXTS = ("document", "note")
INSTANTS = ("opens_at", "school_closes_at", "city_closes_at", "province_closes_at")
STEPS = ("school_closes_at", "city_closes_at", "province_closes_at")
FIELDS = (
    "year",
    "number",
    *TEXTS,
    *INSTANTS,
    "catalogue",
    "kinds",
    "minimum_candidates",
    "allows_carry_over",
    "closed_batches",
)
ROUND_CLAUSE = "晋教职成〔2020〕9号 三.1：院校申报、市教育行政部门初审，省教育厅确定试点院校和试点证书"

# (kind of school, kind of authority) → whether the city reviews first.
Routes = dict[tuple[str, str], bool]
CELLS = [(str(kind), str(authority)) for kind in School.Kind for authority, _ in AUTHORITIES]
_SECONDARY_OF_A_CITY = (School.Kind.SECONDARY_VOCATIONAL, Organization.Kind.CITY)
PRESETS: dict[str, tuple[str, str, Routes]] = {
    "hubei": (
        "湖北口径",
        "市属中职学校经市级初审，其余直接报省（鄂教职成办函〔2021〕7号 四.2）",
        {cell: cell == _SECONDARY_OF_A_CITY for cell in CELLS},
    ),
    "shanxi": (
        "山西口径",
        "各类院校都经所在市教育局初审（晋教职成〔2020〕9号 三.1）；所在市没有教育局的省属院校直接报省",
        dict.fromkeys(CELLS, True),
    ),
}


def _guard(by: User) -> None:
    if not may_keep_rounds(by):
        raise PermissionDenied(f"申报批次由省推进办发布、修改和延期（{ROUND_CLAUSE}）。")


def without_bureau(kinds: Collection[str], routes: Routes) -> QuerySet[School]:
    """Whom `ApplicationRound.reviewer_of` sends straight to the province though the routes say through a city:
    the province's schools with no bureau at their place, or no place."""
    through = [kind for kind in kinds if routes.get((kind, Organization.Kind.PROVINCE.value))]
    bureau = Organization.objects.filter(
        kind=Organization.Kind.CITY,
        city=OuterRef("organization__city"),
        is_demonstration=OuterRef("organization__is_demonstration"),
    )
    schools = School.objects.eligible(through).filter(
        ~Exists(bureau), organization__supervisor__kind=Organization.Kind.PROVINCE
    )
    return schools.select_related("organization").order_by("organization__code")


def routes_of(round: ApplicationRound) -> Routes:
    return {(route.kind, route.authority): route.through_city for route in round.routes.all()}


@transaction.atomic
def open_round(*, fields: dict[str, Any], routes: Routes, by: User, at: dt.datetime) -> ApplicationRound:
    """A new round, announced to the schools that may apply and to their reviewers. `fields` by FIELDS,
    `routes` for every cell of CELLS. Raises ValidationError, PermissionDenied."""
    _guard(by)
    round = ApplicationRound(**fields, created_by=by, created_at=at)
    _check(round)
    _check_future(round, STEPS, at)
    _save_new(round)
    RoundRoute.objects.bulk_create(
        [RoundRoute(round=round, kind=k, authority=a, through_city=routes[k, a]) for k, a in CELLS]
    )
    events.record("round_opened", round, by=by, at=at, changes={n: _word(round, n) for n in _filled(round)})
    _announce(round, "opened", f"{round}已发布", at=at)
    return round


def _save_new(round: ApplicationRound) -> None:
    """Raises ValidationError also where another officer opened the same batch a moment ago."""
    try:
        with transaction.atomic():
            round.save()
    except IntegrityError as error:
        text = f"{round}刚刚已由他人发布，请刷新后查看；确需另发一批的，请改批次号。"
        raise ValidationError({"number": text}) from error


@transaction.atomic
def change_round(
    *, round: ApplicationRound, fields: dict[str, Any], routes: Routes, by: User, at: dt.datetime
) -> ApplicationRound:
    """Correct a round; once a school has handed in, only its texts. Raises ValidationError."""
    _guard(by)
    round = ApplicationRound.objects.select_for_update().get(pk=round.pk)
    before = {name: _word(round, name) for name in FIELDS}
    changed = [name for name in FIELDS if name in fields and fields[name] != getattr(round, name)]
    rerouted = routes != routes_of(round)
    if (rerouted or set(changed) - set(TEXTS)) and round.applications.submitted().exists():
        raise ValidationError(
            "已有院校按现在的安排提交申报，只能修改通知文号和申报说明。需要延长时间的，请用“延期”。"
        )
    if not changed and not rerouted:
        return round
    for name in changed:
        setattr(round, name, fields[name])
    _check(round)
    _check_future(round, set(changed) & set(STEPS), at)
    round.save()
    for cell in CELLS if rerouted else []:
        round.routes.update_or_create(
            kind=cell[0], authority=cell[1], defaults={"through_city": routes[cell]}
        )
    changes: dict[str, Any] = {name: [before[name], _word(round, name)] for name in changed}
    if rerouted:
        changes["初审路径"] = "已调整"
    events.record("round_changed", round, by=by, at=at, changes=changes)
    if set(changed) & set(STEPS):
        duties.moved(round, None, at=at)
    _announce(round, f"changed:{at:%Y%m%d%H%M%S}", f"{round}的安排已修改", at=at)
    return round


def standing_closings(round: ApplicationRound, organization: Organization | None) -> Closings:
    """As they stand with all extensions: for a school, or (None) for all that have none of their own."""
    if organization:
        return round.closings_of(organization.pk)
    return round.extended([e for e in round.extensions.all() if e.organization_id is None])


def is_straight(round: ApplicationRound, organization: Organization | None) -> bool:
    """Whether it is one school that applies to the province with no first review: no city step is its own."""
    if organization is None or not School.objects.filter(pk=organization.pk).exists():
        return False
    return not _reviewer_ids(round, organization)


def settled(round: ApplicationRound, organization: Organization | None, closings: Closings) -> Closings:
    """`closings` as they are kept: the city's, which is nothing to a school that goes straight to the
    province, then stands or follows the school's."""
    if not is_straight(round, organization):
        return closings
    return closings._replace(city=max(standing_closings(round, organization).city, closings.school))


@transaction.atomic
def extend(
    *,
    round: ApplicationRound,
    organization: Organization | None,
    closings: Closings,
    reason: str,
    by: User,
    at: dt.datetime,
) -> RoundExtension:
    """Later closings for one school, or (None) for all, `settled`. Raises ValidationError, PermissionDenied."""
    _guard(by)
    round = ApplicationRound.objects.select_for_update().get(pk=round.pk)
    before, closings = standing_closings(round, organization), settled(round, organization, closings)
    extension = RoundExtension(
        round=round,
        organization=organization,
        **dict(zip(STEPS, closings, strict=True)),
        reason=reason.strip(),
        created_by=by,
        created_at=at,
    )
    _check_extension(extension, before, at)
    extension.full_clean()
    extension.save()
    events.record(
        "round_extended",
        round,
        by=by,
        at=at,
        organization_id=organization.pk if organization else None,
        changes={
            "范围": str(organization or "全部院校"),
            **{
                _label(name): [clock.local(old).isoformat(), clock.local(new).isoformat()]
                for name, old, new in zip(STEPS, before, closings, strict=True)
                if old != new
            },
        },
        reason=extension.reason,
    )
    duties.moved(round, organization.pk if organization else None, at=at)
    _tell_of_extension(extension, before, at=at)
    return extension


class ExtensionEffect(NamedTuple):
    """How many people are told, and how many schools owe an application again that had lapsed."""

    told: int
    again: int


def extension_effect(**extension: Any) -> ExtensionEffect:
    """What `extend` would do, by doing it and taking it back; arguments as for `extend`."""
    key = f"round-{extension['round'].pk}"
    lapsed = Obligation.objects.filter(kind=ObligationKind.APPLICATION, key=key, exempt_reason=duties.LAPSED)
    with dry_run():
        before = lapsed.count()
        made = extend(**extension)
        told = Notice.objects.filter(key=f"round:{made.round_id}:extension:{made.pk}").count()
        return ExtensionEffect(told, before - lapsed.count())


def _check_extension(extension: RoundExtension, before: Closings, at: dt.datetime) -> None:
    if _is_over(extension.round, at):
        raise ValidationError(
            "本批次的结果已经公布，没有等待审定、公布的项目，不能再延期；学校可在下一批次申报。"
        )
    if not extension.reason:
        raise ValidationError({"reason": "请写明延期的理由，学校和审核部门都会看到。"})
    organization = extension.organization
    eligible = School.objects.eligible(extension.round.kinds)
    if organization and not eligible.filter(pk=organization.pk).exists():
        raise ValidationError({"organization": f"{organization}不在本批次可申报的院校之列，无需延期。"})
    errors = {}
    for name, old, new in zip(STEPS, before, extension.closings, strict=True):
        if new < old:
            errors[name] = f"延期只能往后：{_label(name)}现在是{closing(old)}，不能提前到{closing(new)}。"
        elif old < new <= at:
            errors[name] = f"{closing(new)}已经过去，请填以后的时间。"
    if errors:
        raise ValidationError(errors)
    if before == extension.closings:
        raise ValidationError("三个截止时间都没有变，请至少延后一个。")
    steps = steps_of(extension.round, organization)
    _check_order({name: getattr(extension, name) for name in steps})


def _is_over(round: ApplicationRound, at: dt.datetime) -> bool:
    """Results are out, and nothing is left for a later batch: neither undecided nor approved and unpublished."""
    if not (published := round.announced_items):
        return False
    items = ApplicationItem.objects.filter(application__round=round)
    left = {*_keys(items.filter(state__in=WAITING)), *_keys(items.in_force_at(at))}
    return published >= left


def _keys(items: QuerySet[ApplicationItem]) -> QuerySet[ApplicationItem, int]:
    return items.order_by().values_list("pk", flat=True)


def steps_of(round: ApplicationRound, organization: Organization | None) -> tuple[str, ...]:
    """The steps that an extension is told of."""
    if is_straight(round, organization):
        return tuple(name for name in STEPS if name != "city_closes_at")
    return STEPS


def _check(round: ApplicationRound) -> None:
    if not round.kinds:
        raise ValidationError({"kinds": "请至少选一类可以申报的院校。"})
    _check_order({name: getattr(round, name) for name in INSTANTS})
    round.full_clean()


def _check_future(round: ApplicationRound, steps: Iterable[str], at: dt.datetime) -> None:
    """A closing that is set lies ahead."""
    past = [name for name in STEPS if name in steps and getattr(round, name) <= at]
    if past:
        raise ValidationError(
            {name: f"{_label(name)}时间已经过去，无法办理，请改为以后的时间。" for name in past}
        )


def _check_order(instants: dict[str, dt.datetime]) -> None:
    """Each step closes no earlier than the one before; the school's after the opening."""
    names = list(instants)
    for earlier, later in pairwise(names):
        is_opening = earlier == "opens_at"
        if instants[later] < instants[earlier] or (is_opening and instants[later] == instants[earlier]):
            shown = when(instants[earlier]) if is_opening else closing(instants[earlier])
            raise ValidationError(
                {
                    later: f"{_label(later)}（{closing(instants[later])}）不能早于{_label(earlier)}（{shown}）。"
                    "时间顺序应为：开始、院校填报、市级初审、省级审核。"
                }
            )


# --- who is told


def _schools(round: ApplicationRound) -> set[int]:
    return set(School.objects.eligible(round.kinds).values_list("pk", flat=True))


def _reviewers(round: ApplicationRound) -> set[int]:
    """The bureaux that review first in this round; three queries."""
    through = [cell for cell, is_through in routes_of(round).items() if is_through and cell[0] in round.kinds]
    kinds_of_cities = [kind for kind, authority in through if authority == Organization.Kind.CITY]
    kinds_of_province = [kind for kind, authority in through if authority == Organization.Kind.PROVINCE]
    bureaux = Organization.objects.filter(kind=Organization.Kind.CITY)
    own = bureaux.filter(supervised__school__kind__in=kinds_of_cities)
    places = School.objects.filter(
        kind__in=kinds_of_province, organization__supervisor__kind=Organization.Kind.PROVINCE
    ).values("organization__city")
    return {*own.values_list("pk", flat=True), *bureaux.filter(city__in=places).values_list("pk", flat=True)}


def _announce(round: ApplicationRound, step: str, happened: str, *, at: dt.datetime) -> None:
    closings = standing_closings(round, None)
    opens = f"{happened}，自{when(round.opens_at)}起填报"
    _tell(
        round,
        step,
        {
            Role.SCHOOL_CONTACT: (
                _schools(round),
                f"{opens}，{closing(closings.school)}截止。不申报的无需办理。",
            ),
            Role.CITY_BUREAU: (_reviewers(round), f"{opens}；市级初审{closing(closings.city)}截止。"),
        },
        at=at,
    )


def _tell_of_extension(extension: RoundExtension, before: Closings, *, at: dt.datetime) -> None:
    round, organization = extension.round, extension.organization
    steps = steps_of(round, organization)
    moved = "，".join(
        f"{_label(name)}延至{closing(new)}"
        for name, old, new in zip(STEPS, before, extension.closings, strict=True)
        if old != new and name in steps
    )
    text = f"{round}{f'为{organization}' if organization else ''}延期：{moved}。理由：{extension.reason}"
    schools = {organization.pk} if organization else _schools(round)
    reviewers = _reviewer_ids(round, organization) if organization else _reviewers(round)
    told = {Role.SCHOOL_CONTACT: (schools, text), Role.CITY_BUREAU: (reviewers, text)}
    _tell(round, f"extension:{extension.pk}", told, at=at)


def _reviewer_ids(round: ApplicationRound, organization: Organization) -> set[int]:
    """None or one. Fixed at submission; before that, by the routes."""
    application = Application.objects.submitted().filter(round=round, school=organization.pk).first()
    if application:
        return {application.reviewer_id} if application.reviewer_id else set()
    schools = School.objects.select_related("organization__supervisor")
    reviewer = round.reviewer_of(schools.get(pk=organization.pk))
    return {reviewer.pk} if reviewer else set()


def _tell(
    round: ApplicationRound, step: str, told: Mapping[Role, tuple[set[Any], str]], *, at: dt.datetime
) -> None:
    link = reverse("rounds:detail", args=[round.pk])
    messages = []
    for role, (organizations, text) in told.items():
        people = people_of(organizations, role)
        messages += [
            Message(user, f"round:{round.pk}:{step}", text, link)
            for pk in organizations
            for user in people[pk]
        ]
    tell(messages, at=at)


# --- in words


def _label(name: str) -> str:
    return str(getattr(ApplicationRound, name).field.verbose_name)


def _filled(round: ApplicationRound) -> list[str]:
    return [name for name in FIELDS if getattr(round, name) not in (None, "", [])]


def _word(round: ApplicationRound, name: str) -> Any:
    value = getattr(round, name)
    if name == "kinds":
        return "、".join(str(School.Kind(kind).label) for kind in value)
    if isinstance(value, dt.datetime):
        return clock.local(value).isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    return "、".join(value) if isinstance(value, list) else value
