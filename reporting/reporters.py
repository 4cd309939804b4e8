"""Who reports what within a user's scope, and the words for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from accounts import in_charge
from accounts.models import Organization, OrganizationQuerySet, Role, User
from obligations.models import PERIODIC, ObligationKind


@dataclass(frozen=True)
class Reporters:
    """Those of one kind of organisation, or of both: `measure` counts them (3 家评价组织)."""

    kinds: frozenset[str]
    noun: str
    in_full: str
    measure: str

    @property
    def has_schools(self) -> bool:
        return Organization.Kind.SCHOOL in self.kinds

    @property
    def are_mixed(self) -> bool:
        return len(self.kinds) > 1


SCHOOLS = Reporters(frozenset({Organization.Kind.SCHOOL}), "院校", "试点院校", "所")
EVALUATORS = Reporters(frozenset({Organization.Kind.EVALUATOR}), "评价组织", "培训评价组织", "家")
BOTH = Reporters(SCHOOLS.kinds | EVALUATORS.kinds, "报送单位", "试点院校和培训评价组织", "个")

OWED_BY = {
    ObligationKind.WEEKLY_REPORT: SCHOOLS,
    ObligationKind.MONTHLY_REPORT: EVALUATORS,
    ObligationKind.HALF_YEAR_SUMMARY: BOTH,
}


# Cities' schools, then the province's own, evaluators last, whatever the database makes of NULL.
BY_AUTHORITY = (F("supervisor__kind").asc(nulls_last=True), "supervisor__code", "code")


def of_kinds(kinds: Iterable[str]) -> Reporters:
    """The words for organisations of those kinds."""
    found = frozenset(kinds)
    return next((each for each in (SCHOOLS, EVALUATORS) if each.kinds == found), BOTH)


def _seen_by(user: User) -> Reporters:
    """A bureau supervises schools only, a coordinator looks after evaluators only."""
    return {Role.CITY_BUREAU: SCHOOLS, Role.COORDINATOR: EVALUATORS}.get(Role(user.role), BOTH)


def kinds_for(user: User) -> list[ObligationKind]:
    """The kinds of report that somebody within the user's scope owes."""
    return [ObligationKind(kind) for kind in PERIODIC if OWED_BY[kind].kinds & _seen_by(user).kinds]


def kind_asked(asked: Mapping[str, Any], user: User) -> ObligationKind:
    """The kind of report that an address names (`kind`); the user's first for none or another one."""
    kinds = kinds_for(user)
    return next((kind for kind in kinds if kind == asked.get("kind")), kinds[0])


def who(user: User, kind: ObligationKind, only: str = "") -> Reporters:
    """Who owes that kind within the user's scope; of both kinds of organisation those named by `only`."""
    kinds = OWED_BY[kind].kinds & _seen_by(user).kinds
    return of_kinds(kinds & {only} or kinds)


def reporters(user: User, kind: ObligationKind, only: str = "") -> OrganizationQuerySet:
    """They themselves; a coordinator's are those in his or her charge."""
    is_coordinator = user.role == Role.COORDINATOR
    scope = in_charge.organizations(user) if is_coordinator else Organization.objects.visible_to(user)
    return scope.filter(kind__in=who(user, kind, only).kinds)
