"""Suspensions and outages: who may declare what, what is shown before, what is done after."""

import datetime as dt
import io

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Organization
from core import clock
from core.models import Event
from obligations import periods, services
from obligations.models import Obligation, Outage, Period, Suspension

CREATE = "obligations:suspension-create"


def answers(organization, **changed):
    """Covers the deadlines of this Friday and of the next."""
    return {
        "kind": "emergency",
        "organization": organization.pk,
        "starts_on": "2020-11-18",
        "ends_on": "2020-11-27",
        "reason": "疫情防控演练",
    } | changed


@pytest.fixture
def ahead(world):
    periods.make_periods("weekly_report", at=world.at("2020-11-18T10:00:00+08:00"))
    return Period.objects.unopened()


def outcomes():
    return dict(Obligation.objects.values_list("organization__name", "outcome"))


def test_only_who_may_declare_gets_the_form(world, client_for):
    for role in ("office", "city_officer", "contact"):
        assert client_for(getattr(world, role)).get(reverse(CREATE)).status_code == 200, role
    for role in ("leader", "auditor", "leading", "finance", "expert", "evaluator_officer", "learner"):
        client = client_for(getattr(world, role))
        assert client.get(reverse(CREATE)).status_code == 403, role
        assert client.post(reverse(CREATE), answers(world.province)).status_code == 403, role


def test_the_scope_is_searched_by_typing_and_only_such_a_page_loads_what_that_takes(world, client_for):
    office = client_for(world.office)
    page = office.get(reverse(CREATE)).content.decode()
    assert '<select name="organization" data-search' in page
    assert "vendor/tom-select.complete.min.js" in page
    assert "vendor/tom-select.min.css" in page
    assert "tom-select" not in office.get(reverse("obligations:outage-create")).content.decode()


def test_an_outage_is_called_by_the_provinces_wall_clock():
    assert str(Outage(starts_at=clock.at(dt.date(2020, 11, 20), dt.time(17)))) == "停机 2020-11-20 17:00"


def test_only_those_in_the_pilot_and_their_authorities_may_be_named(world, client_for):
    elsewhere = Organization.objects.create(
        kind="school", name="未参加试点的学院", code="9999999999", supervisor=world.province
    )
    page = client_for(world.office).get(reverse(CREATE)).content.decode()
    assert elsewhere.name not in page
    assert world.school_org.name in page
    assert f"{world.bureau}主管院校" in page


def test_the_preview_counts_and_changes_nothing(world, ahead, client_for):
    response = client_for(world.office).post(reverse(CREATE), answers(world.province))
    effect = response.context["effect"]
    assert [(e.period.key, e.organizations) for e in effect.periods] == [("2020-W47", 2), ("2020-W48", 2)]
    page = response.content.decode()
    assert "11月20日（星期五）18:00" in page
    assert "11月27日（星期五）" in page
    assert not Suspension.objects.exists()
    assert not Event.objects.exists()
    assert set(outcomes().values()) == {"pending"}


def test_the_office_names_an_evaluator_that_reports(world, client_for):
    idle = Organization.objects.create(kind="evaluator", name="没有项目的组织", code="E8")
    client = client_for(world.office)
    assert idle.name not in client.get(reverse(CREATE)).content.decode()
    typed = answers(world.evaluator_org, step="confirm")
    assert client.post(reverse(CREATE), typed).status_code == 302
    assert Suspension.objects.get().scope_label == world.evaluator_org.name


def test_a_city_stops_the_clocks_of_what_it_supervises(world, ahead, client_for):
    client = client_for(world.city_officer)
    response = client.post(reverse(CREATE), answers(world.bureau))
    assert [e.organizations for e in response.context["effect"].periods] == [1, 1]
    assert client.post(reverse(CREATE), answers(world.bureau, step="confirm")).status_code == 302
    assert outcomes() == {world.school_org.name: "exempt", world.other_school_org.name: "pending"}
    suspension = Suspension.objects.get()
    assert suspension.scope_label == "太原市教育局主管院校"
    # Both days whole: from midnight of the first to midnight after the last, in the province.
    assert suspension.starts_at.isoformat() == "2020-11-17T16:00:00+00:00"
    assert suspension.ends_at.isoformat() == "2020-11-27T16:00:00+00:00"


def test_the_last_day_counts_whole(world, client_for):
    client = client_for(world.office)
    client.post(reverse(CREATE), answers(world.province, ends_on="2020-11-19", step="confirm"))
    assert set(outcomes().values()) == {"pending"}
    client.post(reverse(CREATE), answers(world.province, ends_on="2020-11-20", step="confirm"))
    assert set(outcomes().values()) == {"exempt"}


@pytest.mark.parametrize(
    ("who", "whom", "changed", "field"),
    [
        ("city_officer", "other_school_org", {}, "organization"),
        ("city_officer", "province", {}, "organization"),
        ("contact", "other_school_org", {"kind": "vacation"}, "organization"),
        ("contact", "bureau", {"kind": "vacation"}, "organization"),
        ("contact", "school_org", {}, "kind"),
        ("contact", "school_org", {"kind": "vacation", "starts_on": "2020-11-17"}, "starts_on"),
        ("city_officer", "school_org", {"starts_on": "2020-11-17"}, "starts_on"),
        ("office", "evaluator_org", {"kind": "vacation"}, "kind"),
        ("city_officer", "evaluator_org", {}, "organization"),
        ("office", "school_org", {"ends_on": "2020-11-17"}, "ends_on"),
        ("office", "school_org", {"ends_on": "2022-11-17"}, "ends_on"),
        ("office", "school_org", {"reason": " "}, "reason"),
        ("office", "school_org", {"reason": "长" * 301}, "reason"),
        ("office", "school_org", {"starts_on": "明天"}, "starts_on"),
    ],
)
def test_what_is_not_allowed_is_refused_and_kept(world, client_for, who, whom, changed, field):
    typed = (
        answers(getattr(world, whom), step="confirm", **changed) if changed else answers(getattr(world, whom))
    )
    response = client_for(getattr(world, who)).post(reverse(CREATE), typed)
    assert field in response.context["form"].errors
    assert typed["ends_on"] in response.content.decode()
    assert not Suspension.objects.exists()


def test_a_school_declares_its_own_vacation(world, client_for):
    client = client_for(world.contact)
    page = client.get(reverse(CREATE)).content.decode()
    assert world.school_org.name in page
    assert world.other_school_org.name not in page
    client.post(reverse(CREATE), answers(world.school_org, kind="vacation", step="confirm"))
    assert outcomes() == {world.school_org.name: "exempt", world.other_school_org.name: "pending"}


def test_the_same_suspension_sent_twice_is_declared_once(world, client_for):
    client = client_for(world.office)
    client.post(reverse(CREATE), answers(world.province, step="confirm"))
    again = client.post(reverse(CREATE), answers(world.province, step="confirm"))
    assert "已经登记" in again.content.decode()
    assert Suspension.objects.count() == 1


def test_missed_ones_of_the_past_are_shown_as_excused(world, client_for):
    rows = Obligation.objects.filter(pk=world.obligation.pk)
    rows.update(outcome="missed", closed_at=world.period.closes_at)
    world.at("2020-11-24T10:00:00+08:00")
    response = client_for(world.office).post(reverse(CREATE), answers(world.school_org))
    assert response.context["effect"].excused == 1
    assert not rows.get().excused_at


def test_seen_lifted_and_by_whom(world, client_for):
    client_for(world.city_officer).post(reverse(CREATE), answers(world.bureau, step="confirm"))
    suspension = Suspension.objects.get()
    detail = reverse("obligations:suspension-detail", args=[suspension.pk])
    lift = reverse("obligations:suspension-lift", args=[suspension.pk])

    for stranger in (world.other_contact, world.other_city_officer, world.learner, world.evaluator_officer):
        client = client_for(stranger)
        assert client.get(detail).status_code == client.get(lift).status_code == 404
        assert client.post(lift).status_code == 404
    for reader in (world.contact, world.leader, world.auditor):
        client = client_for(reader)
        assert lift not in client.get(detail).content.decode()
        assert client.post(lift).status_code == 403

    client = client_for(world.city_officer)
    assert lift in client.get(detail).content.decode()
    assert client.get(lift).status_code == 200
    assert outcomes()[world.school_org.name] == "exempt"
    assert client.post(lift).status_code == 302
    assert outcomes()[world.school_org.name] == "pending"
    page = client.get(detail).content.decode()
    assert "提前结束停报" in page
    assert client.post(lift).status_code == 403


def test_the_list_is_scoped_and_costs_the_same_for_one_and_three(world, client_for):
    client, address = client_for(world.city_officer), reverse("obligations:suspensions")
    office = client_for(world.office)
    office.post(reverse(CREATE), answers(world.other_bureau, step="confirm"))
    assert client.get(address).context["count"] == 0
    client.post(reverse(CREATE), answers(world.bureau, step="confirm"))

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    queries()  # what a process reads once
    before = queries()
    office.post(reverse(CREATE), answers(world.province, step="confirm"))
    office.post(reverse(CREATE), answers(world.school_org, step="confirm"))
    assert client.get(address).context["count"] == 3
    assert queries() == before <= 20
    page = client.get(address).content.decode()
    assert "三.6" in page
    for outsider in (world.finance, world.learner, world.expert):
        assert client_for(outsider).get(address).status_code == 403


def test_only_the_office_reaches_into_the_past(world):
    """Else a suspension would be an excuse by another door."""

    def declare(by):
        return services.suspend(
            kind="emergency",
            organizations=[world.school_org],
            scope_label="太原演示职业学校",
            starts_at=clock.at(dt.date(2020, 11, 17)),
            ends_at=clock.at(dt.date(2020, 11, 21)),
            reason="演练",
            by=by,
            at=clock.now(),
        )

    with pytest.raises(PermissionDenied, match="省推进办"):
        declare(world.city_officer)
    assert declare(world.office).pk


def test_suspensions_are_searched_filtered_and_exported(world, client_for):
    client, address = client_for(world.office), reverse("obligations:suspensions")
    client.post(reverse(CREATE), answers(world.bureau, step="confirm"))
    client.post(
        reverse(CREATE),
        answers(world.other_bureau, starts_on="2020-12-01", ends_on="2020-12-02", step="confirm"),
    )

    def count(**query):
        return client.get(address, query).context["count"]

    assert (count(q="长治"), count(kind="vacation"), count(kind="emergency")) == (1, 0, 2)
    assert (count(standing="standing"), count(standing="coming"), count(standing="over")) == (1, 1, 0)
    world.at("2020-12-01T12:00:00+08:00")
    client = client_for(world.office)
    assert (count(standing="standing"), count(standing="coming"), count(standing="over")) == (1, 0, 1)
    sheet = load_workbook(io.BytesIO(client.post(address + "?q=长治").content)).active
    assert [cell.value for cell in sheet[2]][:2] == ["长治市教育局主管院校", "突发事件"]
    assert "停报中" in [cell.value for cell in sheet[2]]


# --- outages

OUTAGE = {"starts_at": "2020-11-20T17:00", "ends_at": "2020-11-20T19:30", "reason": "机房检修"}


def test_an_outage_is_previewed_with_the_deadlines_it_moves(world, client_for):
    client, address = client_for(world.office), reverse("obligations:outage-create")
    response = client.post(address, OUTAGE)
    [(period, due_at, _)] = response.context["moves"]
    assert period == world.period
    assert due_at > period.due_at
    assert not Outage.objects.exists()
    assert client.post(address, OUTAGE | {"step": "confirm"}).status_code == 302
    world.period.refresh_from_db()
    assert world.period.due_at == due_at
    assert Outage.objects.get().starts_at.isoformat() == "2020-11-20T09:00:00+00:00"
    assert "机房检修" in client_for(world.contact).get(reverse("obligations:outages")).content.decode()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ends_at": "2020-11-20T17:00"}, "ends_at"),
        ({"ends_at": "2020-12-20T17:00"}, "ends_at"),
        ({"starts_at": ""}, "starts_at"),
        ({"reason": ""}, "reason"),
    ],
)
def test_an_outage_that_makes_no_sense_is_refused_and_kept(world, client_for, changed, field):
    response = client_for(world.office).post(
        reverse("obligations:outage-create"), OUTAGE | changed | {"step": "confirm"}
    )
    assert field in response.context["form"].errors
    assert not Outage.objects.exists()
    typed = (OUTAGE | changed)["ends_at"]
    assert f'value="{typed}"' in response.content.decode()


def test_an_outage_recorded_twice_moves_once(world, client_for):
    client, address = client_for(world.office), reverse("obligations:outage-create")
    client.post(address, OUTAGE | {"step": "confirm"})
    moved = Period.objects.get(pk=world.period.pk).due_at
    again = client.post(address, OUTAGE | {"step": "confirm"})
    assert "重叠" in again.content.decode()
    assert Outage.objects.count() == 1
    assert Period.objects.get(pk=world.period.pk).due_at == moved


def test_outages_cost_the_same_for_one_and_three(world, client_for):
    client, address = client_for(world.contact), reverse("obligations:outages")
    office, create = client_for(world.office), reverse("obligations:outage-create")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    office.post(create, OUTAGE | {"step": "confirm"})
    queries()  # what a process reads once
    before = queries()
    for day in ("21", "22"):
        typed = {"starts_at": f"2020-11-{day}T01:00", "ends_at": f"2020-11-{day}T02:00", "reason": "升级"}
        office.post(create, typed | {"step": "confirm"})
    assert Outage.objects.count() == 3
    assert queries() == before <= 20
