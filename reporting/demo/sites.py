"""The demonstration's exam sites: conditions, sites in every state, some cities without any, where schools lie."""

import datetime as dt
from decimal import Decimal
from random import Random
from typing import NamedTuple

from certificates.models import Certificate
from core import clock
from core.bulk import insert
from evaluators.models import ExamSite, SchoolPlace, SiteCondition
from evaluators.services import coverage, site_conditions
from evaluators.services import sites as services
from reporting.demo import papers
from reporting.demo.applicants import day
from reporting.demo.coordination import certificate_of
from reporting.demo.province import DemoProvince, DemoSchool

# Degrees north and east of the seats of the cities, roughly; the schools lie around at random.
SEATS = {
    "140100": (37.87, 112.55), "140200": (40.08, 113.30), "140300": (37.86, 113.58), "140400": (36.20, 113.12),
    "140500": (35.49, 112.85), "140600": (39.33, 112.43), "140700": (37.69, 112.75), "140800": (35.03, 111.00),
    "140900": (38.42, 112.73), "141000": (36.09, 111.52), "141100": (37.52, 111.14),
}  # fmt: skip
AROUND = 0.2
CONDITION = "考场不少于两间，工位间距符合考核要求\n监控覆盖全部考位，录像保存不少于三个月\n有专职管理人员"
ANSWERS = ["有考场三间。（演示）", "已全部覆盖。（演示）", "有两名。（演示）"]
FEWEST = 20
# By certificate: the cities (in their order) whose first school has a site; the other cities have a gap.
FILED = {
    "机器人运维": [1, 3, 6, 7, 9],
    "网店运营": [0, 2, 4, 8],
    "物流管理": [1, 3, 5, 7, 10],
    "建筑信息建模": [0, 6],
    "汽车检修": [0, 7, 9],
}


class Other(NamedTuple):
    """A site that is not simply filed: the place of its school among all, days of 2020."""

    subject: str
    school: int
    end: str
    applied: tuple[int, int]


S = ExamSite.State
OTHERS = [
    Other("网页开发", 0, S.APPLIED, (11, 16)),
    Other("机器人运维", 2, S.APPLIED, (11, 13)),
    Other("财税应用", 1, S.AGREED, (11, 10)),
    Other("烹饪营养", 0, S.RETURNED, (11, 9)),
    Other("焊接技术", 0, S.REFUSED, (10, 19)),
    Other("网店运营", 5, S.ENDED, (5, 18)),
    Other("老年照护", 0, "asked", (5, 18)),
]
REASONS = {
    S.RETURNED: "请补充实操设备清单。（演示）",
    S.REFUSED: "焊接工位通风不符合条件，现场不能考核。（演示）",
    S.ENDED: "校舍改造，场地不再使用。（演示）",
    "asked": "实训楼明年改造，请求撤销。（演示）",
}
# The last two schools of the first city, beside each other, with more places than its candidates need: the
# city has no other site for this one.
IDLE, SIDE_BY_SIDE, MANY_PLACES = "机器人运维", ("37.87210", "112.56150"), 120


class Sites:
    def __init__(self, province: DemoProvince, rng: Random) -> None:
        self.province, self.rng = province, rng
        self.office = province.users["office1"]
        old = [s for s in province.schools if s.joined_at.year < 2020]
        self.by_city: dict[str, list[DemoSchool]] = {}
        for school in old:
            self.by_city.setdefault(school.organization.city_id or "", []).append(school)
        self.cities = sorted(self.by_city)
        self.schools = old
        self.conditions: dict[str, SiteCondition] = {}
        self.places: dict[int, tuple[Decimal, Decimal]] = {}

    def play(self) -> None:
        self._lay_out()
        for subject, cities in FILED.items():
            for number in cities:
                if number < len(self.cities):
                    school = self.by_city[self.cities[number]][0]
                    self._file(self._apply(subject, school, (4, 13), 20 + 10 * self.rng.randrange(1, 7)))
        self._side_by_side()
        for other in OTHERS:
            self._play(other)

    def _lay_out(self) -> None:
        """All but every sixth school have said where they lie; the home school through the page."""
        rows = []
        for number, school in enumerate(self.province.schools):
            north, east = SEATS[school.organization.city_id or ""]
            place = self._near(north), self._near(east)
            if number % 6 == 5:
                continue
            self.places[school.organization.pk] = place
            if number:
                rows.append(
                    SchoolPlace(school_id=school.organization.pk, latitude=place[0], longitude=place[1])
                )
        insert(rows)
        home = self.province.schools[0]
        latitude, longitude = self.places[home.organization.pk]
        fields = {"county": None, "latitude": latitude, "longitude": longitude}
        coverage.set_place(fields=fields, by=home.contact, at=day(4, 8, 10))

    def _near(self, degrees: float) -> Decimal:
        return Decimal(f"{degrees + self.rng.uniform(-AROUND, AROUND):.5f}")

    def _condition(self, subject: str, certificate: Certificate) -> SiteCondition:
        if subject not in self.conditions:
            self.conditions[subject] = site_conditions.publish_condition(
                certificate,
                text=CONDITION,
                minimum_places=FEWEST,
                by=self.province.evaluators[certificate.owner_id],
                at=clock.at(dt.date(2020, 3, 23), dt.time(10)),
            )
        return self.conditions[subject]

    def _apply(
        self,
        subject: str,
        school: DemoSchool,
        on: tuple[int, int],
        places: int,
        position: tuple[Decimal, Decimal] | None = None,
    ) -> ExamSite:
        certificate = certificate_of(subject)
        north, east = position or self.places.get(school.organization.pk) or (None, None)
        return services.apply(
            certificate,
            fields={
                "name": f"{school.organization.name}{subject}考点",
                "county": None,
                "address": "演示路1号（虚构）",
                "places": places,
                "equipment": "考场三间，设备按条件配齐。（演示）",
                "latitude": north,
                "longitude": east,
                "statements": ANSWERS,
            },
            condition=self._condition(subject, certificate),
            files=[papers.upload("考核站点申报材料")],
            by=school.contact,
            at=day(*on, 10),
        )

    def _agree(self, site: ExamSite) -> ExamSite:
        by = self.province.evaluators[site.certificate.owner_id]
        return services.agree(site, by=by, at=site.applied_at + dt.timedelta(days=2))

    def _file(self, site: ExamSite) -> ExamSite:
        return services.file(self._agree(site), by=self.office, at=site.applied_at + dt.timedelta(days=4))

    def _side_by_side(self) -> None:
        north, east = (Decimal(degrees) for degrees in SIDE_BY_SIDE)
        for number, school in enumerate(self.by_city[self.cities[0]][-2:]):
            shift = Decimal(number) / 500
            self._file(self._apply(IDLE, school, (4, 13), MANY_PLACES, (north + shift, east + shift)))

    def _play(self, other: Other) -> None:
        school = self.schools[other.school % len(self.schools)]
        site = self._apply(other.subject, school, other.applied, 40)
        evaluator = self.province.evaluators[site.certificate.owner_id]
        soon = site.applied_at + dt.timedelta(days=3)
        if other.end == S.AGREED:
            self._agree(site)
        elif other.end == S.RETURNED:
            services.send_back(self._agree(site), comment=REASONS[S.RETURNED], by=self.office, at=soon)
        elif other.end == S.REFUSED:
            services.refuse(site, comment=REASONS[S.REFUSED], by=evaluator, at=soon)
        elif other.end == S.ENDED:
            comment, last = REASONS[S.ENDED], dt.date(2020, 9, 1)
            services.end(self._file(site), ended_on=last, comment=comment, by=self.office, at=day(9, 1, 15))
        elif other.end == "asked":
            services.ask_to_end(
                self._file(site), comment=REASONS["asked"], by=school.contact, at=day(11, 13, 9)
            )


def play(province: DemoProvince, rng: Random) -> None:
    Sites(province, rng).play()
