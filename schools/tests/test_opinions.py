"""Experts' opinions: every kind of tie leaves out, edges of the date, and who sees what at which address."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organization
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.attachments import attach
from core.models import Event, Notice
from core.tests.test_attachments import png
from core.workflow import NotNow
from schools.models import (
    Agreement,
    AgreementParty,
    Application,
    ApplicationItem,
    ExpertInterest,
    ExpertOpinion,
    ItemFile,
)
from schools.services import opinions
from schools.tests.builders import make_application, make_item, make_round

DUE = dt.datetime.fromisoformat("2020-11-27T18:00:00+08:00")
STRANGERS = ["city_officer", "other_city_officer", "contact", "leader", "other_contact", "learner"]


def item_of(world, school=None, *, state="first_reviewed", level=None, **facts):
    school = school or world.school
    application = Application.objects.filter(school=school).first()
    if application is None:
        rounds = Application.objects.first()
        application = make_application(rounds.round if rounds else make_round(), school)
    return make_item(application, level or world.level, state=state, **facts)


def asked(world, item=None, expert=None, due=DUE):
    item = item or item_of(world)
    opinions.ask(items=[item], experts=[expert or world.expert], due_at=due, by=world.office, at=clock.now())
    return ExpertOpinion.objects.get(item=item, expert=expert or world.expert)


def tie(world, organization, expert=None):
    return opinions.register_interest(
        expert=expert or world.expert,
        organization=organization,
        note="兼职",
        by=world.office,
        at=clock.now(),
    )


def agreement(world, *schools):
    row = Agreement.objects.create(
        evaluator=world.evaluator_org,
        certificate_level=world.level,
        fee="120.00",
        signed_on=clock.today(),
        valid_until=clock.today() + dt.timedelta(days=300),
        registered_by=world.contact,
        registered_at=clock.now(),
    )
    for school in schools:
        AgreementParty.objects.create(agreement=row, school=school)
    return row


def file_for(target, by, name="材料.png"):
    return attach(target=target, upload=SimpleUploadedFile(name, png()), by=by, at=clock.now())


# --- asking


def test_an_expert_is_asked_once_and_told(world):
    opinion = asked(world)
    assert (opinion.state, opinion.due_at, opinion.asked_by) == ("asked", DUE, world.office)
    notice = Notice.objects.get(recipient=world.expert)
    assert "1 个试点申报项目" in notice.text
    assert notice.link == "/opinions/"
    with pytest.raises(ValidationError, match="没有可以征求的"):
        asked(world, opinion.item)
    assert ExpertOpinion.objects.count() == 1
    assert Event.objects.get(action="opinion_asked").organization_id is None


def test_each_kind_of_tie_leaves_the_expert_out_and_is_named(world):
    other_owner = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    item = item_of(world, agreement=agreement(world, world.school))
    Agreement.objects.update(evaluator=other_owner)
    item = opinions.to_advise_on([item.pk])[0]
    to_school = world.add_user("expert", world.province, "tied1")
    to_owner = world.add_user("expert", world.province, "tied2")
    to_agreement = world.add_user("expert", world.province, "tied3")
    employed = world.add_user("expert", world.school_org, "tied4")
    elsewhere = world.add_user("expert", world.other_school_org, "free1")
    tie(world, world.school_org, to_school)
    tie(world, world.evaluator_org, to_owner)
    tie(world, other_owner, to_agreement)
    tie(world, world.other_school_org, world.expert)
    everybody = [to_school, to_owner, to_agreement, employed, elsewhere, world.expert]
    done = opinions.ask(items=[item], experts=everybody, due_at=DUE, by=world.office, at=clock.now())
    assert [(expert.username, why) for expert, _, why in done.conflicts] == [
        ("tied1", "太原演示职业学校：兼职"),
        ("tied2", "演示评价组织：兼职"),
        ("tied3", "另一评价组织：兼职"),
        ("tied4", "太原演示职业学校：所在单位"),
    ]
    assert {row.expert for row in ExpertOpinion.objects.all()} == {elsewhere, world.expert}


def test_of_many_items_only_those_with_a_tie_are_left_out(world):
    items = [item_of(world), item_of(world, world.other_school)]
    tie(world, world.other_school_org)
    done = opinions.ask(items=items, experts=[world.expert], due_at=DUE, by=world.office, at=clock.now())
    assert [item.application.school for _, item in done.pairs] == [world.school]
    assert [item.application.school for _, item, _ in done.conflicts] == [world.other_school]


@pytest.mark.parametrize("state", ["draft", "returned", "approved", "rejected", "withdrawn"])
def test_what_is_not_under_review_is_refused_by_name(world, state):
    item = item_of(world, state=state)
    with pytest.raises(ValidationError, match="太原演示职业学校"):
        asked(world, item)


@pytest.mark.parametrize("late_by", [dt.timedelta(), dt.timedelta(microseconds=1)])
def test_a_date_that_is_not_ahead_is_refused(world, late_by):
    item = item_of(world)
    world.at(DUE + late_by)
    with pytest.raises(ValidationError, match="现在以后"):
        asked(world, item)


def test_only_the_office_asks_and_only_experts_are_asked(world):
    item = item_of(world)
    for who in (world.finance, world.leading, world.city_officer, world.contact, world.expert):
        with pytest.raises(PermissionDenied):
            opinions.ask(items=[item], experts=[world.expert], due_at=DUE, by=who, at=clock.now())
    with pytest.raises(ValidationError, match="专家账号"):
        asked(world, item, world.third_party)


# --- answering


@pytest.mark.parametrize(
    ("early_by", "late"), [(dt.timedelta(microseconds=1), False), (dt.timedelta(), True)]
)
def test_given_at_the_due_instant_is_late_and_accepted(world, early_by, late):
    opinion = asked(world)
    world.at(DUE - early_by)
    given = opinions.give(opinion, advice="support", text="可行", by=world.expert, at=clock.now())
    assert (given.state, given.advice, given.text, given.is_late) == ("given", "support", "可行", late)
    with pytest.raises(NotNow):
        opinions.give(opinion, advice="oppose", text="又", by=world.expert, at=clock.now())


def test_what_an_opinion_needs(world):
    opinion = asked(world)
    with pytest.raises(ValidationError, match="理由"):
        opinions.give(opinion, advice="support", text=" ", by=world.expert, at=clock.now())
    with pytest.raises(ValidationError, match="一种意见"):
        opinions.give(opinion, advice="", text="好", by=world.expert, at=clock.now())
    other = world.add_user("expert", world.province, "expert2")
    for who in (other, world.office, world.contact):
        with pytest.raises(PermissionDenied):
            opinions.give(opinion, advice="support", text="好", by=who, at=clock.now())


def test_a_tie_registered_after_asking_forbids_the_opinion(world):
    opinion = asked(world)
    tie(world, world.evaluator_org)
    with pytest.raises(NotNow, match="应当回避"):
        opinions.give(opinion, advice="support", text="好", by=world.expert, at=clock.now())


def test_after_the_decision_no_opinion_is_taken(world):
    opinion = asked(world)
    ApplicationItem.objects.update(state="rejected")
    with pytest.raises(NotNow, match="不再征求意见"):
        opinions.give(opinion, advice="support", text="好", by=world.expert, at=clock.now())


def test_declining_registers_the_tie_tells_the_office_and_closes_the_item(world):
    opinion = asked(world)
    with pytest.raises(ValidationError, match="本项目"):
        opinions.decline(
            opinion, organization=world.other_school_org, note="兼职", by=world.expert, at=clock.now()
        )
    opinions.decline(opinion, organization=world.school_org, note="曾任教", by=world.expert, at=clock.now())
    interest = ExpertInterest.objects.get()
    assert (interest.expert, interest.organization, interest.note) == (
        world.expert,
        world.school_org,
        "曾任教",
    )
    assert "另请专家" in Notice.objects.get(recipient=world.office).text
    assert not ApplicationItem.objects.visible_to(world.expert).exists()
    assert not Application.objects.visible_to(world.expert).exists()


def test_what_the_school_took_back_to_its_desk_is_not_the_experts(world, client_for):
    opinion = asked(world)
    application = reverse("applications:detail", args=[opinion.item.application_id])
    assert str(opinion.item) in client_for(world.expert).get(application).content.decode()
    ApplicationItem.objects.update(state="draft")
    assert not ApplicationItem.objects.visible_to(world.expert).exists()
    assert str(opinion.item) not in client_for(world.expert).get(application).content.decode()


def test_how_much_the_school_has_not_handed_in_is_not_the_experts(world, client_for):
    opinion = asked(world)
    certificate = Certificate.objects.create(name="另一演示证书", owner=world.evaluator_org)
    item_of(world, state="draft", level=CertificateLevel.objects.create(certificate=certificate, level=2))
    application = reverse("applications:detail", args=[opinion.item.application_id])
    assert "另有 1 项尚未提交" in client_for(world.office).get(application).content.decode()
    assert "尚未提交" not in client_for(world.expert).get(application).content.decode()


def test_withdrawn_may_be_asked_again(world):
    opinion = asked(world)
    with pytest.raises(ValidationError):
        opinions.withdraw(opinion, comment="", by=world.office, at=clock.now())
    with pytest.raises(PermissionDenied):
        opinions.withdraw(opinion, comment="另请", by=world.expert, at=clock.now())
    opinions.withdraw(opinion, comment="另请", by=world.office, at=clock.now())
    assert not ApplicationItem.objects.visible_to(world.expert).exists()
    world.at(clock.now() + dt.timedelta(hours=1))
    again = asked(world, opinion.item)
    assert (again.pk, again.state, again.asked_at) == (opinion.pk, "asked", clock.now())


# --- ties


def test_who_registers_ties(world):
    for who in (world.contact, world.finance, world.add_user("expert", world.province, "expert2")):
        with pytest.raises(PermissionDenied):
            opinions.register_interest(
                expert=world.expert, organization=world.school_org, note="兼职", by=who, at=clock.now()
            )
    own = opinions.register_interest(
        expert=world.expert, organization=world.school_org, note="兼职", by=world.expert, at=clock.now()
    )
    with pytest.raises(ValidationError, match="已登记"):
        tie(world, world.school_org)
    with pytest.raises(PermissionDenied):
        opinions.remove_interest(own, reason="不再", by=world.expert, at=clock.now())
    opinions.remove_interest(own, reason="已离职", by=world.office, at=clock.now())
    assert not ExpertInterest.objects.exists()
    assert Event.objects.get(action="interest_removed").reason == "已离职"


# --- pages


def test_the_expert_sees_the_item_and_its_files_and_nothing_else(world, client_for):
    paper = agreement(world, world.school, world.other_school)
    item = item_of(world, agreement=paper, equipment="机房一间", justification="对口")
    item_file = file_for(item, world.contact, "方案.png")
    ItemFile.objects.create(item=item, attachment=item_file, kind="plan", is_handed_in=True)
    paper_file = file_for(paper, world.contact, "协议.png")
    other = item_of(world, world.other_school)
    other_file = file_for(other, world.other_contact, "外校.png")
    opinion = asked(world, item)
    colleague = world.add_user("expert", world.province, "expert2")
    theirs = asked(world, item, colleague)
    opinions.give(theirs, advice="oppose", text="同行的话", by=colleague, at=clock.now())
    client = client_for(world.expert)
    shown = client.get(f"/opinions/{opinion.pk}/").content.decode()
    for words in ("太原演示职业学校", "机房一间", "方案.png", "协议.png", "120.00"):
        assert words in shown
    for words in ("长治演示职业学校", "同行的话", "外校.png"):
        assert words not in shown
    for file, status in ((item_file, 200), (paper_file, 200), (other_file, 404)):
        response = client.get(reverse("core:attachment", args=[file.pk]))
        assert response.status_code == status
        if response.streaming:
            b"".join(response.streaming_content)
    assert client.get(f"/opinions/{theirs.pk}/").status_code == 404
    assert client.get("/schools/").status_code == 403
    assert client.get(f"/schools/{world.school.pk}/").status_code == 404
    listed = client.get("/opinions/").content.decode()
    assert "待我提出的意见" in listed
    assert "外校" not in listed
    opinions.withdraw(opinion, comment="另请", by=world.office, at=clock.now())
    assert client.get(reverse("core:attachment", args=[paper_file.pk])).status_code == 404
    assert "机房一间" not in client.get(f"/opinions/{opinion.pk}/").content.decode()


def test_an_experts_list_begins_with_what_waits(world, client_for):
    given, waiting = (asked(world, item_of(world, school)) for school in (world.school, world.other_school))
    opinions.give(given, advice="oppose", text="实训不足", by=world.expert, at=clock.now())
    client = client_for(world.expert)
    for query, rows in (("", {waiting}), ("?q=", {waiting}), ("?state=", {given, waiting})):
        table = client.get(f"/opinions/{query}").context["table"]
        assert {row.record for row in table.rows} == rows


@pytest.mark.parametrize("who", [*STRANGERS, "third_party", "coordinator", "evaluator_officer"])
def test_strangers_meet_no_opinion(world, client_for, who):
    opinion, interest = asked(world), tie(world, world.other_school_org)
    client = client_for(getattr(world, who))
    for path in ("", "ask/", "interests/", "interests/new/"):
        assert client.get(f"/opinions/{path}").status_code == 403, path
    for path in ("", "decline/", "withdraw/"):
        for method in ("get", "post"):
            assert getattr(client, method)(f"/opinions/{opinion.pk}/{path}").status_code == 404, path
    assert client.post(f"/opinions/interests/{interest.pk}/remove/").status_code == 404


@pytest.mark.parametrize("who", ["finance", "leading", "auditor"])
def test_the_provinces_other_roles_read(world, client_for, who):
    opinion = asked(world)
    client = client_for(getattr(world, who))
    assert client.get("/opinions/").status_code == 200
    shown = client.get(f"/opinions/{opinion.pk}/").content.decode()
    assert "提交意见" not in shown
    assert "撤回征求" not in shown
    for path in (f"/opinions/{opinion.pk}/", f"/opinions/{opinion.pk}/withdraw/", "/opinions/ask/"):
        assert client.post(path, {"comment": "x", "advice": "support", "text": "x"}).status_code == 403


def test_an_expert_answers_by_page(world, client_for):
    opinion = asked(world)
    client = client_for(world.expert)
    assert client.post(f"/opinions/{opinion.pk}/", {"advice": "support"}).status_code == 422
    assert (
        client.post(f"/opinions/{opinion.pk}/", {"advice": "condition", "text": "补实训"}).status_code == 302
    )
    assert "补实训" in client.get(f"/opinions/{opinion.pk}/").content.decode()
    second = asked(world, item_of(world, world.other_school))
    assert client.post(f"/opinions/{second.pk}/decline/", {"note": ""}).status_code == 422
    answer = {"organization": world.other_school_org.pk, "note": "亲属任职"}
    assert client.post(f"/opinions/{second.pk}/decline/", answer).status_code == 302
    assert "已回避" in client.get(f"/opinions/{second.pk}/").content.decode()
    assert "亲属任职" in client.get("/opinions/interests/").content.decode()
    declared = {"organization": world.evaluator_org.pk, "note": "参与开发"}
    assert client.post("/opinions/interests/new/", declared).status_code == 302
    assert ExpertInterest.objects.filter(expert=world.expert).count() == 2


def test_the_office_asks_from_the_list_and_sees_who_is_left_out(world, client_for):
    items = [item_of(world), item_of(world, world.other_school)]
    tie(world, world.other_school_org)
    client = client_for(world.office)
    pks = [item.pk for item in items]
    assert 'formaction="/opinions/ask/"' in client.get(reverse("reviews:queue")).content.decode()
    form = client.post("/opinions/ask/", {"item": pks})
    assert form.status_code == 200
    assert "已选 2 个项目" in form.content.decode()
    assert "待答 0 项" in form.content.decode()
    answers = {"items": pks, "experts": [str(world.expert.pk)], "due_on": "2020-11-27"}
    missing = client.post("/opinions/ask/", {**answers, "experts": []})
    assert missing.status_code == 422
    shown = client.post("/opinions/ask/", answers).content.decode()
    assert "将征求 1 份意见" in shown
    assert "长治演示职业学校：兼职" in shown
    assert not ExpertOpinion.objects.exists()
    assert client.post("/opinions/ask/", {**answers, "step": "confirm"}).status_code == 302
    opinion = ExpertOpinion.objects.get()
    assert (opinion.item, opinion.due_at) == (items[0], DUE)
    assert client.post(f"/opinions/{opinion.pk}/withdraw/", {"comment": "另请"}).status_code == 302
    interest = ExpertInterest.objects.get()
    assert client.post(f"/opinions/interests/{interest.pk}/remove/", {"reason": "误登"}).status_code == 302
    assert "请先在申报审核列表中选择" in client.get("/opinions/ask/").content.decode()


def test_a_past_date_on_the_page_is_refused_until_its_last_moment(world, client_for):
    item = item_of(world)
    client = client_for(world.office)
    answers = {"items": [item.pk], "experts": [str(world.expert.pk)], "due_on": "2020-11-18"}
    world.at("2020-11-18T17:59:59.999999+08:00")
    assert client.post("/opinions/ask/", answers).status_code == 200
    world.at("2020-11-18T18:00:00+08:00")
    assert client.post("/opinions/ask/", answers).status_code == 422


@pytest.mark.parametrize("who", ["office", "expert"])
def test_the_list_asks_no_more_for_more_rows(world, client_for, who):
    client = client_for(getattr(world, who))
    asked(world)
    client.get("/opinions/")
    with CaptureQueriesContext(connection) as one:
        client.get("/opinions/")
    for name in ("甲", "乙"):
        certificate = Certificate.objects.create(name=f"{name}证书", owner=world.evaluator_org)
        level = CertificateLevel.objects.create(certificate=certificate, level=1)
        asked(world, item_of(world, world.add_school(f"{name}校"), level=level))
    with CaptureQueriesContext(connection) as three:
        assert client.get("/opinions/").content.decode().count("待提出意见") >= 3
    assert len(one) == len(three) <= 20
    assert "甲校" in client.get("/opinions/?q=甲证书").content.decode()
    assert "乙校" not in client.get("/opinions/?q=甲校").content.decode()
    assert client.post("/opinions/").status_code == 200


def test_filters_find_what_is_overdue(world, client_for):
    asked(world)
    world.at(DUE - dt.timedelta(microseconds=1))
    assert "太原演示" not in client_for(world.office).get("/opinions/?late=yes").content.decode()
    world.at(DUE)
    assert "太原演示" in client_for(world.office).get("/opinions/?late=yes").content.decode()


# --- Reminder, and all that the list's filters leave


def test_an_expert_is_reminded_once_a_day_before_the_date(world):
    opinion = asked(world)
    day = dt.timedelta(hours=24)

    def told(at):
        opinions.remind(at=world.at(at))
        return Notice.objects.filter(key__startswith="opinion-due", recipient=world.expert).count()

    assert told(DUE - day - dt.timedelta(microseconds=1)) == 0
    assert told(DUE - day) == 1
    assert told(DUE - dt.timedelta(hours=1)) == 1
    text = Notice.objects.get(key__startswith="opinion-due").text
    assert "11月27日（星期五）18:00前答复" in text
    opinions.give(opinion, advice="support", text="同意", by=world.expert, at=clock.now())
    Notice.objects.filter(key__startswith="opinion-due").delete()
    assert told(DUE - dt.timedelta(minutes=1)) == 0


def test_all_that_the_filters_leave_is_put_to_experts(world, client_for):
    first, other = item_of(world), item_of(world, world.other_school)
    client = client_for(world.office)

    def chosen(query):
        response = client.post(reverse("opinions:ask"), {"everything": "1", "query": query})
        return response.context["form"]["items"].value()

    assert chosen("round=&state=first_reviewed") == [first.pk, other.pk]
    assert chosen("round=&state=&q=长治") == [other.pk]
    assert chosen("round=&state=approved") == []
