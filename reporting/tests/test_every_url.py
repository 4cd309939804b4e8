"""Every URL as every role and as a stranger: nobody meets a record that is not theirs, nothing breaks."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from accounts.models import OrganizationAlias
from accounts.services import create_token
from certificates.tests.test_credit import published as published_certificate
from core import clock
from core.attachments import attach
from core.models import Delivery, Notice
from core.tests.test_attachments import png
from evaluators.tests import activity_rows, siting
from evaluators.tests import filed as evaluator_filed
from funding import services as funding
from funding.tests.fees import addresses as standards_of
from obligations import disputes
from obligations import services as obligations
from obligations.models import PlatformImport, Policy
from obligations.tests.lists import take_in as listing
from reporting.models import ReportVersion
from reporting.sweep import sweep
from reporting.tests import summing
from reporting.tests.weekly import file
from schools.models import ApplicationRound
from schools.tests import applied, filed, published
from schools.tests.applying import agreement_for
from schools.tests.rosters import row, take_in
from supervision.tests import cases
from supervision.tests import feedback as told

PUBLIC = (
    {
        "accounts:sign-in",
        "core:healthz",
        "funding:public-standards",
        "obligations:feed",
    }
    | published.PUBLIC
    | siting.PUBLIC
)
# What the state of the walk's record refuses, to those whose task it is in another state.
REFUSED_BY_STATE = {
    # The site is with the evaluator: it changes after a return only.
    ("sites:edit", "contact"),
    # The activity stands on file, so there is nothing to complete; it has not begun, so nothing came of it.
    ("activities:complete", "evaluator_officer"),
    ("activities:results", "evaluator_officer"),
}
ROUND_PAGES = ("rounds:detail", "rounds:edit", "rounds:extend", "rounds:progress")
STRANGERS_TO_THE_SCHOOL = [
    "other_contact",
    "other_city_officer",
    "expert",
    "third_party",
    "coordinator",
    "learner",
]
ROLES = [
    "office",
    "finance",
    "coordinator",
    "leading",
    "expert",
    "third_party",
    "city_officer",
    "other_city_officer",
    "contact",
    "leader",
    "other_contact",
    "evaluator_officer",
    "auditor",
    "learner",
]


def named(resolver=None, space=""):
    for item in (resolver or get_resolver()).url_patterns:
        if isinstance(item, URLResolver):
            yield from named(item, space + (f"{item.namespace}:" if item.namespace else ""))
        elif item.name:
            yield space + item.name, item.pattern.converters


# Endpoints of the API know no session: pilot_portal/tests/test_api.py walks them.
NAMES = {name: converters for name, converters in named() if not name.startswith("api:")}


CREDIT = ("credit:detail", "credit:edit", "credit:check")
AGREEMENT = [name for name, converters in NAMES.items() if name.startswith("agreements:") and converters]


@pytest.fixture
def addresses(world):
    """URL name → address of a record of `world.school` (or of what has no owner)."""
    version = file(world)
    for key in ("2020-W48", "2020-W49", "2020-W50"):
        world.add_week(key)
    sweep(world.at("2020-12-07T18:00:00+08:00"))
    excused = world.owed(world.school, "2020-W48")
    obligations.excuse(excused, reason="停电", by=world.office, at=clock.now())
    suspension = obligations.suspend(
        kind="vacation",
        organizations=[world.school_org],
        scope_label="太原演示职业学校",
        starts_at=clock.now(),
        ends_at=clock.at(clock.today().replace(day=31)),
        reason="放假",
        by=world.contact,
        at=clock.now(),
    )
    evidence = attach(
        target=excused, upload=SimpleUploadedFile("停电.png", png()), by=world.office, at=clock.now()
    )
    listing(world.office, periods=[world.period])
    listed = PlatformImport.objects.get()
    missed = world.owed(world.school, "2020-W49")
    dispute = disputes.file_dispute(missed, claim="国家平台已报", by=world.contact, at=clock.now())
    notice = Notice.objects.filter(recipient=world.contact).first()
    delivery = Delivery.objects.create(notice=notice, key=notice.key, state="failed", queued_at=clock.now())
    alias = OrganizationAlias.objects.create(organization=world.school_org, name="旧名")
    job = take_in(world.office, row(学校代码="4214000002", 拟考证人数=-1))
    policy = Policy.objects.create(
        kind="weekly_report",
        effective_from=clock.today().replace(year=2021),
        reminder_hours=[1],
        created_at=clock.now(),
    )
    token, _ = create_token(
        user=world.contact, name="教务", scopes=["read:reports"], days=30, by=world.contact, at=clock.now()
    )
    money = funding.allocate(
        fields={
            "organization": world.school_org,
            "year": 2020,
            "source": "province",
            "document": "演示1号",
            "amount": 1,
            "allocated_on": clock.today(),
        },
        by=world.finance,
        at=clock.now(),
    )
    own = (
        {
            **published.addresses(world),
            **filed.addresses(world),
            **evaluator_filed.addresses(world),
            **summing.addresses(world),
            "accounts:token-revoke": token.pk,
            "core:notice-open": notice.pk,
            "core:channel-retry": delivery.pk,
            "core:attachment": evidence.pk,
            "obligations:policy-update": policy.pk,
            "obligations:policy-remove": policy.pk,
            "obligations:suspension-detail": suspension.pk,
            "obligations:suspension-lift": suspension.pk,
            "obligations:platform-list": listed.pk,
            "obligations:dispute": dispute.pk,
            "obligations:dispute-answer": dispute.pk,
            "obligations:dispute-withdraw": dispute.pk,
            "obligations:feed": obligations.make_feed(user=world.contact, by=world.contact, at=clock.now()),
            "funding:arrival": money.pk,
            **standards_of(world),
            **dict.fromkeys(AGREEMENT, agreement_for(world.level, world.school).pk),
            "evaluators:detail": world.evaluator_org.pk,
            **dict.fromkeys(CREDIT, published_certificate(world).pk),
            "credit:review": {"pk": world.certificate.pk, "action": "credit_accept"},
            **siting.addresses(world),
            **activity_rows.addresses(world),
            "schools:plan": world.programme.pk,
            "schools:programme": world.programme.pk,
            "schools:programme-courses": world.programme.pk,
            "schools:programme-end": world.programme.pk,
            **applied.addresses(world),
            **dict.fromkeys(ROUND_PAGES, ApplicationRound.objects.values_list("pk", flat=True).first()),
        }
        | cases.addresses(world)
        | told.addresses(world)
    )

    def address(name):
        app = name.split(":")[0]
        values = {}
        for field, _ in NAMES[name].items():
            if name in own:
                values[field] = own[name][field] if isinstance(own[name], dict) else own[name]
            elif field == "pk" and name.startswith("accounts:user") and name != "accounts:user-new":
                values[field] = world.contact.pk
            elif field == "pk" and name.startswith("core:job"):
                values[field] = job.pk
            elif field == "pk" and (app in ("schools", "accounts") or name == "reporting:history"):
                values[field] = world.school_org.pk
            elif field == "pk":
                values[field] = world.obligation.pk
            else:
                values[field] = {
                    "receipt": version.receipt,
                    "slug": "weekly",
                    "kind": "schools.roster",
                    "alias_pk": alias.pk,
                    "year": 2020,
                    "obligation": world.obligation.pk,
                }[field]
        return reverse(name, kwargs=values)

    assert ReportVersion.objects.count() == 1
    return {name: address(name) for name in NAMES}


def test_the_stranger_is_shown_the_door(addresses):
    for name, address in addresses.items():
        for method in ("get", "post"):
            response = getattr(Client(), method)(address)
            if name in PUBLIC:
                assert response.status_code in (200, 302, 405, 422), (method, name)
                assert "/sign-in/" not in response.get("Location", ""), (method, name)
            elif response.status_code != 405:
                assert response.status_code == 302, (method, name)
                assert "/sign-in/" in response["Location"], (method, name)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_breaks_for_any_role(world, addresses, client_for, role):
    client = client_for(getattr(world, role))
    for name, address in addresses.items():
        response = client.get(address)
        if response.streaming:
            b"".join(response.streaming_content)
        refused = {409} if (name, role) in REFUSED_BY_STATE else {200, 302, 403, 404, 405}
        assert response.status_code in refused, (name, response.status_code)


# Of what is reported month by month a coordinator sees the evaluators in charge, of schools' weeks nothing.
WATCHED = {
    "reporting:matrix": {"coordinator"},
    "reporting:non-reporters": {"coordinator"},
    "reporting:circular": {"coordinator"},
    "reporting:trends": set(),
    "reporting:differences": set(),
}
WATCHERS = {"office", "leading", "city_officer", "other_city_officer", "auditor"}


@pytest.mark.parametrize("role", ROLES)
def test_who_watches_over_reports(world, addresses, client_for, role):
    client = client_for(getattr(world, role))
    for name, others in WATCHED.items():
        response = client.get(addresses[name])
        assert response.status_code == (200 if role in WATCHERS | others else 403), name
        if role in others:
            assert "演示职业学校" not in response.content.decode(), name


RECORDS_OF_THE_SCHOOL = [
    name
    for name, converters in NAMES.items()
    if converters
    and name not in PUBLIC | applied.NOT_OF_A_SCHOOL | siting.NOT_OF_A_SCHOOL | set(ROUND_PAGES)
    and name
    not in {
        "core:help-topic",
        "core:import-template",
        "obligations:policy-update",
        "obligations:policy-remove",
        "obligations:calendar-publish",
        "evaluators:detail",
        # For all schools that run the level.
        "resources:detail",
        "core:notice-open",
        "supervision:feedback-question",
        "supervision:monitoring-new",
    }
]


@pytest.mark.parametrize("role", STRANGERS_TO_THE_SCHOOL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_never_meet_the_schools_records(world, addresses, client_for, role, method):
    client = client_for(getattr(world, role))
    for name in RECORDS_OF_THE_SCHOOL:
        response = getattr(client, method)(addresses[name])
        assert response.status_code in (403, 404, 405), (method, name, response.status_code)
        assert "太原演示职业学校" not in response.content.decode(), name


def test_one_of_own_notices_is_nobody_elses(world, addresses, client_for):
    for role in set(ROLES) - {"contact"}:
        assert client_for(getattr(world, role)).post(addresses["core:notice-open"]).status_code == 404
