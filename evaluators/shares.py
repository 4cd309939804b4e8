"""Shares and ratios that the pilot asks for: experts from industry in a trainer team (MOE 二(二)), trainers per
student at a school (沪教委高〔2021〕3号), where the province turns it on."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from accounts.models import User
from core import clock
from evaluators.models import Qualification, Trainer, TrainingRule
from schools.models import AnnualPlan, ItemMajor, Programme

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


@dataclass
class Ratio:
    """One certificate at one school: candidates planned for the year beside teachers who may train for it."""

    school: Any
    certificate: Any
    students_per_trainer: int
    planned: int
    trainers: int
    majors: list[str]

    @property
    def needed(self) -> int:
        return -(-self.planned // self.students_per_trainer)

    @property
    def lacking(self) -> int:
        return max(0, self.needed - self.trainers)


def ratios(user: User, day: dt.date) -> list[Ratio]:
    """Per school and certificate within the user's scope, those that lack trainers first; [] where the
    province does not ask.

    Counted: the year's planned candidates of all levels of the running programmes, and teachers who hold a
    trainer's qualification for any level of the certificate on `day`, each once.
    """
    per_trainer = TrainingRule.objects.on(day).students_per_trainer
    if per_trainer is None:
        return []
    programmes = Programme.objects.visible_to(user).running_at(clock.now())
    planned = (
        AnnualPlan.objects.filter(programme__in=programmes, year=day.year)
        .order_by()
        .values_list("programme__school", "programme__certificate_level__certificate")
        .annotate(Sum("candidates"))
    )
    trainers, majors = _trainers(user, day), _majors(programmes)
    schools, certificates = _named(programmes)
    found = [
        Ratio(
            schools[school],
            certificates[certificate],
            per_trainer,
            number,
            len(trainers[school, certificate]),
            sorted(majors[school, certificate]),
        )
        for school, certificate, number in planned
    ]
    return sorted(found, key=lambda ratio: (-ratio.lacking, str(ratio.school), str(ratio.certificate)))


def _trainers(user: User, day: dt.date) -> dict[tuple[int, int], set[Any]]:
    held = Qualification.objects.visible_to(user).held_on(day).filter(kind=Qualification.Kind.TRAINER)
    found: dict[tuple[int, int], set[Any]] = defaultdict(set)
    rows = held.order_by().values_list("teacher__school", "certificate_level__certificate", "teacher")
    for school, certificate, teacher in rows:
        found[school, certificate].add(teacher)
    return found


def _majors(programmes: QuerySet[Programme]) -> dict[tuple[int, int], set[str]]:
    """Majors that take part, as far as the approved applications name them."""
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    rows = ItemMajor.objects.filter(item__programmes__in=programmes).order_by()
    for school, certificate, name in rows.values_list(
        "item__application__school", "item__certificate_level__certificate", "name"
    ):
        found[school, certificate].add(name)
    return found


def _named(programmes: QuerySet[Programme]) -> tuple[dict[int, Any], dict[int, Any]]:
    """(schools by id, certificates by id) of the programmes."""
    rows = programmes.select_related("school__organization__city", "certificate_level__certificate")
    schools, certificates = {}, {}
    for programme in rows.defer("school__contact_mobile").order_by():
        schools[programme.school_id] = programme.school
        certificate = programme.certificate_level.certificate
        certificates[certificate.pk] = certificate
    return schools, certificates
