"""How programmes stand: with a plan, an agreement and the national platform's approval, or without.

A programme without a plan for the year is dormant: it runs, but is not reported on. Nothing is ended by
the turn of the year; from 1 December on the pages say which programmes have no plan for the next one.
"""

import datetime as dt

from django.db.models import BooleanField, Exists, F, OuterRef, Q, Subquery, TextChoices

from core import clock
from schools.models import (
    AgreementParty,
    PlatformApproval,
    ProgrammeQuerySet,
)

WARNING_MONTH = 12
AGREEMENT_CLAUSE = "鄂教职成办函〔2021〕7号 三.6"


class Gap(TextChoices):
    AGREEMENT = "agreement", "没有生效的合作协议"
    PLATFORM = "platform", "与国家平台不一致"
    NEXT_YEAR = "next", "没有下一年度计划"


def next_year(day: dt.date) -> int | None:
    """The year for which plans should be there by now; None before December."""
    return day.year + 1 if day.month >= WARNING_MONTH else None


def listed_years() -> set[int]:
    """Those of which a list of the national platform was imported: of others nothing can be missing there."""
    return set(PlatformApproval.objects.order_by().values_list("year", flat=True).distinct())


def with_agreement(programmes: ProgrammeQuerySet, day: dt.date) -> ProgrammeQuerySet:
    """`has_agreement`: one in force on `day` for the certificate level, to which the school has said yes."""
    parties = AgreementParty.objects.bound(day).filter(
        school=OuterRef("school"), agreement__certificate_level=OuterRef("certificate_level")
    )
    return programmes.annotate(has_agreement=Exists(parties))


def with_platform(programmes: ProgrammeQuerySet, year: int) -> ProgrammeQuerySet:
    """What the national platform says for `year`: `there_approved`, `there_words`, `there`, `there_on`, all
    null where its list does not name the programme."""
    said = PlatformApproval.objects.filter(
        organization=OuterRef("school"), certificate_level=OuterRef("certificate_level"), year=year
    )
    return programmes.annotate(
        there_approved=Subquery(said.values("is_approved")[:1], output_field=BooleanField()),
        there_words=Subquery(said.values("state_words")[:1]),
        there=Subquery(said.values("candidates")[:1]),
        there_on=Subquery(said.values("as_of")[:1]),
    )


def differing(programmes: ProgrammeQuerySet, year: int) -> ProgrammeQuerySet:
    """Those `with_state` and `with_platform` of `year` where the two sides do not say the same."""
    ended = Q(ended_at__lt=clock.at(dt.date(year + 1, 1, 1)), state="ended", there_approved=True)
    asleep = Q(state="dormant", there_approved=True)
    heads = Q(state="active", there_approved=True, there__isnull=False) & ~Q(there=F("planned"))
    found = ended | asleep | heads
    if year in listed_years():
        found |= Q(state="active") & (Q(there_approved=None) | Q(there_approved=False))
    return programmes.filter(found)


def difference(
    year: int,
    planned: int | None,
    said: PlatformApproval | None,
    *,
    ended_at: dt.datetime | None,
    listed: bool,
) -> str:
    """One year of one programme, ours beside theirs, in words; "" where both say the same.

    `listed`: a list for the year was imported.
    """
    if said is None or not said.is_approved:
        if planned is None or not (said or listed):
            return ""
        return f"国家平台为“{said.state_words}”" if said else "国家平台名单中没有"
    if ended_at is not None and clock.local(ended_at).year <= year:
        return "国家平台为通过，本平台已结束"
    if planned is None:
        return "国家平台为通过，本平台没有计划"
    if said.candidates is not None and said.candidates != planned:
        return f"计划人数不同：国家平台 {said.candidates}，本平台 {planned}"
    return ""
