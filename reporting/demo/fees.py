"""The demonstration's fees: a rule, caps of an invented document, standards in every state.

No amount here is a cap of anybody real. Two certificates take the amounts of public examples, to show that
a higher level may cost less, and say so in their basis; all others are invented.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from accounts.models import User
from certificates.models import CertificateLevel, ExamForm
from core import clock
from funding.models import CostElement, FeePolicy, FeeStandard
from funding.services import caps, standards
from reporting.demo import names
from reporting.demo.province import DemoProvince

FIRST_DOCUMENT = "演示财教〔2019〕8号"
LATER_DOCUMENT = "演示财教〔2020〕21号"
FILED_UNDER = "演示教职备〔2020〕{n}号"
INVENTED = "金额为虚构，仅作演示。"
OF_ONE_PROVINCE = "金额取自公开实例（浙江省范围，2022 年），仅作演示：高级低于初级、中级。"
OF_A_PLAN = "金额取自公开实例（全国范围方案，2022 年），仅作演示：三个等级同价。"
FIRST_DAY = dt.date(2020, 1, 1)
STANDARDS_FROM = dt.date(2020, 2, 1)
NEXT_YEAR = dt.date(2021, 1, 1)


class Offer(NamedTuple):
    """What an evaluator proposes for its certificate: yuan by level (none: nothing proposed)."""

    form: str
    amounts: tuple[int | None, ...]
    basis: str = INVENTED


P, C = ExamForm.PRACTICAL, ExamForm.COMPUTER
OFFERS = {
    "机器人运维": Offer(P, (420, 480, 540)),
    "网店运营": Offer(C, (320, 380, 440)),
    "物流管理": Offer(P, (380, 430, 480)),
    "建筑信息建模": Offer(C, (360, 400, 420)),
    "网页开发": Offer(C, (300, 300, 300), OF_A_PLAN),
    "财税应用": Offer(C, (280, 340, 400)),
    "汽车检修": Offer(P, (460, 500, 550)),
    "老年照护": Offer(P, (360, 400, None)),
    "数据标注": Offer(C, (260, 300, 360)),
    "云平台运维": Offer(C, (340, 400, 410)),
    "旅游策划": Offer(C, (280, 320, 380)),
    "烹饪营养": Offer(P, (400, 450, 500)),
    "焊接技术": Offer(ExamForm.SPECIAL_PRACTICAL, (680, 760, None)),
    "幼儿照护": Offer(P, (360, 400, 460)),
    "直播销售": Offer(C, (300, 340, 400)),
    "数控加工": Offer(P, (480, 520, 550)),
    "测绘处理": Offer(P, (503, 503, 415), OF_ONE_PROVINCE),
    "煤矿智能设备": Offer(P, (460, 500, 540)),
}
# Where the way of a standard does not end with its filing.
ENDS = {
    ("机器人运维", 3): FeeStandard.State.RETURNED,
    ("直播销售", 3): FeeStandard.State.REFUSED,
    ("旅游策划", 3): FeeStandard.State.WITHDRAWN,
    ("烹饪营养", 3): FeeStandard.State.PROPOSED,
    ("焊接技术", 2): FeeStandard.State.PROPOSED,
}
# Those proposed for next year beside the one in force: how many schools have agreed so far.
NEXT = {("物流管理", 1): (400, 1), ("机器人运维", 2): (470, 2), ("焊接技术", 1): (660, 0)}
COSTS = {"阅卷": 60, "考评员劳务": 120, "考场租赁": 80}


def levels_by_subject() -> dict[tuple[str, int], CertificateLevel]:
    """(subject, 1 to 3) → the demonstration's certificate level."""
    rows = CertificateLevel.objects.filter(certificate__owner__is_demonstration=True)
    by_name = {names.certificate(subject): subject for subject in names.SUBJECTS}
    found = rows.select_related("certificate__owner").order_by("certificate", "level")
    return {(by_name[row.certificate.name], row.level): row for row in found}


@dataclass
class Fees:
    """Sets rule, caps and standards, each at its instant."""

    province: DemoProvince
    levels: dict[tuple[str, int], CertificateLevel]

    def play(self) -> None:
        self._rule()
        self._cap(P, 560, FIRST_DAY, FIRST_DOCUMENT, dt.date(2019, 12, 23))
        self._cap(C, 460, FIRST_DAY, FIRST_DOCUMENT, dt.date(2019, 12, 23))
        self._cap(ExamForm.PAPER, 260, FIRST_DAY, FIRST_DOCUMENT, dt.date(2019, 12, 23))
        self._cap(P, 450, FIRST_DAY, FIRST_DOCUMENT, dt.date(2019, 12, 23), of=("测绘处理", 3))
        for number, key in enumerate(self.levels):
            self._standard(key, number)
        # Later than a standard that it then exceeds, and one that comes next month.
        self._cap(P, 480, dt.date(2020, 9, 1), LATER_DOCUMENT, dt.date(2020, 8, 12), of=("数控加工", 2))
        self._cap(C, 420, dt.date(2020, 12, 1), LATER_DOCUMENT, dt.date(2020, 11, 9))
        for key, (amount, consents) in NEXT.items():
            self._propose(key, Decimal(amount), NEXT_YEAR, dt.date(2020, 11, 10), consents)
        caps.set_exam_form(
            self.levels["文物数字化", 1],
            exam_form=ExamForm.PAPER,
            by=self.province.users["office1"],
            at=_morning(dt.date(2020, 3, 2)),
        )

    def _rule(self) -> None:
        caps.set_policy(
            fields={
                "effective_from": FIRST_DAY,
                "scope": FeePolicy.Scope.PROVINCE,
                "over_cap": FeePolicy.OverCap.REFUSE,
                "document": FIRST_DOCUMENT,
            },
            by=self.province.users["finance"],
            at=_morning(dt.date(2019, 12, 20)),
        )

    def _cap(
        self,
        form: str,
        amount: int,
        effective_from: dt.date,
        document: str,
        day: dt.date,
        of: tuple[str, int] | None = None,
    ) -> None:
        caps.set_cap(
            fields={
                "exam_form": form,
                "certificate_level": self.levels[of] if of else None,
                "amount": Decimal(amount),
                "effective_from": effective_from,
                "document": document,
                "note": "虚构，仅作演示",
            },
            by=self.province.users["finance"],
            at=_morning(day),
        )

    def _standard(self, key: tuple[str, int], number: int) -> None:
        offer = OFFERS.get(key[0])
        amount = offer.amounts[key[1] - 1] if offer else None
        if amount is None:
            return
        end = ENDS.get(key, FeeStandard.State.FILED)
        day = dt.date(2020, 1, 3) + dt.timedelta(days=number % 5)
        if end == FeeStandard.State.FILED and not self._schools(key, day):
            # Nobody runs the level who could agree to it.
            return
        consents = 0 if key == ("焊接技术", 2) else 1 + number % 3
        standard = self._propose(key, Decimal(amount), STANDARDS_FROM, day, consents)
        evaluator, office = self._evaluator(key), self.province.users["office1"]
        at = _morning(day + dt.timedelta(days=14))
        if end == FeeStandard.State.FILED:
            standards.file_standard(standard, document=FILED_UNDER.format(n=number + 1), by=office, at=at)
        elif end == FeeStandard.State.RETURNED:
            comment = "请补充测算依据，说明考评员劳务的标准。（演示）"
            standards.return_standard(standard, comment=comment, by=office, at=at)
        elif end == FeeStandard.State.REFUSED:
            comment = "该等级近两年没有开考计划，暂不备案。（演示）"
            standards.refuse(standard, comment=comment, by=office, at=at)
        elif end == FeeStandard.State.WITHDRAWN:
            standards.withdraw(standard, by=evaluator, at=at)

    def _propose(
        self, key: tuple[str, int], amount: Decimal, effective_from: dt.date, day: dt.date, consents: int
    ) -> FeeStandard:
        offer = OFFERS[key[0]]
        costs = {e: Decimal(COSTS[e.name]) for e in CostElement.objects.filter(name__in=COSTS)}
        standard = standards.propose_standard(
            fields={
                "certificate_level": self.levels[key],
                "exam_form": offer.form,
                "organization": None,
                "amount": amount,
                "effective_from": effective_from,
                "basis": offer.basis,
                "over_cap_reason": "",
            },
            costs=costs if key[0] in {"机器人运维", "焊接技术"} else {},
            by=self._evaluator(key),
            at=_morning(day),
        )
        for number, contact in enumerate(self._schools(key, day)[:consents]):
            at = _morning(day) + dt.timedelta(days=3, hours=number)
            standards.agree(standard, by=contact, at=at)
        return standard

    def _evaluator(self, key: tuple[str, int]) -> User:
        return self.province.evaluators[self.levels[key].certificate.owner_id]

    def _schools(self, key: tuple[str, int], day: dt.date) -> list[User]:
        """The contacts of pilot schools that run the level, never the home school's."""
        level = str(self.levels[key])
        schools = [s for s in self.province.schools[1:] if clock.local(s.joined_at).date() < day]
        return [s.contact for s in schools if any(p.name == level for p in s.programmes)]


def _morning(day: dt.date) -> dt.datetime:
    return clock.at(day, dt.time(10))


def play(province: DemoProvince) -> None:
    Fees(province, levels_by_subject()).play()
