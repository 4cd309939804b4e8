"""What the national platform says in the demonstration, and programmes that sleep or have ended."""

import datetime as dt
from random import Random

from accounts.models import Organization
from certificates.models import CertificateLevel
from core import clock
from reporting.demo.applicants import day
from reporting.demo.fees import levels_by_subject
from reporting.demo.province import PLAN_YEAR, DemoProvince, DemoSchool
from schools.models import AnnualPlan, Programme, School
from schools.services import platform, programmes
from schools.services.platform import Said

AS_OF = dt.date(2020, 11, 15)
BEGAN, ENDED = dt.date(2019, 12, 9), dt.date(2020, 3, 12)
WHY_ENDED = "学校专业调整，不再开展该证书试点。（演示）"
COURSES = "《物流基础》《仓储作业实务》《配送管理》（演示）"


def found_sleepers(province: DemoProvince) -> None:
    """Programmes begun by the office that never had a plan: three sleep (one at the home school, without an
    agreement), two have ended."""
    schools = [s for s in province.schools if clock.local(s.joined_at).date() < BEGAN]
    for number, school in enumerate([*schools[:1], *schools[4:8]]):
        programme = programmes.start_programme(
            school=School.objects.select_related("organization").get(pk=school.organization.pk),
            level=_unknown(school),
            by=province.users["office1"],
            at=clock.at(BEGAN, dt.time(10)),
        )
        if number > 2:
            programmes.end_programme(
                programme=programme,
                reason=WHY_ENDED,
                by=province.users["office1"],
                at=clock.at(ENDED, dt.time(10)),
            )


def _unknown(school: DemoSchool) -> CertificateLevel:
    """Of the certificates of the first batch, one that it does not run at any level."""
    known = {programme.certificate for programme in school.programmes}
    levels = (x for x in levels_by_subject().values() if x.certificate.batch == "1" and x.level == 1)
    return next(level for level in levels if level.certificate.short_name not in known)


def tell_courses(province: DemoProvince) -> None:
    home = province.schools[0]
    programmes.tell_courses(
        programme=Programme.objects.select_related(
            "school__organization", "certificate_level__certificate"
        ).get(pk=home.programmes[0].pk),
        courses=COURSES,
        files=[],
        by=home.contact,
        at=day(10, 12, 10),
    )


def take_states(province: DemoProvince, rng: Random) -> None:
    """The list of 15 November 2020: mostly as here; every kind of difference a few times."""
    plans = AnnualPlan.objects.filter(year=PLAN_YEAR, programme__started_at__lt=day(11, 15))
    plans = plans.select_related(
        "programme__certificate_level__certificate", "programme__school__organization"
    )
    rows = []
    for number, plan in enumerate(plans.order_by("programme")):
        heads, approved, words = plan.candidates, True, "审核通过"
        if number % 40 == 0:
            heads += 10
        elif number % 50 == 7:
            approved, words = False, rng.choice(["待审核", "未通过"])
        elif number % 60 == 11:
            continue
        programme = plan.programme
        rows.append(_said(programme.school.organization, programme.certificate_level, heads, approved, words))
    for programme in Programme.objects.filter(plans=None, started_at__lt=day(1, 1)).select_related(
        "certificate_level__certificate", "school__organization"
    ):
        rows.append(_said(programme.school.organization, programme.certificate_level, 30))
    platform.take_states(rows=rows, by=province.users["office1"], at=day(11, 16, 9))


def _said(
    organization: Organization,
    level: CertificateLevel,
    heads: int,
    approved: bool = True,
    words: str = "审核通过",
) -> Said:
    return Said(organization, level, PLAN_YEAR, approved, words, heads, AS_OF)
