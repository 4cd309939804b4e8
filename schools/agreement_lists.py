"""Which agreements expire and which programmes have none (HB 三.6), and how a fee stands. Days are local."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Least

from accounts.models import Role, User
from certificates.models import CertificateLevel
from core import clock
from core.templatetags.portal import full_day
from funding import fees
from schools import standing
from schools.models import (
    Agreement,
    AgreementParty,
    Programme,
    ProgrammeQuerySet,
)


def own_school(user: User) -> int | None:
    """The school whose standing counts for this user; None for those who look at many."""
    return user.organization_id if user.role in Role.of_a_school() else None


def agreements(user: User, day: dt.date) -> QuerySet[Any]:
    """What the user may see, each with its `state` on `day`."""
    return Agreement.objects.visible_to(user).with_state(day, own_school(user))


def expiring(user: User, day: dt.date) -> QuerySet[Any]:
    """Those in force whose last day comes within EXPIRING_DAYS, `day` included."""
    return agreements(user, day).filter(state="expiring")


def awaiting(user: User, day: dt.date) -> QuerySet[Any]:
    """Those that wait for a school's yes: one's own school's, for others any school's."""
    return agreements(user, day).filter(state="unconfirmed")


def missing(user: User, day: dt.date) -> QuerySet[Any]:
    """Programmes that run at the end of `day` without an agreement in force on it."""
    last_instant = clock.at(day + dt.timedelta(days=1)) - dt.timedelta(microseconds=1)
    running = Programme.objects.visible_to(user).running_at(last_instant)
    programmes: QuerySet[Any] = standing.with_agreement(running, day)
    return programmes.filter(has_agreement=False)


def with_last_agreement(programmes: QuerySet[Any]) -> QuerySet[Any]:
    """What was there: `last_agreement` (its key), `last_until`, `last_ended_on` of the school's newest for the
    level, null without one; `invited`: the key of one that waits for the school's yes."""
    parties = AgreementParty.objects.filter(
        school=OuterRef("school"),
        agreement__certificate_level=OuterRef("certificate_level"),
        agreement__is_void=False,
    ).order_by("-agreement__valid_until", "-pk")
    said_yes = parties.filter(confirmed_at__isnull=False)
    waiting = parties.filter(confirmed_at=None, left_on=None, agreement__ended_on=None)
    # LEAST of a null and a day differs between databases, hence each stands for the other.
    ended_on, left_on = F("agreement__ended_on"), F("left_on")
    ended = Least(Coalesce(ended_on, left_on), Coalesce(left_on, ended_on))
    return programmes.annotate(
        last_agreement=Subquery(said_yes.values("agreement")[:1]),
        last_until=Subquery(said_yes.values("agreement__valid_until")[:1]),
        last_ended_on=Subquery(said_yes.annotate(ended=ended).values("ended")[:1]),
        invited=Subquery(waiting.values("agreement")[:1]),
    )


def resting_on(agreement: Agreement, user: User, at: dt.datetime) -> ProgrammeQuerySet:
    """Running programmes that the agreement carries, within the user's scope."""
    parties = AgreementParty.objects.bound(clock.local(at).date()).filter(
        agreement=agreement, school=OuterRef("school")
    )
    running = Programme.objects.visible_to(user).running_at(at)
    return running.filter(Exists(parties), certificate_level=agreement.certificate_level_id)


def left_without(agreement: Agreement, user: User, at: dt.datetime) -> list[Programme]:
    """Those that would have no agreement if this one ended, for the user's school or for all."""
    day = clock.local(at).date()
    others = AgreementParty.objects.bound(day).filter(
        school=OuterRef("school"), agreement__certificate_level=OuterRef("certificate_level")
    )
    programmes = resting_on(agreement, user, at).exclude(Exists(others.exclude(agreement=agreement)))
    return list(programmes.select_related("school__organization", "certificate_level__certificate"))


def fee_words(agreement: Agreement, school_id: int | None) -> list[str]:
    """The fee against the cap and the standard of the day of signing."""
    told = []
    for words, bound in bounds(agreement.certificate_level, agreement.signed_on, school_id):
        if bound is None:
            told.append(f"{words}。")
        elif agreement.fee <= bound:
            told.append(f"{words}；本协议{'等于' if agreement.fee == bound else '低于'}它。")
        else:
            reason = f"，理由：{agreement.over_cap_reason}" if agreement.over_cap_reason else ""
            told.append(f"{words}；本协议高出 {agreement.fee - bound:.2f} 元{reason}。")
    return told


def bounds(level: CertificateLevel, day: dt.date, school_id: int | None) -> list[tuple[str, Decimal | None]]:
    """The cap and the standard of `day` in words, each with its amount in yuan per candidate; None: none."""
    limit = fees.limit_on(level, day, school_id=school_id)
    told: list[tuple[str, Any]] = []
    if cap := limit.cap:
        basis = f"{cap.get_exam_form_display()}，{cap.document}，{full_day(cap.effective_from)}起执行"
        told.append((f"考核成本上限 {cap.amount} 元/人（{basis}）", cap.amount))
    else:
        told.append((f"考核成本上限：{limit.note}", None))
    if standard := limit.standard:
        basis = f"{standard.document or '备案文号未载明'}，{full_day(standard.effective_from)}起执行"
        told.append((f"已备案的考核费用标准 {standard.amount} 元/人（{basis}）", standard.amount))
    else:
        told.append(("没有已备案的考核费用标准", None))
    return told
