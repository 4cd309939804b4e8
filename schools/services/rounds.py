"""Application rounds: opening one and changing it (HB 四, SX 三.1).

Instants are aware. Closings are half-open, so midnight is told as 24:00 of the day before.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import clock, events
from core.notices import Message, tell
from core.templatetags.portal import closing, when
from obligations.closing import people_of
from schools.models import (
    ApplicationRound,
    Closings,
    RoundRoute,
    School,
)
from schools.models.rounds import AUTHORITIES
from schools.permissions import may_keep_rounds
from schools.services import duties

events.register(round_opened="发布申报批次", round_changed="修改申报批次")

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


def guard(by: User) -> None:
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
    guard(by)
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
    guard(by)
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


def _check(round: ApplicationRound) -> None:
    if not round.kinds:
        raise ValidationError({"kinds": "请至少选一类可以申报的院校。"})
    check_order({name: getattr(round, name) for name in INSTANTS})
    round.full_clean()


def _check_future(round: ApplicationRound, steps: Iterable[str], at: dt.datetime) -> None:
    """A closing that is set lies ahead."""
    past = [name for name in STEPS if name in steps and getattr(round, name) <= at]
    if past:
        raise ValidationError(
            {name: f"{label(name)}时间已经过去，无法办理，请改为以后的时间。" for name in past}
        )


def check_order(instants: dict[str, dt.datetime]) -> None:
    """Each step closes no earlier than the one before; the school's after the opening."""
    names = list(instants)
    for earlier, later in pairwise(names):
        is_opening = earlier == "opens_at"
        if instants[later] < instants[earlier] or (is_opening and instants[later] == instants[earlier]):
            shown = when(instants[earlier]) if is_opening else closing(instants[earlier])
            raise ValidationError(
                {
                    later: f"{label(later)}（{closing(instants[later])}）不能早于{label(earlier)}（{shown}）。"
                    "时间顺序应为：开始、院校填报、市级初审、省级审核。"
                }
            )


# --- who is told


def schools(round: ApplicationRound) -> set[int]:
    return set(School.objects.eligible(round.kinds).values_list("pk", flat=True))


def reviewers(round: ApplicationRound) -> set[int]:
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
    tell_people(
        round,
        step,
        {
            Role.SCHOOL_CONTACT: (
                schools(round),
                f"{opens}，{closing(closings.school)}截止。不申报的无需办理。",
            ),
            Role.CITY_BUREAU: (reviewers(round), f"{opens}；市级初审{closing(closings.city)}截止。"),
        },
        at=at,
    )


def tell_people(
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


def label(name: str) -> str:
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
