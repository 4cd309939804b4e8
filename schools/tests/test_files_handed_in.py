"""What reviewers have of an item's files: those handed in, whatever the school changes meanwhile."""

import datetime as dt

import pytest

from certificates.models import Certificate, CertificateLevel
from core import clock
from schools.models import Application, ApplicationItem, RoundRoute
from schools.services import applications as services
from schools.services import filling_in, opinions
from schools.tests.applying import filled, plan
from schools.tests.builders import make_round
from schools.workflow import review


@pytest.fixture
def items(world):
    """Two handed in to the city, the first returned by it, its plan then replaced by another."""
    round = make_round(year=2021)
    RoundRoute.objects.create(round=round, kind=world.school.kind, authority="city", through_city=True)
    application = services.start_application(round=round, school=world.school, **who(world))
    for name in ("网络", "财务"):
        certificate = Certificate.objects.create(name=f"演示{name}证书", owner=world.evaluator_org)
        level = CertificateLevel.objects.create(certificate=certificate, level=2)
        [item] = services.add_items(application=application, levels=[level], **who(world))
        filling_in.save_item_draft(item=item, typed=filled(item), revision=0, **who(world))
        upload(world, item, "原方案.pdf")
    send(world, application)
    first, second = application.items.order_by("pk")
    review.run("item_return_first", first, by=world.city_officer, at=clock.now(), comment="请改方案")
    upload(world, first, "新方案.pdf")
    return [first, second]


def who(world):
    return {"by": world.contact, "at": clock.now()}


def upload(world, item, name):
    fresh = ApplicationItem.objects.get(pk=item.pk)
    filling_in.attach_item_file(item=fresh, upload=plan(name), kind="plan", **who(world))


def send(world, application):
    fresh = Application.objects.get(pk=application.pk)
    token = services.token_of(services.waiting_items(fresh, clock.now()))
    return services.submit_application(application=fresh, token=token, **who(world))


def linked(client, path, item):
    """Whether the page leads to the old plan, and to the new one. Its record of events names both."""
    page = client.get(path).content.decode()
    return [f"/files/{file.attachment_id}/" in page for file in item.files.order_by("pk")]


def statuses(client, item):
    """How the address of the old plan answers, and that of the new one."""
    found = []
    for file in item.files.order_by("pk"):
        response = client.get(f"/files/{file.attachment_id}/")
        if response.streaming:
            b"".join(response.streaming_content)
        found.append(response.status_code)
    return found


def test_a_returned_items_new_files_reach_reviewers_when_it_is_handed_in_again(world, items, client_for):
    first, _ = items
    reviewers = [client_for(user) for user in (world.city_officer, world.office, world.auditor)]
    for client in reviewers:
        assert linked(client, f"/reviews/items/{first.pk}/", first) == [True, False]
        assert statuses(client, first) == [200, 404]
        printed = client.get(f"/applications/{first.application_id}/print/").content.decode()
        assert "新方案.pdf" not in printed
    school = client_for(world.contact)
    assert statuses(school, first) == [200, 200]
    assert linked(school, f"/applications/items/{first.pk}/", first) == [False, True]
    send(world, first.application)
    for client in reviewers:
        assert linked(client, f"/reviews/items/{first.pk}/", first) == [False, True]
        assert statuses(client, first) == [404, 200]


def test_a_file_taken_off_stays_with_reviewers_and_a_withdrawn_item_shows_what_it_said(
    world, items, client_for
):
    _, second = items
    review.run("item_return_first", second, by=world.city_officer, at=clock.now(), comment="请改方案")
    filling_in.remove_item_file(file=second.files.get(), **who(world))
    city = client_for(world.city_officer)
    assert linked(city, f"/reviews/items/{second.pk}/", second) == [True]
    services.withdraw_item(ApplicationItem.objects.get(pk=items[0].pk), **who(world))
    assert linked(city, f"/reviews/items/{items[0].pk}/", items[0]) == [True, False]


def test_an_expert_sees_what_was_handed_in(world, items, client_for):
    _, second = items
    due_at = clock.now() + dt.timedelta(days=3)
    opinions.ask(items=[second], experts=[world.expert], due_at=due_at, by=world.office, at=clock.now())
    review.run("item_return_first", second, by=world.city_officer, at=clock.now(), comment="请改方案")
    upload(world, second, "新方案.pdf")
    expert = client_for(world.expert)
    assert linked(expert, f"/opinions/{second.opinions.get().pk}/", second) == [True, False]
    assert statuses(expert, second) == [200, 404]


def test_a_version_of_another_item_does_not_take_them_along(world, items):
    first, second = items
    review.run("item_return_first", second, by=world.city_officer, at=clock.now(), comment="请改人数")
    fresh = ApplicationItem.objects.get(pk=second.pk)
    typed = filled(fresh, planned_new="41", agreement=str(fresh.agreement_id))
    filling_in.save_item_draft(item=fresh, typed=typed, revision=fresh.draft_revision, **who(world))
    review.run("item_submit", fresh, **who(world))
    content = Application.objects.get(pk=first.application_id).current.content
    files = {item["level"]: [file["name"] for file in item["files"]] for item in content["items"]}
    assert files[first.certificate_level_id] == ["原方案.pdf"]
