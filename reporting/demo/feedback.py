"""What the demonstration's schools say of evaluators, in every state, one past its term; monitoring points with one rotation."""

import datetime as dt

from accounts.models import User
from certificates.models import Certificate
from core import clock
from reporting.demo import papers
from reporting.demo.applicants import day
from reporting.demo.coordination import certificate_of
from reporting.demo.province import DemoProvince
from schools.models import Programme
from supervision import monitoring
from supervision.models import Feedback
from supervision.services import feedback as services
from supervision.services.monitoring import choose_points

G = Feedback.Ground
SAID = {
    "new": (G.SERVICE, "教材到校晚了两周，联系不到培训主管。（演示）"),
    "assigned": (G.FEES, "培训通知里另收资料费 80 元。（演示）"),
    "overdue": (G.SERVICE, "考核成绩两个月未公布，学生无法查询。（演示）"),
    "asked": (G.BUNDLING, "建议书点名要求购买某品牌实训软件。（演示）"),
    "answered": (G.FORCED_TRAINING, "要求每名教师都参加收费培训。（演示）"),
    "closed": (G.OTHER, "考核计划公布晚，影响排课。（演示）"),
}
FILED = {
    "new": (11, 16), "assigned": (11, 12), "overdue": (10, 26), "asked": (11, 6), "answered": (10, 19),
    "closed": (9, 14),
}  # fmt: skip
QUESTION = "贵单位是否向试点院校推荐或指定过实训软件品牌？请说明。（演示）"
ANSWER = "已核实。评价组织已更正通知，参加培训全凭自愿。（演示）"
MEASURES = "约谈一次，要求限期更正。（演示）"
DONE = "已更正并告知各校。（演示）"
# Certificate → turns: the first one's points have rotated, the second one's stand since March.
WATCHED = {"机器人运维": 2, "网店运营": 1}
TURNS = [
    (dt.date(2020, 3, 9), dt.date(2021, 1, 31), "按地区和类型均衡选定。（演示）"),
    (dt.date(2020, 9, 14), dt.date(2021, 1, 31), "新学年轮换。（演示）"),
]


def play(province: DemoProvince) -> None:
    """The home school's first is new, its second answered; the first evaluator is asked about another's."""
    home = province.schools[0].contact
    others = [s.contact for s in province.schools[1:] if s.joined_at.year < 2020]
    first = next(iter(province.evaluators))
    asking = next((one for one in others if _programmes(one, of=first)), others[0])
    by = {"new": home, "answered": home, "asked": asking}
    by |= dict(zip(("assigned", "closed", "overdue"), others[1:], strict=False))
    for stand in SAID:
        _play(province, stand, by[stand], first)
    for subject, turns in WATCHED.items():
        _watch(province, certificate_of(subject), turns)


def _programmes(contact: User, of: int | None = None) -> list[Programme]:
    """What the contact's school runs; only that evaluator's, where one is given."""
    rows = Programme.objects.filter(school=contact.organization_id).order_by("pk")
    rows = rows.select_related("certificate_level__certificate__owner")
    return [row for row in rows if of in {None, row.certificate_level.certificate.owner_id}]


def _play(province: DemoProvince, stand: str, contact: User, first: int) -> None:
    office, office2 = province.users["office1"], province.users["office2"]
    at = day(*FILED[stand], 10)
    feedback = _file(stand, contact, first, at)
    if stand == "new":
        return
    later = at + dt.timedelta(days=2)
    feedback = services.assign_feedback(feedback, assignee=office2, by=office, at=at + dt.timedelta(hours=3))
    if stand == "asked":
        services.ask_evaluator(feedback, text=QUESTION, by=office2, at=later)
    if stand in {"answered", "closed"}:
        feedback = services.answer_feedback(feedback, answer=ANSWER, measures=MEASURES, by=office2, at=later)
    if stand == "closed":
        services.close_feedback(feedback, comment=DONE, by=office, at=later + dt.timedelta(days=14))


def _file(stand: str, contact: User, first: int, at: dt.datetime) -> Feedback:
    ground, text = SAID[stand]
    preferred = _programmes(contact, of=first) if stand == "asked" else []
    certificate = [*preferred, *_programmes(contact)][0].certificate_level.certificate
    return services.file_feedback(
        evaluator=certificate.owner,
        certificate=certificate,
        ground=ground,
        text=text,
        token=f"demo-{stand}",
        by=contact,
        at=at,
        files=[papers.upload("情况说明")] if stand == "asked" else [],
    )


def _watch(province: DemoProvince, certificate: Certificate, turns: int) -> None:
    for starts_on, ends_on, reason in TURNS[:turns]:
        known = [one for one in monitoring.candidates(certificate) if one.pk in _joined(province, starts_on)]
        if known:
            choose_points(
                certificate=certificate,
                schools=[one.pk for one in monitoring.propose(known)],
                starts_on=starts_on,
                ends_on=ends_on,
                reason=reason,
                by=province.users["office1"],
                at=clock.at(starts_on - dt.timedelta(days=4), dt.time(10)),
            )


def _joined(province: DemoProvince, on: dt.date) -> set[int]:
    return {s.organization.pk for s in province.schools if clock.local(s.joined_at).date() < on}
