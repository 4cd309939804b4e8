"""The small world of the tests, and the tripwires over the whole suite.

One city, one school, one certificate level, one period; beside them another school in another city.
The clock stands on Wednesday 2020-11-18 10:00 in Shanghai.
"""

import datetime as dt
import functools
import gc
import os
import uuid
from types import SimpleNamespace
from typing import Any

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from accounts.models import City, Organization, PilotMembership, Role, User
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.drafts import content_hash
from evaluators import filing_content
from evaluators.models import Evaluator, EvaluatorFiling, EvaluatorFilingVersion
from obligations import periods
from obligations.models import Obligation, ObligationKind, Period, Policy
from schools.models import AnnualPlan, Programme, School

PASSWORD = "pilot-pass-2020"
# A busy machine is no fault of the code; examples share the world of their test, as each of those tests knows.
hypothesis.settings.register_profile(
    "portal",
    max_examples=50,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("portal")


@pytest.fixture(autouse=True)
def _clock_without_origin() -> Any:
    """Tests move time itself; the stored "today" of a demonstration is read afresh where a test makes one."""
    clock.forget_origin()
    yield
    clock.forget_origin()


@pytest.fixture(autouse=True)
def _own_files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def _own_cache(settings: Any) -> None:
    """No test sees another's throttles: neither an earlier one's, nor one of another process in the same Redis."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid.uuid4().hex}}


def pytest_configure() -> None:
    settings.TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = UndefinedVariable("%s")
    settings.MIDDLEWARE.insert(0, "conftest.GetWritesNothing")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class UndefinedVariable(str):
    """A template that names what is not there fails instead of showing nothing."""

    def __contains__(self, item: object) -> bool:
        return item == "%s"

    def __mod__(self, other: object) -> str:
        raise AssertionError(f"undefined template variable {other}")


class GetWritesNothing:
    """Any GET or HEAD that writes but to the session, the lock-out's log or a token's last use fails."""

    ALLOWED = ("django_session", "axes_", "accounts_apitoken")

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with connection.execute_wrapper(self.refuse):
            return self.get_response(request)

    def refuse(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        verb = sql.lstrip().split(" ", 1)[0].upper()
        if verb in ("INSERT", "UPDATE", "DELETE") and not any(table in sql for table in self.ALLOWED):
            raise AssertionError(f"a GET wrote: {sql[:200]}")
        return execute(sql, params, many, context)


def pytest_collection_finish() -> None:
    """What was imported stays to the end: the collector, walking it again and again, took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    if connection.vendor == "postgresql":
        return
    skip = pytest.mark.skip(reason="needs PostgreSQL")
    for item in items:
        if "postgres" in item.keywords:
            item.add_marker(skip)


@functools.cache
def hashed_password() -> str:
    return make_password(PASSWORD)


class World(SimpleNamespace):
    """Everything by name; `at` moves the clock, `add_*` makes more of the same."""

    def at(self, instant: str | dt.datetime) -> dt.datetime:
        """Move the clock to an instant (ISO text with its zone, or an aware datetime)."""
        moment = dt.datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        self.traveller.move_to(moment)
        return clock.now()

    def new_user(self, role: str, organization: Organization | None, username: str, **fields: Any) -> User:
        return User(
            username=username,
            password=hashed_password(),
            name=fields.pop("name", f"测试{username}"),
            role=role,
            organization=organization,
            must_change_password=False,
            created_at=clock.now(),
            **fields,
        )

    def add_user(self, role: str, organization: Organization | None, username: str, **fields: Any) -> User:
        user = self.new_user(role, organization, username, **fields)
        user.save()
        return user

    def add_school(
        self, name: str, *, bureau: Organization | None = None, joined: str = "2020-01-01T00:00:00+08:00"
    ) -> School:
        """A secondary school in the bureau's city, in the pilot since `joined`, with one programme."""
        bureau = bureau or self.bureau
        organization = Organization.objects.create(
            kind=Organization.Kind.SCHOOL,
            name=name,
            code=f"T{Organization.objects.count():09d}",
            city=bureau.city,
            supervisor=bureau,
        )
        PilotMembership.objects.create(organization=organization, joined_at=dt.datetime.fromisoformat(joined))
        school = School.objects.create(organization=organization, kind=School.Kind.SECONDARY_VOCATIONAL)
        self.add_programme(school)
        return school

    def add_programme(self, school: School, level: CertificateLevel | None = None) -> Programme:
        programme = Programme.objects.create(
            school=school,
            certificate_level=level or self.level,
            started_at=dt.datetime(2019, 12, 31, 16, tzinfo=dt.UTC),
        )
        AnnualPlan.objects.create(programme=programme, year=2020, candidates=100)
        return programme

    def put_on_file(self, certificate: Certificate) -> EvaluatorFiling:
        """The certificate's evaluator has filed, and the province has accepted it."""
        filing = EvaluatorFiling.objects.create(certificate=certificate)
        content: Any = filing_content.empty(certificate)
        version = EvaluatorFilingVersion.objects.create(
            filing=filing,
            number=1,
            receipt=f"PJ20200102-{certificate.pk:06d}",
            token="world",
            received_at=dt.datetime(2020, 1, 2, 2, tzinfo=dt.UTC),
            submitted_by=self.evaluator_officer,
            content=content,
            content_hash=content_hash(content),
        )
        accepted = EvaluatorFiling.State.ACCEPTED
        EvaluatorFiling.objects.filter(pk=filing.pk).update(
            state=accepted,
            current=version,
            accepted=version,
            reviewed_by=self.office,
            reviewed_at=version.received_at,
        )
        return EvaluatorFiling.objects.get(pk=filing.pk)

    def add_week(self, key: str) -> Period:
        """The period of that ISO week, opened, with the obligations of the members of its opening."""
        period = periods.make_period(self.policy, *iso_week(key))
        periods.open_period(period)
        return period

    def owed(self, school: School, key: str) -> Obligation:
        return Obligation.objects.get(organization=school.organization, kind="weekly_report", key=key)


def iso_week(key: str) -> tuple[dt.date]:
    year, week = key.split("-W")
    return (dt.date.fromisocalendar(int(year), int(week), 1),)


@pytest.fixture
def world(db: Any) -> Any:
    with time_machine.travel("2020-11-18T10:00:00+08:00", tick=False) as traveller:
        w = World(traveller=traveller)
        _people_and_places(w)
        w.policy = Policy.objects.create(
            kind=ObligationKind.WEEKLY_REPORT,
            effective_from=dt.date(2018, 12, 31),
            reminder_hours=[48, 24, 2],
            created_at=clock.now(),
        )
        w.period = w.add_week("2020-W47")
        w.obligation = w.owed(w.school, "2020-W47")
        w.other_obligation = w.owed(w.other_school, "2020-W47")
        yield w


def _people_and_places(w: World) -> None:
    w.city = City.objects.create(code="140100", name="太原市")
    w.other_city = City.objects.create(code="140400", name="长治市")
    make = Organization.objects.create
    w.province = make(kind="province", name="山西省推进办", code="140000")
    w.bureau = make(kind="city", name="太原市教育局", code="140100", city=w.city, supervisor=w.province)
    w.other_bureau = make(
        kind="city", name="长治市教育局", code="140400", city=w.other_city, supervisor=w.province
    )
    w.evaluator_org = make(kind="evaluator", name="演示评价组织", code="E1")
    w.evaluator = Evaluator.objects.create(organization=w.evaluator_org)
    w.certificate = Certificate.objects.create(name="演示运维职业技能等级证书", owner=w.evaluator_org)
    w.level = CertificateLevel.objects.create(certificate=w.certificate, level=2)
    w.school = w.add_school("太原演示职业学校")
    w.other_school = w.add_school("长治演示职业学校", bureau=w.other_bureau)
    w.school_org, w.other_school_org = w.school.organization, w.other_school.organization
    w.programme, w.other_programme = w.school.programmes.get(), w.other_school.programmes.get()
    people = {}
    for name, role, organization in [
        ("office", Role.OFFICE, w.province),
        ("office2", Role.OFFICE, w.province),
        ("finance", Role.FINANCE, w.province),
        ("coordinator", Role.COORDINATOR, w.province),
        ("leading", Role.LEADING_GROUP, w.province),
        ("expert", Role.EXPERT, w.province),
        ("third_party", Role.THIRD_PARTY, w.province),
        ("city_officer", Role.CITY_BUREAU, w.bureau),
        ("other_city_officer", Role.CITY_BUREAU, w.other_bureau),
        ("contact", Role.SCHOOL_CONTACT, w.school_org),
        ("leader", Role.SCHOOL_LEADER, w.school_org),
        ("other_contact", Role.SCHOOL_CONTACT, w.other_school_org),
        ("evaluator_officer", Role.EVALUATOR, w.evaluator_org),
        ("auditor", Role.AUDITOR, w.province),
        ("learner", Role.LEARNER, None),
    ]:
        people[name] = w.new_user(role, organization, name)
    User.objects.bulk_create(people.values())
    vars(w).update(people)
    w.filing = w.put_on_file(w.certificate)


@pytest.fixture
def client_for() -> Any:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture(scope="session")
def chromium() -> Any:
    path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    from playwright.sync_api import expect, sync_playwright

    # What comes late on a busy machine still comes; what comes at once costs nothing.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any, live_server: Any, client_for: Any) -> Any:
    """A new window signed in as a user; afterwards nothing may stand in its console."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_as(user: User, size: tuple[int, int] = (1440, 900), scripts: bool = True) -> Any:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", java_script_enabled=scripts
        )
        cookie = client_for(user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda m: complaints.extend([m.text] if m.type == "error" else []))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        contexts.append(context)
        return page

    yield open_as
    for context in contexts:
        context.close()
    # A refused autosave and a page with errors are answers; a script's error or a CSP violation is a fault.
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []
