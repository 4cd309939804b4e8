"""Proposals of credit records: the clock from publication, filing, review, and who sees them."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organization, Role
from certificates import services
from certificates.models import Certificate, CreditProposal
from core import clock, drafts
from core.models import Attachment, Event, Notice
from core.tests.test_attachments import png
from obligations.models import Obligation
from obligations.services import record_outage

LIST = "/credit-proposals/"


def published(world, day=dt.date(2020, 10, 31), **fields):
    given = {
        "certificate": world.certificate,
        "published_on": day,
        "source": "演示名单",
        "by": world.office,
        "at": clock.now(),
    }
    return services.publish_certificate(**(given | fields))


def plan():
    return SimpleUploadedFile("方案.png", png())


def drafted(world, proposal, text="初级记 4 学分"):
    return services.save_draft(
        proposal=proposal,
        typed={"text": text, "files": ""},
        revision=proposal.draft_revision,
        uploads=[plan()],
        by=world.evaluator_officer,
        at=clock.now(),
    )


def send(world, proposal, token=None):
    proposal.refresh_from_db()
    token = token or drafts.token_of(proposal, services.content_of(proposal))
    version = services.submit_proposal(proposal, token=token, by=world.evaluator_officer, at=clock.now())
    proposal.refresh_from_db()
    return version


def filed(world, proposal):
    drafted(world, proposal)
    return send(world, proposal)


@pytest.mark.parametrize(
    ("day", "last_day"),
    [
        (dt.date(2020, 10, 31), dt.date(2020, 11, 30)),
        (dt.date(2021, 1, 31), dt.date(2021, 2, 28)),
        (dt.date(2020, 11, 5), dt.date(2020, 12, 5)),
    ],
)
def test_it_is_owed_until_the_end_of_the_day_one_month_on(day, last_day):
    assert services.proposal_due(day) == clock.at(last_day + dt.timedelta(days=1))


def test_an_outage_on_record_holds_for_the_day_entered_and_for_the_day_corrected(world):
    """Over midnight from 23:00 to 01:00: the end of 30 November becomes 3:00 on 1 December."""
    midnight = clock.at(dt.date(2020, 12, 1))
    hour = dt.timedelta(hours=1)
    record_outage(
        starts_at=midnight - hour, ends_at=midnight + hour, reason="升级", by=world.office, at=clock.now()
    )
    for day, due_at in (
        (dt.date(2020, 10, 31), midnight + 3 * hour),
        (dt.date(2020, 11, 5), clock.at(dt.date(2020, 12, 6))),
        (dt.date(2020, 10, 31), midnight + 3 * hour),
    ):
        published(world, day)
        assert Obligation.objects.get(kind="credit_proposal").due_at == due_at


def test_nothing_is_owed_until_the_office_has_entered_the_day(world):
    assert world.certificate.published_on is None
    assert not Obligation.objects.filter(kind="credit_proposal").exists()
    published(world)
    duty = Obligation.objects.get(kind="credit_proposal")
    assert (duty.organization, duty.due_at) == (world.evaluator_org, clock.at(dt.date(2020, 12, 1)))
    assert Notice.objects.get(recipient=world.evaluator_officer).link == duty.link
    assert "三(三)" in Notice.objects.get(recipient=world.evaluator_officer).text


@pytest.mark.parametrize(
    ("instant", "outcome"),
    [("2020-11-30T23:59:59.999999+08:00", "on_time"), ("2020-12-01T00:00:00+08:00", "late")],
)
def test_filing_meets_it_until_the_very_end(world, instant, outcome):
    proposal = published(world)
    world.at(instant)
    version = filed(world, proposal)
    assert version.receipt.startswith("XF")
    assert Obligation.objects.get(kind="credit_proposal").outcome == outcome
    assert send(world, proposal, version.token) == version
    assert proposal.versions.count() == 1


def test_a_corrected_day_moves_what_is_not_yet_done(world):
    proposal = published(world)
    published(world, dt.date(2020, 11, 2))
    duty = Obligation.objects.get(kind="credit_proposal")
    assert duty.due_at == clock.at(dt.date(2020, 12, 3))
    assert Event.objects.filter(action="certificate_published").latest("pk").changes == {
        "公布日期": ["2020-10-31", "2020-11-02"]
    }
    filed(world, proposal)
    published(world, dt.date(2020, 11, 10))
    assert Obligation.objects.get(pk=duty.pk).due_at == duty.due_at


def test_what_makes_no_sense_is_refused(world):
    with pytest.raises(ValidationError, match="晚于今天"):
        published(world, dt.date(2020, 11, 19))
    with pytest.raises(ValidationError, match="依据"):
        published(world, source=" ")
    with pytest.raises(PermissionDenied):
        published(world, by=world.evaluator_officer)
    assert Certificate.objects.get(pk=world.certificate.pk).published_on is None
    proposal = published(world)
    with pytest.raises(ValidationError, match="写明"):
        send(world, proposal)
    with pytest.raises(PermissionDenied, match="评价组织提出"):
        services.submit_proposal(proposal, token="t", by=world.office, at=clock.now())


def test_returned_it_is_owed_again_and_what_was_on_time_stays_so(world):
    proposal = published(world)
    filed(world, proposal)
    with pytest.raises(ValidationError, match="修改什么"):
        services.return_proposal(proposal, comment="", by=world.office, at=clock.now())
    services.return_proposal(proposal, comment="补充中级", by=world.office, at=clock.now())
    first, second = services.duties(proposal)
    assert (first.outcome, second.outcome) == ("on_time", "pending")
    assert second.due_at == dt.datetime(2020, 11, 25, 10, tzinfo=dt.UTC)
    proposal.refresh_from_db()
    drafted(world, proposal, "初级 4、中级 6 学分")
    send(world, proposal)
    assert Obligation.objects.get(pk=second.pk).outcome == "on_time"
    proposal.refresh_from_db()
    services.accept_proposal(proposal, by=world.office, at=clock.now())
    assert CreditProposal.objects.get().state == "accepted"


def test_what_a_colleague_wrote_meanwhile_is_not_sent_unseen(world):
    proposal = published(world)
    drafted(world, proposal)
    proposal.refresh_from_db()
    shown = drafts.token_of(proposal, services.content_of(proposal))
    drafted(world, proposal, "另一份建议")
    with pytest.raises(drafts.ChangedSince, match="又被修改过"):
        send(world, proposal, shown)
    assert not proposal.versions.exists()
    assert send(world, proposal).content["text"] == "另一份建议"


def test_each_role_at_each_page(world, client_for):
    proposal = published(world)
    page = f"{LIST}{proposal.pk}/"
    filed(world, proposal)
    expected = {
        "office": ((200, 200), 403, 200, 200),
        "leading": ((200, 200), 403, 403, 403),
        "finance": ((200, 200), 403, 403, 403),
        "evaluator_officer": ((200, 200), 200, 403, 403),
        "coordinator": ((200, 404), 404, 404, 403),
        "contact": ((403, 404), 404, 404, 403),
        "city_officer": ((403, 404), 404, 404, 403),
        "learner": ((403, 404), 404, 404, 403),
    }
    for role, (shown, edit, act, publish) in expected.items():
        client = client_for(getattr(world, role))
        assert (client.get(LIST).status_code, client.get(page).status_code) == shown, role
        assert client.get(f"{page}edit/").status_code == edit, role
        assert client.get(f"{page}credit_accept/").status_code == act, role
        assert client.get(f"{LIST}published/").status_code == publish, role
    assert client_for(world.office).get(f"{page}credit_submit/").status_code == 404


def test_another_evaluator_sees_neither_it_nor_its_files(world, client_for):
    proposal = published(world)
    filed(world, proposal)
    other = Organization.objects.create(kind="evaluator", name="别的评价组织", code="E2")
    client = client_for(world.add_user(Role.EVALUATOR, other, "other_evaluator"))
    assert client.get(f"{LIST}{proposal.pk}/").status_code == 404
    file = reverse("core:attachment", args=[Attachment.objects.of(proposal).get().pk])
    assert client.get(file).status_code == 404
    b"".join(client_for(world.office).get(file).streaming_content)
    assert client.get(LIST).context["count"] == 0


def test_filled_in_checked_sent_and_accepted_by_the_pages(world, client_for):
    client, office = client_for(world.evaluator_officer), client_for(world.office)
    office.post(
        f"{LIST}published/",
        {"certificate": world.certificate.pk, "published_on": "2020-11-01", "source": "演示名单"},
    )
    page = f"{LIST}{world.certificate.pk}/"
    answers = {"revision": "0", "text": "初级记 4 学分", "uploads": plan(), "action": "check"}
    assert client.post(f"{page}edit/", answers)["Location"] == f"{page}check/"
    # Typed upon a draft that is no longer the one: refused, with the text kept.
    stale = client.post(f"{page}edit/", {"revision": "0", "text": "另一份", "action": "save"})
    assert stale.status_code == 422
    assert "另一份" in stale.content.decode()
    checked = client.get(f"{page}check/")
    assert "初级记 4 学分" in checked.content.decode()
    sent = {"token": checked.context["token"]}
    for _ in range(2):
        assert client.post(f"{page}check/", sent)["Location"] == page
    version = CreditProposal.objects.get().current
    assert version.receipt in client.get(page).content.decode()
    office.post(f"{page}credit_return/", {"comment": ""})
    assert CreditProposal.objects.get().state == "submitted"
    office.post(f"{page}credit_accept/", {"comment": "收到"})
    assert "收到" in client.get(page).content.decode()


def test_the_list_costs_the_same_for_one_row_and_three(world, client_for):
    client = client_for(world.office)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    published(world)
    queries()
    before = queries()
    for name in ("甲", "乙"):
        published(world, certificate=Certificate.objects.create(name=name, owner=world.evaluator_org))
    assert queries() == before <= 20


def test_what_was_returned_cannot_be_sent_again_unmended(world):
    proposal = published(world)
    version = filed(world, proposal)
    services.return_proposal(proposal, comment="补充中级", by=world.office, at=clock.now())
    proposal.refresh_from_db()
    services.save_draft(
        proposal=proposal,
        typed={"text": version.content["text"], "files": version.content["files"][0]["id"]},
        revision=proposal.draft_revision,
        by=world.evaluator_officer,
        at=clock.now(),
    )
    with pytest.raises(ValidationError, match="与退回的第1版相同"):
        send(world, proposal)
    assert services.duties(proposal).pending().exists()
    assert CreditProposal.objects.get().draft is not None


def test_a_version_that_came_while_another_was_read_is_not_answered(world, client_for):
    proposal = published(world)
    filed(world, proposal)
    address = reverse("credit:review", args=[proposal.pk, "credit_accept"])
    office = client_for(world.office)
    read = office.get(address).context["form"]["version"].value()
    drafted(world, proposal, "初级 4、中级 6 学分")
    send(world, proposal)
    answer = office.post(address, {"version": read, "comment": ""})
    assert answer.status_code == 422
    assert "第2版" in answer.content.decode()
    assert CreditProposal.objects.get().state == "submitted"
