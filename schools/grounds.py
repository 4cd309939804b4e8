"""What an application item is judged by besides its own words: agreements, files, plans, programmes, the
catalogue of majors. Loaded for many items at once; days are local days, instants are aware."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.contrib.contenttypes.models import ContentType
from django.db.models import Prefetch, Q, prefetch_related_objects

from certificates.models import Major
from core import clock
from core.models import Attachment
from funding.fees import Limit, limits_on
from schools import content as shape
from schools.clauses import HB
from schools.content import Facts
from schools.models import Agreement, AgreementParty, AnnualPlan, ApplicationItem, ItemFile, Programme


@dataclass
class Ground:
    """What is known of an item's surroundings, loaded for many items at once by `grounds`."""

    at: dt.datetime
    agreements: dict[int, Agreement] = field(default_factory=dict)
    with_file: set[int] = field(default_factory=set)
    # Of the very certificate level, last year's plan; None: there was none.
    last_plan: int | None = None
    is_running: bool = False
    # The school has or had a programme of the certificate, at whatever level.
    knows_certificate: bool = False
    majors: dict[str, list[Major]] = field(default_factory=dict)
    # What bounds the fee of an agreement for the level today.
    limit: Limit = field(default_factory=lambda: Limit(None, None))

    @property
    def day(self) -> dt.date:
        return clock.local(self.at).date()

    def agreement_of(self, item: ApplicationItem, facts: Facts) -> Agreement | None:
        """The chosen one; for a renewal, which does not ask, the newest of the school that is in force."""
        if facts.agreement_id is not None:
            return self.agreements.get(facts.agreement_id)
        return next(iter(self.usable(item)), None) if item.is_renewal else None

    def usable(self, item: ApplicationItem) -> list[Agreement]:
        """The school's own for the level that are in force, newest first."""
        return [
            agreement
            for agreement in self.agreements.values()
            if agreement.certificate_level_id == item.certificate_level_id
            and is_confirmed(agreement, item.application.school_id)
            and not out_of_force(agreement, self.day)
        ]

    def major(self, line: shape.MajorLine) -> Major | None:
        """The catalogue's major of this code, and of this name where one was typed."""
        found = self.majors.get(line.code, [])
        return next((major for major in found if line.name in {"", major.name}), None)


def with_ground(items: Iterable[ApplicationItem]) -> None:
    """Load what every item is judged by from its own relations, in a fixed number of queries."""
    kept = ItemFile.objects.filter(removed_at=None).select_related("attachment")
    prefetch_related_objects(
        list(items),
        "certificate_level__certificate__owner",
        "application__round__extensions",
        "application__school__organization",
        "majors",
        Prefetch("files", kept, "kept_files"),
    )


def grounds(items: Sequence[ApplicationItem], facts: Sequence[Facts], at: dt.datetime) -> list[Ground]:
    """The surroundings of each item, in a fixed number of queries for any number of items."""
    with_ground(items)
    schools = {item.application.school_id for item in items}
    levels = {item.certificate_level_id for item in items}
    agreements = _agreements(schools, levels, {fact.agreement_id for fact in facts})
    with_file = _with_file(agreements)
    plans = _plans(schools, levels, {item.application.round.year - 1 for item in items})
    running, known = _programmes(schools, items, at)
    majors = _majors(items, facts)
    pairs = [(item.certificate_level, item.application.school_id) for item in items]
    limits = limits_on(pairs, clock.local(at).date())
    result = []
    for item in items:
        school, level = item.application.school_id, item.certificate_level
        round = item.application.round
        result.append(
            Ground(
                at,
                agreements,
                with_file,
                plans.get((school, level.pk, round.year - 1)),
                (school, level.pk) in running,
                (school, level.certificate_id) in known,
                majors.get(round.catalogue, {}),
                limits[level.pk, school],
            )
        )
    return result


def _agreements(schools: set[int], levels: set[int], chosen: set[int | None]) -> dict[int, Agreement]:
    own = Q(certificate_level__in=levels, parties__school__in=schools)
    rows = Agreement.objects.filter(own | Q(pk__in=chosen - {None})).distinct()
    rows = rows.select_related("evaluator", "certificate_level__certificate")
    parties = AgreementParty.objects.select_related("school__organization")
    return {row.pk: row for row in rows.prefetch_related(Prefetch("parties", parties))}


def _with_file(agreements: Iterable[int]) -> set[int]:
    files = Attachment.objects.filter(
        target_type=ContentType.objects.get_for_model(Agreement), target_id__in=map(str, agreements)
    )
    return {int(pk) for pk in files.values_list("target_id", flat=True)}


def _plans(schools: set[int], levels: set[int], years: set[int]) -> dict[tuple[int, int, int], int]:
    rows = AnnualPlan.objects.filter(
        programme__school__in=schools, programme__certificate_level__in=levels, year__in=years
    ).order_by("programme__started_at")
    columns = ("programme__school", "programme__certificate_level", "year", "candidates")
    return {(school, level, year): people for school, level, year, people in rows.values_list(*columns)}


def _programmes(
    schools: set[int], items: Sequence[ApplicationItem], at: dt.datetime
) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """(school, level) of those running now; (school, certificate) of those that run or ran."""
    certificates = {item.certificate_level.certificate_id for item in items}
    rows = Programme.objects.filter(
        school__in=schools, certificate_level__certificate__in=certificates
    ).select_related("certificate_level")
    running, known = set(), set()
    for row in rows:
        known.add((row.school_id, row.certificate_level.certificate_id))
        if row.started_at <= at and (row.ended_at is None or row.ended_at > at):
            running.add((row.school_id, row.certificate_level_id))
    return running, known


def _majors(items: Sequence[ApplicationItem], facts: Sequence[Facts]) -> dict[str, dict[str, list[Major]]]:
    """By catalogue and code; the empty catalogue is all of them together."""
    codes = {line.code for fact in facts for line in fact.majors}
    found: dict[str, dict[str, list[Major]]] = {}
    for major in Major.objects.filter(code__in=codes):
        for catalogue in (major.catalogue, ""):
            found.setdefault(catalogue, {}).setdefault(major.code, []).append(major)
    return found


def is_confirmed(agreement: Agreement, school_id: int) -> bool:
    return any(p.school_id == school_id and p.confirmed_at for p in agreement.parties.all())


def out_of_force(agreement: Agreement, day: dt.date) -> str:
    """Why the agreement does not hold on the local day; "" when it does (both ends included)."""
    if agreement.ended_on and agreement.ended_on <= day:
        return f"所选协议已于 {agreement.ended_on} 终止（{HB} 三.6）。请选择或登记有效的协议。"
    if agreement.valid_until < day:
        return f"所选协议已于 {agreement.valid_until} 到期（{HB} 三.6）。请续签并登记新的协议。"
    if agreement.signed_on > day:
        return f"所选协议的签署日期是 {agreement.signed_on}，还没有到（{HB} 三.6）。请核对签署日期。"
    return ""
