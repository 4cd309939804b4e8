"""Which schools to propose as monitoring points: spread over cities and kinds, and not those of the last turn."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from certificates.models import Certificate
from core import clock
from schools.models import Programme, School
from supervision.models import MonitoringPoint, MonitoringTurn

# 每个试点证书在10个左右试点院校设立监测点 (MOE 五(三)).
ABOUT = 10
# The province's own: how far from it a turn may be without a remark.
NEAR = 3
CLAUSE = "教职成厅函〔2019〕19号 五(三)"


class Candidate(NamedTuple):
    """A school that runs the certificate now; `kind` as the school is, `code` breaks ties."""

    pk: int
    code: str
    name: str
    city: str
    kind: str
    was_last: bool


def propose(candidates: Iterable[Candidate], number: int = ABOUT) -> list[Candidate]:
    """Up to `number` of them: those not of the last turn first, each from the city and then of the kind that
    has the fewest so far, by code. The same candidates in any order give the same."""
    left = sorted(candidates, key=lambda each: each.code)
    cities: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    chosen: list[Candidate] = []
    while left and len(chosen) < number:
        best = min(left, key=lambda each: (each.was_last, cities[each.city], kinds[each.kind], each.code))
        left.remove(best)
        cities[best.city] += 1
        kinds[best.kind] += 1
        chosen.append(best)
    return chosen


def is_far(chosen: int, running: int) -> bool:
    """Whether `chosen` schools of the `running` ones are far from about ten."""
    return chosen < min(ABOUT - NEAR, running) or chosen > ABOUT + NEAR


def candidates(certificate: Certificate) -> list[Candidate]:
    """The schools with a running programme of the certificate; by city and code."""
    running = Programme.objects.running_at(clock.now()).filter(certificate_level__certificate=certificate)
    schools = School.objects.filter(pk__in=running.order_by().values("school"))
    last = _last_points(certificate)
    rows = schools.select_related("organization__city").order_by("organization__city", "organization__code")
    return [
        Candidate(
            pk=school.pk,
            code=school.organization.code,
            name=school.organization.name,
            city=str(school.organization.city or ""),
            kind=school.get_kind_display(),
            was_last=school.pk in last,
        )
        for school in rows
    ]


def _last_points(certificate: Certificate) -> Collection[int]:
    turn = MonitoringTurn.objects.filter(certificate=certificate).order_by("-starts_on").first()
    return (
        set(MonitoringPoint.objects.filter(turn=turn).values_list("organization", flat=True)) if turn else ()
    )
