"""Shares and ratios that the pilot asks for: experts from industry in a trainer team (MOE 二(二)), trainers per
student at a school (沪教委高〔2021〕3号), where the province turns it on."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest

from accounts.models import User
from core import clock
from evaluators.models import Qualification, Trainer, TrainingRule
from schools.models import ApplicationItem, Programme

INDUSTRY_PERCENT = 40
SHARE_CLAUSE = "教职成厅函〔2019〕19号 二(二)：来自行业企业的专家比例不少于40%"
RATIO_CLAUSE = "沪教委高〔2021〕3号：试点专业按照不少于1:80的比例，安排相关教师获得培训师资格"


@dataclass(frozen=True)
class Share:
    """How many of a group of trainers come from industry."""

    industry: int
    total: int

    @property
    def is_short(self) -> bool:
        """Under 40 %; exactly 40 % is enough. An empty group is not judged."""
        return 100 * self.industry < INDUSTRY_PERCENT * self.total

    @property
    def words(self) -> str:
        """`5 人中行业企业 2 人，占 40.0%`; the percentage is cut, so that 39.99 % never reads as 40 %."""
        if not self.total:
            return "还没有登记专家"
        tenths = 1000 * self.industry // self.total
        return f"{self.total} 人中行业企业 {self.industry} 人，占 {tenths // 10}.{tenths % 10}%"

    @property
    def lacking(self) -> int:
        """Experts from industry to be added, so that the grown group has 40 %."""
        short = INDUSTRY_PERCENT * self.total - 100 * self.industry
        return max(0, -(-short // (100 - INDUSTRY_PERCENT)))


def share_of(trainers: Iterable[Trainer]) -> Share:
    kinds = [trainer.employer_kind for trainer in trainers]
    return Share(kinds.count(Trainer.Employer.INDUSTRY), len(kinds))


def team_share(organization_id: int) -> Share:
    """Of the evaluator's present team."""
    return share_of(Trainer.objects.in_team().filter(evaluator=organization_id).defer("phone"))


def ratios(user: User, day: dt.date) -> QuerySet[Programme]:
    """Each certificate of each school within the user's scope, as the first of its running programmes with
    `planned`, `needed`, `trainers` and `lacking`; none where the province does not ask.

    Counted: the year's planned candidates of all levels of the running programmes, and teachers who hold a
    trainer's qualification for any level of the certificate on `day`, each once.
    """
    per_trainer = TrainingRule.objects.on(day).students_per_trainer
    at = clock.now()
    certificate = OuterRef("certificate_level__certificate")
    together = Programme.objects.running_at(at).filter(
        school=OuterRef("school"), certificate_level__certificate=certificate
    )
    planned = (
        together.order_by()
        .values("school")
        .annotate(n=Sum("plans__candidates", filter=Q(plans__year=day.year)))
    )
    held = Qualification.objects.visible_to(user).held_on(day).filter(kind=Qualification.Kind.TRAINER)
    held = held.filter(teacher__school=OuterRef("school"), certificate_level__certificate=certificate)
    trainers = held.order_by().values("kind").annotate(n=Count("teacher", distinct=True))
    rows = (
        Programme.objects.visible_to(user)
        .running_at(at)
        .filter(~Exists(together.filter(pk__lt=OuterRef("pk"))))
        .annotate(planned=Subquery(planned.values("n")), trainers=Coalesce(Subquery(trainers.values("n")), 0))
        .filter(planned__isnull=False)
        .annotate(needed=(F("planned") + (per_trainer or 1) - 1) / (per_trainer or 1))
        .annotate(lacking=Greatest(F("needed") - F("trainers"), 0))
    )
    return rows if per_trainer else rows.none()


def with_majors(rows: QuerySet[Programme]) -> QuerySet[Programme]:
    """Adds what `majors_of` reads."""
    running = Programme.objects.running_at(clock.now()).exclude(origin=None)
    running = running.select_related("certificate_level").prefetch_related(
        Prefetch("origin", ApplicationItem.objects.only("pk")), "origin__majors"
    )
    return rows.prefetch_related(Prefetch("school__programmes", running, to_attr="begun_by_items"))


def majors_of(row: Any) -> list[str]:
    """Majors that take part, as far as the approved applications name them."""
    certificate = row.certificate_level.certificate_id
    programmes = [p for p in row.school.begun_by_items if p.certificate_level.certificate_id == certificate]
    return sorted({major.name for programme in programmes for major in programme.origin.majors.all()})
