"""Feedback on evaluators: filed once, owed by the office, answered; who sees what, and that the target never does."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organization
from accounts.services import people
from core import clock
from core.models import Attachment, Event, Notice
from core.tests.races import together
from core.tests.test_attachments import png
from core.workflow import NotNow
from obligations import ics
from obligations.closing import remind
from obligations.models import Obligation
from supervision import feedback_counts
from supervision.models import Feedback, FeedbackQuestion
from supervision.services import feedback as services
from supervision.tests.feedback import asked, charged, filed

LIST, NEW, COUNTS = "/feedback/", "/feedback/new/", "/feedback/counts/"


def page(feedback, action=""):
    return f"/feedback/{feedback.pk}/{action + '/' if action else ''}"


# --- filing and its clock


def test_a_feedback_has_a_receipt_and_the_office_owes_an_answer_in_ten_working_days(world):
    feedback = filed(world)
    assert feedback.receipt.startswith("FK20201118-")
    term = Obligation.objects.get(kind="feedback")
    assert (term.organization, term.key, term.outcome) == (world.province, feedback.receipt, "pending")
    assert term.due_at == dt.datetime(2020, 12, 2, 10, tzinfo=dt.UTC)  # Wednesday 18:00 in Shanghai
    assert feedback.term == term
    assert {n.recipient for n in Notice.objects.filter(link=page(feedback))} == {world.office, world.office2}


def test_the_same_form_sent_twice_is_one_feedback(world):
    assert filed(world, token="same") == filed(world, token="same")
    assert Feedback.objects.count() == Obligation.objects.filter(kind="feedback").count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_double_click_is_one_feedback(world):
    first, second = together(*[lambda: filed(world, token="same")] * 2)
    assert first == second
    assert Obligation.objects.filter(kind="feedback").count() == 1


def test_only_a_school_files_and_only_on_its_own_programmes(world):
    with pytest.raises(PermissionDenied, match=r"三\.6"):
        filed(world, by=world.office)
    stranger = Organization.objects.create(kind="evaluator", name="别的评价组织", code="E2")
    with pytest.raises(ValidationError, match="本校试点项目"):
        filed(world, evaluator=stranger, certificate=None)
    with pytest.raises(ValidationError, match="写明情况"):
        filed(world, text="  ")
    assert not Obligation.objects.filter(kind="feedback").exists()


@pytest.mark.parametrize(
    ("instant", "outcome"),
    [("2020-12-02T17:59:59.999999+08:00", "on_time"), ("2020-12-02T18:00:00+08:00", "late")],
)
def test_the_answer_meets_the_term_until_the_very_end(world, instant, outcome):
    feedback = filed(world)
    world.at(instant)
    answered = services.answer_feedback(
        feedback, answer="已核实", measures="约谈", by=world.office, at=clock.now()
    )
    assert (answered.state, Obligation.objects.get(kind="feedback").outcome) == ("answered", outcome)
    assert Notice.objects.filter(recipient=world.contact, text__contains=feedback.receipt).exists()


def test_answered_twice_it_is_answered_once(world):
    feedback = filed(world)
    services.answer_feedback(feedback, answer="一", measures="", by=world.office, at=clock.now())
    with pytest.raises(NotNow):
        services.answer_feedback(feedback, answer="二", measures="", by=world.office2, at=clock.now())
    assert Feedback.objects.get().answer == "一"


def test_no_step_is_skipped_and_each_asks_for_its_words(world):
    feedback = filed(world)
    with pytest.raises(NotNow):
        services.close_feedback(feedback, comment="落实", by=world.office, at=clock.now())
    with pytest.raises(ValidationError, match="答复意见"):
        services.answer_feedback(feedback, answer=" ", measures="", by=world.office, at=clock.now())
    services.answer_feedback(feedback, answer="核实", measures="", by=world.office, at=clock.now())
    with pytest.raises(ValidationError, match="落实"):
        services.close_feedback(feedback, comment="", by=world.office, at=clock.now())
    closed = services.close_feedback(feedback, comment="已退款", by=world.office, at=clock.now())
    assert closed.state == "closed"


# --- assignment


def test_it_is_assigned_to_an_officer_or_to_a_coordinator_in_charge_and_to_nobody_else(world):
    feedback = filed(world)
    for stranger in (world.coordinator, world.contact, world.evaluator_officer, world.finance):
        with pytest.raises(ValidationError, match="推进办人员"):
            services.assign_feedback(feedback, assignee=stranger, by=world.office, at=clock.now())
    charge = charged(world)
    services.assign_feedback(feedback, assignee=world.coordinator, by=world.office, at=clock.now())
    with pytest.raises(PermissionDenied):
        services.assign_feedback(feedback, assignee=world.coordinator, by=world.coordinator, at=clock.now())
    # Who has it in hand keeps it when the charge ends.
    charge.ended_at = clock.now()
    charge.save()
    assert list(Feedback.objects.visible_to(world.coordinator)) == [feedback]
    feedback.refresh_from_db()
    services.answer_feedback(feedback, answer="核实", measures="", by=world.coordinator, at=clock.now())


def test_a_coordinator_in_charge_reads_and_answers_only_what_is_assigned(world):
    feedback = filed(world)
    assert not Feedback.objects.visible_to(world.coordinator).exists()
    charged(world)
    assert list(Feedback.objects.visible_to(world.coordinator)) == [feedback]
    with pytest.raises(PermissionDenied):
        services.answer_feedback(feedback, answer="核实", measures="", by=world.coordinator, at=clock.now())


def test_its_term_is_the_assignees_too(world, client_for):
    charged(world)
    feedback = filed(world)
    client = client_for(world.coordinator)
    assert client.get("/deadlines/").context["count"] == 0
    services.assign_feedback(feedback, assignee=world.coordinator, by=world.office, at=clock.now())
    listed = client.get("/deadlines/")
    assert (listed.context["count"], page(feedback) in listed.content.decode()) == (1, True)
    assert feedback.receipt.encode() in ics.calendar(world.coordinator, clock.now())
    world.at("2020-12-02T17:00:00+08:00")
    remind(at=clock.now())
    told = Notice.objects.filter(text__contains="截止，尚未办理", link=page(feedback))
    assert {notice.recipient for notice in told} == {world.office, world.office2, world.coordinator}
    services.assign_feedback(feedback, assignee=world.office, by=world.office, at=clock.now())
    assert not Obligation.objects.visible_to(world.coordinator).exists()


def test_with_the_account_it_goes_to_the_successor(world):
    charged(world)
    feedback = filed(world)
    services.assign_feedback(feedback, assignee=world.coordinator, by=world.office, at=clock.now())
    successor, _ = people.hand_over(
        user=world.coordinator, fields={"username": "next", "name": "接任"}, by=world.office, at=clock.now()
    )
    feedback.refresh_from_db()
    assert (feedback.state, feedback.assignee) == ("assigned", successor)
    assert Notice.objects.filter(recipient=successor, text__contains=feedback.receipt).exists()


def test_without_a_successor_it_goes_back_to_the_office(world):
    charged(world)
    feedback = filed(world)
    services.assign_feedback(feedback, assignee=world.coordinator, by=world.office, at=clock.now())
    people.deactivate(user=world.coordinator, reason="离任", by=world.office, at=clock.now())
    feedback.refresh_from_db()
    assert (feedback.state, feedback.assignee) == ("filed", None)
    event = Event.objects.get(action="feedback_take_back")
    assert (event.changes, event.to_state) == ({"经办人": world.coordinator.name}, "filed")
    assert Notice.objects.filter(recipient=world.office, text__contains="重新交办").exists()


def test_an_explanation_is_not_told_to_an_ended_account_alone(world):
    charged(world)
    feedback = filed(world)
    services.assign_feedback(feedback, assignee=world.coordinator, by=world.office, at=clock.now())
    question = asked(world, feedback)
    feedback.refresh_from_db()
    services.answer_feedback(feedback, answer="核实", measures="", by=world.office, at=clock.now())
    people.deactivate(user=world.coordinator, reason="离任", by=world.office, at=clock.now())
    services.answer_question(question, answer="说明", by=world.evaluator_officer, at=clock.now())
    told = Notice.objects.filter(text__contains="说明情况", link=page(feedback))
    assert {notice.recipient for notice in told} == {world.office, world.office2}


# --- who sees what


def test_each_role_at_each_page(world, client_for):
    feedback = filed(world)
    expected = {
        "office": (200, 200, 403, 200),
        "leading": (200, 200, 403, 200),
        "auditor": (200, 200, 403, 200),
        "coordinator": (200, 404, 403, 200),
        "contact": (200, 200, 200, 403),
        "leader": (200, 200, 200, 403),
        "other_contact": (200, 404, 200, 403),
        "city_officer": (403, 404, 403, 200),
        "evaluator_officer": (403, 404, 403, 200),
        "finance": (403, 404, 403, 403),
        "expert": (403, 404, 403, 403),
        "third_party": (403, 404, 403, 403),
        "learner": (403, 404, 403, 403),
    }
    for role, statuses in expected.items():
        client = client_for(getattr(world, role))
        found = tuple(client.get(address).status_code for address in (LIST, page(feedback), NEW, COUNTS))
        assert found == statuses, role


def test_only_who_handles_it_acts(world, client_for):
    feedback = filed(world)
    for action in ("feedback_assign", "feedback_answer", "feedback_close", "ask"):
        address = page(feedback, action)
        assert client_for(world.office).get(address).status_code == 200
        for role in ("leading", "auditor", "contact"):
            assert client_for(getattr(world, role)).post(address, {}).status_code == 403, (action, role)
        for role in ("other_contact", "evaluator_officer", "city_officer"):
            assert client_for(getattr(world, role)).post(address, {}).status_code == 404, (action, role)
    assert client_for(world.office).get(page(feedback, "burn")).status_code == 404


def test_the_files_are_for_those_who_read_it(world, client_for):
    feedback = filed(world, files=[SimpleUploadedFile("报价单.png", png())])
    address = reverse("core:attachment", args=[Attachment.objects.of(feedback).get().pk])
    for role, status in [
        ("office", 200),
        ("contact", 200),
        ("evaluator_officer", 404),
        ("city_officer", 404),
    ]:
        response = client_for(getattr(world, role)).get(address)
        assert response.status_code == status, role
        if response.streaming:
            b"".join(response.streaming_content)


def test_the_evaluator_never_learns_who_complained(world, client_for):
    """Whatever it opens after a feedback, a question and an answer names neither school, person nor receipt."""
    feedback = filed(world)
    question = asked(world, feedback)
    services.answer_feedback(feedback, answer="属实", measures="约谈", by=world.office, at=clock.now())
    client = client_for(world.evaluator_officer)
    addresses = [
        COUNTS,
        "/feedback/questions/",
        f"/feedback/questions/{question.pk}/",
        "/notices/",
        "/deadlines/",
    ]
    told = "".join(client.get(address).content.decode() for address in addresses)
    assert "是否要求学校购买指定软件" in told
    assert "捆绑销售" in told
    for secret in (
        world.school_org.name,
        world.contact.name,
        feedback.receipt,
        feedback.text,
        str(feedback.pk),
    ):
        assert secret not in told, secret
    assert "所学校" not in client.get(COUNTS).content.decode()


@pytest.mark.parametrize(
    "words",
    [
        "太原演示职业学校反映的情况",
        "太原 演示职业\n学校反映",
        "据FK反映",
        "太原市演示职业学校反映",
        "演示职业学校反映",
        "晋财税反映",
        "山西财税学校反映",
    ],
)
def test_a_question_that_gives_the_school_away_is_refused(world, words):
    feedback = filed(world)
    for alias in ("晋财税", "山西省财税学校"):
        world.school_org.aliases.create(name=alias)
    words = words.replace("FK", feedback.receipt)
    with pytest.raises(ValidationError, match="是谁反馈的"):
        services.ask_evaluator(feedback, text=words, by=world.office, at=clock.now())
    assert not FeedbackQuestion.objects.exists()


def test_the_evaluator_answers_its_question_once(world, client_for):
    question = asked(world)
    address = f"/feedback/questions/{question.pk}/"
    assert client_for(world.contact).get(address).status_code == 404
    assert client_for(world.office).post(address, {"answer": "代答"}).status_code == 403
    client = client_for(world.evaluator_officer)
    assert client.post(address, {"answer": ""}).status_code == 422
    assert client.post(address, {"answer": "没有要求"}).status_code == 302
    assert "不能再改" in client.post(address, {"answer": "另说"}, follow=True).content.decode()
    question.refresh_from_db()
    assert question.answer == "没有要求"
    assert "没有要求" in client_for(world.office).get(page(question.feedback)).content.decode()
    assert "没有要求" not in client_for(world.contact).get(page(question.feedback)).content.decode()


def test_a_city_sees_how_many_of_its_schools_and_no_text(world, client_for):
    feedback = filed(world)
    filed(world, by=world.other_contact)
    shown = client_for(world.city_officer).get(COUNTS)
    assert [row.total for row in shown.context["rows"]] == [1]
    assert feedback.text not in shown.content.decode()
    # Nor does its audit page: the events belong to no organisation.
    assert not Event.objects.visible_to(world.city_officer).filter(action__startswith="feedback").exists()
    assert Event.objects.visible_to(world.office).filter(action="feedback_filed").count() == 2


# --- numbers


def test_numbers_by_ground_and_month_and_where_it_is_concentrated(world, client_for):
    world.at("2020-09-30T23:59:00+08:00")
    filed(world, ground="fees")
    world.at("2020-11-18T10:00:00+08:00")
    filed(world)
    filed(world, by=world.other_contact)
    [row] = feedback_counts.numbers(world.office)
    assert row.grounds == [("捆绑销售（指定设备、软件、教材课程品牌）", 2), ("高收费、变相收费", 1)]
    assert [(str(month), n) for month, n in row.months if n] == [("2020-09-01", 1), ("2020-11-01", 2)]
    assert (row.total, row.schools, row.is_concentrated) == (3, 2, False)
    filed(world)
    filed(world)
    assert feedback_counts.numbers(world.office)[0].is_concentrated
    evaluator = client_for(world.office).get(reverse("evaluators:detail", args=[world.evaluator_org.pk]))
    assert "反映集中" in evaluator.content.decode()
    assert "五(四)" in evaluator.content.decode()
    for role in ("city_officer", "evaluator_officer"):
        shown = client_for(getattr(world, role)).get(
            reverse("evaluators:detail", args=[world.evaluator_org.pk])
        )
        assert "学校反馈" not in shown.content.decode(), role


def test_what_is_older_than_six_months_is_counted_no_more(world):
    world.at("2020-05-31T23:59:59+08:00")
    filed(world)
    world.at("2020-11-18T10:00:00+08:00")
    assert feedback_counts.numbers(world.office) == []
    world.at("2020-06-01T00:00:00+08:00")
    filed(world)
    world.at("2020-11-18T10:00:00+08:00")
    assert feedback_counts.numbers(world.office)[0].total == 1


def test_an_evaluator_in_two_charges_is_counted_once(world):
    filed(world)
    charged(world)
    charged(world, world.office2)
    assert feedback_counts.numbers(world.coordinator)[0].total == 1


# --- pages


def test_the_form_files_and_shows_the_receipt_and_keeps_what_was_typed(world, client_for):
    client = client_for(world.contact)
    form = client.get(NEW).context["form"]
    assert [key for key, _ in form.fields["about"].choices[1:]] == [
        f"c{world.certificate.pk}",
        f"e{world.evaluator_org.pk}",
    ]
    answers = {"token": "t", "about": f"e{world.evaluator_org.pk}", "ground": "fees", "text": "每人加收200元"}
    refused = client.post(NEW, answers | {"about": "e0"})
    assert refused.status_code == 422
    assert "每人加收200元" in refused.content.decode()
    shown = client.post(NEW, answers, follow=True)
    feedback = Feedback.objects.get()
    assert feedback.receipt in shown.content.decode()
    assert (feedback.certificate, feedback.evaluator) == (None, world.evaluator_org)
    assert client.post(NEW, answers)["Location"] == page(feedback)


def test_what_is_not_filled_in_is_asked_for_in_the_houses_words(world, client_for):
    question = asked(world)
    empty = client_for(world.contact).post(NEW, {"token": "t"}).context["form"].errors
    assert empty == {
        "about": ["请选择反馈的对象。"],
        "ground": ["请选择情形。"],
        "text": ["请写明情况：何时、何地、怎样。"],
    }
    address = f"/feedback/questions/{question.pk}/"
    empty = client_for(world.evaluator_officer).post(address, {"answer": " "}).context["form"].errors
    assert empty == {"answer": ["请写明情况。"]}
    page_of = page(question.feedback, "feedback_assign")
    empty = client_for(world.office).post(page_of, {"assignee": ""}).context["form"].errors
    assert empty == {"assignee": ["请选择经办人。"]}


def test_the_office_assigns_and_answers_by_the_pages(world, client_for):
    feedback, client = filed(world), client_for(world.office)
    assert client.post(page(feedback, "feedback_assign"), {"assignee": world.office2.pk}).status_code == 302
    assert client.post(page(feedback, "feedback_answer"), {"answer": ""}).status_code == 422
    client.post(page(feedback, "feedback_answer"), {"answer": "已核实", "measures": "责令退款"})
    seen = client_for(world.contact).get(page(feedback)).content.decode()
    assert "责令退款" in seen
    client.post(page(feedback, "feedback_close"), {"comment": "已退款"})
    assert Feedback.objects.get().state == "closed"


def test_the_list_costs_the_same_for_one_row_and_three(world, client_for):
    client = client_for(world.office)

    def queries(address):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    filed(world)
    for address in (LIST, COUNTS):
        queries(address)
    before = [queries(address) for address in (LIST, COUNTS)]
    filed(world)
    filed(world, by=world.other_contact)
    assert [queries(address) for address in (LIST, COUNTS)] == before
    assert max(before) <= 20


def test_a_question_about_the_certificate_and_the_city_goes_out(world):
    text = "演示运维职业技能等级证书在太原市的考核，是否要求中等职业学校购买指定软件？"
    services.ask_evaluator(filed(world), text=text, by=world.office, at=clock.now())
    assert FeedbackQuestion.objects.get().text == text
