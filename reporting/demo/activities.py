"""The activities of the demonstration's evaluators: of every kind and in every state on 18 November 2020."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from evaluators.models import Activity, Qualification, Teacher
from evaluators.services import activities, signups
from evaluators.services.signups import Grant, Mark
from reporting.demo import papers, training
from reporting.demo.applicants import day
from reporting.demo.coordination import certificate_of
from reporting.demo.fees import levels_by_subject
from reporting.demo.province import DemoProvince, DemoSchool
from schools.models import School

K = Activity.Kind
Day = tuple[int, int]
BASIS = "演示教职〔2020〕6号，每人每天 200 元（虚构）"
DEARER = "含两天实操考评的材料费每人 100 元，按实际支出测算。（演示）"
MORE = "请补充会议议程和参会单位名单。（演示）"
CALLED_OFF = "颁证场地调整，另行安排。（演示）"


class Held(NamedTuple):
    """Days of 2020: filed, first, last. `named`: for the ten schools with teachers only."""

    subject: str
    kind: str
    title: str
    filed: Day
    first: Day
    last: Day
    is_online: bool = False
    named: bool = False
    places: int | None = None
    fee: int = 0
    end: str = ""


TRAINED, LATE, COMING, RETURNED, CANCELLED = "trained", "late", "coming", "returned", "cancelled"
HELD = [
    Held("机器人运维", K.PROMOTION, "标准宣贯会", (3, 9), (3, 18), (3, 18), is_online=True),
    Held("建筑信息建模", K.PROMOTION, "标准解读", (5, 12), (5, 20), (5, 20), is_online=True),
    Held("网页开发", K.TRAINING, "师资培训（第一期）", (6, 1), (6, 10), (6, 12), fee=600),
    Held("物流管理", K.AWARD, "颁证仪式", (10, 26), (11, 2), (11, 2)),
    Held("机器人运维", K.TRAINING, "师资培训", (10, 9), (10, 20), (10, 22), named=True, fee=600, end=TRAINED),
    Held("机器人运维", K.EXAMINATION, "秋季考核", (11, 9), (11, 7), (11, 8), end=LATE),
    Held("烹饪营养", K.EXAMINATION, "考核（在办）", (11, 10), (11, 17), (11, 19)),
    Held("网店运营", K.TRAINING, "师资培训", (11, 5), (11, 26), (11, 27), named=True, places=20, end=COMING),
    Held("财税应用", K.TRAINING, "考评员培训", (11, 6), (12, 8), (12, 9), fee=500),
    Held("焊接技术", K.EXAMINATION, "冬季考核", (11, 13), (11, 28), (11, 29)),
    Held("网页开发", K.OTHER, "教学资源交流", (11, 11), (12, 3), (12, 3), is_online=True),
    Held("物流管理", K.MEETING, "工作会议", (11, 12), (11, 25), (11, 25), end=RETURNED),
    Held("建筑信息建模", K.AWARD, "颁证仪式", (11, 3), (11, 24), (11, 24), end=CANCELLED),
]  # fmt: skip


def play(province: DemoProvince) -> None:
    training.play(province)
    people = training.enter_teachers(province)
    schools = training.teaching(province)
    for held in HELD:
        activity = _file(province, held, schools)
        officer = province.evaluators[activity.evaluator_id]
        if held.end == TRAINED:
            _sign_up(activity, schools, people, at=day(10, 14, 10))
            _record(province, activity)
        elif held.end == COMING:
            _sign_up(activity, schools[:5], people, at=day(11, 10, 10))
        elif held.end == RETURNED:
            activities.send_back(activity, comment=MORE, by=province.users["office1"], at=day(11, 16, 10))
        elif held.end == CANCELLED:
            activities.cancel(activity, comment=CALLED_OFF, by=officer, at=day(11, 13, 10))


def _file(province: DemoProvince, held: Held, schools: Sequence[DemoSchool]) -> Activity:
    certificate = certificate_of(held.subject)
    teaches = held.kind == K.TRAINING
    fields = {
        "certificate": certificate,
        "kind": held.kind,
        "title": f"演示{held.subject}{held.title}",
        "plan": "时间、地点、内容和人员安排见附件方案。（演示）",
        "is_online": held.is_online,
        "place": "演示线上平台" if held.is_online else "演示培训中心",
        "city": None if held.is_online else province.bureaux[0].city,
        "starts_at": day(*held.first, 9),
        "ends_at": day(*held.last, 17),
        "places": held.places,
        "fee": Decimal(held.fee),
        "fee_basis": BASIS if held.fee else "",
        "fee_reason": DEARER,
        "cities": [],
        "schools": list(School.objects.filter(pk__in=[s.organization.pk for s in schools]))
        if held.named
        else [],
        "trainers": training.team_of(certificate.owner)[:3] if teaches else [],
    }
    return activities.file_activity(
        fields=fields,
        extra_fee=False,
        files=[papers.upload("活动方案")],
        by=province.evaluators[certificate.owner_id],
        at=day(*held.filed, 10),
    )


def _sign_up(
    activity: Activity, schools: Sequence[DemoSchool], people: dict[int, list[Teacher]], *, at: dt.datetime
) -> None:
    for number, school in enumerate(schools):
        mine = people[school.organization.pk][: 1 + number % 2]
        signups.sign_up(activity, teachers=mine, by=school.contact, at=at + dt.timedelta(minutes=number))


def _record(province: DemoProvince, activity: Activity) -> None:
    """All came but one, all who came passed but one; who passed may train from now on."""
    level = levels_by_subject()["机器人运维", 1]
    rows = list(activity.sign_ups.active().order_by("signed_at", "teacher__staff_number"))
    marks = {row.pk: Mark(True, "合格", True, f"演示PX{n:03d}") for n, row in enumerate(rows, 1)}
    marks |= {rows[-1].pk: Mark(False), rows[-2].pk: Mark(True, "未合格")}
    kind, first = Qualification.Kind.TRAINER, dt.date(2020, 10, 22)
    grant = Grant(kind, level, first, dt.date(2023, 10, 21))
    by = province.evaluators[activity.evaluator_id]
    signups.record_results(activity, marks=marks, grant=grant, by=by, at=day(10, 26, 10))
