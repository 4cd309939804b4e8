"""Agreements about to expire: each school whose programme runs on one owes its renewal in time.

HB 三.6: without an agreement in force a programme may not go on. The school owes from RENEWAL_DAYS before
the agreement's last day until the end of that day. All of it follows from the days on the agreements and
programmes, so a run after days of silence ends where daily runs would have ended, and a second finds
nothing to do. Instants are aware (UTC), days local.
"""

import datetime as dt
from collections import defaultdict
from typing import NamedTuple

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from accounts.models import Role
from core import clock, events, links
from core.events import JOB
from core.notices import Message, digest, tell
from core.templatetags.portal import closing, full_day
from obligations.closing import people_of
from obligations.models import Obligation, ObligationKind, Outcome, received_outcome
from schools.models import AgreementParty, Programme

events.register(renewal_settled="续签办结")

RENEWAL_DAYS = 30
ENDED = "协议已终止，无需续签"
NO_PROGRAMME = "试点项目已结束，无需续签"
_LEAD, _DAY = dt.timedelta(days=RENEWAL_DAYS), dt.timedelta(days=1)
_KEY = "agreement-"

Pair = tuple[int, int]  # school, certificate level


class Settled(NamedTuple):
    """How many duties were made, and of those made earlier how many were met or released."""

    owed: int
    settled: int


class _Course(NamedTuple):
    """What became of the renewal of one agreement by one school; `due_at` is half-open."""

    party: AgreementParty
    opens_at: dt.datetime
    due_at: dt.datetime
    met_at: dt.datetime | None
    over_at: dt.datetime | None
    reason: str

    @property
    def is_owed(self) -> bool:
        """Neither met nor over when it would have opened."""
        ends = [instant for instant in (self.met_at, self.over_at) if instant]
        return self.opens_at < min([*ends, self.due_at])

    @property
    def fields(self) -> dict[str, object]:
        """How it stands, as fields of the obligation."""
        if self.met_at:
            outcome = received_outcome(self.met_at, self.due_at, None)
            return {"outcome": outcome, "received_at": self.met_at}
        if self.over_at:
            return {"outcome": Outcome.EXEMPT, "exempt_reason": self.reason}
        return {"outcome": Outcome.PENDING}


@transaction.atomic
def owe_renewals(*, at: dt.datetime) -> Settled:
    """Bring what is owed into line with agreements and programmes as of `at`; a fixed number of queries for
    any number of agreements."""
    parties = list(_about_to_expire(at))
    courses = _courses(parties, at)
    known = {
        (row.organization_id, row.key): row
        for row in Obligation.objects.pending()
        .filter(kind=ObligationKind.AGREEMENT)
        .select_for_update(of=("self",))
        .order_by("pk")
    }
    page = links.pattern("agreements:detail")
    new, changed = [], []
    for course in courses:
        duty = known.get((course.party.school_id, f"{_KEY}{course.party.agreement_id}"))
        if duty is None and course.is_owed:
            new.append(_duty(course, page))
        elif duty and course.fields["outcome"] != Outcome.PENDING:
            changed.append((duty, course.fields))
    Obligation.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    _settle(changed, at=at)
    _tell([row for row in new if row.outcome == Outcome.PENDING], at=at)
    return Settled(len(new), len(changed))


def _about_to_expire(at: dt.datetime) -> QuerySet[AgreementParty]:
    """Schools' yeses to agreements whose last RENEWAL_DAYS have begun, but for those that are settled."""
    key = Concat(Value(_KEY), Cast(OuterRef("agreement_id"), CharField()))
    settled = Obligation.objects.filter(
        organization=OuterRef("school"), kind=ObligationKind.AGREEMENT, key=key
    ).exclude(outcome=Outcome.PENDING)
    return (
        _yeses(at)
        .filter(~Exists(settled), agreement__valid_until__lte=clock.local(at).date() + _LEAD)
        .order_by("agreement", "school")
    )


def _yeses(at: dt.datetime) -> QuerySet[AgreementParty]:
    said = AgreementParty.objects.filter(confirmed_at__lte=at, agreement__is_void=False)
    return said.select_related("agreement")


def _courses(parties: list[AgreementParty], at: dt.datetime) -> list[_Course]:
    """Of those whose programme ran in the agreement's last days."""
    if not parties:
        return []
    schools = {party.school_id for party in parties}
    levels = {party.agreement.certificate_level_id for party in parties}
    others: dict[Pair, list[AgreementParty]] = defaultdict(list)
    earliest = min(party.agreement.valid_until for party in parties)
    later = _yeses(at).filter(
        school__in=schools,
        agreement__certificate_level__in=levels,
        agreement__valid_until__gt=earliest,
    )
    for party in later.order_by("confirmed_at", "pk"):
        others[_pair(party)].append(party)
    programmes: dict[Pair, list[Programme]] = defaultdict(list)
    run = Programme.objects.filter(started_at__lte=at, school__in=schools, certificate_level__in=levels)
    for programme in run.order_by("started_at"):
        programmes[programme.school_id, programme.certificate_level_id].append(programme)
    found = (_course(party, others[_pair(party)], programmes[_pair(party)], at) for party in parties)
    return [course for course in found if course]


def _pair(party: AgreementParty) -> Pair:
    return party.school_id, party.agreement.certificate_level_id


def _course(
    party: AgreementParty, others: list[AgreementParty], programmes: list[Programme], at: dt.datetime
) -> _Course | None:
    last_day = party.agreement.valid_until
    opens_at, due_at = clock.at(last_day - _LEAD), clock.at(last_day + _DAY)
    # The last one that ran in those days: it may have begun, and the school have said yes, within them.
    ran = [p for p in programmes if p.started_at < due_at and (p.ended_at is None or p.ended_at > opens_at)]
    if not ran or party.confirmed_at is None:
        return None
    programme = ran[-1]
    met = [other.confirmed_at for other in others if other.confirmed_at and _follows(other, last_day)]
    left_on = _left_on(party)
    over = [
        (instant, reason)
        for instant, reason in (
            (clock.at(left_on) if left_on and left_on <= last_day else None, ENDED),
            (programme.ended_at, NO_PROGRAMME),
        )
        if instant and instant <= at
    ]
    over_at, reason = min(over, default=(None, ""))
    met_at = min(met, default=None)
    if met_at and over_at and over_at < met_at:
        met_at = None
    opened_at = max(opens_at, party.confirmed_at, programme.started_at)
    return _Course(party, opened_at, due_at, met_at, None if met_at else over_at, reason)


def _follows(other: AgreementParty, last_day: dt.date) -> bool:
    """Whether it goes on where the older one stops: in force beyond `last_day`."""
    left_on = _left_on(other)
    return other.agreement.valid_until > last_day and (left_on is None or left_on > last_day + _DAY)


def _left_on(party: AgreementParty) -> dt.date | None:
    """The first day on which the school is no longer bound, short of the agreement's own end; None."""
    return min((day for day in (party.left_on, party.agreement.ended_on) if day), default=None)


def _duty(course: _Course, page: str) -> Obligation:
    agreement = course.party.agreement
    return Obligation(
        organization_id=course.party.school_id,
        kind=ObligationKind.AGREEMENT,
        key=f"{_KEY}{agreement.pk}",
        title=f"续签合作协议（{full_day(agreement.valid_until)}到期）",
        link=page.format(agreement.pk),
        opens_at=course.opens_at,
        due_at=course.due_at,
        **course.fields,
    )


def _settle(changed: list[tuple[Obligation, dict[str, object]]], *, at: dt.datetime) -> None:
    for duty, fields in changed:
        for name, value in fields.items():
            setattr(duty, name, value)
    rows = [duty for duty, _ in changed]
    # The rows are locked since they were read.
    Obligation.objects.bulk_update(rows, ["outcome", "received_at", "exempt_reason"], batch_size=500)
    events.record_many(
        events.build(
            "renewal_settled",
            row,
            by=JOB,
            at=at,
            organization_id=row.organization_id,
            target_label=row.title,
            from_state=Outcome.PENDING,
            to_state=row.state,
            reason=row.exempt_reason,
        )
        for row in rows
    )


def _tell(new: list[Obligation], *, at: dt.datetime) -> None:
    people = people_of({row.organization_id for row in new}, Role.SCHOOL_CONTACT)
    messages = [
        Message(
            user,
            f"renewal:{row.organization_id}:{row.key}",
            f"{row.title}：请在{closing(row.due_at)}前登记新协议；没有协议不得开展试点（鄂教职成办函〔2021〕7号 三.6）。",
            row.link,
        )
        for row in new
        for user in people[row.organization_id]
    ]
    summary = "本校有 {count} 个合作协议将到期，请续签并登记。"
    link = reverse("agreements:list")
    tell(digest(messages, key=f"renewals:{at:%Y%m%d}", summary=summary, link=link), at=at)
