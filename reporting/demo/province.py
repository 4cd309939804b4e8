"""Who is there: office, bureaux, evaluators with their certificates, schools with programmes, accounts."""

import datetime as dt
from dataclasses import dataclass, field
from random import Random

from django.contrib.auth.hashers import make_password

from accounts.models import City, Organization, PilotMembership, Role, User
from accounts.pinyin import initials
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.bulk import insert
from evaluators.models import Evaluator
from reporting.demo import names
from reporting.demo.bulk import next_key, reset_keys
from schools.models import AnnualPlan, Programme, School

PASSWORD = "yanshi-2020"  # noqa: S105 (of a demonstration; printed when it is made)
SCHOOLS = 161
CANDIDATES = 36_400
PLAN_YEAR = 2020
# So many items of the autumn round are approved, each for so many heads: they are part of the total.
APPROVED_IN_AUTUMN, HEADS_EACH = 16, 40
# Of so many programmes one has no plan for the year after.
UNPLANNED_EVERY = 9

# Shares of the kinds, in thousandths; the rest are secondary schools.
_KIND_SHARES = {
    School.Kind.HIGHER_VOCATIONAL: 290,
    School.Kind.APPLIED_BACHELOR: 62,
    School.Kind.VOCATIONAL_BACHELOR: 13,
    School.Kind.OPEN_UNIVERSITY: 13,
}
# Taiyuan has the most schools; any other city counts 2.
_CITY_WEIGHTS = {"140100": 5, "140200": 3, "140400": 3, "140700": 3, "140800": 3}


@dataclass
class DemoProgramme:
    pk: int
    name: str
    certificate: str
    level: int
    started_at: dt.datetime
    plans: dict[int, int] = field(default_factory=dict)


@dataclass
class DemoSchool:
    organization: Organization
    kind: str
    joined_at: dt.datetime
    contact: User
    programmes: list[DemoProgramme] = field(default_factory=list)


@dataclass
class DemoProvince:
    office: Organization
    bureaux: list[Organization]
    schools: list[DemoSchool]
    users: dict[str, User]
    officers: dict[int, User]  # by bureau
    evaluators: dict[int, User]  # by evaluator


class Founder:
    """Makes everything that stands before the first week. One `Random` makes it the same each time."""

    def __init__(self, *, schools: int, starts_on: dt.date, rng: Random) -> None:
        self.count = schools
        self.starts_on = starts_on
        self.rng = rng
        self.founded_at = clock.at(starts_on - dt.timedelta(days=45), dt.time(9))
        self.next_organization = next_key(Organization)

    def found(self) -> DemoProvince:
        cities = list(City.objects.order_by("code"))
        office = self._organization("province", "山西省演示推进办", "DEMO140000")
        bureaux = [
            self._organization("city", names.bureau(c.name), f"DEMO{c.code}", city=c, supervisor=office)
            for c in cities
        ]
        insert([office, *bureaux])
        levels, owners = self._certificates()
        schools = self._schools(cities, office, bureaux)
        self._programmes(schools, levels)
        reset_keys(Organization, Programme)
        return self._people(office, bureaux, owners, schools)

    def _organization(self, kind: str, name: str, code: str, **fields: object) -> Organization:
        self.next_organization += 1
        return Organization(
            pk=self.next_organization - 1,
            kind=kind,
            name=name,
            code=code,
            pinyin=initials(name)[:80],
            is_demonstration=True,
            **fields,
        )

    # --- certificates

    def _certificates(self) -> tuple[list[CertificateLevel], list[Organization]]:
        owners = [
            self._organization("evaluator", names.evaluator(n), f"DEMO-E{n + 1:02d}") for n in range(12)
        ]
        insert(owners)
        insert([Evaluator(organization=owner) for owner in owners])
        first = next_key(Certificate)
        certificates = [
            Certificate(
                pk=first + n,
                name=names.certificate(subject),
                owner=owners[n % len(owners)],
                batch=str(1 + n % 3),
                batch_basis=names.LABEL,
                source=names.LABEL,
            )
            for n, subject in enumerate(names.SUBJECTS)
        ]
        insert(certificates)
        key = next_key(CertificateLevel)
        levels: list[CertificateLevel] = []
        for certificate in certificates:
            for level in CertificateLevel.Level.values:
                levels.append(CertificateLevel(pk=key + len(levels), certificate=certificate, level=level))
        insert(levels)
        reset_keys(Certificate, CertificateLevel)
        return levels, owners

    # --- schools

    def _schools(
        self, cities: list[City], office: Organization, bureaux: list[Organization]
    ) -> list[DemoSchool]:
        numbers: dict[tuple[str, str], int] = {}
        slots = [n for n, c in enumerate(cities) for _ in range(_CITY_WEIGHTS.get(c.code, 2))]
        contact_key = make_password(None)
        schools = []
        for n, kind in enumerate(self._kinds()):
            where = n % len(cities) if n < 2 * len(cities) else self.rng.choice(slots)
            city = cities[where]
            numbers[kind, city.code] = number = numbers.get((kind, city.code), 0) + 1
            secondary = kind == School.Kind.SECONDARY_VOCATIONAL
            of_the_city = self.rng.random() < (0.93 if secondary else 0.3) or n < len(cities)
            organization = self._organization(
                "school",
                names.school(kind, city.name, number),
                f"{names.CODE_PREFIX}{n + 1:06d}",
                city=city,
                supervisor=bureaux[where] if of_the_city else office,
            )
            contact = self._user(
                f"contact{n + 1:05d}",
                f"演示联系人{n + 1:05d}",
                Role.SCHOOL_CONTACT,
                organization,
                contact_key,
            )
            schools.append(DemoSchool(organization, kind, self._joined_at(n), contact))
        insert([s.organization for s in schools])
        insert([School(organization=s.organization, kind=s.kind) for s in schools])
        insert([PilotMembership(organization=s.organization, joined_at=s.joined_at) for s in schools])
        insert([s.contact for s in schools])
        return schools

    def _kinds(self) -> list[str]:
        """Secondary schools first, one for each city; at least one of every kind."""
        others = [
            kind
            for kind, share in _KIND_SHARES.items()
            for _ in range(max(1, round(self.count * share / 1000)))
        ]
        secondary = [School.Kind.SECONDARY_VOCATIONAL] * (self.count - len(others))
        return [*secondary, *others]

    def _joined_at(self, n: int) -> dt.datetime:
        """Most before the first week, every seventh with the autumn of 2020."""
        if n % 7 == 6:
            return clock.at(dt.date(PLAN_YEAR, 9, 1), dt.time(9))
        return self.founded_at

    # --- programmes

    def _programmes(self, schools: list[DemoSchool], levels: list[CertificateLevel]) -> None:
        key = next_key(Programme)
        rows = []
        for school in schools:
            secondary = school.kind == School.Kind.SECONDARY_VOCATIONAL
            suitable = [level for level in levels if level.level <= 2] if secondary else levels
            count = self.rng.choices([1, 2, 3, 4], [25, 40, 25, 10])[0]
            for level in sorted(
                self.rng.sample(suitable, count), key=lambda one: (one.certificate.name, one.level)
            ):
                rows.append(
                    Programme(
                        pk=key,
                        school_id=school.organization.pk,
                        certificate_level=level,
                        started_at=school.joined_at,
                    )
                )
                short = level.certificate.short_name
                school.programmes.append(DemoProgramme(key, str(level), short, level.level, school.joined_at))
                key += 1
        insert(rows)
        self._plans(schools)

    def _plans(self, schools: list[DemoSchool]) -> None:
        """The candidates of 2020 add up exactly; the years before grew towards them.

        Its clock runs on into 2021: most are planned for that year too; the others sleep from 1 January on.
        """
        total = CANDIDATES if self.count == SCHOOLS else round(self.count * CANDIDATES / SCHOOLS)
        total -= APPROVED_IN_AUTUMN * HEADS_EACH
        programmes = [p for school in schools for p in school.programmes]
        shares = self._shares(total, len(programmes))
        for n, (programme, candidates) in enumerate(zip(programmes, shares, strict=True)):
            first_year = clock.local(programme.started_at).year
            for year in range(max(first_year, self.starts_on.year), PLAN_YEAR + 1):
                share = 1 if year == PLAN_YEAR else 0.6 ** (PLAN_YEAR - year)
                programme.plans[year] = max(5, int(candidates * share))
            if n % UNPLANNED_EVERY:
                programme.plans[PLAN_YEAR + 1] = candidates
        insert(
            [
                AnnualPlan(programme_id=p.pk, year=year, candidates=candidates)
                for p in programmes
                for year, candidates in p.plans.items()
            ]
        )

    def _shares(self, total: int, count: int) -> list[int]:
        """`count` whole numbers, each at least 10, with exactly that sum (largest remainder)."""
        weights = [self.rng.uniform(0.4, 1.8) for _ in range(count)]
        exact = [(total - 10 * count) * weight / sum(weights) for weight in weights]
        shares = [10 + int(one) for one in exact]
        by_remainder = sorted(range(count), key=lambda n: int(exact[n]) - exact[n])
        for n in by_remainder[: total - sum(shares)]:
            shares[n] += 1
        return shares

    # --- accounts

    def _user(
        self, username: str, name: str, role: str, organization: Organization | None, password: str
    ) -> User:
        return User(
            username=username,
            name=name,
            role=role,
            organization=organization,
            password=password,
            must_change_password=False,
            created_at=self.founded_at,
        )

    def _officer(self, kind: str, organization: Organization) -> User:
        """Of another bureau or evaluator than those whose accounts are shown: nobody signs in as them."""
        role = Role.CITY_BUREAU if kind == "city" else Role.EVALUATOR
        word = organization.code.removeprefix(names.CODE_PREFIX).removeprefix("-")
        return self._user(f"{kind}-{word}", f"演示经办人{word}", role, organization, make_password(None))

    def _people(
        self,
        office: Organization,
        bureaux: list[Organization],
        owners: list[Organization],
        schools: list[DemoSchool],
    ) -> DemoProvince:
        usable, unusable = make_password(PASSWORD), make_password(None)
        home = schools[0]  # a secondary school under the bureau of the first city
        users = {
            username: self._user(username, name, role, organization, usable)
            for username, name, role, organization in [
                ("office1", "演示推进办甲", Role.OFFICE, office),
                ("office2", "演示推进办乙", Role.OFFICE, office),
                ("finance", "演示财务", Role.FINANCE, office),
                ("coordinator", "演示对接专员", Role.COORDINATOR, office),
                ("leading", "演示领导组", Role.LEADING_GROUP, office),
                ("expert", "演示专家", Role.EXPERT, office),
                ("thirdparty", "演示第三方", Role.THIRD_PARTY, office),
                ("city", "演示市局经办人", Role.CITY_BUREAU, bureaux[0]),
                ("leader", "演示院校负责人", Role.SCHOOL_LEADER, home.organization),
                ("evaluator", "演示评价组织经办人", Role.EVALUATOR, owners[0]),
                ("auditor", "演示审计督导", Role.AUDITOR, office),
                ("learner", "演示学习者", Role.LEARNER, None),
            ]
        }
        others = [self._officer("city", bureau) for bureau in bureaux[1:]]
        more = [self._officer("evaluator", owner) for owner in owners[1:]]
        second = self._user("expert-2", "演示专家乙", Role.EXPERT, office, unusable)
        insert([*users.values(), *others, *more, second])
        home.contact.username, home.contact.name, home.contact.password = "contact", "演示院校联系人", usable
        home.contact.save(update_fields=["username", "name", "password"])
        users |= {"contact": home.contact, second.username: second}
        officers = dict(zip((b.pk for b in bureaux), [users["city"], *others], strict=True))
        evaluators = dict(zip((o.pk for o in owners), [users["evaluator"], *more], strict=True))
        return DemoProvince(office, bureaux, schools, users, officers, evaluators)
