"""The round of autumn 2020, which runs: Hubei's spans of May 2021, moved back by twenty-seven weeks.

On 18 November 2020 at 10:00 the schools' side has closed two days ago (one school has longer, by name), the
bureaux review until the 19th, and the province decides what came straight from colleges.
"""

import datetime as dt
from collections.abc import Sequence
from random import Random

from accounts.models import User
from certificates.models import CertificateLevel
from reporting.demo.applicants import Applicants, Wish, day
from reporting.demo.fees import levels_by_subject
from reporting.demo.names import LABEL
from reporting.demo.province import APPROVED_IN_AUTUMN, HEADS_EACH, PLAN_YEAR, DemoProvince, DemoSchool
from schools.models import (
    Application,
    ApplicationItem,
    ApplicationRound,
    Closings,
    ExpertOpinion,
    Programme,
    School,
)
from schools.services import (
    applications,
    duties,
    extensions,
    objections,
    opinions,
    publications,
    reviews,
    rounds,
)
from schools.services.publications import Heading

State = ApplicationItem.State
DOCUMENT = "演示教职办〔2020〕9号"
NEIGHBOURS, ELSEWHERE, COLLEGES = 9, 24, 24
# Certificates of these batches are closed to schools that do not know them (as in Hubei, HB 四.4).
CLOSED, OPEN_BATCH = ["1", "2"], "3"
OPENS, SCHOOL, CITY, PROVINCE = day(11, 6), day(11, 17), day(11, 20), day(11, 24)
LONGER = Closings(day(11, 21), day(11, 23), PROVINCE)
# Days of November on which schools begin and hand in.
WORKING_DAYS = [(6, 9), (9, 11), (9, 12), (10, 12), (10, 13), (11, 13), (12, 16)]
WHY_LONGER = "学校机房改造，11月13日至16日断网，已提交书面说明，同意单独延期。（演示）"
MEND_FIRST = "实训设备与证书考核标准不对应，请补充设备清单，并核对计划人数。（演示）"
MEND = "工作方案缺少考核站点安排和经费测算，请补充后重新提交。（演示）"
REJECT_FIRST = "相关专业在校生人数不足，暂不具备开展条件，不予推荐。（演示）"
REJECT = "同一专业已有两个证书在试点，请先做好现有证书。（演示）"
ADVICE = {
    ExpertOpinion.Advice.SUPPORT: "专业对口，师资和设备满足标准要求，建议同意。（演示）",
    ExpertOpinion.Advice.CONDITION: "建议先完成教师培训，再按核定规模开展。（演示）",
    ExpertOpinion.Advice.OPPOSE: "实训工位与计划人数不匹配，建议本批次不开展。（演示）",
}


class Autumn:
    """Opened on 4 November; the steps are played in their order."""

    def __init__(self, province: DemoProvince, *, now: dt.datetime, rng: Random) -> None:
        self.province, self.now, self.rng = province, now, rng
        self.office = province.users["office1"]
        self.levels = [x for x in levels_by_subject().values() if x.certificate.batch == OPEN_BATCH]
        self.run: dict[int, set[int]] = {}
        for school, level in Programme.objects.filter(ended_at=None).values_list(
            "school", "certificate_level"
        ):
            self.run.setdefault(school, set()).add(level)
        self.home, *others = province.schools
        self._choose(others)

    def _choose(self, others: Sequence[DemoSchool]) -> None:
        bureau = self.home.organization.supervisor_id
        of_cities = [
            s
            for s in others
            if s.kind == School.Kind.SECONDARY_VOCATIONAL
            and s.organization.supervisor_id in self.province.officers
        ]
        near = [s for s in of_cities if s.organization.supervisor_id == bureau]
        far = [s for s in of_cities if s.organization.supervisor_id != bureau]
        # A small province may have no other school in the home school's city.
        near, far = (near, far) if near else (far[:1], far[1:])
        self.extended, *self.neighbours = near[: NEIGHBOURS + 1]
        self.lapsed, self.elsewhere = far[:2], far[2 : 2 + ELSEWHERE]
        colleges = [s for s in others if s.kind != School.Kind.SECONDARY_VOCATIONAL]
        self.colleges = colleges[:COLLEGES]

    def play(self) -> None:
        self.round = self._open()
        self._apply()
        self._review_first()
        self._ask_experts()
        self._decide()
        self._mend()
        self._publish()
        # Last: what was withdrawn in time opens the duty of the drafts beside it again.
        duties.lapse(SCHOOL)

    def _open(self) -> ApplicationRound:
        return rounds.open_round(
            fields={
                "year": PLAN_YEAR,
                "number": 2,
                "document": DOCUMENT,
                "note": f"第一、二批证书原则上不再新增试点单位，可续报年度计划。（{LABEL}）",
                "opens_at": OPENS,
                "school_closes_at": SCHOOL,
                "city_closes_at": CITY,
                "province_closes_at": PROVINCE,
                "catalogue": "",
                "kinds": [str(kind) for kind in School.Kind.values],
                "minimum_candidates": 20,
                "allows_carry_over": True,
                "closed_batches": CLOSED,
            },
            routes=rounds.PRESETS["hubei"][2],
            by=self.office,
            at=day(11, 4, 10),
        )

    # --- the schools

    def _apply(self) -> None:
        applicants = Applicants(self.round, dt.date(2020, 11, 2), self.now, self.rng)
        wanted = {self.home.organization.pk: self._at_home()}
        senders = [self.home, *self.neighbours, *self.elsewhere, *self.colleges]
        waiting = [self.extended, *self.lapsed]
        for school in [*senders[1:], *waiting]:
            wanted[school.organization.pk] = self._wishes(school)
        wanted[self.extended.organization.pk].append(Wish(self._closed_to(self.extended), 30))
        applicants.sign(wanted, [*senders, *waiting])
        for number, school in enumerate(senders):
            started, sent = WORKING_DAYS[number % len(WORKING_DAYS)]
            at = day(11, started, 9 + number % 6, number % 60)
            application = applicants.fill(school, wanted[school.organization.pk], at)
            applicants.hand_in(application, school, at + dt.timedelta(days=sent - started, hours=1))
            if number % 15 == 4:
                self._withdraw(application, school)
        for number, school in enumerate(waiting):
            applicants.fill(school, wanted[school.organization.pk], day(11, 12 + number, 16))
        self._extend()

    def _at_home(self) -> list[Wish]:
        """Enough for one in every state; the last without its agreement, so it stays a draft."""
        levels = self._levels_for(self.home)[:7]
        wishes = [Wish(level, HEADS_EACH if n == 0 else 45 + 5 * n) for n, level in enumerate(levels)]
        return [*wishes[:-1], Wish(levels[-1], 30, signs=False)]

    def _wishes(self, school: DemoSchool) -> list[Wish]:
        is_college = school.kind != School.Kind.SECONDARY_VOCATIONAL
        levels = self.rng.sample(self._levels_for(school), self.rng.randrange(2, 5))
        heads = [HEADS_EACH if is_college else self.rng.randrange(20, 90) for _ in levels]
        wishes = [Wish(level, number) for level, number in zip(levels, heads, strict=True)]
        programme = school.programmes[0]
        if self.rng.random() < 0.2 and PLAN_YEAR - 1 in programme.plans:
            level = next(x for x in levels_by_subject().values() if str(x) == programme.name)
            return [*wishes, Wish(level, max(20, programme.plans[PLAN_YEAR]), carried=5, signs=False)]
        return wishes

    def _levels_for(self, school: DemoSchool) -> list[CertificateLevel]:
        most = 2 if school.kind == School.Kind.SECONDARY_VOCATIONAL else 3
        run = self.run.get(school.organization.pk, set())
        return [level for level in self.levels if level.level <= most and level.pk not in run]

    def _closed_to(self, school: DemoSchool) -> CertificateLevel:
        """Of a batch that takes no new schools: the form says so."""
        known = {programme.certificate for programme in school.programmes}
        levels = (x for x in levels_by_subject().values() if x.certificate.batch in CLOSED and x.level == 1)
        return next(level for level in levels if level.certificate.short_name not in known)

    def _withdraw(self, application: Application, school: DemoSchool) -> None:
        item = application.items.exclude(state=State.DRAFT).order_by("pk").last()
        if item:
            applications.withdraw_item(item, by=school.contact, at=day(11, 16, 9))

    def _extend(self) -> None:
        extensions.extend(
            round=self.round,
            organization=self.extended.organization,
            closings=LONGER,
            reason=WHY_LONGER,
            by=self.office,
            at=day(11, 16, 16, 20),
        )

    # --- the reviews

    def _review_first(self) -> None:
        home = self._of([self.home], State.SUBMITTED)
        bureau = self.home.organization.supervisor_id
        applications.withdraw_item(home.pop(), by=self.home.contact, at=day(11, 16, 17))
        officer = self.province.officers[bureau or 0]
        at = day(11, 17, 9, 30)
        self._act("item_recommend", home[:2], officer, at)
        self._act("item_return_first", home[2:3], officer, at, MEND_FIRST)
        self._act("item_reject_first", home[3:4], officer, at, REJECT_FIRST)
        near = self._of(self.neighbours[:3], State.SUBMITTED)
        self._act("item_recommend", near[:5], officer, at + dt.timedelta(minutes=20))
        self._act("item_return_first", near[5:6], officer, at + dt.timedelta(minutes=25), MEND_FIRST)
        for pk, other in self.province.officers.items():
            if pk != bureau:
                self._review_elsewhere(
                    [s for s in self.elsewhere if s.organization.supervisor_id == pk], other
                )

    def _review_elsewhere(self, schools: list[DemoSchool], officer: User) -> None:
        """About half is done; one in eight goes back, one in ten is not recommended."""
        items = self._of(schools, State.SUBMITTED)
        items = items[: 1 + len(items) // 2]
        back, no = items[3::8], items[4::10]
        done = [item for item in items if item not in back and item not in no]
        at = day(11, 17, 10, officer.organization.pk % 60 if officer.organization else 0)
        self._act("item_recommend", done, officer, at)
        self._act("item_return_first", back, officer, at + dt.timedelta(minutes=30), MEND_FIRST)
        no = [item for item in no if item not in back]
        self._act("item_reject_first", no, officer, at + dt.timedelta(minutes=40), REJECT_FIRST)

    def _of(self, schools: Sequence[DemoSchool], state: str) -> list[ApplicationItem]:
        items = ApplicationItem.objects.filter(
            application__round=self.round,
            application__school__in=[school.organization.pk for school in schools],
            state=state,
        )
        return list(items.select_related("application__school").order_by("application", "pk"))

    def _act(
        self, action: str, items: Sequence[ApplicationItem], by: User, at: dt.datetime, comment: str = ""
    ) -> None:
        if items:
            keys = [item.pk for item in items]
            reviews.decide_many(action=action, items=keys, by=by, at=at, comment=comment)

    # --- experts

    def _ask_experts(self) -> None:
        expert, second = self.province.users["expert"], self.province.users["expert-2"]
        tied = self.colleges[-1].organization
        opinions.register_interest(
            expert=expert,
            organization=tied,
            note="曾任该校专业建设顾问（演示）",
            by=self.office,
            at=day(11, 10, 9),
        )
        items = self._of(self.colleges, State.FIRST_REVIEWED)[:7]
        self._ask(items, [expert])
        self._ask(items[:2], [second])
        asked = list(expert.opinions.select_related("item__application__school").order_by("pk"))
        told = zip(asked, [ExpertOpinion.Advice.SUPPORT, ExpertOpinion.Advice.CONDITION], strict=False)
        for number, (row, advice) in enumerate(told):
            opinions.give(row, advice=advice, text=ADVICE[advice], by=expert, at=day(11, 17, 13, number))
        if len(asked) > 3:
            opinions.decline(
                asked[3],
                organization=asked[3].item.certificate_level.certificate.owner,
                note="参与过该评价组织的标准开发（演示）",
                by=expert,
                at=day(11, 17, 13, 20),
            )
        if last := second.opinions.order_by("pk").last():
            oppose = ExpertOpinion.Advice.OPPOSE
            opinions.give(last, advice=oppose, text=ADVICE[oppose], by=second, at=day(11, 17, 13, 40))

    def _ask(self, items: Sequence[ApplicationItem], experts: list[User]) -> None:
        if items:
            due_at = day(11, 20, 18)
            opinions.ask(items=items, experts=experts, due_at=due_at, by=self.office, at=day(11, 17, 11))

    # --- the province

    def _decide(self) -> None:
        """Of the home school one, of the colleges the first; two advised on are left to be decided."""
        direct = self._of(self.colleges, State.FIRST_REVIEWED)
        fresh = [item for item in direct if not item.is_renewal and item.planned_total == HEADS_EACH]
        home = self._of([self.home], State.FIRST_REVIEWED)[:1]
        asked = set(ExpertOpinion.objects.filter(state="asked").values_list("item", flat=True))
        free = [item for item in fresh if item.pk not in asked]
        approved = [*home, *free][:APPROVED_IN_AUTUMN]
        rest = [item for item in free if item not in approved]
        office2 = self.province.users["office2"]
        self._act("item_approve", approved, self.office, day(11, 17, 15))
        self._act("item_return", rest[:4], office2, day(11, 17, 15, 30), MEND)
        self._act("item_reject", rest[4:7], office2, day(11, 17, 16), REJECT)
        far = self._of(self.elsewhere, State.FIRST_REVIEWED)
        self._act("item_reject", far[:1], office2, day(11, 17, 16, 10), REJECT)

    def _mend(self) -> None:
        """Two schools have answered a return already: a second version."""
        mended: set[str] = set()
        for item in self._of([*self.colleges, *self.elsewhere], State.RETURNED):
            school = next(s for s in self.province.schools if s.organization.pk == item.application.school_id)
            kind = item.returned_from
            if kind in mended or item.application.items.filter(state=State.RETURNED).count() != 1:
                continue
            mended.add(kind)
            Applicants(self.round, dt.date(2020, 11, 2), self.now, self.rng).mend(
                item, school, day(11, 17, 17)
            )

    # --- publication

    def _publish(self) -> None:
        """What is approved is shown for a week; the rest will follow."""
        shown = publications.publish_proposed(
            round=self.round,
            heading=Heading(
                "2020年第2批试点院校和证书公示（第一次，演示）",
                "",
                f"先公示已审定的项目，其余另行公示。以下名单均为虚构。（{LABEL}）",
                despite_waiting=True,
            ),
            starts_on=dt.date(2020, 11, 18),
            ends_on=dt.date(2020, 11, 24),
            by=self.office,
            at=day(11, 18, 8, 30),
        )
        objections.receive_objection(
            result_list=shown,
            name="演示社会公众",
            contact="yanshi@example.com",
            text="名单中该校的实训条件与公示的计划人数不相称，请核实。（演示）",
            school_code=shown.rows[-1]["code"],
            at=day(11, 18, 9, 20),
        )
