"""Every role's home: its own work, nobody else's, in a number of queries that does not grow."""

import pytest
from django.urls import reverse

from certificates.models import Certificate, CertificateLevel
from core import clock
from core.templatetags.portal import when
from funding.models import Allocation
from obligations import services
from reporting.office_forms import running_only
from reporting.sweep import sweep
from reporting.tests.weekly import file
from schools.services import duties
from schools.tests.builders import make_application, make_item, make_round
from schools.tests.hubei import hand_in, hubei, sh
from supervision.tests.feedback import asked

ROLES = [
    "office",
    "finance",
    "coordinator",
    "leading",
    "expert",
    "third_party",
    "city_officer",
    "contact",
    "leader",
    "evaluator_officer",
    "auditor",
    "learner",
]


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_a_home_of_few_queries(world, client_for, django_assert_max_num_queries, role):
    for key in ["2020-W44", "2020-W45", "2020-W46"]:
        world.add_week(key)
    sweep(clock.now())
    client = client_for(getattr(world, role))
    client.get("/")
    with django_assert_max_num_queries(20) as few:
        assert client.get("/").status_code == 200
    before = len(few)
    for name in ["甲", "乙", "丙"]:
        world.add_programme(world.school, _level(world, name))
        world.add_school(f"{name}演示学校")
    for key in ["2020-W41", "2020-W42", "2020-W43"]:
        world.add_week(key)
    sweep(clock.now())
    with django_assert_max_num_queries(before):
        client.get("/")


def test_a_schools_home_takes_few_queries_when_everything_stands_on_it(
    world, client_for, django_assert_max_num_queries
):
    for key in ["2020-W43", "2020-W44", "2020-W45", "2020-W46"]:
        world.add_week(key)
    file(world, world.owed(world.school, "2020-W43"))
    sweep(clock.now())
    for n in range(2):
        application = make_application(make_round(year=2021), world.school)
        make_item(application, _level(world, f"证{n}"), state="returned")
    Allocation.objects.create(
        organization=world.school_org,
        year=2020,
        source="province",
        document="文〔2020〕1号",
        amount=1000,
        allocated_on=clock.today(),
        created_by=world.finance,
        created_at=clock.now(),
    )
    client = client_for(world.contact)
    client.get("/")
    with django_assert_max_num_queries(20):
        page = client.get("/").content.decode()
    assert "专项资金" in page
    assert page.count("退回修改") == 2


def _level(world, name):
    certificate = Certificate.objects.create(name=f"{name}职业技能等级证书", owner=world.evaluator_org)
    return CertificateLevel.objects.create(certificate=certificate, level=1)


def test_a_school_sees_this_week_first_then_what_it_has_not_filed(world, client_for):
    for key in ["2020-W45", "2020-W46"]:
        world.add_week(key)
    sweep(clock.now())
    page = client_for(world.contact).get("/").content.decode()
    assert page.index("填写周报") < page.index(">补报<")
    assert f"/reports/{world.obligation.pk}/edit/" in page
    assert "已连续 <strong>2</strong> 周未报" in page
    assert "还剩" in page
    assert world.other_school_org.name not in page
    leader = client_for(world.leader).get("/").content.decode()
    assert f"/reports/{world.obligation.pk}/edit/" not in leader
    services.fulfil(world.obligation, received_at=clock.now())
    assert "填写周报" not in client_for(world.contact).get("/").content.decode()


def test_a_flagged_school_is_told(world, client_for):
    for key in ["2020-W44", "2020-W45", "2020-W46"]:
        world.add_week(key)
    sweep(clock.now())
    assert "已触发案件" in client_for(world.contact).get("/").content.decode()


def test_the_offices_figures_and_a_citys_own(world, client_for):
    services.fulfil(world.obligation, received_at=clock.now())
    office = client_for(world.office).get("/").context["home"]
    assert (office.rate.owed, office.rate.on_time, office.missing) == (2, 1, 1)
    assert sum(g.rates[-1].owed for g in office.groups) == office.trend.weeks[-1][1].owed == 2
    assert [line.obligation_id for line in office.top] == [world.other_obligation.pk]
    city = client_for(world.city_officer).get("/").context["home"]
    assert (city.rate.owed, city.missing, city.top) == (1, 0, [])
    assert "提醒全部" in client_for(world.other_city_officer).get("/").content.decode()
    assert "提醒全部" not in client_for(world.leading).get("/").content.decode()


def test_an_evaluator_sees_its_certificates_and_no_others(world, client_for):
    other = type(world.evaluator_org).objects.create(kind="evaluator", name="另一演示组织", code="E2")
    certificate = Certificate.objects.create(name="另一演示职业技能等级证书", owner=other)
    world.add_programme(world.school, CertificateLevel.objects.create(certificate=certificate, level=1))
    # A programme is one, however many years it is planned for.
    world.programme.plans.create(year=2021, candidates=50)
    home = client_for(world.evaluator_officer).get("/").context["home"]
    assert (home.schools, home.programmes, home.planned) == (2, 2, 200)
    assert [row["level"] for row in home.levels] == [world.level]
    assert client_for(world.finance).get("/").context["home"].planned == 300


def test_a_question_of_the_office_stays_on_the_evaluators_home_until_answered(world, client_for):
    question = asked(world)
    address = reverse("supervision:feedback-question", args=[question.pk])
    client = client_for(world.evaluator_officer)
    page = client.get("/").content.decode()
    assert address in page
    assert f"{when(question.asked_at)}发出" in page
    assert not client_for(world.coordinator).get("/").context["home"].questions
    client.post(address, {"answer": "没有要求"})
    assert address not in client.get("/").content.decode()


@pytest.mark.parametrize(("role", "said"), [("expert", "没有分配给您"), ("third_party", "没有委托给您")])
def test_who_has_nothing_assigned_sees_no_totals(world, client_for, role, said):
    page = client_for(getattr(world, role)).get("/").content.decode()
    assert said in page
    assert "看帮助" in page
    assert "计划人数" not in page
    assert str(world.level) not in page


def test_a_certificates_schools_are_suspended_after_being_shown(world, client_for):
    other = Certificate.objects.create(name="另一演示职业技能等级证书", owner=world.evaluator_org)
    world.add_programme(world.other_school, CertificateLevel.objects.create(certificate=other, level=1))
    asked = {
        "certificate": world.certificate.pk,
        "starts_on": "2020-11-18",
        "ends_on": "2020-11-29",
        "reason": "演示突发事件",
    }
    client = client_for(world.office)
    shown = client.post("/suspensions/certificate/", asked)
    assert world.school_org.name in shown.content.decode()
    assert world.other_school_org.name not in shown.content.decode()
    world.obligation.refresh_from_db()
    assert world.obligation.outcome == "pending"
    assert client.post("/suspensions/certificate/", asked | {"step": "confirm"}).status_code == 302
    world.obligation.refresh_from_db()
    world.other_obligation.refresh_from_db()
    assert (world.obligation.outcome, world.other_obligation.outcome) == ("exempt", "pending")
    nobody = client.post("/suspensions/certificate/", asked | {"certificate": other.pk}).content.decode()
    assert "没有院校、评价组织仅开展" in nobody
    assert client_for(world.city_officer).get("/suspensions/certificate/").status_code == 403


def test_the_owner_is_suspended_with_its_only_certificate(world):
    now = clock.now()
    everybody = {world.school_org, world.other_school_org, world.evaluator_org}
    assert set(running_only(world.certificate, now)) == everybody
    other = Certificate.objects.create(name="另一演示职业技能等级证书", owner=world.evaluator_org)
    world.add_programme(world.other_school, CertificateLevel.objects.create(certificate=other, level=1))
    assert set(running_only(world.certificate, now)) == {world.school_org}


def test_reviewers_see_what_they_owe_and_a_school_its_draft(world, client_for):
    round = hubei(world)
    world.at(sh("2021-05-14T09:00:00"))
    application = make_application(round, world.school, reviewer=world.bureau)
    make_item(application, world.level, state="draft")
    duties.applicant(application, at=clock.now())
    school = client_for(world.contact).get("/").content.decode()
    assert "2021年第1批试点申报" in school
    assert reverse("applications:detail", args=[application.pk]) in school
    assert "5月24日（星期一）24:00" in school
    hand_in(world.contact, application)
    bureau = client_for(world.city_officer).get("/").content.decode()
    assert "申报初审 1 所" in bureau
    assert "5月27日（星期四）24:00" in bureau
    for user in (world.other_city_officer, world.office, world.auditor):
        assert "申报初审" not in client_for(user).get("/").content.decode().split("<main", 1)[1]
