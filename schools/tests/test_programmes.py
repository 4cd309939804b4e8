"""Programmes: active, dormant and ended; their pages; what office and school keep of them."""

import datetime as dt
import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.models import Organization
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.models import Attachment, Event
from core.tests.test_attachments import pdf
from schools import services, standing
from schools.models import AgreementParty, AnnualPlan, Programme, School
from schools.tests.applying import agreement_for
from schools.tests.rosters import check, row, take_in

LIST = "/programmes/"


def page(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, response.status_code
    return response.content.decode()


def at(programme, *rest):
    return "/".join([f"/programmes/{programme.pk}", *rest, ""])


def another_level(world, level=3):
    return CertificateLevel.objects.create(certificate=world.certificate, level=level)


def plan_upload(name="人才培养方案.pdf"):
    return SimpleUploadedFile(name, pdf())


# --- active, dormant, ended

BEGINNING = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
INSTANTS = st.timedeltas(dt.timedelta(), dt.timedelta(days=731)).map(lambda later: BEGINNING + later)


@settings(max_examples=40)
@given(
    started=INSTANTS,
    lasts=st.none() | st.timedeltas(dt.timedelta(seconds=1), dt.timedelta(days=400)),
    years=st.sets(st.integers(2019, 2022)),
    now=INSTANTS,
    year=st.integers(2019, 2022),
)
def test_dormant_is_running_without_a_plan_for_the_year(world, started, lasts, years, now, year):
    programme = world.programme
    programme.started_at, programme.ended_at = started, lasts and started + lasts
    programme.save()
    programme.plans.all().delete()
    AnnualPlan.objects.bulk_create(AnnualPlan(programme=programme, year=y, candidates=1) for y in years)
    mine = Programme.objects.filter(pk=programme.pk)
    running = started <= now and (lasts is None or now < started + lasts)
    assert mine.running_at(now).exists() == running
    assert mine.dormant_at(now, year).exists() == (running and year not in years)
    if running:
        state = "active" if year in years else "dormant"
        assert mine.with_state(now, year).get().state == state


@pytest.mark.parametrize(
    ("instant", "dormant"),
    [("2020-12-31T23:59:59.999999+08:00", False), ("2021-01-01T00:00:00+08:00", True)],
)
def test_at_the_turn_of_the_year_nothing_ends_but_sleeps(world, client_for, instant, dormant):
    world.at(instant)
    shown = page(client_for(world.office), at(world.programme))
    assert ("没有2021年度计划，周报不填" in shown) == dormant
    assert ("还没有2021年度计划" in shown) != dormant
    assert Programme.objects.running_at(clock.now()).count() == 2
    school = page(client_for(world.contact), f"/schools/{world.school.pk}/")
    assert ("没有2021年度计划，周报不填" in school) == dormant


@pytest.mark.parametrize(
    ("instant", "told"),
    [("2020-11-30T23:59:59.999999+08:00", False), ("2020-12-01T00:00:00+08:00", True)],
)
def test_from_december_on_the_pages_ask_for_next_years_plan(world, client_for, instant, told):
    world.at(instant)
    words = "还没有2021年度计划"
    assert (words in page(client_for(world.office), LIST)) == told
    assert (words in page(client_for(world.contact), f"/schools/{world.school.pk}/")) == told
    assert (words in page(client_for(world.contact), at(world.programme))) == told
    AnnualPlan.objects.create(programme=world.programme, year=2021, candidates=5)
    shown = page(client_for(world.office), f"{LIST}?gap=next")
    assert str(world.school) not in shown
    assert str(world.other_school) in shown
    assert words not in page(client_for(world.contact), at(world.programme))


# --- the list


def test_a_school_is_not_told_its_own_name_in_each_row_but_in_its_file(world, client_for):
    client = client_for(world.contact)
    listed = client.get(LIST)
    assert not {"school", "code", "city"} & {column.name for column in listed.context["table"].columns}
    assert not {"q", "city"} & set(listed.context["filter"].form.fields)
    sheet = load_workbook(io.BytesIO(client.post(LIST).content)).active
    assert world.school_org.name in {str(cell.value) for row in sheet.iter_rows() for cell in row}


def test_the_list_filters_and_exports(world, client_for):
    world.programme.plans.all().delete()
    agreement_for(world.level, world.school)
    client = client_for(world.office)
    asked = {
        "?state=active": world.other_school,
        "?state=dormant": world.school,
        "?gap=agreement": world.other_school,
        f"?city={world.city.pk}": world.school,
        "?q=长治演示": world.other_school,
        f"?year=2021&state=dormant&city={world.city.pk}": world.school,
    }
    for query, school in asked.items():
        shown = page(client, LIST + query)
        found = [str(s) for s in (world.school, world.other_school) if str(s) in shown]
        assert found == [str(school)], query
    services.end_programme(programme=world.programme, reason="停办", by=world.office, at=clock.now())
    assert str(world.school) in page(client, f"{LIST}?state=ended")
    response = client.post(f"{LIST}?state=ended")
    assert response["Content-Type"].startswith("application/vnd.openxmlformats")


def test_another_year_shows_that_years_plans(world, client_for):
    AnnualPlan.objects.create(programme=world.programme, year=2021, candidates=77)
    shown = page(client_for(world.office), f"{LIST}?year=2021&state=active")
    assert "2021年拟考证人数" in shown
    assert ">77<" in shown
    assert str(world.other_school) not in shown
    assert "2020年拟考证人数" in page(client_for(world.office), LIST)
    assert str(world.school) not in page(client_for(world.office), f"{LIST}?year=20x1")


@pytest.mark.parametrize("schools", [1, 3])
def test_the_same_queries_for_one_and_for_many(world, client_for, schools, django_assert_num_queries):
    client = client_for(world.office)
    for n in range(schools):
        world.add_school(f"演示学校{n}")
    client.get(LIST)
    with django_assert_num_queries(10):
        client.get(LIST)


@pytest.mark.parametrize("rows", [1, 3])
def test_one_programme_asks_the_same_whatever_it_has(world, client_for, rows, django_assert_num_queries):
    client = client_for(world.office)
    for n in range(rows):
        AnnualPlan.objects.create(programme=world.programme, year=2021 + n, candidates=10)
        agreement_for(world.level, world.school, with_file=False)
    client.get(at(world.programme))
    with django_assert_num_queries(12):
        client.get(at(world.programme))


# --- who sees, who may


SEES_ALL = ["office", "finance", "leading", "auditor"]
SEES_ONE = ["city_officer", "contact", "leader", "evaluator_officer"]
STRANGERS = ["other_city_officer", "other_contact", "expert", "third_party", "coordinator", "learner"]


@pytest.mark.parametrize("who", SEES_ALL + SEES_ONE)
def test_those_in_scope_see_the_page(world, client_for, who):
    shown = page(client_for(getattr(world, who)), at(world.programme))
    assert str(world.programme) in shown
    assert ("设定年度计划" in shown) == (who == "office")
    assert (">登记融入课程<" in shown) == (who == "contact")


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_find_nothing(world, client_for, who):
    client = client_for(getattr(world, who))
    for rest in ((), ("plan",), ("end",), ("courses",)):
        assert client.get(at(world.programme, *rest)).status_code == 404
        assert client.post(at(world.programme, *rest)).status_code in {404, 405}


def test_an_evaluator_sees_its_own_certificates_at_a_school(world, client_for):
    other = Organization.objects.create(kind="evaluator", name="另一演示组织", code="E2")
    certificate = Certificate.objects.create(name="另一演示职业技能等级证书", owner=other)
    theirs = world.add_programme(
        world.school, CertificateLevel.objects.create(certificate=certificate, level=1)
    )
    client = client_for(world.evaluator_officer)
    assert client.get(at(theirs)).status_code == 404
    for path in (LIST, f"/schools/{world.school.pk}/"):
        shown = page(client, path)
        assert str(world.programme) in shown
        assert str(theirs) not in shown


@pytest.mark.parametrize("who", ["expert", "third_party", "coordinator", "learner"])
def test_the_list_is_refused_to_those_without_a_scope(world, client_for, who):
    assert "培训评价组织查看" in page(client_for(getattr(world, who)), LIST, 403)


# --- what is said of a programme


def test_where_a_programme_came_from_and_what_is_missing(world, client_for):
    client = client_for(world.contact)
    shown = page(client, at(world.programme))
    assert "没有申报记录" in shown
    assert "推进办设定" in shown
    assert "没有生效的合作协议" in shown
    assert "鄂教职成办函〔2021〕7号 三.6" in shown
    agreement_for(world.level, world.school, fee=180)
    shown = page(client, at(world.programme))
    assert "没有生效的合作协议" not in shown
    assert "180" in shown


def test_an_agreement_not_confirmed_expired_or_of_another_level_does_not_count(world, client_for):
    today = clock.today()
    agreement_for(world.level, world.school, confirmed=False)
    agreement_for(another_level(world), world.school)
    agreement_for(world.level, world.other_school)
    expired = agreement_for(
        world.level, world.school, signed_on=today - dt.timedelta(days=9), valid_until=today
    )
    assert "没有生效的合作协议" not in page(client_for(world.contact), at(world.programme))
    world.at(clock.at(today + dt.timedelta(days=1)))
    assert "没有生效的合作协议" in page(client_for(world.contact), at(world.programme))
    mine = Programme.objects.filter(pk=world.programme.pk)
    assert not standing.with_agreement(mine, clock.today()).get().has_agreement
    assert standing.with_agreement(mine, today).get().has_agreement
    AgreementParty.objects.filter(agreement=expired).delete()
    assert not standing.with_agreement(mine, today).get().has_agreement


def test_the_record_tells_of_this_programme_alone(world, client_for):
    other = services.start_programme(
        school=world.school, level=another_level(world), by=world.office, at=clock.now()
    )
    services.set_annual_plan(
        programme=world.programme, year=2021, candidates=60, carried_over=10, by=world.office, at=clock.now()
    )
    shown = page(client_for(world.contact), at(world.programme))
    assert f"{world.programme} 2021年" in shown
    assert "开设试点项目" not in shown
    assert "开设试点项目" in page(client_for(world.contact), at(other))


# --- plans


def test_the_office_sets_a_plan_with_carried_over_heads(world, client_for):
    client = client_for(world.office)
    assert 'value="2021"' in page(client, f"{at(world.programme, 'plan')}?year=2021")
    data = {"year": 2021, "candidates": 30, "carried_over": 31}
    response = client.post(at(world.programme, "plan"), data)
    assert response.status_code == 422
    assert "沿用人数不能多于计划总数" in response.content.decode()
    response = client.post(at(world.programme, "plan"), data | {"carried_over": 30})
    assert response.url == at(world.programme)
    plan = AnnualPlan.objects.get(year=2021)
    assert (plan.candidates, plan.carried_over) == (30, 30)
    response = client.post(at(world.programme, "plan"), {"year": 2021, "candidates": 29})
    assert "沿用上年 30 人" in response.content.decode()
    assert client.post(at(world.programme, "plan"), {"year": 2022, "candidates": 9}).status_code == 422
    plan.refresh_from_db()
    assert plan.candidates == 30


def test_a_roster_cannot_bring_a_plan_below_what_was_carried_over(world):
    take_in(world.office, row())
    plan = AnnualPlan.objects.get(programme__school__organization__code="4214000001")
    services.set_annual_plan(
        programme=plan.programme, year=2020, candidates=120, carried_over=50, by=world.office, at=clock.now()
    )
    found = check(world.office, row(拟考证人数=49)).errors
    assert [(e.heading, "沿用上年 50 人" in e.message) for e in found] == [("拟考证人数", True)]
    assert not check(world.office, row(拟考证人数=50)).errors


def test_the_same_plan_again_is_not_news(world):
    before = Event.objects.count()
    who = {"by": world.office, "at": clock.now()}
    services.set_annual_plan(programme=world.programme, year=2020, candidates=100, carried_over=0, **who)
    assert Event.objects.count() == before
    with pytest.raises(PermissionDenied):
        services.set_annual_plan(
            programme=world.programme, year=2020, candidates=1, by=world.contact, at=clock.now()
        )


# --- courses


def test_the_school_tells_of_its_courses_and_the_plan_that_it_revised(world, client_for):
    client = client_for(world.contact)
    data = {"courses": "网络运维 64学时\n服务器管理 32学时", "files": [plan_upload()]}
    assert client.post(at(world.programme, "courses"), data).url == at(world.programme)
    for who in ("contact", "office", "evaluator_officer", "city_officer"):
        shown = page(client_for(getattr(world, who)), at(world.programme))
        assert "服务器管理 32学时" in shown
        assert "人才培养方案.pdf" in shown
    attachment = Attachment.objects.of(world.programme).get()
    file = reverse("core:attachment", args=[attachment.pk])
    served = client_for(world.office).get(file)
    assert b"".join(served.streaming_content) == pdf()
    assert client_for(world.other_contact).get(file).status_code == 404
    assert Event.objects.about(world.programme).count() == 2
    client.post(at(world.programme, "courses"), {"courses": data["courses"].replace("\n", "\r\n")})
    assert Event.objects.about(world.programme).count() == 2
    wrong = client.post(
        at(world.programme, "courses"),
        {"courses": "", "files": [SimpleUploadedFile("方案.exe", b"MZ")]},
    )
    assert wrong.status_code == 422
    world.programme.refresh_from_db()
    assert world.programme.courses == data["courses"]


@pytest.mark.parametrize("who", ["leader", "office", "city_officer", "evaluator_officer"])
def test_only_the_contact_tells_of_courses(world, client_for, who):
    client = client_for(getattr(world, who))
    refusal = client.post(at(world.programme, "courses"), {"courses": "甲"})
    assert refusal.status_code == 403
    assert "三.4" in refusal.content.decode()
    with pytest.raises(PermissionDenied):
        services.tell_courses(
            programme=world.programme, courses="甲", files=[], by=getattr(world, who), at=clock.now()
        )


def test_an_ended_programme_is_read_only(world, client_for):
    services.end_programme(programme=world.programme, reason="停办", by=world.office, at=clock.now())
    world.at("2020-11-19T10:00:00+08:00")
    shown = page(client_for(world.office), at(world.programme))
    assert "已结束" in shown
    assert "设定年度计划</a>" not in shown
    assert "没有生效的合作协议" not in shown
    with pytest.raises(ValidationError, match="已经结束"):
        services.tell_courses(
            programme=world.programme, courses="甲", files=[], by=world.contact, at=clock.now()
        )


def test_an_import_is_kept_once_the_school_has_told_of_its_courses(world, client_for):
    job = take_in(world.office, row())
    school = School.objects.get(organization__code="4214000001")
    contact = world.add_user("school_contact", school.organization, "fresh")
    programme = school.programmes.get()
    services.tell_courses(programme=programme, courses="", files=[plan_upload()], by=contact, at=clock.now())
    response = client_for(world.office).post(f"/jobs/{job.pk}/undo/")
    assert response.status_code == 409
    assert "登记了融入课程或人才培养方案" in response.content.decode()
    assert Programme.objects.filter(pk=programme.pk).exists()


def test_the_school_list_counts_the_dormant(world, client_for):
    world.programme.plans.all().delete()
    found = School.objects.with_figures(clock.now(), 2020).get(pk=world.school.pk)
    assert (found.levels, found.dormant, found.planned) == (1, 1, 0)
    assert "其中休眠" in page(client_for(world.office), "/schools/")
