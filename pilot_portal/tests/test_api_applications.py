"""Rounds, applications, programmes, plans, caps and standards by the API: each under its reader's scope."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from certificates.models import Certificate, CertificateLevel
from core import clock
from pilot_portal.tests.calling import Api, token_of
from schools.models import Application, ApplicationItem, RoundExtension, RoundRoute


def ids(user, path, **query):
    return [row["id"] for row in Api(token_of(user)).get(path, **query).json()["results"]]


def test_an_application_with_its_items_and_its_own_closings(filed):
    until = filed.round.school_closes_at + dt.timedelta(hours=12)
    RoundExtension.objects.create(
        round=filed.round,
        organization=filed.school_org,
        school_closes_at=until,
        city_closes_at=filed.round.city_closes_at,
        province_closes_at=filed.round.province_closes_at,
        reason="停电",
        created_by=filed.office,
        created_at=clock.now(),
    )
    mine, other = Api(token_of(filed.office)).get("applications/").json()["results"]
    assert mine["organization_name"] == "太原演示职业学校"
    assert [(i["state"], i["planned"], i["level"]) for i in mine["items"]] == [("submitted", 60, 2)]
    assert dt.datetime.fromisoformat(mine["closings"]["school"]) == until
    assert dt.datetime.fromisoformat(other["closings"]["school"]) == filed.round.school_closes_at


def test_each_sees_its_own_applications(filed):
    mine, other = filed.application.pk, filed.other_application.pk
    assert ids(filed.office, "applications/") == ids(filed.auditor, "applications/") == [mine, other]
    assert ids(filed.contact, "applications/") == ids(filed.city_officer, "applications/") == [mine]
    assert ids(filed.other_contact, "applications/") == [other]
    assert Api(token_of(filed.contact)).get(f"applications/{other}/").status_code == 404
    assert Api(token_of(filed.evaluator_officer)).get("applications/").status_code == 403
    assert ids(filed.office, "applications/", state="submitted") == [mine]


def test_a_draft_is_its_schools_alone(filed):
    level = CertificateLevel.objects.create(certificate=filed.level.certificate, level=3)
    draft = ApplicationItem.objects.create(application=filed.application, certificate_level=level)
    address = f"applications/{filed.application.pk}/"
    for user, seen in [
        (filed.contact, [filed.item.pk, draft.pk]),
        (filed.city_officer, [filed.item.pk]),
        (filed.office, [filed.item.pk]),
    ]:
        api = Api(token_of(user))
        assert [row["id"] for row in api.get(address).json()["items"]] == seen
        assert [row["item"] for row in api.get(f"{address}steps/").json()] == seen


def test_steps_come_from_the_workflow_table(filed):
    def steps(user):
        told = Api(token_of(user)).get(f"applications/{filed.application.pk}/steps/").json()
        return {step["action"]: step for step in told[0]["steps"]}

    assert steps(filed.city_officer)["item_recommend"]["open"]
    assert "晋教职成〔2020〕9号" in steps(filed.office)["item_recommend"]["reasons"][0]
    # While the item waits for its city, the office is told by whose words it cannot be passed over.
    too_early = steps(filed.office)["item_approve"]
    assert not too_early["open"]
    assert "太原市教育局初审，不能越过（晋教职成〔2020〕9号 三.1" in too_early["reasons"][0]


def test_an_item_is_told_to_go_one_way_only(filed):
    kinds = {"kind": filed.school.kind, "through_city": True}
    RoundRoute.objects.create(round=filed.round, authority="city", **kinds)
    fresh = Application.objects.filter(pk=filed.application.pk)
    fresh.update(reviewer=None)
    ApplicationItem.objects.update(state="draft", carried_over=0)

    def steps(**changes):
        ApplicationItem.objects.update(**changes)
        told = Api(token_of(filed.contact)).get(f"applications/{filed.application.pk}/steps/").json()
        return {step["action"]: step["reasons"] for step in told[0]["steps"]}

    told = steps()
    assert told["item_submit_to_province"] == [
        "先由太原市教育局初审（晋教职成〔2020〕9号 三.1：市教育行政部门初审；按本批次设置）。"
    ]
    assert "至少填写一个对应专业" in told["item_submit"][0]
    RoundRoute.objects.update(through_city=False)
    told = steps()
    assert told["item_submit"][0].startswith("本校申报直接报省教育厅审核")
    assert "至少填写一个对应专业" in told["item_submit_to_province"][0]
    fresh.update(reviewer=filed.bureau)
    told = steps(state="returned", returned_from="first_reviewed")
    assert told["item_submit"][0].startswith("由省推进办退回")
    assert "至少填写一个对应专业" in told["item_submit_to_province"][0]


@pytest.mark.parametrize(
    ("who", "state"),
    [
        ("contact", "draft"),
        ("city_officer", "submitted"),
        ("office", "first_reviewed"),
        ("office", "approved"),
    ],
)
def test_the_steps_of_three_items_ask_no_more_queries_than_of_one(filed, who, state):
    api, address = Api(token_of(getattr(filed, who))), f"applications/{filed.application.pk}/steps/"

    def queries(items):
        ApplicationItem.objects.update(state=state)
        with CaptureQueriesContext(connection) as captured:
            assert len(api.get(address).json()) == items
        return len(captured)

    queries(1)
    before = queries(1)
    for name in ("甲", "乙"):
        certificate = Certificate.objects.create(name=name, owner=filed.evaluator_org)
        level = CertificateLevel.objects.create(certificate=certificate, level=2)
        ApplicationItem.objects.create(application=filed.application, certificate_level=level)
    assert queries(3) == before <= 25


def test_programmes_and_plans_under_the_same_scope(filed):
    assert ids(filed.contact, "programmes/") == [filed.programme.pk]
    assert ids(filed.evaluator_officer, "programmes/") == ids(filed.office, "programmes/")
    plan = Api(token_of(filed.contact)).get("plans/", year=2020).json()["results"][0]
    assert (plan["programme"], plan["candidates"], plan["item"]) == (filed.programme.pk, 100, None)
    assert ids(filed.contact, "plans/", year=2019) == []


def test_rounds_caps_and_standards(filed):
    assert ids(filed.contact, "rounds/", year=2021) == [filed.round.pk]
    assert ids(filed.finance, "caps/") == ids(filed.contact, "caps/") == [filed.cap.pk]
    standard = Api(token_of(filed.evaluator_officer)).get("standards/").json()["results"][0]
    assert (standard["amount"], standard["state"], standard["cap"]) == ("280.00", "proposed", None)
    assert ids(filed.office, "standards/", state="filed") == []


def test_a_round_has_the_closings_as_announced_and_in_force(filed):
    until = filed.round.province_closes_at + dt.timedelta(days=3)
    closings = dict(zip(("school_closes_at", "city_closes_at"), filed.round.closings, strict=False))
    for organization, closing in ((None, until), (filed.school_org, until + dt.timedelta(days=1))):
        RoundExtension.objects.create(
            round=filed.round,
            organization=organization,
            **closings,
            province_closes_at=closing,
            reason="停电",
            created_by=filed.office,
            created_at=clock.now(),
        )
    told = Api(token_of(filed.contact)).get(f"rounds/{filed.round.pk}/").json()
    assert dt.datetime.fromisoformat(told["closings"]["province"]) == until
    assert dt.datetime.fromisoformat(told["province_closes_at"]) == filed.round.province_closes_at
    assert dt.datetime.fromisoformat(told["closings"]["school"]) == filed.round.school_closes_at


@pytest.mark.parametrize("path", ["applications/", "programmes/", "plans/", "rounds/", "standards/"])
def test_a_longer_list_asks_no_more_queries(filed, path, django_assert_max_num_queries):
    api = Api(token_of(filed.office))
    for name in ("三", "四"):
        school = filed.add_school(f"演示第{name}学校")
        application = Application.objects.create(
            round=filed.round, school=school, started_by=filed.office, started_at=clock.now()
        )
        ApplicationItem.objects.create(application=application, certificate_level=filed.level)
    with django_assert_max_num_queries(14):
        api.get(path)
