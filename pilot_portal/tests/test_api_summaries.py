"""Monthly reports and half-year summaries by the API: each under its reader's scope, with their versions."""

import pytest

from obligations.models import Obligation
from pilot_portal.tests.calling import Api, token_of
from reporting import api_samples
from reporting.api_forms import SummaryDetailSerializer
from reporting.models import SummaryVersion
from reporting.services import save_draft
from reporting.summaries.sheet import sheet_for
from reporting.tests.summing import file, half_of, month_of, typed


@pytest.fixture
def summaries(world):
    """October's of the evaluator; the second half's of the school and of the evaluator."""
    world.month = month_of(world)
    file(world.month, world.evaluator_officer)
    world.half = half_of(world)
    file(world.half, world.contact)
    world.half_of_evaluator = Obligation.objects.get(
        kind="half_year_summary", organization=world.evaluator_org
    )
    file(world.half_of_evaluator, world.evaluator_officer)
    return world


def listed(user, **query):
    answer = Api(token_of(user)).get("summaries/", **query)
    assert answer.status_code == 200, answer.json()
    return [row["obligation"] for row in answer.json()["results"]]


def test_each_sees_its_own(summaries):
    w = summaries
    everything = [w.month.pk, w.half.pk, w.half_of_evaluator.pk]
    for user in (w.office, w.leading, w.auditor):
        assert listed(user) == sorted(everything), user
    assert listed(w.evaluator_officer) == sorted([w.month.pk, w.half_of_evaluator.pk])
    for user in (w.contact, w.leader, w.city_officer):
        assert listed(user) == [w.half.pk], user
    for user in (w.other_contact, w.other_city_officer):
        assert listed(user) == [], user
        assert Api(token_of(user)).get(f"summaries/{w.half.pk}/").status_code == 404
    assert Api(token_of(w.finance)).get("summaries/").status_code == 403
    assert Api(token_of(w.contact)).get(f"summaries/{w.month.pk}/").status_code == 404
    # What an evaluator files is no weekly report, nor does it see any.
    assert Api(token_of(w.evaluator_officer)).get("reports/").json()["count"] == 0
    assert Api(token_of(w.office)).get(f"reports/{w.month.pk}/").status_code == 404


def test_it_is_narrowed_by_kind_organisation_period_and_time(summaries):
    w = summaries
    assert listed(w.office, kind="monthly_report") == [w.month.pk]
    assert listed(w.office, organization=w.school_org.pk) == [w.half.pk]
    assert listed(w.office, period=w.month.period_id) == [w.month.pk]
    assert w.month.pk not in listed(w.office, updated_since="2020-12-01T00:00:00Z")
    wrong = Api(token_of(w.office)).get("summaries/", kind="weekly_report")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "kind")


def test_it_is_read_with_its_versions_and_never_its_draft(world):
    month = month_of(world)
    api = Api(token_of(world.evaluator_officer))
    save_draft(
        obligation=month, typed=typed(month), revision=0, by=world.evaluator_officer, at=month.opens_at
    )
    assert api.get("summaries/").json()["count"] == 0
    assert api.get(f"summaries/{month.pk}/").status_code == 404
    file(month, world.evaluator_officer)
    file(month, world.evaluator_officer, token="t2", issued="26")
    detail = api.get(f"summaries/{month.pk}/").json()
    assert (detail["kind"], detail["version"], detail["state"]) == ("monthly_report", 2, "on_time")
    assert [version["number"] for version in detail["versions"]] == [1, 2]
    [row] = detail["versions"][1]["content"]["rows"].values()
    assert (row["said"]["issued"], row["said"]["fees"]) == (26, "6000.00")
    assert detail["versions"][0]["receipt"] == SummaryVersion.objects.get(number=1).receipt


def test_it_is_read_only(summaries):
    api = Api(token_of(summaries.evaluator_officer))
    address = f"/api/v1/summaries/{summaries.month.pk}/"
    for method in ("post", "put", "patch", "delete"):
        assert getattr(api.client, method)(address, headers=api.headers).status_code == 405


def test_the_example_of_the_reference_is_shaped_as_the_answer(world):
    month = month_of(world)
    file(month, world.evaluator_officer)
    answer = Api(token_of(world.office)).get(f"summaries/{month.pk}/").json()
    example = api_samples.SUMMARY_DETAIL
    assert set(answer) == set(example) == set(SummaryDetailSerializer.Meta.fields)
    [version], [shown] = answer["versions"], example["versions"]
    assert set(version) == set(shown)
    assert set(version["content"]) == set(shown["content"])
    [row], [row_shown] = version["content"]["rows"].values(), shown["content"]["rows"].values()
    assert set(row) == set(row_shown)
    assert set(row["given"]) == set(row_shown["given"])
    assert set(row["said"]) == set(row_shown["said"])
    assert set(sheet_for(month).shape.texts) <= set(shown["content"])


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_no_more_for_more_rows(world, django_assert_num_queries, rows):
    half = half_of(world)
    for number in range(rows):
        school = world.add_school(f"第{number}演示学校")
        contact = world.add_user("school_contact", school.organization, f"c{number}")
        owed = Obligation.objects.create(
            organization=school.organization,
            kind=half.kind,
            key=half.key,
            title=half.title,
            period=half.period,
            opens_at=half.opens_at,
            due_at=half.due_at,
            closes_at=half.closes_at,
        )
        file(owed, contact)
    api = Api(token_of(world.office))
    api.get("periods/")  # the token's use is noted
    with django_assert_num_queries(3):
        assert api.get("summaries/").json()["count"] == rows
    file(half, world.contact)
    for number in range(rows):
        file(half, world.contact, token=f"more{number}", progress=f"更正{number}")
    with django_assert_num_queries(4):
        assert len(api.get(f"summaries/{half.pk}/").json()["versions"]) == rows + 1
