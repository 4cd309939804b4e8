"""How far a site is, what rests on one, and which stand side by side little used (MOE 三(一): 就近参加考核;
沪教委高〔2021〕3号 13: 集约资源、避免重复建设)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt
from typing import Any, NamedTuple

from accounts.models import User
from certificates.models import Certificate
from evaluators import coverage
from evaluators.models import ExamSite, SchoolPlace, SiteCondition, SiteRule
from schools.models import Programme, School

EARTH_KM = 6371.0
SIDE_BY_SIDE_KM = 15
UNKNOWN = "距离不详"
SHARING = "避免重复建设（沪教委高〔2021〕3号 13）"
# Where there are no coordinates, a neighbour's place in the order: as if so many kilometres away.
_AS_IF = {"同县（市、区）": 15.0, "同市": 60.0, UNKNOWN: 10_000.0}


class Spot(NamedTuple):
    """Where something lies; coordinates in degrees, all of it may be unknown."""

    city: str | None
    county: str | None
    latitude: Decimal | None
    longitude: Decimal | None


def spot_of(site: ExamSite) -> Spot:
    return Spot(site.city_id, site.county_id, site.latitude, site.longitude)


def spot_of_school(school: School) -> Spot:
    """As its contact says, else as far as its own newest site tells, else its city; two queries."""
    city = school.organization.city_id
    place = SchoolPlace.objects.filter(pk=school.pk).select_related("county").first()
    if place and (place.county or place.latitude is not None):
        county = place.county
        return Spot(county.city_id if county else city, place.county_id, place.latitude, place.longitude)
    own = ExamSite.objects.filed().filter(school=school).order_by("latitude", "-filed_at").first()
    return spot_of(own) if own else Spot(city, None, None, None)


def kilometres(one: Spot, other: Spot) -> float | None:
    """The great-circle distance, None where coordinates are missing."""
    if one.latitude is None or one.longitude is None or other.latitude is None or other.longitude is None:
        return None
    lat1, lon1, lat2, lon2 = (
        radians(degrees) for degrees in (one.latitude, one.longitude, other.latitude, other.longitude)
    )
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


@dataclass(frozen=True)
class Near:
    """A site as seen from somewhere; `km` None where coordinates are missing."""

    site: ExamSite
    km: float | None
    is_own: bool
    relation: str

    @property
    def words(self) -> str:
        if self.is_own:
            return "本校"
        return f"{self.km:.1f} 公里" if self.km is not None else self.relation

    @property
    def order(self) -> tuple[bool, float, int]:
        return not self.is_own, _AS_IF[self.relation] if self.km is None else self.km, self.site.pk


def near(spot: Spot, site: ExamSite, school_id: int | None = None) -> Near:
    there = spot_of(site)
    relation = UNKNOWN
    if spot.county and spot.county == there.county:
        relation = "同县（市、区）"
    elif spot.city and spot.city == there.city:
        relation = "同市"
    return Near(site, kilometres(spot, there), site.school_id == school_id, relation)


def nearest(spot: Spot, sites: Iterable[ExamSite], school_id: int | None = None) -> Near | None:
    """By kilometres where known; else the same county goes for 15 km, the same city for 60."""
    return min((near(spot, site, school_id) for site in sites), key=lambda n: n.order, default=None)


def _filed() -> Any:
    return ExamSite.objects.filed().select_related("school__organization", "city", "county", "certificate")


class OwnNearest(NamedTuple):
    """`own`: the school's own site or open application."""

    certificate: Certificate
    near: Near | None
    gap_in_city: bool
    own: ExamSite | None
    has_condition: bool


def of_school(school: School, at: dt.datetime) -> list[OwnNearest]:
    """For each certificate that the school runs, the site nearest to it; a fixed number of queries."""
    running = Programme.objects.running_at(at).filter(school=school)
    certificates = Certificate.objects.filter(pk__in=running.values("certificate_level__certificate"))
    certificates = certificates.select_related("owner").order_by("name")
    sites: dict[int, list[ExamSite]] = defaultdict(list)
    for site in _filed().filter(certificate__in=certificates.order_by()):
        sites[site.certificate_id].append(site)
    spot, city = spot_of_school(school), school.organization.city_id
    own = {site.certificate_id: site for site in ExamSite.objects.standing().filter(school=school)}
    published = set(
        SiteCondition.objects.filter(certificate__in=certificates.order_by()).values_list(
            "certificate", flat=True
        )
    )
    return [
        OwnNearest(
            certificate,
            nearest(spot, sites[certificate.pk], school.pk),
            not any(site.city_id == city for site in sites[certificate.pk]),
            own.get(certificate.pk),
            certificate.pk in published,
        )
        for certificate in certificates
    ]


@dataclass
class Loss:
    """What is left of a certificate in a city without one site."""

    site: ExamSite
    others: int
    schools: int
    planned: int
    next: Near | None

    @property
    def falls_to_zero(self) -> bool:
        return self.others == 0


def loss_of(site: ExamSite, at: dt.datetime) -> Loss:
    """If this site went; four queries."""
    scope = coverage.Scope(city=site.city_id, certificate=site.certificate_id)
    cell = coverage.cells(scope, at).get((site.city_id, site.certificate_id), coverage.NOTHING)
    rest = list(_filed().filter(certificate=site.certificate_id).exclude(pk=site.pk))
    here = [other for other in rest if other.city_id == site.city_id]
    return Loss(site, len(here), cell.schools, cell.planned, nearest(spot_of(site), rest))


class Pair(NamedTuple):
    """Two sites of one certificate, near each other and both little used. Ratios: candidates planned in the
    site's city for a place there."""

    one: ExamSite
    other: ExamSite
    distance: Near
    ratios: tuple[float, float]


def side_by_side(sites: Sequence[ExamSite], at: dt.datetime) -> list[Pair]:
    """Among `sites` (filed): pairs in one city or within 15 km, each with fewer planned candidates for a
    place than the province's threshold. The city's candidates are spread over the city's places.

    Three queries.
    """
    threshold = SiteRule.threshold()
    # What a city plans is counted whole, whichever sites the user looks at.
    wanted = {site.certificate_id for site in sites}
    found = coverage.cells(coverage.Scope(), at) if wanted else {}
    ratio = {
        key: cell.planned / cell.places
        for key, cell in found.items()
        if cell.places and key[1] in wanted and cell.planned < threshold * cell.places
    }
    idle: dict[int, list[ExamSite]] = defaultdict(list)
    for site in sites:
        if (site.city_id, site.certificate_id) in ratio:
            idle[site.certificate_id].append(site)
    return [
        Pair(
            one,
            other,
            near(spot_of(one), other),
            (ratio[one.city_id, one.certificate_id], ratio[other.city_id, other.certificate_id]),
        )
        for members in idle.values()
        for index, one in enumerate(members)
        for other in members[index + 1 :]
        if one.city_id == other.city_id or _within(one, other)
    ]


def _within(one: ExamSite, other: ExamSite) -> bool:
    km = kilometres(spot_of(one), spot_of(other))
    return km is not None and km <= SIDE_BY_SIDE_KM


def filed_sites(user: User) -> list[ExamSite]:
    """The filed sites that the user's coverage counts."""
    scope = coverage.scope_of(user)
    return list(
        scope.sites()
        .select_related("school__organization", "city", "county", "certificate")
        .order_by("certificate__name", "city", "pk")
    )
