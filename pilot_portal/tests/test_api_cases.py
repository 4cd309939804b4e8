"""Cases by the API: the school's clock, what was decided and issued; and that nothing is decided there."""

import datetime as dt

import pytest

from core import clock
from pilot_portal.tests.calling import Api, token_of
from supervision import services
from supervision.models import Case
from supervision.tests.cases import lapsed


@pytest.fixture
def decided(world):
    case = lapsed(world)
    due_at = clock.now() + dt.timedelta(days=14)
    services.rectify(case, reasons="三周未报属实", due_at=due_at, by=world.office2, at=clock.now())


def test_a_school_reads_its_case_its_clock_and_the_decision(world, decided):
    case = Api(token_of(world.contact)).get("cases/").json()["results"][0]
    assert (case["state"], case["state_label"]) == ("rectifying", "限期整改")
    assert case["answer_due_at"] == "2020-11-27T18:00:00+08:00"
    assert case["rectification_due_at"] > case["answer_due_at"]
    assert len(case["evidence"]) == 3
    assert [decision["kind"] for decision in case["decisions"]] == ["rectify"]
    assert [document["kind"] for document in case["documents"]] == ["notice", "decision"]
    assert Api(token_of(world.other_contact)).get(f"cases/{case['id']}/").status_code == 404


@pytest.mark.parametrize("who", ["office", "office2", "contact"])
def test_no_step_is_taken_by_the_api(world, who):
    case = lapsed(world)
    api = Api(token_of(getattr(world, who)))
    for method in ("post", "put", "patch", "delete"):
        for path in ("cases/", f"cases/{case.pk}/"):
            sent = {"state": "decided", "organization": world.school_org.pk}
            response = getattr(api.client, method)(
                f"/api/v1/{path}", sent, content_type="application/json", headers=api.headers
            )
            assert (response.status_code, response.json()["title"]) == (405, "不支持这个方法")
            assert "在页面上办理" in response.json()["detail"]
    case.refresh_from_db()
    assert case.state == Case.State.LAPSED


def test_cases_are_found_by_their_state(world, decided):
    api = Api(token_of(world.office))
    assert api.get("cases/", state="rectifying").json()["count"] == 1
    assert api.get("cases/", state="flagged").json()["count"] == 0
    assert api.get("cases/", ground="funds").json()["count"] == 0


def test_each_step_says_why_it_cannot_be_taken(world):
    case = lapsed(world)

    def steps(user):
        return {step["action"]: step for step in Api(token_of(user)).get(f"cases/{case.pk}/steps/").json()}

    proposer, decider, school = steps(world.office), steps(world.office2), steps(world.contact)
    assert "提出" in proposer["case_dismiss"]["reasons"][0]
    assert decider["case_dismiss"] | {"label": ""} == {
        "action": "case_dismiss",
        "label": "",
        "open": True,
        "reasons": [],
    }
    assert "逾期未陈述" in decider["case_notify"]["reasons"][0]
    assert not any(step["open"] for step in school.values())
    assert Api(token_of(world.other_contact)).get(f"cases/{case.pk}/steps/").status_code == 404
