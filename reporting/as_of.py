"""A school's record as it stood at any instant, replayed from what is stored and what is on the timeline.

Nothing is kept for it: versions by when they were received, lists of the national platform by when they
were imported and undone, closings by `closes_at`, excuses, suspensions, releases and moved deadlines by
their own instants. At the present instant the replay gives what the rows say; `closes_at` counts as the
instant of closing although the clock's job comes a little later.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from accounts.models import Organization
from core.models import Event
from obligations import platform, services
from obligations.models import Dispute, Obligation, Outcome, Period, PlatformFiling, Suspension
from obligations.rates import Rate
from reporting.models import ReportVersion
from supervision.models import Case, CaseEvidence


class Move(NamedTuple):
    """A deadline moved at `at`: the instants that stood before."""

    at: dt.datetime
    due_at: dt.datetime
    closes_at: dt.datetime


@dataclass
class Facts:
    """All that ever happened to one week of one school."""

    obligation: Obligation
    versions: list[ReportVersion] = field(default_factory=list)
    filings: list[PlatformFiling] = field(default_factory=list)
    excuses: list[Event] = field(default_factory=list)
    suspensions: list[Suspension] = field(default_factory=list)
    releases: list[Event] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)
    withdrawals: dict[int, dt.datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Week:
    """How one week stood: `row` is an unsaved copy of the obligation with the fields of that instant."""

    row: Obligation
    version: ReportVersion | None
    disputes: list[tuple[Dispute, str]]

    @property
    def dispute_words(self) -> list[str]:
        return [str(Dispute.State(state).label) for _, state in self.disputes]


@dataclass(frozen=True)
class Record:
    """One school's weeks opened by `at`, latest first, and the streak that they made."""

    at: dt.datetime
    weeks: list[Week]
    streak: int
    spans_exempt: bool

    @property
    def rate(self) -> Rate:
        """The weeks counted as every page counts them."""
        states = Counter(week.row.state for week in self.weeks)
        states["never_filled"] = states.pop("missed", 0)
        return Rate(**states)


class _Step(NamedTuple):
    at: dt.datetime
    # At one instant the close comes first: what arrives at `closes_at` is too late.
    rank: int
    act: Callable[[Obligation], None]


def week_at(facts: Facts, at: dt.datetime) -> Week:
    """Pure: plays the steps up to `at` in the order of time."""
    row = _first_state(facts)
    for step in sorted(_steps(facts), key=lambda step: (step.at, step.rank)):
        if step.at > at:
            break
        step.act(row)
    received = [version for version in facts.versions if version.received_at <= at]
    told = [(d, _dispute_state(facts, d, at)) for d in facts.disputes if d.filed_at <= at]
    return Week(row, received[-1] if received else None, told)


def _first_state(facts: Facts) -> Obligation:
    """The row as it was made, with the deadlines before any move."""
    stored = facts.obligation
    exempt = stored.period.exempt_reason if stored.period else ""
    first = facts.moves[0] if facts.moves else None
    return Obligation(
        pk=stored.pk,
        organization=stored.organization,
        kind=stored.kind,
        key=stored.key,
        title=stored.title,
        period=stored.period,
        opens_at=stored.opens_at,
        due_at=first.due_at if first else stored.due_at,
        closes_at=first.closes_at if first else stored.closes_at,
        outcome=Outcome.EXEMPT if exempt else Outcome.PENDING,
        exempt_reason=exempt,
    )


def _steps(facts: Facts) -> Iterable[_Step]:
    stored = facts.obligation
    yield from _arrivals(facts)
    yield from _lists(facts)
    yield from _pauses(facts)
    for number, move in enumerate(facts.moves):
        after = facts.moves[number + 1] if number + 1 < len(facts.moves) else None
        due_at = after.due_at if after else stored.due_at
        closes_at = after.closes_at if after else stored.closes_at
        yield _Step(move.at, 1, partial(_move, due_at=due_at, closes_at=closes_at))
    if stored.closed_at and stored.closes_at:
        yield _Step(stored.closed_at, 0, partial(_close, closed_at=stored.closed_at))
    for event in facts.excuses:
        yield _Step(event.at, 3, partial(_excuse, event=event))


def _arrivals(facts: Facts) -> Iterable[_Step]:
    """What the portal received. Where the close was quicker than a report under way, it came after it."""
    stored = facts.obligation
    instants = {version.received_at for version in facts.versions}
    if stored.source == Obligation.Source.PORTAL:
        instants |= {instant for instant in (stored.received_at, stored.filled_at) if instant}
    for received_at in instants:
        beaten = stored.outcome == Outcome.MISSED and stored.closed_at and received_at < stored.closed_at
        known_at = stored.closed_at if beaten and stored.closed_at else received_at
        yield _Step(
            known_at,
            2,
            partial(_receive, received_at=received_at),
        )


def _receive(row: Obligation, received_at: dt.datetime) -> None:
    _set(row, services.arrival(row, received_at, Obligation.Source.PORTAL))


def _lists(facts: Facts) -> Iterable[_Step]:
    """What the national platform's lists said, from their import until they were undone."""
    for filing in facts.filings:
        done: dict[str, Any] = {}
        yield _Step(
            filing.platform_import.imported_at,
            2,
            partial(_take, filed_at=filing.filed_at, done=done),
        )
        if filing.platform_import.undone_at:
            yield _Step(filing.platform_import.undone_at, 2, partial(_set, fields=done))


def _take(row: Obligation, filed_at: dt.datetime, done: dict[str, Any]) -> None:
    """Keeps in `done` what undoing puts back."""
    fields = platform.arrival(row, filed_at)
    done.update({name: getattr(row, name) for name in fields})
    _set(row, fields)


def _pauses(facts: Facts) -> Iterable[_Step]:
    for suspension in facts.suspensions:
        yield _Step(suspension.created_at, 1, partial(_suspend, suspension=suspension))
        if suspension.lifted_at:
            yield _Step(
                suspension.lifted_at, 1, partial(_lift, suspension=suspension, all_of_them=facts.suspensions)
            )
    for event in facts.releases:
        yield _Step(event.at, 1, partial(_release, event=event))


def _covers(suspension: Suspension, row: Obligation) -> bool:
    return suspension.starts_at <= row.due_at < suspension.ends_at


def _suspend(row: Obligation, suspension: Suspension) -> None:
    if row.outcome == Outcome.PENDING and _covers(suspension, row):
        _set(row, {"outcome": Outcome.EXEMPT, "exempt_reason": suspension.reason[:200]})


def _lift(row: Obligation, suspension: Suspension, all_of_them: list[Suspension]) -> None:
    """What falls due from then on is owed again, unless another suspension stands or it was received."""
    lifted_at = suspension.lifted_at
    if lifted_at is None or not _covers(suspension, row) or row.due_at < lifted_at or row.closed_at:
        return
    others = (
        s
        for s in all_of_them
        if s is not suspension
        and s.created_at <= lifted_at
        and (s.lifted_at is None or s.lifted_at > lifted_at)
    )
    own_rule = row.period.exempt_reason if row.period else ""
    reopens = row.outcome == Outcome.EXEMPT and not own_rule and row.received_at is None
    if reopens and not any(_covers(other, row) for other in others):
        _set(row, {"outcome": Outcome.PENDING, "exempt_reason": ""})


def _release(row: Obligation, event: Event) -> None:
    """The pilot ended: reports that were still open and fell due later are not owed."""
    if row.outcome == Outcome.PENDING and row.opens_at <= event.at < row.due_at:
        _set(row, {"outcome": Outcome.EXEMPT, "exempt_reason": event.reason[:200]})


def _move(row: Obligation, due_at: dt.datetime, closes_at: dt.datetime | None) -> None:
    row.due_at, row.closes_at = due_at, closes_at
    if row.outcome == Outcome.LATE and row.received_at and row.received_at < due_at:
        row.outcome = Outcome.ON_TIME


def _close(row: Obligation, closed_at: dt.datetime | None) -> None:
    row.closed_at = closed_at
    if row.outcome == Outcome.PENDING:
        row.outcome = Outcome.MISSED


def _excuse(row: Obligation, event: Event) -> None:
    excused = event.action == "obligation_excused"
    row.excused_at = event.at if excused else None
    row.excused_by_id = event.actor_id if excused else None
    row.excuse_reason = event.reason if excused else ""


def _set(row: Obligation, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)


def _dispute_state(facts: Facts, dispute: Dispute, at: dt.datetime) -> str:
    ended_at = dispute.answered_at or facts.withdrawals.get(dispute.pk)
    return dispute.state if ended_at and ended_at <= at else Dispute.State.OPEN


class Decided(NamedTuple):
    """A week that was evidence of a case from `since` on, and when that case stood decided."""

    obligation_id: int
    since: dt.datetime
    spans: list[tuple[dt.datetime, dt.datetime | None]]

    def at(self, instant: dt.datetime) -> bool:
        """Weeks of a decided case never count again."""
        return self.since <= instant and any(
            begin <= instant and (end is None or instant < end) for begin, end in self.spans
        )


def streak_at(rows: Iterable[Obligation], decided: set[int]) -> tuple[int, bool]:
    """(weeks, whether it spans an exempt or excused one) of the rows that had closed, as `streaks` counts."""
    counted: list[Obligation] = []
    spans, skipped = False, False
    for row in sorted(rows, key=lambda row: (row.due_at, row.pk)):
        if row.outcome in {Outcome.ON_TIME, Outcome.LATE}:
            counted, spans, skipped = [], False, False
        elif row.outcome == Outcome.MISSED and row.excused_at is None:
            if row.pk not in decided:
                spans = spans or (skipped and bool(counted))
                counted.append(row)
                skipped = False
        else:
            skipped = skipped or bool(counted)
    return sum(row.period.weeks for row in counted if row.period), spans


def as_of(organization: Organization, at: dt.datetime) -> Record:
    """The school's record as it stood at `at`. A fixed number of queries, however many weeks."""
    weeks = [week_at(facts, at) for facts in facts_of(organization, at)]
    decided = {d.obligation_id for d in _decided(organization) if d.at(at)}
    closed = [week.row for week in weeks if week.row.closed_at and week.row.closed_at <= at]
    streak, spans = streak_at(closed, decided)
    latest_first = sorted(weeks, key=lambda week: week.row.due_at, reverse=True)
    return Record(at, latest_first, streak, spans)


def facts_of(organization: Organization, at: dt.datetime) -> list[Facts]:
    """What happened to the school's weeks that had opened by `at`, also after it."""
    rows = Obligation.objects.weekly().opened(at).filter(organization=organization)
    found = {row.pk: Facts(row) for row in rows.select_related("organization", "period")}
    versions = ReportVersion.objects.filter(report__in=list(found)).order_by("received_at", "number")
    for version in versions.select_related("submitted_by"):
        found[version.report_id].versions.append(version)
    for dispute in Dispute.objects.filter(obligation__in=found).order_by("filed_at", "pk"):
        found[dispute.obligation_id].disputes.append(dispute)
    _add_lists(organization, found)
    _add_events(organization, found)
    _add_pauses(organization, found)
    return list(found.values())


def _add_lists(organization: Organization, found: dict[int, Facts]) -> None:
    by_period = {facts.obligation.period_id: facts for facts in found.values()}
    filings = PlatformFiling.objects.filter(organization=organization, period__in=by_period)
    for filing in filings.select_related("platform_import").order_by("platform_import__imported_at", "pk"):
        by_period[filing.period_id].filings.append(filing)


def _events(model: type[models.Model], ids: Iterable[Any], *actions: str) -> Iterable[Event]:
    return Event.objects.filter(
        target_type=ContentType.objects.get_for_model(model),
        target_id__in=[str(pk) for pk in ids],
        action__in=actions,
    ).order_by("at", "pk")


def _add_events(organization: Organization, found: dict[int, Facts]) -> None:
    for event in _events(Obligation, found, "obligation_excused", "excuse_withdrawn"):
        found[int(event.target_id)].excuses.append(event)
    by_period = defaultdict(list)
    for facts in found.values():
        by_period[facts.obligation.period_id].append(facts)
    for event in _events(Period, by_period, "period_moved"):
        due_at, closes_at = (dt.datetime.fromisoformat(event.changes[name][0]) for name in ("截止", "关闭"))
        for facts in by_period[int(event.target_id)]:
            facts.moves.append(Move(event.at, due_at, closes_at))
    disputes = {d.pk: facts for facts in found.values() for d in facts.disputes}
    for event in _events(Dispute, disputes, "dispute_withdrawn"):
        disputes[int(event.target_id)].withdrawals[int(event.target_id)] = event.at
    releases = list(_events(Organization, [organization.pk], "obligations_released"))
    for facts in found.values():
        facts.releases = releases


def _add_pauses(organization: Organization, found: dict[int, Facts]) -> None:
    named = Q(organizations=organization) | Q(organizations__kind=Organization.Kind.PROVINCE)
    if organization.supervisor_id:
        named |= Q(organizations=organization.supervisor_id)
    suspensions = list(Suspension.objects.filter(named).distinct().order_by("created_at", "pk"))
    for facts in found.values():
        facts.suspensions = suspensions


def _decided(organization: Organization) -> list[Decided]:
    evidence = list(CaseEvidence.objects.filter(case__organization=organization))
    changes: dict[int, list[Event]] = defaultdict(list)
    case_type = ContentType.objects.get_for_model(Case)
    ids = {str(item.case_id) for item in evidence}
    moved = Event.objects.filter(target_type=case_type, target_id__in=ids).exclude(to_state="")
    for event in moved.order_by("at", "pk"):
        changes[int(event.target_id)].append(event)
    return [
        Decided(item.obligation_id, item.added_at, _decided_spans(changes[item.case_id])) for item in evidence
    ]


def _decided_spans(changes: list[Event]) -> list[tuple[dt.datetime, dt.datetime | None]]:
    ends = [event.at for event in changes[1:]]
    return [
        (event.at, end)
        for event, end in zip(changes, [*ends, None], strict=True)
        if event.to_state == Case.State.DECIDED
    ]
