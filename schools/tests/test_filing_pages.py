"""Pages of school filings: the form's way to the receipt, who sees what, the list, the sheet."""

import datetime as dt
import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from core import clock, draft_files
from core.models import Attachment, Event
from core.tests.test_attachments import png
from schools.models import SchoolFiling, SchoolFilingVersion
from schools.services import filings
from schools.tests.test_filings import PHONES, TYPED, draft, owe, picture, submit

STRANGERS = ["other_contact", "other_city_officer", "expert", "third_party", "coordinator", "learner"]


def page(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code)
    return response.content.decode()


def posted(record=None, **more):
    files = (record.draft or {}).get("files", "") if record else ""
    return {**TYPED, "revision": record.draft_revision if record else 0, "files": files, **more}


def test_from_the_form_to_the_receipt_without_scripts(world, client_for):
    owe(world)
    client = client_for(world.contact)
    assert "截止" in page(client, "/filings/mine/")
    response = client.post("/filings/mine/", posted(action="upload", plan=[picture()]))
    assert response.url.endswith("#plan")
    record = SchoolFiling.objects.get()
    assert "方案.png" in page(client, "/filings/mine/")
    assert client.post("/filings/mine/", posted(record, action="check")).url == "/filings/mine/check/"
    checking = client.get("/filings/mine/check/")
    assert "尚未提交" in checking.content.decode()
    token = checking.context["token"]
    first = client.post("/filings/mine/check/", {"token": token})
    version = SchoolFilingVersion.objects.get()
    assert first.url == client.post("/filings/mine/check/", {"token": token}).url
    assert version.receipt in page(client, first.url)
    assert client.get("/filings/mine/check/").url == "/filings/mine/"
    assert "组长甲" in page(client, f"/filings/{world.school.pk}/")


def test_what_is_missing_is_said_at_the_top_and_kept_as_draft(world, client_for):
    client = client_for(world.contact)
    response = client.post("/filings/mine/", posted(action="check", leader_phone="1"))
    assert response.status_code == 422
    shown = response.content.decode()
    assert "带区号的固定电话" in shown
    assert "请上传试点工作方案" in shown
    assert SchoolFiling.objects.get().draft["leader_phone"] == "1"
    assert client.get("/filings/mine/check/").url == "/filings/mine/?check"
    bad = SimpleUploadedFile("方案.exe", b"MZ")
    response = client.post("/filings/mine/", posted(SchoolFiling.objects.get(), action="upload", plan=[bad]))
    assert response.status_code == 422
    assert "不接受这种文件" in response.content.decode()
    assert not Attachment.objects.exists()


def test_rows_are_added_and_files_removed_by_press(world, client_for):
    client = client_for(world.contact)
    address = client.post("/filings/mine/", posted(action="add")).url
    assert page(client, address.partition("#")[0]).count('class="member"') == 6
    record = draft(world, uploads=[picture()])
    pk = draft_files.ids_of(record.draft)[0]
    assert client.post("/filings/mine/", posted(record, action=f"remove:{pk}")).status_code == 302
    assert not Attachment.objects.exists()


def test_first_shown_is_what_the_portal_knows(world, client_for):
    world.school.contact_name, world.school.contact_mobile = "名册联系人", "13800001111"
    world.school.save()
    shown = page(client_for(world.contact), "/filings/mine/")
    assert "名册联系人" in shown
    assert "13800001111" in shown
    assert "测试leader" in shown
    assert not SchoolFiling.objects.exists()


def test_two_tabs_meet_and_one_chooses(world, client_for):
    draft(world, mechanism="先存的")
    client = client_for(world.contact)
    later = {**posted(), "mechanism": "后写的", "member-0-name": "我改的"}
    answer = client.post("/filings/mine/draft/", later)
    assert (answer.status_code, "在别处也修改了" in answer.json()["message"]) == (409, True)
    response = client.post("/filings/mine/", {**later, "action": "save"})
    assert response.status_code == 409
    shown = response.content.decode()
    assert "先存的" in shown
    assert "后写的" in shown
    record = SchoolFiling.objects.get()
    merged = {**later, "action": "merge", "revision": record.draft_revision, "take-mechanism": "theirs"}
    assert client.post("/filings/mine/", merged).status_code == 302
    record.refresh_from_db()
    assert (record.draft["mechanism"], record.draft["member-0-name"]) == ("先存的", "我改的")


def test_autosave_answers_with_the_revision(world, client_for):
    client = client_for(world.contact)
    answer = client.post("/filings/mine/draft/", posted()).json()
    assert (answer["revision"], answer["saved_at"]) == (1, "10:00:00")
    again = client.post("/filings/mine/draft/", {**posted(), "revision": 1, "mechanism": "新的"}).json()
    assert again["revision"] == 2


@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_meet_nothing_of_the_filing(world, client_for, who):
    version = submit(world)
    client = client_for(getattr(world, who))
    receipt, pk = version.receipt, world.school.pk
    for path in (
        f"/filings/{pk}/",
        f"/filings/receipts/{receipt}/",
        f"/filings/versions/{receipt}/",
        f"/filings/{pk}/accept/",
    ):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/filings/versions/{receipt}/scan/").status_code == 404
    file = version.content["files"][0]["id"]
    assert client.get(f"/files/{file}/").status_code == 404
    assert "太原演示职业学校" not in client.get("/filings/").content.decode()


@pytest.mark.parametrize(
    ("who", "sees_phone"),
    [
        ("office", True),
        ("city_officer", True),
        ("contact", True),
        ("leader", True),
        ("finance", False),
        ("leading", False),
        ("auditor", False),
    ],
)
def test_who_sees_phones_in_full(world, client_for, who, sees_phone):
    receipt = submit(world).receipt
    submit(world, leader_phone="13911113333")
    client = client_for(getattr(world, who))
    both = page(client, f"/filings/{world.school.pk}/") + page(client, f"/filings/versions/{receipt}/")
    assert any(phone in both for phone in PHONES) is sees_phone
    assert "139****2222" in both or sees_phone


@pytest.mark.parametrize("who", ["contact", "leader", "city_officer", "finance", "auditor"])
def test_only_the_office_reviews(world, client_for, who):
    submit(world)
    client = client_for(getattr(world, who))
    for action in ("accept", "return"):
        assert client.post(f"/filings/{world.school.pk}/{action}/", {"comment": "好"}).status_code == 403
    assert "予以备案" not in page(client, f"/filings/{world.school.pk}/").partition("<h2>记录</h2>")[0]
    if who in ("contact", "leader"):
        assert client.get("/filings/").status_code == 403


def test_only_the_schools_contact_fills_in(world, client_for):
    assert client_for(world.leader).get("/filings/mine/").url == f"/filings/{world.school.pk}/"
    for who in ("leader", "office", "city_officer", "evaluator_officer"):
        client = client_for(getattr(world, who))
        assert client.post("/filings/mine/", posted()).status_code == 403
        assert client.post("/filings/mine/draft/", posted()).status_code == 403
    assert not SchoolFiling.objects.exists()


def test_the_office_returns_and_accepts(world, client_for):
    submit(world)
    office, path = client_for(world.office), f"/filings/{world.school.pk}/"
    assert office.post(f"{path}return/", {"comment": ""}).status_code == 422
    assert office.post(f"{path}return/", {"comment": "补分工"}).status_code == 302
    assert "已退回修改" in page(office, path)
    assert "补分工" in page(client_for(world.contact), "/filings/mine/")
    assert "现在是“退回修改”" in office.post(f"{path}accept/", follow=True).content.decode()
    submit(world, mechanism="有了分工。")
    shown = page(office, path)
    assert "有了分工。" in shown
    assert "<del>每月例会。</del>" in shown
    assert office.post(f"{path}accept/", {"comment": ""}).status_code == 302
    assert SchoolFiling.objects.get().state == "accepted"
    assert "已备案" in page(client_for(world.city_officer), "/filings/")


def test_a_version_that_came_while_another_was_read_is_not_answered(world, client_for):
    submit(world)
    office = client_for(world.office)
    for action in ("accept", "return"):
        address = f"/filings/{world.school.pk}/{action}/"
        read = office.get(address).context["form"]["version"].value()
        submit(world, leader_name=f"组长{action}")
        answer = office.post(address, {"version": read, "comment": "好"}, follow=True)
        assert f"您看的是第{read}版，学校刚刚提交了第{read + 1}版" in answer.content.decode()
        assert SchoolFiling.objects.get().state == "submitted"
    read = office.get(address).context["form"]["version"].value()
    office.post(f"/filings/{world.school.pk}/accept/", {"version": read})
    assert SchoolFiling.objects.get().state == "accepted"


def test_where_nothing_changed_no_button_is_named_that_is_not_there(world, client_for):
    submit(world)
    draft(world)
    shown = page(client_for(world.contact), "/filings/mine/check/")
    assert "没有改动" in shown
    assert "无误后点" not in shown


def test_what_was_returned_is_not_sent_again_as_it_was(world, client_for):
    first = submit(world)
    filings.return_filing(SchoolFiling.objects.get(), comment="补分工", by=world.office, at=clock.now())
    draft(world)
    checking = page(client_for(world.contact), "/filings/mine/check/")
    assert "请按退回意见修改：补分工" in checking
    assert "不需要再次提交" not in checking
    with pytest.raises(ValidationError, match="与退回的第1版相同"):
        submit(world)
    record = SchoolFiling.objects.get()
    assert (record.state, record.current) == ("returned", first)
    assert filings.duties(world.school.pk).pending().exists()


def test_a_draft_is_the_schools_own(world, client_for):
    submit(world)
    draft(world, mechanism="还没写完")
    assert "未提交的草稿" in page(client_for(world.contact), f"/filings/{world.school.pk}/")
    shown = page(client_for(world.office), f"/filings/{world.school.pk}/")
    assert "还没写完" not in shown
    assert "未提交的草稿" not in shown


def test_the_list_shows_who_owes_and_who_filed_and_exports_no_phone(world, client_for):
    client = client_for(world.office)
    assert "还没有需要备案的院校" in page(client, "/filings/")
    duty = owe(world)
    owe(world, world.other_school)
    submit(world)
    world.at(duty.due_at - dt.timedelta(microseconds=1))
    client = client_for(world.office)
    assert "长治" not in page(client, "/filings/?overdue=True").partition("list-bar")[2]
    world.at(duty.due_at)
    client = client_for(world.office)
    overdue = page(client, "/filings/?overdue=True").partition("list-bar")[2]
    assert "长治演示职业学校" in overdue
    assert "太原演示职业学校" not in overdue
    submitted = page(client, "/filings/?state=submitted").partition("list-bar")[2]
    assert "太原演示职业学校" in submitted
    assert "长治演示职业学校" not in submitted
    assert "长治演示" in page(client, "/filings/?state=none").partition("list-bar")[2]
    assert "长治演示" in page(client, "/filings/?city=140400").partition("list-bar")[2]
    rows = list(load_workbook(io.BytesIO(client.post("/filings/").content)).active.values)
    text = repr(rows)
    assert "待审核" in text
    assert "已逾期" in text
    assert not any(phone in text for phone in PHONES)
    city = page(client_for(world.city_officer), "/filings/").partition("list-bar")[2]
    assert "太原演示职业学校" in city
    assert "长治演示职业学校" not in city


def test_the_list_asks_no_more_for_more_rows(world, client_for):
    client = client_for(world.office)
    owe(world)
    client.get("/filings/")
    with CaptureQueriesContext(connection) as one:
        client.get("/filings/")
    owe(world, world.other_school)
    owe(world, world.add_school("甲校"))
    submit(world)
    with CaptureQueriesContext(connection) as three:
        assert "共 <strong>3</strong> 条" in page(client, "/filings/")
    assert len(one) == len(three) <= 20


@pytest.mark.parametrize("path", ["/filings/mine/", "/filings/{pk}/", "/filings/versions/{receipt}/"])
def test_pages_take_few_queries(world, client_for, path):
    submit(world)
    version = submit(world, mechanism="第二版")
    client = client_for(world.contact)
    address = path.format(pk=world.school.pk, receipt=version.receipt)
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        page(client, address)
    assert len(queries) <= 20


def test_the_sheet_names_version_and_receipt_and_takes_the_stamped_scan(world, client_for):
    version = submit(world)
    client = client_for(world.contact)
    path = f"/filings/versions/{version.receipt}/"
    shown = page(client, path)
    for words in (
        "试点院校备案表",
        "（按附件3样式复原，附件2原表未见）",
        version.receipt,
        "data:image/svg+xml",
    ):
        assert words in shown
    assert f"http://testserver{path}" in shown
    assert client.post(f"{path}scan/").status_code == 422
    assert client.post(f"{path}scan/", {"scan": SimpleUploadedFile("假.pdf", b"x")}).status_code == 422
    scan = SimpleUploadedFile("盖章.png", png())
    assert client.post(f"{path}scan/", {"scan": scan}).status_code == 302
    assert "盖章.png" in page(client_for(world.office), path)
    assert client_for(world.leader).post(f"{path}scan/").status_code == 403
    event = Event.objects.get(action="file_attached", changes__文件="盖章.png")
    assert event.actor == world.contact
    submit(world, mechanism="第二版")
    assert "不再现行" in page(client, path)


def test_a_school_outside_the_pilot_is_told_why(world, client_for):
    world.school_org.memberships.update(left_at=clock.now())
    assert "不在试点院校名单中" in page(client_for(world.contact), "/filings/mine/", 403)
    assert filings.why_not_file(world.contact, world.school, clock.now())
