"""The API as a whole: who may enter, what a scope opens, how it refuses, how much it may be asked."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts import permissions, services
from accounts.models import ApiToken, Role, Scope
from core import clock
from funding.permissions import may_see_fees
from obligations.models import Obligation
from pilot_portal import api as wiring
from pilot_portal.tests.calling import Api, token_of
from reporting.permissions import may_fill
from reporting.tests.weekly import file
from schools.models import Programme
from schools.permissions import may_see_rounds
from supervision.models import Case
from supervision.permissions import may_see_cases


def test_scopes_say_no_more_than_the_pages_let_each_role_see(world):
    """What a role's scopes open is what `visible_to` and the predicates of the apps above give it."""
    for role in Role:
        # An evaluator sees what runs of its own certificates, so it needs an organisation that owns some.
        organization = world.evaluator_org if role == Role.EVALUATOR else world.school_org
        user = world.add_user(role, organization, f"as-{role}")
        scopes = permissions.scopes_of(user)
        assert (Scope.READ_CASES in scopes) == may_see_cases(user), role
        assert (Scope.WRITE_REPORTS in scopes) == may_fill(user, world.obligation), role
        assert (Scope.READ_PROGRAMMES in scopes) == Programme.objects.visible_to(user).exists(), role
        if Scope.READ_APPLICATIONS in scopes:
            assert may_see_rounds(user), role
        if Scope.READ_FEES in scopes:
            assert may_see_fees(user), role
        if Scope.READ_REPORTS in scopes:
            assert Scope.READ_OBLIGATIONS in scopes
        if Obligation.objects.visible_to(user).exists():
            assert Scope.READ_OBLIGATIONS in scopes, role


@pytest.fixture
def addresses(filed):
    """Every endpoint's address with records of the world's school."""
    world = filed
    file(world)
    case = Case.objects.create(organization=world.school_org, ground="not_reporting", flagged_at=clock.now())
    pk = world.obligation.pk
    return {
        "organization-list": "organizations/",
        "organization-detail": f"organizations/{world.school_org.pk}/",
        "period-list": "periods/",
        "period-detail": f"periods/{world.period.pk}/",
        "obligation-list": "obligations/",
        "obligation-detail": f"obligations/{pk}/",
        "report-list": "reports/",
        "report-detail": f"reports/{pk}/",
        "report-sheet": f"reports/{pk}/sheet/",
        "report-submissions": f"reports/{pk}/submissions/",
        "summary-list": "summaries/",
        "summary-detail": f"summaries/{world.summary}/",
        "rates-detail": f"rates/{world.period.pk}/",
        "case-list": "cases/",
        "case-detail": f"cases/{case.pk}/",
        "case-steps": f"cases/{case.pk}/steps/",
        "round-list": "rounds/",
        "round-detail": f"rounds/{world.round.pk}/",
        "application-list": "applications/",
        "application-detail": f"applications/{world.application.pk}/",
        "application-steps": f"applications/{world.application.pk}/steps/",
        "programme-list": "programmes/",
        "programme-detail": f"programmes/{world.programme.pk}/",
        "plan-list": "plans/",
        "plan-detail": f"plans/{world.programme.plans.get().pk}/",
        "cap-list": "caps/",
        "cap-detail": f"caps/{world.cap.pk}/",
        "standard-list": "standards/",
        "standard-detail": f"standards/{world.standard.pk}/",
        "filing-list": "filings/",
        "filing-detail": f"filings/{world.filing.pk}/",
        "activity-list": "activities/",
        "activity-detail": f"activities/{world.activity.pk}/",
        "site-list": "sites/",
        "site-detail": f"sites/{world.site.pk}/",
        "schema": "schema/",
    }


def test_every_endpoint_is_walked_here(addresses):
    named = {pattern.name for pattern in wiring.urlpatterns if pattern.name}
    assert named == set(addresses) | {"docs"}
    assert "api" in get_resolver().namespace_dict


# --- who may enter


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer pp_wrong", "Bearer pp_a b", "Bearer \xff", "Basic cHA6cHA="]
)
def test_without_a_good_token_every_endpoint_answers_401_itself(addresses, header, settings):
    settings.API_RATES = settings.API_RATES | {"failures": ""}
    headers = {"Authorization": header} if header else {}
    for name, address in addresses.items():
        send = Client().post if name == "report-submissions" else Client().get
        response = send(f"/api/v1/{address}", headers=headers)
        assert response.status_code == 401, name
        assert response["WWW-Authenticate"] == 'Bearer realm="api"'
        assert response["Content-Type"] == "application/problem+json"


def test_being_signed_in_opens_the_schema_and_nothing_else(world, addresses, client_for):
    client = client_for(world.contact)
    for name, address in addresses.items():
        send = client.post if name == "report-submissions" else client.get
        assert send(f"/api/v1/{address}").status_code == (200 if name == "schema" else 401), name
    world.contact.must_change_password = True
    world.contact.save()
    assert client.get("/api/v1/schema/").status_code == 401


def test_a_token_reads_the_schema_and_needs_no_csrf(world):
    api = Api(token_of(world.contact, "read:periods"))
    assert api.get("schema/").status_code == 200
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(
        f"/api/v1/reports/{world.obligation.pk}/submissions/",
        data="{}",
        content_type="application/json",
        headers=Api(token_of(world.contact)).headers,
    )
    assert response.json()["code"] == "invalid"


def test_the_docs_page_is_for_who_is_signed_in(world, client_for):
    response = Client().get("/api/v1/docs/")
    assert (response.status_code, response["Location"]) == (302, "/sign-in/?next=/api/v1/docs/")
    page = client_for(world.contact).get("/api/v1/docs/").content.decode()
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=")
    script = client_for(world.contact).get("/api/v1/docs/?script=")
    assert script["Content-Type"] == "application/javascript"


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 401), (1, 401)])
def test_a_token_ends_at_its_instant(world, seconds, status):
    api = Api(token_of(world.contact, "read:periods", days=30))
    world.at(clock.real_now() + dt.timedelta(days=30, seconds=seconds))
    response = api.get("periods/")
    assert response.status_code == status
    if status == 401:
        assert response.json()["code"] == "token_expired"


def test_a_revoked_token_says_so_to_its_holder(world):
    api = Api(token_of(world.contact))
    assert api.get("periods/").status_code == 200
    services.revoke_token(token=ApiToken.objects.get(), by=world.contact, at=clock.now())
    assert api.get("periods/").json()["code"] == "token_revoked"


@pytest.mark.parametrize(
    "change",
    [
        {"role": "school_leader"},
        {"is_active": False},
        {"must_change_password": True},
    ],
)
def test_a_changed_role_or_account_kills_it(world, change):
    api = Api(token_of(world.contact))
    type(world.contact).objects.filter(pk=world.contact.pk).update(**change)
    response = api.get("periods/")
    assert (response.status_code, response.json()["code"]) == (401, "token_void")


def test_moving_to_another_organisation_kills_it(world):
    api = Api(token_of(world.contact))
    type(world.contact).objects.filter(pk=world.contact.pk).update(organization=world.other_school_org)
    assert api.get("organizations/").status_code == 401


def test_use_is_noted(world):
    api = Api(token_of(world.contact))
    api.get("periods/")
    assert ApiToken.objects.get().last_used_at == clock.real_now()


# --- scopes and reach


SCOPE_OF = {
    "organization": Scope.READ_ORGANIZATIONS,
    "period": Scope.READ_PERIODS,
    "obligation": Scope.READ_OBLIGATIONS,
    "rates": Scope.READ_OBLIGATIONS,
    "report": Scope.READ_REPORTS,
    "summary": Scope.READ_REPORTS,
    "case": Scope.READ_CASES,
    "round": Scope.READ_APPLICATIONS,
    "application": Scope.READ_APPLICATIONS,
    "programme": Scope.READ_PROGRAMMES,
    "plan": Scope.READ_PROGRAMMES,
    "cap": Scope.READ_FEES,
    "standard": Scope.READ_FEES,
    "filing": Scope.READ_EVALUATORS,
    "activity": Scope.READ_EVALUATORS,
    "site": Scope.READ_EVALUATORS,
}


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_opens_its_endpoints_and_no_other(world, addresses, scope):
    api = Api(token_of(world.contact, scope))
    for name, address in addresses.items():
        if name == "schema":
            continue
        writes = name == "report-submissions"
        needed = Scope.WRITE_REPORTS if writes else SCOPE_OF[name.split("-")[0]]
        response = api.post(address, body={}) if writes else api.get(address)
        refused = response.status_code == 403 and response.json()["code"] == "scope_missing"
        assert refused == (scope != needed), name
        if refused:
            assert needed.label in response.json()["detail"]


@pytest.mark.parametrize("who", ["other_contact", "other_city_officer", "finance", "evaluator_officer"])
def test_strangers_meet_404_or_no_right(world, addresses, who):
    user = getattr(world, who)
    api = Api(token_of(user))
    for name in ("organization", "obligation", "report", "summary", "case"):
        if who == "finance" and name == "organization":
            continue
        response = api.get(addresses[f"{name}-detail"])
        expected = 404 if SCOPE_OF[name] in permissions.scopes_of(user) else 403
        assert response.status_code == expected, name
        assert "太原演示职业学校" not in response.content.decode()
        listed = api.get(addresses[f"{name}-list"])
        assert "太原演示职业学校" not in listed.content.decode(), name
    assert api.get(addresses["report-sheet"]).status_code in (403, 404)


def test_each_sees_its_own(world, addresses):
    for user, schools in [
        (world.office, {"太原演示职业学校", "长治演示职业学校", "演示评价组织"}),
        (world.city_officer, {"太原演示职业学校"}),
        (world.leader, {"太原演示职业学校"}),
        (world.other_contact, {"长治演示职业学校"}),
    ]:
        rows = Api(token_of(user)).get("obligations/").json()["results"]
        assert {row["organization_name"] for row in rows} == schools


# --- how it refuses


def test_problems_are_in_chinese_and_say_which_field(world):
    api = Api(token_of(world.contact))
    response = api.get("obligations/", outcome="nonsense", organization=world.other_school_org.pk)
    assert response.status_code == 400
    body = response.json()
    assert body["code"] == "invalid"
    assert {error["field"] for error in body["errors"]} == {"outcome", "organization"}
    assert all("一" <= error["message"][0] <= "鿿" for error in body["errors"])
    assert body["request_id"] == response["X-Request-Id"]


@pytest.mark.parametrize("path", ["nothing/", "organizations/abc/", "organizations", f"periods/{10**30}/"])
def test_an_unknown_address_is_the_apis_own_404(world, path):
    response = Api(token_of(world.contact)).get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_other_methods_and_formats_are_refused(world):
    api = Api(token_of(world.contact))
    address = f"/api/v1/reports/{world.obligation.pk}/"
    for method in ("put", "patch", "delete", "options"):
        assert getattr(api.client, method)(address, headers=api.headers).status_code == 405
    assert api.client.get(address, headers=api.headers | {"Accept": "text/html"}).status_code == 406
    sent = api.client.post(
        f"{address}submissions/", {"is_zero": "on"}, headers=api.headers | {"Idempotency-Key": "12345678"}
    )
    assert sent.status_code == 415
    deep = api.post(f"reports/{world.obligation.pk}/submissions/", key="12345678", body="[" * 100_000)
    assert (deep.status_code, deep.json()["code"]) == (400, "parse_error")


# --- how much it may be asked


def test_a_token_and_an_address_have_their_rates(world, settings):
    settings.API_RATES = {"token": "2/minute", "address": "3/minute", "failures": "10/minute"}
    first, second = Api(token_of(world.contact)), Api(token_of(world.office))
    assert [first.get("periods/").status_code for _ in range(3)] == [200, 200, 429]
    # The third request of the first token counted at the address too.
    response = second.get("periods/")
    assert response.status_code == 429
    assert int(response["Retry-After"]) == 60
    world.at(clock.now() + dt.timedelta(seconds=61))
    assert second.get("periods/").status_code == 200


def test_wrong_tokens_are_throttled_and_good_ones_go_on(world, settings):
    settings.API_RATES = settings.API_RATES | {"failures": "3/minute"}
    wrong, good = Api("pp_wrong"), Api(token_of(world.contact))
    assert [wrong.get("periods/").status_code for _ in range(4)] == [401, 401, 401, 429]
    assert good.get("periods/").status_code == 200
    world.at(clock.now() + dt.timedelta(seconds=61))
    assert wrong.get("periods/").status_code == 401


# --- pages and queries


def test_pages_are_stable_and_bounded(world):
    for number in range(5):
        world.add_school(f"分页演示学校{number}")
    api = Api(token_of(world.office))
    first = api.get("organizations/", page_size=4).json()
    second = api.get("organizations/", page_size=4, page=2).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert ids == sorted(set(ids))
    assert first["count"] == 11
    assert api.get("organizations/", page=99).status_code == 404
    assert len(api.get("organizations/", page_size=10_000).json()["results"]) == 11


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("path", "most"),
    [("organizations/", 3), ("periods/", 3), ("obligations/", 3), ("reports/", 3), ("cases/", 6)],
)
def test_lists_ask_no_more_for_more_rows(world, django_assert_num_queries, rows, path, most):
    for number in range(rows):
        school = world.add_school(f"查询演示学校{number}")
        Case.objects.create(organization=school.organization, ground="not_reporting", flagged_at=clock.now())
    for week in ["2020-W44", "2020-W45", "2020-W46"][:rows]:
        world.add_week(week)
        file(world, world.owed(world.school, week))
    api = Api(token_of(world.office))
    api.get("periods/")  # the token's use is noted
    with django_assert_num_queries(most):
        assert api.get(path).json()["count"] >= rows
