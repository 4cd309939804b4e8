"""The national platform's approvals beside ours, where they differ (SH 3: 以教育部平台系统结果为准).

Each kind of difference is one query; whatever table its rows are of, they carry the same names:
`school_pk`, `school_name`, `code`, `city_name`, `certificate_name`, `level_number`, `year`, `here` (heads
planned here), `there` (there), `there_words`, `there_on` and `programme_pk`.
"""

import datetime as dt
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, TextChoices
from django.db.models.functions import ExtractYear

from accounts.models import User
from core import clock
from schools.models import AnnualPlan, PlatformApproval, Programme, School


class Kind(TextChoices):
    OURS = "ours", "本平台有计划，国家平台未通过"
    THEIRS = "theirs", "国家平台通过，本平台没有计划"
    HEADS = "heads", "计划人数不同"
    ENDED = "ended", "国家平台通过，本平台已结束"


def rows(kind: str, user: User, at: dt.datetime) -> QuerySet[Any]:
    """The differences of one kind within the user's scope."""
    if kind == Kind.OURS:
        return _ours(user, at)
    approved = _theirs(user, at)
    ended = Q(has_ended=True, is_running=False)
    if kind == Kind.ENDED:
        return approved.filter(ended)
    if kind == Kind.THEIRS:
        return approved.filter(~ended, here=None)
    return approved.filter(~ended, here__isnull=False, there__isnull=False).exclude(there=F("here"))


def counts(user: User, at: dt.datetime, year: int | None) -> list[tuple[str, str, int]]:
    """(kind, label, number) of every kind, of one year or of all."""
    of_year = {"year": year} if year else {}
    return [(kind.value, kind.label, rows(kind, user, at).filter(**of_year).count()) for kind in Kind]


def _ours(user: User, at: dt.datetime) -> QuerySet[Any]:
    """Plans of running programmes for years of which a list was imported, not approved there."""
    running = Programme.objects.visible_to(user).running_at(at)
    said = PlatformApproval.objects.filter(
        organization=OuterRef("programme__school"),
        certificate_level=OuterRef("programme__certificate_level"),
        year=OuterRef("year"),
    )
    plans = AnnualPlan.objects.filter(~Exists(said.filter(is_approved=True)), programme__in=running)
    return plans.filter(year__in=PlatformApproval.objects.order_by().values("year")).annotate(
        school_pk=F("programme__school"),
        school_name=F("programme__school__organization__name"),
        code=F("programme__school__organization__code"),
        city_code=F("programme__school__organization__city"),
        city_name=F("programme__school__organization__city__name"),
        certificate_pk=F("programme__certificate_level__certificate"),
        certificate_name=F("programme__certificate_level__certificate__name"),
        level_number=F("programme__certificate_level__level"),
        here=F("candidates"),
        there=Subquery(said.values("candidates")[:1]),
        there_words=Subquery(said.values("state_words")[:1]),
        there_on=Subquery(said.values("as_of")[:1]),
        programme_pk=F("programme"),
        has_profile=Exists(School.objects.filter(pk=OuterRef("programme__school"))),
    )


def _theirs(user: User, at: dt.datetime) -> QuerySet[Any]:
    """What is approved there, with `here`, and whether a programme runs here or has ended by that year."""
    same = Programme.objects.filter(
        school=OuterRef("organization"), certificate_level=OuterRef("certificate_level")
    )
    plans = AnnualPlan.objects.filter(
        programme__school=OuterRef("organization"),
        programme__certificate_level=OuterRef("certificate_level"),
        year=OuterRef("year"),
    ).order_by("-programme__started_at")
    ended = same.filter(ended_at__lte=at).annotate(
        ended_in=ExtractYear("ended_at", tzinfo=clock.PROVINCE_ZONE)
    )
    return (
        PlatformApproval.objects.visible_to(user)
        .filter(is_approved=True)
        .annotate(
            school_pk=F("organization"),
            school_name=F("organization__name"),
            code=F("organization__code"),
            city_code=F("organization__city"),
            city_name=F("organization__city__name"),
            certificate_pk=F("certificate_level__certificate"),
            certificate_name=F("certificate_level__certificate__name"),
            level_number=F("certificate_level__level"),
            here=Subquery(plans.values("candidates")[:1]),
            there=F("candidates"),
            there_words=F("state_words"),
            there_on=F("as_of"),
            programme_pk=Subquery(same.order_by("-started_at").values("pk")[:1]),
            has_profile=Exists(School.objects.filter(pk=OuterRef("organization"))),
            is_running=Exists(same.running_at(at)),
            has_ended=Exists(ended.filter(ended_in__lte=OuterRef("year"))),
        )
    )
