"""Trainers' teams, schools' teachers, the rule for training them, resources: what activities are made of."""

import datetime as dt
from decimal import Decimal

from accounts.models import Organization
from certificates.models import CertificateLevel
from core import clock
from evaluators.models import Qualification, Teacher, Trainer
from evaluators.services import resources, teachers, trainers
from reporting.demo.applicants import day
from reporting.demo.fees import levels_by_subject
from reporting.demo.province import DemoProvince, DemoSchool

MOBILE = "13800138000"
TEAMS, TEACHING_SCHOOLS = 6, 10
E = Trainer.Employer
# Two of five are 40 %, which is enough; the second team has one of five.
MEMBERS = [
    ("演示专家甲", "演示制造企业", E.INDUSTRY, "高级工程师"),
    ("演示专家乙", "演示服务企业", E.INDUSTRY, "高级技师"),
    ("演示专家丙", "演示职业技术学院", E.SCHOOL, "副教授"),
    ("演示专家丁", "演示研究院", E.RESEARCH, "研究员"),
    ("演示专家戊", "演示评价组织", E.OWN, "培训主管"),
]
SHORT_TEAM = 1
TEACHERS = [("演示教师甲", "机电类"), ("演示教师乙", "信息类"), ("演示教师丙", "商贸类")]
KEPT = ["机器人运维", "网店运营", "物流管理", "建筑信息建模", "网页开发", "财税应用"]
OLD = "物流管理"


def play(province: DemoProvince) -> None:
    _rule(province)
    _teams(province)
    _resources(province)


def teaching(province: DemoProvince) -> list[DemoSchool]:
    """The schools with teachers in the demonstration, the home school first."""
    return [s for s in province.schools if s.joined_at.year < 2020][:TEACHING_SCHOOLS]


def _rule(province: DemoProvince) -> None:
    teachers.set_rule(
        fields={
            "effective_from": dt.date(2020, 3, 2),
            "students_per_trainer": 80,
            "fee_rule": "演示省教师培训收费规定",
            "fee_per_day": Decimal(200),
            "document": "演示教职〔2020〕6号",
        },
        by=province.users["office1"],
        at=clock.at(dt.date(2020, 2, 26), dt.time(10)),
    )


def _teams(province: DemoProvince) -> None:
    for number, officer in enumerate(list(province.evaluators.values())[:TEAMS]):
        for place, (name, employer, kind, title) in enumerate(MEMBERS):
            is_short = number == SHORT_TEAM and place == 0
            trainers.add_trainer(
                fields={
                    "name": name,
                    "employer": "演示职业学校" if is_short else employer,
                    "employer_kind": E.SCHOOL if is_short else kind,
                    "title": title,
                    "phone": MOBILE,
                    "joined_on": dt.date(2020, 1, 2),
                },
                by=officer,
                at=clock.at(dt.date(2020, 1, 6), dt.time(9)),
            )


def _resources(province: DemoProvince) -> None:
    levels = levels_by_subject()
    for number, subject in enumerate(KEPT):
        level = levels[subject, 1]
        updated_on = dt.date(2019, 9, 20) if subject == OLD else dt.date(2020, 8, 3 + number)
        resources.keep(
            level,
            fields={
                "exam_scheme": "理论考核 60 分钟，实操考核 120 分钟。（演示）",
                "mock_exam": "模拟题两套，随时可练。（演示）",
                "textbook": f"{subject}（初级，演示）",
                "publisher": "演示出版社",
                "banks": "免费题库 300 题、案例 20 个。（演示）",
                "updated_on": updated_on,
            },
            files=[],
            by=province.evaluators[level.certificate.owner_id],
            at=clock.at(max(updated_on, dt.date(2020, 1, 6)), dt.time(16)),
        )


def enter_teachers(province: DemoProvince) -> dict[int, list[Teacher]]:
    """School → its teachers, the first of whom may train for what the school runs; one right soon ends."""
    levels = {str(level): level for level in levels_by_subject().values()}
    found = {}
    for number, school in enumerate(teaching(province)):
        at = clock.at(dt.date(2020, 3, 5), dt.time(9, number))
        entered = [
            teachers.add_teacher(
                fields={"name": name, "staff_number": f"YS{n:03d}", "majors": majors, "phone": MOBILE},
                by=school.contact,
                at=at,
            )
            for n, (name, majors) in enumerate(TEACHERS, 1)
        ]
        found[school.organization.pk] = entered
        level = levels[school.programmes[0].name]
        ends_on = dt.date(2020, 12, 31) if number == 0 else dt.date(2022, 12, 31)
        _qualify(entered[0], school, level, Qualification.Kind.TRAINER, ends_on)
        if number % 3 == 0:
            _qualify(entered[1], school, level, Qualification.Kind.EXAMINER, None)
    return found


def _qualify(
    teacher: Teacher, school: DemoSchool, level: CertificateLevel, kind: str, valid_until: dt.date | None
) -> None:
    teachers.hold(
        teacher=teacher,
        fields={
            "certificate_level": level,
            "kind": Qualification.Kind(kind),
            "number": f"演示{school.organization.pk:05d}-{kind[:1].upper()}",
            "obtained_on": dt.date(2019, 12, 20),
            "valid_until": valid_until,
        },
        by=school.contact,
        at=day(3, 6, 10),
    )


def team_of(evaluator: Organization) -> list[Trainer]:
    return list(Trainer.objects.in_team().filter(evaluator=evaluator).order_by("name"))
