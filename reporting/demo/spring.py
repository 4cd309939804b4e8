"""The round of spring 2020, which is over: applied for, reviewed, shown for objections, published.

It began what the schools of autumn 2020 run; some older schools had their plan for the year approved in it.
"""

import datetime as dt
from random import Random

from certificates.models import CertificateLevel
from reporting.demo.applicants import Applicants, Wish, day
from reporting.demo.fees import levels_by_subject
from reporting.demo.names import LABEL
from reporting.demo.province import PLAN_YEAR, DemoProvince, DemoSchool
from schools.models import ApplicationItem, ApplicationRound, Programme, School
from schools.services import objections, publications, reviews, rounds
from schools.services.publications import Heading

State = ApplicationItem.State
NEW_SCHOOLS, OLD_SCHOOLS = 12, 6
DOCUMENT = "演示教职办〔2020〕1号"
FINAL_DOCUMENT = "演示教职办〔2020〕3号"
REJECTED = "实训条件不具备：没有该证书考核所需的场地和设备。（演示）"
OBJECTION = "名单中该校的计划人数偏多，建议核实在校生规模。（演示）"
ANSWER = "已核对学籍人数和实训条件，计划人数与规模相符，名单不变。（演示）"


class Spring:
    """Applied for on 1–8 April, reviewed until 17 April, published on 30 April 2020."""

    def __init__(self, province: DemoProvince, *, now: dt.datetime, rng: Random) -> None:
        self.province, self.now, self.rng = province, now, rng
        self.office = province.users["office1"]
        self.levels = {str(level): level for level in levels_by_subject().values()}
        self.new = [s for s in province.schools if s.joined_at.year == PLAN_YEAR][:NEW_SCHOOLS]
        old = [s for s in province.schools if s.joined_at.year < PLAN_YEAR]
        self.old = [old[0], *old[3 : 2 + OLD_SCHOOLS]]

    @property
    def begun(self) -> set[int]:
        """The keys of the programmes that this round began."""
        return {programme.pk for school in self.new for programme in school.programmes}

    def play(self) -> None:
        self.round = self._open()
        applicants = Applicants(self.round, dt.date(2020, 3, 18), self.now, self.rng)
        schools = [*self.new, *self.old]
        wishes = {school.organization.pk: self._wishes(school) for school in schools}
        applicants.sign(wishes, schools)
        for number, school in enumerate(schools):
            started = day(4, 1 + number % 5, 9, number)
            application = applicants.fill(school, wishes[school.organization.pk], started)
            applicants.hand_in(application, school, started + dt.timedelta(days=3, hours=2))
        self._review()
        self._publish()
        self._note_origin()

    def _open(self) -> ApplicationRound:
        return rounds.open_round(
            fields={
                "year": PLAN_YEAR,
                "number": 1,
                "document": DOCUMENT,
                "note": f"请各校按计划申报。（{LABEL}）",
                "opens_at": day(3, 30),
                "school_closes_at": day(4, 10),
                "city_closes_at": day(4, 15),
                "province_closes_at": day(4, 21),
                "catalogue": "",
                "kinds": [str(kind) for kind in School.Kind.values],
                "minimum_candidates": None,
                "allows_carry_over": True,
                "closed_batches": [],
            },
            routes=rounds.PRESETS["hubei"][2],
            by=self.office,
            at=day(3, 27, 10),
        )

    def _wishes(self, school: DemoSchool) -> list[Wish]:
        """What it has run since, with the heads that were planned; the first new school one level more."""
        is_new = school in self.new
        wishes = [
            Wish(self.levels[p.name], p.plans[PLAN_YEAR], carried=0 if is_new else 5, signs=is_new)
            for p in school.programmes
        ]
        return [*wishes, Wish(self._other(school), 60)] if school in self.new[:2] else wishes

    def _other(self, school: DemoSchool) -> CertificateLevel:
        run = {programme.name for programme in school.programmes}
        return next(level for name, level in self.levels.items() if name not in run)

    # --- reviews

    def _review(self) -> None:
        for bureau, officer in self.province.officers.items():
            if waiting := self._keys(State.SUBMITTED, application__reviewer=bureau):
                at = day(4, 13, 14, bureau % 60)
                reviews.decide_many(action="item_recommend", items=waiting, by=officer, at=at)
        refused = self._keys(
            State.FIRST_REVIEWED,
            application__school__in=[school.organization.pk for school in self.new[:2]],
            planned_new=60,
            certificate_level__in=[self._other(school).pk for school in self.new[:2]],
        )
        if refused:
            at = day(4, 16, 15)
            reviews.decide_many(action="item_reject", items=refused, by=self.office, at=at, comment=REJECTED)
        left = self._keys(State.FIRST_REVIEWED)
        reviews.decide_many(action="item_approve", items=left, by=self.office, at=day(4, 17, 10))

    def _keys(self, state: str, **only: object) -> list[int]:
        items = ApplicationItem.objects.filter(application__round=self.round, state=state, **only)
        return list(items.order_by("pk").values_list("pk", flat=True))

    # --- publication

    def _publish(self) -> None:
        shown = publications.publish_proposed(
            round=self.round,
            heading=Heading("2020年第1批试点院校和证书公示（演示）", "", f"以下名单均为虚构。（{LABEL}）"),
            starts_on=dt.date(2020, 4, 22),
            ends_on=dt.date(2020, 4, 28),
            by=self.office,
            at=day(4, 22, 9),
        )
        objection = objections.receive_objection(
            result_list=shown,
            name="演示社会公众",
            contact="yanshi@example.com",
            text=OBJECTION,
            school_code=self.new[0].organization.code,
            at=day(4, 24, 11, 20),
        )
        objections.answer_objection(
            objection, is_upheld=False, answer=ANSWER, by=self.office, at=day(4, 27, 16)
        )
        publications.publish_final(
            round=self.round,
            heading=Heading(
                "2020年第1批试点院校和证书名单（演示）", FINAL_DOCUMENT, f"以下名单均为虚构。（{LABEL}）"
            ),
            by=self.office,
            at=day(4, 30, 10),
        )

    def _note_origin(self) -> None:
        """The programmes were there: they only began with the school year."""
        approved = ApplicationItem.objects.filter(
            application__round=self.round, state=State.APPROVED, is_renewal=False
        )
        for item in approved.select_related("application"):
            Programme.objects.filter(
                pk__in=self.begun,
                school=item.application.school_id,
                certificate_level=item.certificate_level_id,
            ).update(origin=item)
