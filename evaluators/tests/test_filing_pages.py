"""The pages of evaluators' filings and charges: who may open what, fill, check, send, print, reveal."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import clock
from core.models import Attachment, Event
from evaluators import filing_content as shape
from evaluators.models import Charge, EvaluatorFiling
from evaluators.services import charges, filings
from evaluators.tests.filed import ADDRESS, ID_NUMBER, PHONES, TYPED, draft, picture, submit, unfiled


def at(name, *values):
    return reverse(f"evaluator-filings:{name}", args=values)


def shown(response):
    return response.content.decode()


READERS = ["office", "finance", "leading", "auditor", "evaluator_officer"]
STRANGERS = ["contact", "city_officer", "expert", "third_party", "learner", "coordinator"]


def test_who_may_read_and_nobody_sees_the_number_or_the_address(world, client_for):
    version = submit(world)
    pages = [
        at("detail", world.certificate.pk),
        at("version", version.receipt),
        at("receipt", version.receipt),
    ]
    for page in pages:
        for who in READERS:
            response = client_for(getattr(world, who)).get(page)
            assert response.status_code == 200, (page, who)
            text = shown(response)
            assert ID_NUMBER not in text
            assert ADDRESS not in text
            plain = who in {"office", "evaluator_officer"}
            assert any(phone in text for phone in PHONES) == (plain and page != pages[2])
        for who in STRANGERS:
            assert client_for(getattr(world, who)).get(page).status_code == 404, (page, who)


def test_the_list_is_for_those_who_watch_and_for_coordinators_of_their_own(world, client_for):
    for who in READERS:
        assert world.certificate.name in shown(client_for(getattr(world, who)).get(at("list")))
    assert world.certificate.name not in shown(client_for(world.coordinator).get(at("list")))
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    assert world.certificate.name in shown(client_for(world.coordinator).get(at("list")))
    for who in ("contact", "city_officer", "expert", "learner"):
        assert client_for(getattr(world, who)).get(at("list")).status_code == 403


@pytest.mark.parametrize("name", ["list", "evaluators:list"])
def test_lists_ask_the_same_for_one_row_and_for_three(world, client_for, name):
    address = reverse(name) if ":" in name else at(name)
    client = client_for(world.office)
    client.get(address)
    counts = []
    for more in (0, 2):
        for number in range(more):
            certificate = unfiled(world, f"又一证书{number}")
            world.add_programme(world.school, certificate.levels.create(level=1))
            filings.accept_filing(submit(world, certificate).filing, by=world.office, at=clock.now())
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 20


def test_filling_checking_and_sending_without_scripts(world, client_for):
    certificate = unfiled(world)
    client, edit = client_for(world.evaluator_officer), at("edit", certificate.pk)
    files = {f"upload_{kind}": picture(f"{kind}.png") for kind in shape.REQUIRED_FILES}
    response = client.post(edit, {**TYPED, "revision": "0", "action": "check"})
    assert response.status_code == 422
    assert "请上传培训评价组织总部授权函" in shown(response)
    revision = EvaluatorFiling.objects.get(pk=certificate.pk).draft_revision
    response = client.post(edit, {**TYPED, **files, "revision": revision, "action": "check"})
    assert response["Location"] == at("check", certificate.pk)
    page = client.get(response["Location"])
    assert ID_NUMBER not in shown(page)
    assert ID_NUMBER[-4:] in shown(page)
    assert "no-store" in page["Cache-Control"]
    response = client.post(response["Location"], {"token": page.context["token"]})
    version = EvaluatorFiling.objects.get(pk=certificate.pk).current
    assert response["Location"] == at("receipt", version.receipt)
    again = client.post(at("check", certificate.pk), {"token": page.context["token"]})
    assert again["Location"] == at("receipt", version.receipt)


def test_a_refused_file_and_wrong_numbers_are_told_in_one_round(world, client_for):
    certificate = unfiled(world)
    client, edit = client_for(world.evaluator_officer), at("edit", certificate.pk)
    wrong = {"id_number": "123", "phone": "12", "upload_letter": SimpleUploadedFile("函.exe", b"MZ")}
    response = client.post(edit, {**TYPED, **wrong, "revision": "0", "action": "check"})
    assert response.status_code == 422
    assert set(response.context["upload"].errors) == {"upload_letter"}
    assert {"id_number", "phone"} <= set(response.context["form"].errors)
    page = shown(response)
    assert "请上传培训评价组织总部授权函" not in page
    assert f"请上传{shape.FILES['plan']}" in page
    revision = EvaluatorFiling.objects.get(pk=certificate.pk).draft_revision
    wrong["upload_letter"] = SimpleUploadedFile("函.exe", b"MZ")
    saved = client.post(edit, {**TYPED, **wrong, "revision": revision, "action": "save"})
    assert not saved.context["form"].errors


def test_a_second_tab_meets_both_versions(world, client_for):
    draft(world)
    client = client_for(world.evaluator_officer)
    response = client.post(at("edit", world.certificate.pk), {**TYPED, "name": "别人", "revision": "0"})
    assert response.status_code == 409
    assert "别人" in shown(response)
    answer = client.post(at("draft", world.certificate.pk), {**TYPED, "name": "别人", "revision": "0"})
    assert answer.status_code == 409
    assert ID_NUMBER not in shown(answer)


def test_the_paper_has_the_cells_of_annex_3_in_their_order(world, client_for):
    version = submit(world)
    text = shown(client_for(world.evaluator_officer).get(at("version", version.receipt)))
    sheet = text[text.index("<article") : text.index("</article")]
    cells = re.findall(r"<(?:th|td)[^>]*>\s*(.*?)\s*(?:</th>|</td>|<br>|<div>)", sheet, re.DOTALL)
    person = ["评价组织名称", "演示评价组织", "证书名称", world.certificate.name]
    person += ["负责人姓名", "负责人甲", "性别", "女", "出生年月", "1985-03"]
    person += ["联系电话", "13911112222", "邮箱", "jia@example.cn"]
    person += ["身份证号", "**************1245", "现住址", "太原市迎****"]
    staff = ["姓名", "工作人员乙", "电话", "13955556666", "负责业务", "考务"]
    blank = ["姓名", "", "电话", "", "负责业务", ""]
    whole = ["评价组织简介:", "工作人员情况", *staff, *blank * 3, "培训评价组织总部授权函:"]
    assert cells == person + whole
    places = [
        sheet.index(text) for text in ("附件 3", "负责人备案表", "</table>", shape.PROMISE_TEXT, "盖章）")
    ]
    assert places == sorted(places)
    assert version.receipt in sheet
    assert "data:image/svg+xml" in sheet


def test_revealing_takes_a_reason_and_is_recorded(world, client_for):
    version = submit(world)
    address = at("reveal", version.receipt)
    client = client_for(world.office)
    assert client.get(address).status_code == 405
    refused = client.post(address, {"reason": ""})
    assert refused.status_code == 422
    assert ID_NUMBER not in shown(refused)
    assert not Event.objects.filter(action="evaluator_filing_revealed").exists()
    page = client.post(address, {"reason": "核对授权函"})
    assert ID_NUMBER in shown(page)
    assert ADDRESS in shown(page)
    assert page["Cache-Control"] == "private, no-store"
    assert Event.objects.get(action="evaluator_filing_revealed").actor == world.office
    for who in ("finance", "leading", "auditor"):
        response = client_for(getattr(world, who)).post(address, {"reason": "看看"})
        assert response.status_code == 403
    assert client_for(world.coordinator).post(address, {"reason": "看看"}).status_code == 404


def test_the_stamped_scan_belongs_to_its_version_and_opens_for_few(world, client_for):
    version = submit(world)
    address = at("scan", version.receipt)
    client = client_for(world.evaluator_officer)
    assert client.post(address, {"scan": picture("盖章.png")}).status_code == 302
    scan = Attachment.objects.of(version).get()
    for who, status in [("office", 200), ("evaluator_officer", 200), ("auditor", 404), ("finance", 404)]:
        assert client_for(getattr(world, who)).get(f"/files/{scan.pk}/").status_code == status
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    assert client_for(world.coordinator).get(f"/files/{scan.pk}/").status_code == 404
    assert "盖章.png" not in shown(client_for(world.auditor).get(at("version", version.receipt)))


def test_the_office_accepts_returns_and_refuses_on_pages(world, client_for):
    certificate = unfiled(world)
    submit(world, certificate)
    client = client_for(world.office)
    assert client.post(at("return", certificate.pk), {"comment": ""}).status_code == 422
    assert client.post(at("return", certificate.pk), {"comment": "改"}).status_code == 302
    submit(world, certificate, introduction="改过")
    assert client.post(at("refuse", certificate.pk), {"comment": "不符合"}).status_code == 302
    submit(world, certificate, introduction="再改过")
    assert client.post(at("accept", certificate.pk), {"comment": ""}).status_code == 302
    record = EvaluatorFiling.objects.get(pk=certificate.pk)
    assert (record.state, record.accepted) == ("accepted", record.current)
    late = client.post(at("accept", certificate.pk), {"comment": ""}, follow=True)
    assert late.status_code == 200
    for who, status in [("auditor", 403), ("evaluator_officer", 403), ("coordinator", 404)]:
        assert client_for(getattr(world, who)).get(at("accept", certificate.pk)).status_code == status


def test_the_office_gives_and_ends_charges_and_the_coordinator_finds_them(world, client_for):
    office, address = client_for(world.office), reverse("evaluators:charge", args=[world.evaluator.pk])
    own = client_for(world.coordinator)
    assert "还没有交由您对接的评价组织" in shown(own.get(reverse("evaluators:list")))
    assert office.post(address, {"coordinator": world.expert.pk}).status_code == 422
    assert office.post(address, {"coordinator": world.coordinator.pk}).status_code == 302
    assert office.post(address, {"coordinator": world.coordinator.pk}).status_code == 422
    filings.accept_filing(submit(world).filing, by=world.office, at=clock.now())
    listed = shown(own.get(reverse("evaluators:list")))
    assert "演示评价组织" in listed
    assert "负责人甲 13911112222" in listed
    page = reverse("evaluators:detail", args=[world.evaluator.pk])
    assert world.certificate.name in shown(own.get(page))
    assert own.post(address, {"coordinator": world.coordinator.pk}).status_code == 403
    charge = Charge.objects.get()
    end = reverse("evaluators:charge-end", args=[world.evaluator.pk, charge.pk])
    assert office.get(end).status_code == 405
    assert office.post(end).status_code == 302
    assert own.get(page).status_code == 404
    assert "13911112222" not in shown(client_for(world.auditor).get(reverse("evaluators:list")))


def test_the_home_says_what_is_owed_and_who_is_looked_after(world, client_for):
    certificate = unfiled(world)
    world.add_programme(world.school, certificate.levels.create(level=1))
    filings.owe_filings(at=clock.now())
    assert "评价组织备案 1 项" in shown(client_for(world.evaluator_officer).get("/"))
    own = client_for(world.coordinator)
    assert "还没有交由您对接的评价组织" in shown(own.get("/"))
    assert world.certificate.short_name not in shown(own.get("/"))
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    page = own.get("/")
    [mine] = page.context["home"].evaluators
    assert (mine.certificates, mine.on_file, mine.schools) == (2, 1, 2)
    assert '<td data-label="本省院校" class="number">2</td>' in page.content.decode()
    assert world.certificate.short_name in shown(page)


def test_the_answer_is_to_the_version_that_was_read(world, client_for):
    certificate = unfiled(world)
    submit(world, certificate)
    office = client_for(world.office)
    page = reverse("evaluator-filings:accept", args=[certificate.pk])
    read = office.get(page).context["form"]["version"].value()
    submit(world, certificate, introduction="换了一版")
    answer = office.post(page, {"version": read, "comment": ""}, follow=True)
    assert "第2版" in answer.content.decode()
    assert EvaluatorFiling.objects.get(pk=certificate.pk).state == "submitted"


def test_a_stamped_promise_is_opened_by_the_office_and_its_owner_alone(world, client_for):
    """It is the stamped print of 附件3: ID number and home address stand on it."""
    charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now())
    record = draft(world)
    record = filings.save_draft(
        certificate=world.certificate,
        typed=record.draft,
        revision=record.draft_revision,
        by=world.evaluator_officer,
        at=clock.now(),
        uploads={"stamped": [picture("盖章.png")]},
    )
    content = submit(world, stamped=record.draft["stamped"]).content
    (stamped,), plan = content["stamped"], content["plan"][0]
    page = reverse("evaluator-filings:detail", args=[world.certificate.pk])
    for who, may in [
        (world.office, True),
        (world.evaluator_officer, True),
        (world.coordinator, False),
        (world.finance, False),
        (world.auditor, False),
    ]:
        client = client_for(who)
        address = reverse("core:attachment", args=[stamped["id"]])
        assert client.get(address).status_code == (200 if may else 404), who.role
        assert (address in client.get(page).content.decode()) is may, who.role
        assert client.get(reverse("core:attachment", args=[plan["id"]])).status_code == 200, who.role
