"""What an application round asks of schools, bureaux and the office, as obligations.

A school that does not apply owes nothing. One that began owes its application until its closing; the bureau
of the first review and the office owe theirs while an item waits for them; a returned item is owed by the
school again. All of it follows from the states of the items, so everything here may be repeated.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator

from django.db import transaction
from django.db.models import Case, Exists, OuterRef, Prefetch, Value, When
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import events, links
from core.events import JOB
from core.notices import Message, tell
from obligations.closing import people_of
from obligations.models import NOT_OWED, Obligation, ObligationKind, Outcome
from obligations.services import fulfil, owe
from schools import eligibility
from schools.models import Application, ApplicationItem, ApplicationRound, ApplicationVersion

events.register(application_given_up="不再申报", application_lapsed="到期未提交")

LAPSED = "到期未提交，视为不申报"
REST_LAPSED = "没有随申报提交的草稿到期未提交，视为不申报；已提交的不受影响"
NOT_MENDED = "退回后到期未重新提交，本批次不再受理"
GIVEN_UP = "学校撤回申报，本批次不再申报"
NOTHING_LEFT = "学校已撤回申报，无需办理"

Kind = ObligationKind
State = ApplicationItem.State
# Kind of duty → the state in which items wait for it, its word, and the states that show that it was done.
STEPS = {
    Kind.FIRST_REVIEW: (
        State.SUBMITTED,
        "初审",
        {State.FIRST_REVIEWED, State.RETURNED, State.APPROVED, State.REJECTED},
    ),
    Kind.APPROVAL: (State.FIRST_REVIEWED, "审核", {State.RETURNED, State.APPROVED, State.REJECTED}),
}
_RETURN_ANSWERED = {State.SUBMITTED, State.FIRST_REVIEWED, State.APPROVED, State.REJECTED}


def office() -> Organization:
    """The province's, which decides. There is one for a database; a demonstration's own goes first."""
    provinces = Organization.objects.filter(kind=Organization.Kind.PROVINCE)
    return provinces.order_by("-is_demonstration", "pk")[:1].get()


@transaction.atomic
def applicant(application: Application, *, at: dt.datetime) -> Obligation:
    """The school has begun: it owes the application by its closing. Begun again after a lapse or a
    withdrawal, it owes it again."""
    round = application.round
    due_at = round.closings_of(application.school_id).school
    duty = owe(
        organization=application.school.organization,
        kind=Kind.APPLICATION,
        key=f"round-{round.pk}",
        title=str(round),
        opens_at=round.opens_at,
        due_at=due_at,
        link=reverse("applications:detail", args=[application.pk]),
    )
    is_begun_again = due_at > at and (_is_given_up(duty) or _is_open_again(duty, application))
    # An extension that came between the reading of the closings and the owing was not moved with it.
    if is_begun_again or (duty.outcome == Outcome.PENDING and duty.due_at != due_at):
        renewal = _Renewal()
        renewal.add(duty, due_at)
        renewal.write()
        duty.refresh_from_db()
    return duty


def _is_given_up(duty: Obligation) -> bool:
    return duty.outcome == Outcome.EXEMPT and duty.received_at is None


def _is_open_again(duty: Obligation, application: Application) -> bool:
    """It was handed in, which its versions and events keep, and more has been begun since."""
    return duty.received_at is not None and _has_drafts(application)


def _has_drafts(application: Application) -> bool:
    return application.items.filter(state=State.DRAFT).exists()


@transaction.atomic
def withdrawn(application: Application, *, by: User, at: dt.datetime) -> None:
    """Call it after items were withdrawn or drafts thrown away. Where nothing is left, neither a draft nor
    anything handed in, the school owes nothing any more, nor does any reviewer; while drafts are left it owes
    the application (again), and without them what was handed in is all of it."""
    if application.items.exclude(state=State.WITHDRAWN).exists():
        duty = applicant(application, at=at)
        sent = application.versions.order_by("-number").first()
        if sent and not _has_drafts(application):
            fulfil(duty, received_at=sent.received_at)
    else:
        pending = Obligation.objects.pending().filter(
            organization=application.school_id, kind=Kind.APPLICATION, key=f"round-{application.round_id}"
        )
        if pending.update(outcome=Outcome.EXEMPT, exempt_reason=GIVEN_UP):
            events.record(
                "application_given_up", application, by=by, at=at, organization_id=application.school_id
            )
    reviewed([application], at=at)


@transaction.atomic
def submitted(application: Application, version: ApplicationVersion, *, at: dt.datetime) -> None:
    """Call it once `version` is stored and its items have their states. Drafts that stayed behind are owed
    still: reminded of, and told when their time is over."""
    duty = applicant(application, at=at)
    if not _has_drafts(application):
        fulfil(duty, received_at=version.received_at)
    reviewed([application], at=at)


@transaction.atomic
def reviewed(applications: Iterable[Application], *, at: dt.datetime) -> None:
    """Bring what is owed for these applications into line with the states of their items, which may have
    changed in any way: a fixed number of queries for any number of applications."""
    _settle([application.pk for application in applications], at=at)


@transaction.atomic
def moved(round: ApplicationRound, organization_id: int | None, *, at: dt.datetime) -> None:
    """Closings have moved, for one school or (None) for all: so has what is owed, and reminders start
    afresh. A draft that had lapsed and is in time again is owed again."""
    applications = Application.objects.filter(round=round)
    if organization_id is not None:
        applications = applications.filter(school=organization_id)
    ids = list(applications.values_list("pk", flat=True))
    _settle(ids, at=at)
    extended = ApplicationRound.objects.prefetch_related("extensions").get(pk=round.pk)
    closings = {pk: extended.closings_of(pk).school for pk in applications.values_list("school", flat=True)}
    duties = Obligation.objects.filter(
        organization__in=closings, kind=Kind.APPLICATION, key=f"round-{round.pk}"
    )
    # The job that lapses what is over may be at work on the same rows.
    duties = duties.select_for_update(of=("self",)).order_by("pk")
    drafting = set(applications.filter(items__state=State.DRAFT).values_list("school", flat=True))
    renewal = _Renewal()
    for duty in duties:
        due_at = closings[duty.organization_id]
        has_lapsed = duty.outcome == Outcome.EXEMPT and duty.exempt_reason == LAPSED
        left_drafts = duty.received_at is not None and duty.organization_id in drafting
        is_again = due_at > at and (has_lapsed or left_drafts)
        if is_again or (duty.outcome == Outcome.PENDING and duty.due_at != due_at):
            renewal.add(duty, due_at)
    renewal.write()


@transaction.atomic
def lapse(at: dt.datetime) -> int:
    """What schools began and did not hand in by its closing is not owed any more; how many.

    Where a part was handed in, that was the application, on time; the school is told of the rest. "Due and
    not yet done": late or twice, it ends the same. Reviews stay due until they are done.
    """
    over = Obligation.objects.pending().filter(kind=Kind.APPLICATION, due_at__lte=at)
    rows = list(over.select_for_update(of=("self",), skip_locked=True).select_related("organization"))
    arrived = _arrived(rows)
    for row in rows:
        if row.pk in arrived:
            fulfil(row, received_at=arrived[row.pk])
    returned = Case(When(key__contains="-returned-", then=Value(NOT_MENDED)), default=Value(LAPSED))
    Obligation.objects.pending().filter(pk__in=[row.pk for row in rows]).update(
        outcome=Outcome.EXEMPT, exempt_reason=returned
    )
    events.record_many(
        events.build(
            "application_lapsed",
            row,
            by=JOB,
            at=at,
            organization_id=row.organization_id,
            from_state=Outcome.PENDING,
            to_state=row.outcome if row.pk in arrived else NOT_OWED,
            changes={"截止": row.due_at.isoformat()},
            reason=_lapse_reason(row, arrived),
        )
        for row in rows
    )
    people = people_of({row.organization_id for row in rows}, Role.SCHOOL_CONTACT)
    tell(
        (
            Message(
                user,
                f"lapsed:{row.pk}:{row.due_at:%y%m%d%H%M}",
                f"{row.title}：{_lapse_reason(row, arrived)}。",
                row.link,
            )
            for row in rows
            for user in people[row.organization_id]
        ),
        at=at,
    )
    return len(rows)


def _arrived(rows: list[Obligation]) -> dict[int, dt.datetime]:
    """When what was handed in for these duties arrived, of those of which something stands."""
    standing = ApplicationItem.objects.filter(application=OuterRef("pk")).exclude(
        state__in=[State.DRAFT, State.WITHDRAWN]
    )
    found = Application.objects.filter(
        Exists(standing), school__in={row.organization_id for row in rows}, current__isnull=False
    ).values_list("school", "round", "current__received_at")
    received = {(school, f"round-{round}"): at for school, round, at in found}
    keys = {row.pk: (row.organization_id, row.key) for row in rows}
    return {pk: received[key] for pk, key in keys.items() if key in received}


def _lapse_reason(duty: Obligation, arrived: Container[int]) -> str:
    if duty.pk in arrived:
        return REST_LAPSED
    return NOT_MENDED if "-returned-" in duty.key else LAPSED


def lock(applications: Iterable[int]) -> list[int]:
    """Lock the applications (their keys), in the order of their keys; those that are there.

    Whoever changes items locks this first and the items after it, so that no two wait for each other.
    """
    rows = Application.objects.select_for_update(no_key=True).filter(pk__in=applications).order_by("pk")
    return list(rows.values_list("pk", flat=True))


# --- bringing what is owed into line with the items


def _loaded(ids: list[int]) -> list[Application]:
    """With their items, the numbers of their versions, and what closings are computed from."""
    items = ApplicationItem.objects.only("application", "state", "returned_from").order_by("pk")
    versions = ApplicationVersion.objects.only("application", "number")
    return list(
        Application.objects.filter(pk__in=ids)
        .select_related("round", "school__organization", "reviewer")
        .defer("school__contact_mobile", "round__note")
        .prefetch_related("round__extensions", Prefetch("items", items), Prefetch("versions", versions))
        .order_by("pk")
    )


class _Ledger:
    """The duties of some applications as they stand, and what has to change."""

    def __init__(self, applications: list[Application], at: dt.datetime) -> None:
        self.at = at
        self.office = office()
        self.page = links.pattern("reviews:application")
        self.own_page = links.pattern("applications:detail")
        self.done: list[int] = []
        self.released: dict[str, list[int]] = defaultdict(list)
        self.renewal = _Renewal()
        self.owed: list[Obligation] = []
        keys = {key for a in applications for kind in (*STEPS, Kind.APPLICATION) for key in _keys(a, kind)}
        organizations = {
            o.pk for a in applications for o in (a.school.organization, a.reviewer, self.office) if o
        }
        rows = Obligation.objects.filter(
            organization__in=organizations, kind__in=[*STEPS, Kind.APPLICATION], key__in=keys
        )
        self.known = {(row.organization_id, row.kind, row.key): row for row in rows}

    def duties(self, application: Application, kind: str, organization: Organization) -> Iterator[Obligation]:
        """Those known of that kind, the newest version's first."""
        for key in reversed(_keys(application, kind)):
            if duty := self.known.get((organization.pk, kind, key)):
                yield duty

    def settle(
        self,
        application: Application,
        kind: str,
        organization: Organization,
        *,
        due_at: dt.datetime | None,
        is_done: bool,
        title: str,
    ) -> None:
        """`due_at` None: nothing waits for it, because it was done or because all was withdrawn."""
        duties = list(self.duties(application, kind, organization))
        pending = next((duty for duty in duties if duty.outcome == Outcome.PENDING), None)
        if due_at is None:
            if pending:
                (self.done if is_done else self.released[NOTHING_LEFT]).append(pending.pk)
            return
        if pending:
            if pending.due_at != due_at:
                self.renewal.add(pending, due_at)
            return
        key = _keys(application, kind)[-1]
        if same := next((duty for duty in duties if duty.key == key), None):
            # Taken back, or extended after a lapse.
            if due_at > self.at:
                self.renewal.add(same, due_at)
            return
        page = self.own_page if kind == Kind.APPLICATION else self.page
        self.owed.append(
            Obligation(
                organization=organization,
                kind=kind,
                key=key,
                title=title[:120],
                link=page.format(application.pk),
                opens_at=min(self.at, due_at),
                due_at=due_at,
            )
        )

    def write(self) -> None:
        pending = Obligation.objects.pending()
        in_time = When(due_at__gt=self.at, then=Value(Outcome.ON_TIME))
        pending.filter(pk__in=self.done).update(
            outcome=Case(in_time, default=Value(Outcome.LATE)), received_at=self.at
        )
        for reason, ids in self.released.items():
            pending.filter(pk__in=ids).update(outcome=Outcome.EXEMPT, exempt_reason=reason)
        self.renewal.write()
        Obligation.objects.bulk_create(self.owed, ignore_conflicts=True, batch_size=500)


def _settle(ids: list[int], *, at: dt.datetime) -> None:
    # Two who review items of one application at once: the second waits, and then sees what the first did.
    applications = _loaded(lock(ids))
    if not applications:
        return
    ledger = _Ledger(applications, at)
    for application in applications:
        states = {item.state for item in application.items.all()}
        _settle_reviews(ledger, application, states)
        returned = [item for item in application.items.all() if item.state == State.RETURNED]
        ledger.settle(
            application,
            Kind.APPLICATION,
            application.school.organization,
            due_at=min(map(eligibility.deadline, returned), default=None),
            is_done=bool(states & _RETURN_ANSWERED),
            title=f"{application.round}（退回修改）",
        )
    ledger.write()


def _settle_reviews(ledger: _Ledger, application: Application, states: set[str]) -> None:
    closings = application.round.closings_of(application.school_id)
    reviewers = {
        Kind.FIRST_REVIEW: (application.reviewer, closings.city),
        Kind.APPROVAL: (ledger.office, closings.province),
    }
    for kind, (waiting, word, done) in STEPS.items():
        organization, closing = reviewers[kind]
        if organization:
            ledger.settle(
                application,
                kind,
                organization,
                due_at=closing if waiting in states else None,
                is_done=bool(states & done),
                title=f"{word}：{application}",
            )


def _keys(application: Application, kind: str) -> list[str]:
    """Of each version, oldest first; what was returned is owed under the round, by the school."""
    stem = (
        f"round-{application.round_id}-returned"
        if kind == Kind.APPLICATION
        else f"application-{application.pk}"
    )
    return [f"{stem}-v{number + 1}" for number in range(max(len(application.versions.all()), 1))]


class _Renewal:
    """Duties that are owed (again) by another instant, with their reminders before it. What was done
    meanwhile by somebody else stays done."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, dt.datetime], list[int]] = defaultdict(list)

    def add(self, duty: Obligation, due_at: dt.datetime) -> None:
        self._rows[duty.outcome, due_at].append(duty.pk)

    def write(self) -> None:
        for (outcome, due_at), ids in self._rows.items():
            Obligation.objects.filter(pk__in=ids, outcome=outcome).update(
                outcome=Outcome.PENDING, exempt_reason="", received_at=None, due_at=due_at, reminded_steps=0
            )
