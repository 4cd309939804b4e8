"""The students whom a revocation concerns, and their way out (SX 三.5 保障学生权益).

Figures are kept above this app: whoever keeps them registers a provider in `AppConfig.ready`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from schools.models import Programme
from supervision.models import Case, WayOut

# (ids of programmes) → {programme id: {Chinese name: number}}
Provider = Callable[[set[int]], dict[int, dict[str, int]]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    _providers.append(provider)


@dataclass
class Line:
    """One running programme with its latest figures and what was written of its students."""

    programme: Programme
    figures: dict[str, int] = field(default_factory=dict)
    way_out: WayOut | None = None


def concerned(case: Case, at: dt.datetime) -> list[Line]:
    """The programmes that run at `at`, in the order of their certificates; three queries."""
    programmes = list(
        Programme.objects.running_at(at)
        .filter(school=case.organization_id)
        .select_related("certificate_level__certificate")
        .order_by("certificate_level__certificate__name", "certificate_level__level")
    )
    figures: dict[int, dict[str, int]] = {p.pk: {} for p in programmes}
    for provider in _providers:
        for pk, numbers in provider(set(figures)).items():
            figures[pk].update(numbers)
    written = {way.programme_id: way for way in case.ways_out.all()}
    return [Line(p, figures[p.pk], written.get(p.pk)) for p in programmes]


def unsettled(case: Case, at: dt.datetime) -> list[Programme]:
    """Running programmes of which no way out is written yet."""
    running = Programme.objects.running_at(at).filter(school=case.organization_id)
    return list(running.exclude(pk__in=case.ways_out.values("programme")))
