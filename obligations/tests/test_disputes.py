"""异议: who may claim, who answers, what an answer does, and what stays on record."""

import threading

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.urls import reverse

from core import clock
from core.models import Event, Notice
from core.tests.test_attachments import png
from core.workflow import NotNow
from obligations import disputes, services
from obligations.closing import close_period
from obligations.models import Dispute


@pytest.fixture
def missed(world):
    """Tuesday: the week closed last night, unreported."""
    close_period(world.period, at=world.at("2020-11-24T09:00:00+08:00"))
    world.obligation.refresh_from_db()
    return world.obligation


@pytest.fixture
def dispute(world, missed):
    return disputes.file_dispute(missed, claim="国家平台当周已报", by=world.contact, at=clock.now())


def test_the_claim_tells_office_and_bureau_and_sets_the_term(world, dispute):
    # Five working days on from Tuesday the 24th, at the rule's hour.
    assert f"{clock.local(dispute.answer_due_at):%Y-%m-%d %H:%M}" == "2020-12-01 18:00"
    told = set(
        Notice.objects.filter(key=f"dispute:{dispute.pk}:open").values_list("recipient__username", flat=True)
    )
    assert told == {"office", "office2", "city_officer"}
    assert list(disputes.open_on([dispute.obligation_id])) == [dispute]
    assert list(disputes.open_on([world.other_obligation.pk])) == []


def test_only_a_missed_one_and_once_while_open(world, dispute):
    assert disputes.why_not(world.other_obligation).startswith("只有已关闭、记为未报")
    pending = world.add_week("2020-W48").obligations.get(organization=world.school_org)
    with pytest.raises(ValidationError, match="只有已关闭、记为未报"):
        disputes.file_dispute(pending, claim="x", by=world.contact, at=clock.now())
    with pytest.raises(ValidationError, match="正在等待答复"):
        disputes.file_dispute(dispute.obligation, claim="x", by=world.contact, at=clock.now())


def test_an_excused_one_needs_no_dispute(world, missed):
    services.excuse(missed, reason="停电", by=world.office, at=clock.now())
    with pytest.raises(ValidationError, match="已经谅解"):
        disputes.file_dispute(missed, claim="x", by=world.contact, at=clock.now())


def test_a_claim_and_an_answer_need_a_reason(world, dispute):
    with pytest.raises(ValidationError, match="答复的理由"):
        disputes.uphold(dispute, answer="  ", by=world.office, at=clock.now())
    disputes.withdraw(dispute, by=world.contact, at=clock.now())
    with pytest.raises(ValidationError, match="异议的理由"):
        disputes.file_dispute(dispute.obligation, claim=" ", by=world.contact, at=clock.now())


@pytest.mark.parametrize("name", ["leader", "other_contact", "city_officer", "office"])
def test_only_the_schools_contact_claims(world, missed, name):
    with pytest.raises(PermissionDenied):
        disputes.file_dispute(missed, claim="x", by=getattr(world, name), at=clock.now())


@pytest.mark.parametrize("name", ["contact", "leader", "city_officer", "auditor", "leading"])
def test_only_the_office_answers(world, dispute, name):
    with pytest.raises(PermissionDenied):
        disputes.reject(dispute, answer="查无此事", by=getattr(world, name), at=clock.now())
    assert Dispute.objects.get().state == "open"


def test_upheld_excuses_and_the_outcome_stays(world, dispute):
    disputes.uphold(dispute, answer="已在国家平台查实", by=world.office, at=clock.now())
    obligation = type(world.obligation).objects.get(pk=world.obligation.pk)
    assert (obligation.outcome, obligation.state) == ("missed", "excused")
    assert obligation.excuse_reason == "异议成立：已在国家平台查实"
    kept = Dispute.objects.get()
    assert (kept.state, kept.claim, kept.answer, kept.answered_by) == (
        "upheld",
        "国家平台当周已报",
        "已在国家平台查实",
        world.office,
    )
    told = Notice.objects.filter(key=f"dispute:{kept.pk}:upheld").values_list(
        "recipient__username", flat=True
    )
    assert set(told) == {"contact", "leader"}


def test_upheld_where_the_platforms_list_excused_it_meanwhile(world, dispute):
    services.excuse(dispute.obligation, reason="国家平台已填报", by=world.office2, at=clock.now())
    disputes.uphold(dispute, answer="属实", by=world.office, at=clock.now())
    world.obligation.refresh_from_db()
    assert world.obligation.excuse_reason == "国家平台已填报"


def test_rejected_leaves_the_mark_and_may_be_claimed_again(world, dispute):
    disputes.reject(dispute, answer="国家平台没有记录", by=world.office, at=clock.now())
    world.obligation.refresh_from_db()
    assert world.obligation.state == "missed"
    again = disputes.file_dispute(world.obligation, claim="另有证据", by=world.contact, at=clock.now())
    assert Dispute.objects.count() == 2
    assert again.state == "open"


def test_what_is_answered_is_neither_answered_nor_withdrawn_again(world, dispute):
    disputes.reject(dispute, answer="没有记录", by=world.office, at=clock.now())
    for act in (
        lambda: disputes.uphold(dispute, answer="属实", by=world.office2, at=clock.now()),
        lambda: disputes.withdraw(dispute, by=world.contact, at=clock.now()),
    ):
        with pytest.raises(NotNow, match="待答复"):
            act()
    assert Event.objects.about(dispute).filter(action__startswith="dispute_").count() == 2


# --- pages


def test_claim_and_answer_in_the_pages_with_evidence_of_both(world, missed, client_for):
    school, office = client_for(world.contact), client_for(world.office)
    assert (
        reverse("obligations:dispute-new", args=[missed.pk])
        in school.get(reverse("reporting:report", args=[missed.pk])).content.decode()
    )
    claim = {"claim": "国家平台当周已报", "evidence": SimpleUploadedFile("截图.png", png())}
    response = school.post(reverse("obligations:dispute-new", args=[missed.pk]), claim)
    dispute = Dispute.objects.get()
    assert response["Location"] == reverse("obligations:dispute", args=[dispute.pk])
    page = office.get(response["Location"]).content.decode()
    assert "截图.png" in page
    assert "12月1日（星期二）18:00" in page
    answer = {
        "verdict": "dispute_upheld",
        "answer": "查实",
        "evidence": SimpleUploadedFile("查询.png", png()),
    }
    office.post(reverse("obligations:dispute-answer", args=[dispute.pk]), answer)
    page = school.get(response["Location"]).content.decode()
    assert "查询.png" in page
    assert "异议成立，未报予以谅解" in page
    missed.refresh_from_db()
    assert missed.state == "excused"


def test_without_verdict_or_reason_nothing_is_answered(world, dispute, client_for):
    address = reverse("obligations:dispute-answer", args=[dispute.pk])
    for data in (
        {"answer": "查实"},
        {"verdict": "dispute_upheld"},
        {"verdict": "dispute_withdrawn", "answer": "x"},
    ):
        assert client_for(world.office).post(address, data).status_code == 422
    assert Dispute.objects.get().state == "open"


def test_each_sees_the_disputes_of_ones_own_scope(world, dispute, client_for):
    page = reverse("obligations:dispute", args=[dispute.pk])
    acts = [reverse(f"obligations:dispute-{act}", args=[dispute.pk]) for act in ("answer", "withdraw")]
    listed = reverse("obligations:disputes")
    for user in (world.office, world.leading, world.auditor, world.city_officer, world.contact, world.leader):
        assert client_for(user).get(page).status_code == 200
        assert "2020年第47周" in client_for(user).get(listed).content.decode()
    for user in (world.other_contact, world.other_city_officer, world.evaluator_officer, world.learner):
        client = client_for(user)
        assert [client.post(address).status_code for address in (*acts,)] == [404, 404]
        assert client.get(page).status_code == 404
        assert "2020年第47周" not in client.get(listed).content.decode()
    assert client_for(world.contact).post(acts[0]).status_code == 403
    assert client_for(world.office).post(acts[1]).status_code == 403
    assert (
        client_for(world.other_contact)
        .post(reverse("obligations:dispute-new", args=[dispute.obligation_id]))
        .status_code
        == 404
    )
    assert (
        client_for(world.leader)
        .get(reverse("obligations:dispute-new", args=[dispute.obligation_id]))
        .status_code
        == 403
    )


def test_the_school_withdraws(world, dispute, client_for):
    client = client_for(world.contact)
    client.post(reverse("obligations:dispute-withdraw", args=[dispute.pk]))
    assert Dispute.objects.get().state == "withdrawn"
    assert (
        client.post(reverse("obligations:dispute-withdraw", args=[dispute.pk]), follow=True).status_code
        == 200
    )


def test_the_list_finds_the_overdue_and_exports(world, dispute, client_for):
    client, listed = client_for(world.office), reverse("obligations:disputes")
    assert client.get(listed, {"overdue": "on"}).context["count"] == 0
    world.at("2020-12-01T18:00:00+08:00")
    client = client_for(world.office)
    page = client.get(listed, {"overdue": "on"})
    assert page.context["count"] == 1
    assert "已超期" in page.content.decode()
    assert client.post(listed).status_code == 200


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_officers_answer_at_once_and_one_answer_stands(world, dispute):
    assert connection.vendor == "postgresql"
    start, refused = threading.Barrier(2), []

    def answer(verb, by):
        start.wait()
        try:
            verb(dispute, answer="查实", by=by, at=clock.now())
        except NotNow as refusal:
            refused.append(refusal)
        finally:
            connections.close_all()

    officers = [(disputes.uphold, world.office), (disputes.reject, world.office2)]
    threads = [threading.Thread(target=answer, args=pair) for pair in officers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    kept = Dispute.objects.get()
    world.obligation.refresh_from_db()
    assert (kept.state == "upheld") == (world.obligation.state == "excused")
    assert Event.objects.about(dispute).filter(action__in=["dispute_upheld", "dispute_rejected"]).count() == 1
