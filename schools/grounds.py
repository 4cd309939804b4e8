"""What an application item is judged by besides its own words: agreements, files, plans, programmes, the
catalogue of majors. Loaded for many items at once; days are local days, instants are aware."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db.models import (
    CharField,
    Exists,
    FilteredRelation,
    OuterRef,
    Prefetch,
    Q,
    prefetch_related_objects,
)
from django.db.models.functions import Cast

from accounts.models import PilotMembership
from certificates.models import Major
from core import clock
from core.models import Attachment, Event
from core.templatetags.portal import full_day
from funding.fees import Limit, limits_on
from schools import content as shape
from schools.clauses import HB
from schools.content import Facts
from schools.models import (
    Agreement,
    AgreementParty,
    ApplicationItem,
    ApplicationVersion,
    Closings,
    ItemFile,
    Programme,
)

# In these states the school fills an item in.
WITH_THE_SCHOOL = frozenset({ApplicationItem.State.DRAFT, ApplicationItem.State.RETURNED})


class Plan(NamedTuple):
    """Heads planned for a year, and those of them carried over."""

    candidates: int
    carried_over: int


@dataclass
class Ground:
    """What is known of an item's surroundings, loaded for many items at once by `grounds`."""

    at: dt.datetime
    agreements: dict[int, Agreement] = field(default_factory=dict)
    # Of the very certificate level, last year's plan; None: there was none.
    last_plan: int | None = None
    # What is planned for the round's own year already: an approval would put the item's number in its place.
    this_plan: Plan | None = None
    is_running: bool = False
    # The school has or had a programme of the certificate, at whatever level.
    knows_certificate: bool = False
    majors: dict[str, list[Major]] = field(default_factory=dict)
    # When the school left the pilot, if it did after it had begun the application and is out of it still.
    left_at: dt.datetime | None = None
    # The school's item for the same level and year that another round has not decided yet.
    elsewhere: ApplicationItem | None = None
    # What bounds the fee of an agreement for the level today.
    limit: Limit = field(default_factory=lambda: Limit(None, None))
    # Of a returned item, the version that it was last handed in with.
    returned_version: ApplicationVersion | None = None

    @property
    def day(self) -> dt.date:
        return clock.local(self.at).date()

    def agreement_of(self, item: ApplicationItem, facts: Facts) -> Agreement | None:
        """The chosen one, None where the school is no party to it. Where none is chosen: the school's only one in
        force, while it fills the item in; for a renewal, which does not ask, the newest."""
        if facts.agreement_id is not None:
            chosen = self.agreements.get(facts.agreement_id)
            return chosen if chosen and is_party(chosen, item.application.school_id) else None
        usable = self.usable(item)
        is_only = len(usable) == 1 and item.state in WITH_THE_SCHOOL
        return usable[0] if usable and (is_only or item.is_renewal) else None

    def usable(self, item: ApplicationItem) -> list[Agreement]:
        """The school's own for the level that are in force, newest first."""
        return [
            agreement
            for agreement in self.agreements.values()
            if agreement.certificate_level_id == item.certificate_level_id
            and is_joined(agreement, item.application.school_id, self.day)
            and not out_of_force(agreement, self.day)
        ]

    def major(self, line: shape.MajorLine) -> Major | None:
        """The catalogue's major of this code, and of this name where one was typed."""
        found = self.majors.get(line.code, [])
        return next((major for major in found if line.name in {"", major.name}), None)

    def named(self, line: shape.MajorLine) -> shape.MajorLine:
        """The line with the catalogue's name where none was typed."""
        major = self.major(line)
        return line._replace(name=line.name or (major.name if major else ""))


def with_ground(items: Iterable[ApplicationItem], *, drafts: bool = True) -> None:
    """Load what every item is judged by from its own relations, in a fixed number of queries.

    `drafts` False: its files as they were handed in.
    """
    files = ItemFile.objects.kept() if drafts else ItemFile.objects.handed_in()
    kept = files.select_related("attachment")
    prefetch_related_objects(
        list(items),
        "certificate_level__certificate__owner",
        "application__round__extensions",
        "application__school__organization",
        "majors",
        Prefetch("files", kept, "kept_files"),
    )


def grounds(
    items: Sequence[ApplicationItem], facts: Sequence[Facts], at: dt.datetime, *, drafts: bool = True
) -> list[Ground]:
    """The surroundings of each item, in a fixed number of queries for any number of items."""
    with_ground(items, drafts=drafts)
    schools = {item.application.school_id for item in items}
    levels = {item.certificate_level_id for item in items}
    agreements = _agreements(schools, levels, {fact.agreement_id for fact in facts})
    run = _programmes(schools, items, at)
    left = _left(schools, at)
    undecided = _undecided(schools, items, at)
    returned = _returned_versions(items)
    majors = _majors(facts)
    pairs = [(item.certificate_level, item.application.school_id) for item in items]
    limits = limits_on(pairs, clock.local(at).date())
    result = []
    for item in items:
        school, level, round = item.application.school_id, item.certificate_level, item.application.round
        left_at = left.get(school)
        last_plan = run.plans.get((school, level.pk, round.year - 1))
        result.append(
            Ground(
                at,
                agreements,
                last_plan and last_plan.candidates,
                run.plans.get((school, level.pk, round.year)),
                (school, level.pk) in run.running,
                (school, level.certificate_id) in run.known,
                majors.get(round.catalogue, {}),
                left_at if left_at and left_at > item.application.started_at else None,
                next((other for other in undecided if _is_the_same(other, item)), None),
                limits[level.pk, school],
                returned.get(item.pk),
            )
        )
    return result


def _agreements(schools: set[int], levels: set[int], chosen: set[int | None]) -> dict[int, Agreement]:
    """With `has_file`: whether the signed text was uploaded."""
    own = Q(certificate_level__in=levels, parties__school__in=schools)
    files = Attachment.objects.filter(
        target_type=ContentType.objects.get_for_model(Agreement),
        target_id=Cast(OuterRef("pk"), CharField()),
    )
    rows = (
        Agreement.objects.filter(own | Q(pk__in=chosen - {None})).distinct().annotate(has_file=Exists(files))
    )
    rows = rows.select_related("evaluator", "certificate_level__certificate")
    parties = AgreementParty.objects.select_related("school__organization")
    return {row.pk: row for row in rows.prefetch_related(Prefetch("parties", parties))}


@dataclass
class _Run:
    """What is known of schools' programmes: (school, level, year) → plan of that year; (school, level)
    running now; (school, certificate) run now or once."""

    plans: dict[tuple[int, int, int], Plan]
    running: set[tuple[int, int]]
    known: set[tuple[int, int]]


def _programmes(schools: set[int], items: Sequence[ApplicationItem], at: dt.datetime) -> _Run:
    years = {
        year for item in items for year in (item.application.round.year - 1, item.application.round.year)
    }
    rows = Programme.objects.filter(
        school__in=schools,
        certificate_level__certificate__in={item.certificate_level.certificate_id for item in items},
    )
    own_plans = FilteredRelation("plans", condition=Q(plans__year__in=years))
    columns = (
        "school",
        "certificate_level",
        "certificate_level__certificate",
        "started_at",
        "ended_at",
        "own__year",
        "own__candidates",
        "own__carried_over",
    )
    run = _Run({}, set(), set())
    found = rows.annotate(own=own_plans).order_by("started_at").values_list(*columns)
    for school, level, certificate, started_at, ended_at, year, *heads in found:
        run.known.add((school, certificate))
        if started_at <= at and (ended_at is None or ended_at > at):
            run.running.add((school, level))
        if year is not None:
            run.plans[school, level, year] = Plan(*heads)
    return run


def _left(schools: set[int], at: dt.datetime) -> dict[int, dt.datetime]:
    """Of the schools that are out of the pilot, when each left. Where an approval was taken back the school
    only ceased to have joined: the same application may be approved again."""
    # What ended while the request, which came in at `at`, waited for the school's lock counts as well.
    at = max(at, clock.now())
    taken_back = Event.objects.filter(
        action="item_reconsider", organization=OuterRef("organization"), at=OuterRef("left_at")
    )
    member = PilotMembership.objects.as_of(at).filter(organization=OuterRef("organization"))
    rows = PilotMembership.objects.filter(~Exists(member), ~Exists(taken_back), organization__in=schools)
    rows = rows.filter(left_at__lte=at).order_by("left_at")
    return {school: left for school, left in rows.values_list("organization", "left_at") if left}


def _undecided(schools: set[int], items: Sequence[ApplicationItem], at: dt.datetime) -> list[ApplicationItem]:
    """Of the levels that the schools have yet to hand in, what may still be decided or withdrawn."""
    levels = {item.certificate_level_id for item in items if item.state in WITH_THE_SCHOOL}
    rows = ApplicationItem.objects.undecided().filter(
        application__school__in=schools, certificate_level__in=levels
    )
    rows = rows.select_related("application__round").prefetch_related("application__round__extensions")
    return [row for row in rows.order_by("pk") if at < _closings(row).province]


def _returned_versions(items: Sequence[ApplicationItem]) -> dict[int, ApplicationVersion]:
    """By returned item; one query, or none."""
    returned = [item for item in items if item.state == ApplicationItem.State.RETURNED]
    if not returned:
        return {}
    versions: dict[int, list[ApplicationVersion]] = {item.application_id: [] for item in returned}
    for version in ApplicationVersion.objects.filter(application__in=versions):
        versions[version.application_id].append(version)
    newest = {
        item.pk: shape.versions_with(item.certificate_level_id, versions[item.application_id])[:1]
        for item in returned
    }
    return {pk: found[0] for pk, found in newest.items() if found}


def _closings(item: ApplicationItem) -> Closings:
    return item.application.round.closings_of(item.application.school_id)


def _is_the_same(other: ApplicationItem, item: ApplicationItem) -> bool:
    """Whether `other` asks for the same plan in another round: a later year needs a plan of its own."""
    ours, theirs = item.application, other.application
    return (
        item.state in WITH_THE_SCHOOL
        and item.certificate_level_id == other.certificate_level_id
        and (ours.school_id, ours.round.year) == (theirs.school_id, theirs.round.year)
        and ours.round_id != theirs.round_id
    )


def _majors(facts: Sequence[Facts]) -> dict[str, dict[str, list[Major]]]:
    """By catalogue and code; the empty catalogue is all of them together."""
    codes = {line.code for fact in facts for line in fact.majors}
    found: dict[str, dict[str, list[Major]]] = {}
    for major in Major.objects.filter(code__in=codes):
        for catalogue in (major.catalogue, ""):
            found.setdefault(catalogue, {}).setdefault(major.code, []).append(major)
    return found


def is_party(agreement: Agreement, school_id: int) -> bool:
    """Whether the school is named in it, whatever it has answered."""
    return any(party.school_id == school_id for party in agreement.parties.all())


def is_joined(agreement: Agreement, school_id: int, day: dt.date) -> bool:
    return any(p.school_id == school_id and p.is_joined(day) for p in agreement.parties.all())


def out_of_force(agreement: Agreement, day: dt.date) -> str:
    """Why the agreement does not hold on the local day; "" when it does (both ends included)."""
    if agreement.ended_on and agreement.ended_on <= day:
        return f"所选协议已于{full_day(agreement.ended_on)}终止（{HB} 三.6）。请选择或登记有效的协议。"
    if agreement.valid_until < day:
        return f"所选协议已于{full_day(agreement.valid_until)}到期（{HB} 三.6）。请续签并登记新的协议。"
    if agreement.signed_on > day:
        return f"所选协议的签署日期是{full_day(agreement.signed_on)}，还没有到（{HB} 三.6）。请核对签署日期。"
    return ""
