"""How the demonstration's schools apply: fill in, attach their plans, hand in, all through the services."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from certificates.models import CertificateLevel
from core import clock
from reporting.demo import papers
from reporting.demo.agreements import Signed, sign
from reporting.demo.province import DemoSchool
from schools import content as shape
from schools.models import Agreement, Application, ApplicationItem, ApplicationRound, ItemFile, School
from schools.services import applications as services
from schools.services import filling_in

# Majors of the ministry's catalogue by the subject of a certificate: of secondary schools, of colleges.
MAJORS = {
    "物流管理": ("730801 物流服务与管理", "530802 现代物流管理"),
    "财税应用": ("730301 会计事务", "530302 大数据与会计"),
    "数据标注": ("710205 大数据技术应用", "510205 大数据技术"),
    "烹饪营养": ("740201 中餐烹饪", "540202 烹饪工艺与营养"),
    "直播销售": ("730701 电子商务", "530701 电子商务"),
    "煤矿智能设备": ("660301 机电技术应用", "420501 煤矿智能开采技术"),
}
OTHER_MAJORS = ("710202 计算机网络技术", "510202 计算机网络技术")
EQUIPMENT = "校内实训室 {rooms} 间、工位 {seats} 个，满足“{certificate}”培训和考核使用。（演示）"
JUSTIFICATION = (
    "专业在校生 {pupils} 人，证书标准已与 {courses} 门课程对照，可融入教学；师资、设备具备，"
    "经校内论证，同意申报，规模 {heads} 人。（演示）"
)


@dataclass(frozen=True)
class Wish:
    """One item that a school applies for: so many heads in all, of them carried over from the year before;
    whether it signs an agreement for it first."""

    level: CertificateLevel
    heads: int
    carried: int = 0
    signs: bool = True


@dataclass
class Applicants:
    """Schools applying in one round; agreements are signed before on one day."""

    round: ApplicationRound
    signed_on: dt.date
    now: dt.datetime
    rng: Random
    agreements: dict[tuple[int, int], Agreement] = field(default_factory=dict)

    def sign(self, wishes: Mapping[int, list[Wish]], schools: Iterable[DemoSchool]) -> None:
        """The agreements of what they will apply for."""
        until = self.signed_on.replace(year=self.signed_on.year + 2)
        signed = [
            Signed(school, wish.level, self.signed_on, until)
            for school in schools
            for wish in wishes[school.organization.pk]
            if wish.signs
        ]
        self.agreements = sign(signed, now=self.now)

    def fill(self, school: DemoSchool, wishes: list[Wish], at: dt.datetime) -> Application:
        """Begun and filled in, nothing handed in yet."""
        profile = School.objects.select_related("organization__supervisor").get(pk=school.organization.pk)
        application = services.start_application(round=self.round, school=profile, by=school.contact, at=at)
        services.add_items(
            application=application, levels=[wish.level for wish in wishes], by=school.contact, at=at
        )
        items = {item.certificate_level_id: item for item in application.items.all()}
        for number, wish in enumerate(wishes, 1):
            item = items[wish.level.pk]
            item.application = application
            self._fill_one(item, school, wish, at + dt.timedelta(minutes=7 * number))
        return application

    def hand_in(self, application: Application, school: DemoSchool, at: dt.datetime) -> None:
        """What is complete; the rest stays a draft."""
        services.submit_application(
            application=application,
            token=services.token_of(services.waiting_items(application, at)),
            by=school.contact,
            at=at,
            only_complete=True,
        )

    def mend(self, item: ApplicationItem, school: DemoSchool, at: dt.datetime) -> None:
        """What was returned is filled in further and handed in again."""
        typed = shape.typed_of(item)
        typed["equipment"] = f"{typed.get('equipment', '')}另附设备清单和考核站点安排。（演示）"
        filling_in.save_item_draft(
            item=item, typed=typed, revision=item.draft_revision, by=school.contact, at=at
        )
        self.hand_in(item.application, school, at + dt.timedelta(minutes=10))

    def _fill_one(self, item: ApplicationItem, school: DemoSchool, wish: Wish, at: dt.datetime) -> None:
        typed = self._short(wish) if item.is_renewal else self._long(school, wish)
        filling_in.save_item_draft(
            item=item, typed=typed, revision=item.draft_revision, by=school.contact, at=at
        )
        if not item.is_renewal:
            plan = papers.upload(f"{wish.level}试点工作方案")
            filling_in.attach_item_file(
                item=item, upload=plan, kind=ItemFile.Kind.PLAN, by=school.contact, at=at
            )

    def _short(self, wish: Wish) -> dict[str, str]:
        return {"planned_new": str(wish.heads - wish.carried), "carried_over": str(wish.carried or "")}

    def _long(self, school: DemoSchool, wish: Wish) -> dict[str, str]:
        rng, certificate = self.rng, wish.level.certificate
        agreement: Agreement | None = self.agreements.get((school.organization.pk, wish.level.pk))
        subject = certificate.name.removeprefix("演示").removesuffix("职业技能等级证书")
        is_college = school.kind != School.Kind.SECONDARY_VOCATIONAL
        rooms = rng.randrange(2, 6)
        return {
            **self._short(wish),
            "majors": MAJORS.get(subject, OTHER_MAJORS)[is_college],
            "trainers": str(rng.randrange(2, 9)),
            "equipment": EQUIPMENT.format(rooms=rooms, seats=rooms * 30, certificate=certificate.short_name),
            "justification": JUSTIFICATION.format(
                pupils=wish.heads * rng.randrange(3, 6), courses=rng.randrange(2, 5), heads=wish.heads
            ),
            "is_voluntary": "on",
            "is_no_condition": "on",
            "agreement": str(agreement.pk) if agreement else "",
        }


def day(month: int, number: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    """An instant of 2020 on the province's clock."""
    return clock.at(dt.date(2020, month, number), dt.time(hour, minute))
