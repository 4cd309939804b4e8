"""School filings: versions and receipts, the duty and its edges, returns, and phones kept out of sight."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import PilotMembership
from accounts.services import end_membership
from core import clock, draft_files
from core.drafts import DraftConflict
from core.models import Attachment, Event, Notice
from core.tests.test_attachments import docx, png
from core.workflow import NotNow
from obligations import services as obligations
from obligations.models import Obligation
from schools import filing_content as shape
from schools.forms.filings import FilingForm, PhoneField
from schools.models import SchoolFiling, SchoolFilingVersion
from schools.services import filings

PHONES = ["13911112222", "13933334444", "0351-7654321", "13955556666"]
TYPED = {
    "leader_name": "组长甲",
    "leader_position": "校长",
    "leader_phone": "13911112222",
    "is_head": "on",
    "department": "教务处",
    "contact_name": "联系人乙",
    "contact_department": "教务处",
    "contact_mobile": "139 3333 4444",
    "contact_phone": "（0351）7654321",
    "contact_email": "b@example.cn",
    "mechanism": "每月例会。",
    "member-0-name": "成员丙",
    "member-0-department": "实训中心",
    "member-0-duty": "考核",
    "member-0-phone": "１３９５５５５６６６６",
}


def picture(name="方案.png"):
    return SimpleUploadedFile(name, png())


def owe(world, school=None, due="2020-12-18T18:00:00+08:00"):
    return obligations.owe(
        organization=(school or world.school).organization,
        kind="school_filing",
        key="filing",
        title="院校备案",
        opens_at=clock.now(),
        due_at=dt.datetime.fromisoformat(due),
        link="/filings/mine/",
    )


def draft(world, *, uploads=(), by=None, **changes):
    """The school's draft with these changes and the files it has, plus `uploads`."""
    record = SchoolFiling.objects.filter(pk=world.school.pk).first()
    typed = {**shape.typed_from(TYPED), "files": (record.draft or {}).get("files", "") if record else ""}
    if record and record.draft is None and record.current:
        typed["files"] = " ".join(f["id"] for f in record.current.content["files"])
    return filings.save_draft(
        school=world.school,
        typed={**typed, **changes},
        revision=record.draft_revision if record else 0,
        by=by or world.contact,
        at=clock.now(),
        uploads=uploads,
    )


def submit(world, token="", **changes):
    first = not Attachment.objects.filter(target_id=str(world.school.pk)).exists()
    return send(world, draft(world, uploads=[picture()] if first else [], **changes), token, at=clock.now())


def send(world, record, token="", *, at):
    files = list(Attachment.objects.filter(pk__in=draft_files.ids_of(record.draft)))
    form = FilingForm(record.draft, files=files, check=True)
    assert form.is_valid(), form.errors
    return filings.submit_filing(
        record,
        content=form.content(world.school),
        token=token or f"t{record.draft_revision}",
        by=world.contact,
        at=at,
        draft_revision=record.draft_revision,
    )


def test_a_submission_is_a_version_with_its_receipt_and_fulfils_the_duty(world):
    duty = owe(world)
    version = submit(world, token="one")
    assert re.fullmatch(r"BA20201118-[0-9A-Z]{6}", version.receipt)
    assert (version.number, version.content["contact_mobile"]) == (1, "13933334444")
    assert version.content["contact_phone"] == "0351-7654321"
    assert version.content["members"] == [
        {"name": "成员丙", "department": "实训中心", "duty": "考核", "phone": "13955556666"}
    ]
    record = SchoolFiling.objects.get()
    assert (record.state, record.current, record.draft) == ("submitted", version, None)
    duty.refresh_from_db()
    assert (duty.outcome, duty.received_at) == ("on_time", clock.now())
    again = filings.submit_filing(
        record, content=version.content, token="one", by=world.contact, at=clock.now()
    )
    same = filings.submit_filing(
        record, content=version.content, token="other", by=world.contact, at=clock.now()
    )
    assert again == same == version
    assert SchoolFilingVersion.objects.count() == 1
    assert Event.objects.filter(action="filing_submit").count() == 1


@pytest.mark.parametrize(
    ("early_by", "outcome"), [(dt.timedelta(microseconds=1), "on_time"), (dt.timedelta(), "late")]
)
def test_late_is_accepted_and_marked_from_the_due_instant_on(world, early_by, outcome):
    duty = owe(world)
    world.at(duty.due_at - early_by)
    submit(world)
    duty.refresh_from_db()
    assert duty.outcome == outcome


def test_a_return_opens_a_duty_of_five_working_days_and_keeps_the_outcome(world):
    duty = owe(world)
    submit(world)
    record = SchoolFiling.objects.get()
    with pytest.raises(ValidationError):
        filings.return_filing(record, comment=" ", by=world.office, at=clock.now())
    filings.return_filing(record, comment="方案缺少分工", by=world.office, at=clock.now())
    mending = Obligation.objects.get(key="filing-v1")
    assert mending.due_at == dt.datetime.fromisoformat("2020-11-25T18:00:00+08:00")
    assert {n.recipient.username for n in Notice.objects.filter(text__contains="方案缺少分工")} == {
        "contact",
        "leader",
    }
    with pytest.raises(NotNow):
        filings.accept_filing(record, by=world.office, at=clock.now())
    second = submit(world, mechanism="分工如下。")
    mending.refresh_from_db()
    duty.refresh_from_db()
    assert (second.number, mending.outcome, duty.outcome) == (2, "on_time", "on_time")
    record.refresh_from_db()
    assert (record.state, record.review_comment, record.reviewed_by) == ("submitted", "", None)
    filings.accept_filing(record, by=world.office, at=clock.now())
    third = submit(world, contact_name="联系人丁")
    record.refresh_from_db()
    assert (third.number, record.state, record.current) == (3, "submitted", third)


def test_only_the_contact_files_and_only_the_office_decides(world):
    for who in (world.leader, world.other_contact, world.office, world.city_officer, world.expert):
        with pytest.raises(PermissionDenied):
            draft(world, by=who)
    submit(world)
    record = SchoolFiling.objects.get()
    for who in (world.contact, world.city_officer, world.finance, world.auditor, world.leading):
        with pytest.raises(PermissionDenied):
            filings.accept_filing(record, by=who, at=clock.now())
        with pytest.raises(PermissionDenied):
            filings.return_filing(record, comment="改", by=who, at=clock.now())


def test_who_is_put_out_while_the_filing_waits_does_not_file(world):
    record, at = draft(world, uploads=[picture()]), clock.now()
    world.at(at + dt.timedelta(seconds=2))
    end_membership(organization=world.school_org, at=clock.now(), by=world.office, reason="撤并")
    with pytest.raises(PermissionDenied, match="不在试点院校名单"):
        send(world, record, at=at)


def test_outside_the_pilot_only_what_is_owed_is_filed(world):
    PilotMembership.objects.filter(organization=world.school_org).update(left_at=clock.now())
    with pytest.raises(PermissionDenied, match=r"晋教职成〔2020〕9号 三\.1"):
        draft(world)
    owe(world)
    assert submit(world).number == 1


def test_no_phone_stands_in_clear_in_any_table(world):
    owe(world)
    submit(world)
    filings.return_filing(SchoolFiling.objects.get(), comment="请补充", by=world.office, at=clock.now())
    draft(world, leader_phone="13977778888")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            text = repr(cursor.fetchall())
            for phone in [*PHONES, "7654321", "13977778888"]:
                assert phone not in text, table
    assert SchoolFiling.objects.get().draft["leader_phone"] == "13977778888"


def test_whoever_reads_without_the_right_sees_masked_numbers(world):
    content = submit(world).content
    told = shape.shown(content, plain=False)
    assert not any(phone in repr(told) for phone in PHONES)
    assert told["contact_mobile"] == "139****4444"
    assert shape.shown(content, plain=True) == content
    other = {**shape.typed_of(content), "leader_phone": "13911110000"}
    (found,) = shape.differences(shape.typed_of(content), other, {}, plain=False)
    assert (found.before, found.after) == ("139****2222", "139****0000")


def test_a_file_taken_off_before_it_was_filed_is_gone_and_a_filed_one_stays(world):
    record = draft(world, uploads=[picture("甲.png"), picture("乙.png")])
    one, two = draft_files.ids_of(record.draft)
    record = draft(world, files=two)
    assert not Attachment.objects.filter(pk=one).exists()
    assert Event.objects.filter(action="draft_file_removed").count() == 1
    submit(world)
    record = draft(world, uploads=[picture("丙.png")], files="")
    assert Attachment.objects.filter(pk=two).exists()
    assert draft_files.ids_of(record.draft) != [two]


def test_a_file_that_the_draft_names_already_is_taken_once(world):
    record = draft(world, uploads=[picture("甲.png")])
    again = draft(world, uploads=[picture("甲.png"), picture("乙.png")])
    assert draft_files.ids_of(again.draft)[:1] == draft_files.ids_of(record.draft)
    assert sorted(Attachment.objects.of(record).values_list("name", flat=True)) == ["乙.png", "甲.png"]


def test_a_draft_names_no_file_of_another_record(world):
    version = submit(world)
    scan = filings.attach_scan(version, upload=picture(), by=world.contact, at=clock.now())
    assert draft_files.ids_of(draft(world, files=str(scan.pk)).draft) == []


def test_a_version_without_its_files_is_refused(world):
    record = draft(world, uploads=[picture()])
    form = FilingForm(record.draft, files=list(Attachment.objects.of(record)), check=True)
    assert form.is_valid()
    content = form.content(world.school)
    draft(world, files="")
    with pytest.raises(ValidationError, match="试点工作方案"):
        filings.submit_filing(record, content=content, token="x", by=world.contact, at=clock.now())
    assert not SchoolFilingVersion.objects.exists()


def test_two_editors_meet_a_conflict_and_the_second_upload_is_not_kept(world):
    record = draft(world, uploads=[picture()])
    with pytest.raises(DraftConflict):
        filings.save_draft(
            school=world.school,
            typed=shape.typed_from({**TYPED, "mechanism": "另一份"}),
            revision=record.draft_revision - 1,
            by=world.contact,
            at=clock.now(),
            uploads=[picture("另一份.png")],
        )
    assert Attachment.objects.count() == 1


def test_a_scan_is_logged_and_is_a_picture_or_pdf(world):
    version = submit(world)
    with pytest.raises(PermissionDenied):
        filings.attach_scan(version, upload=picture(), by=world.leader, at=clock.now())
    filings.attach_scan(version, upload=picture("盖章.png"), by=world.contact, at=clock.now())
    event = Event.objects.get(action="file_attached", changes__文件="盖章.png")
    assert event.organization_id == world.school_org.pk
    kept = set(Path(settings.MEDIA_ROOT).rglob("*.bin"))
    upload = SimpleUploadedFile("表.docx", docx())
    with pytest.raises(ValidationError, match="扫描件请用"):
        filings.attach_scan(version, upload=upload, by=world.contact, at=clock.now())
    assert set(Path(settings.MEDIA_ROOT).rglob("*.bin")) == kept


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_head": ""}, "学校主要负责同志担任（晋教职成〔2020〕9号 三.1）"),
        ({"leader_phone": "12345"}, "带区号的固定电话"),
        ({"contact_mobile": "0351-7654321"}, "11 位"),
        ({"contact_email": "b"}, "电子邮箱的格式不对"),
        ({"member-0-name": ""}, "第 1 位成员的姓名"),
        ({"department": " "}, "请填写责任部门"),
    ],
)
def test_what_the_form_refuses(world, changes, words):
    record = draft(world, uploads=[picture()])
    form = FilingForm(
        shape.typed_from({**TYPED, **changes}), files=list(Attachment.objects.of(record)), check=True
    )
    assert not form.is_valid()
    assert any(words in message for _, message in form.messages())


def test_without_the_plan_it_is_refused_with_the_clause(world):
    form = FilingForm(shape.typed_from(TYPED), files=[], check=True)
    assert [m for _, m in form.messages()] == [
        "请上传试点工作方案：备案须报联系人、机构信息和试点工作方案（晋教职成〔2020〕9号 三.1）。"
    ]


PART = st.text(st.characters(categories=("L", "N")), max_size=4)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(shape.PARTS, PART)), max_size=8))
def test_members_survive_the_form_and_back(members):
    typed = shape.with_members({"mechanism": "机制"}, members)
    kept = [m for m in members if any(m.values())]
    assert shape.members_of(typed) == kept
    assert shape.members_of(shape.typed_from(typed)) == kept


@given(st.from_regex(r"0[0-9]{2,3}-[2-9][0-9]{6,7}(-[0-9]{1,6})?", fullmatch=True))
def test_a_good_number_cleans_to_itself(number):
    assert PhoneField().clean(number) == number


def test_the_other_side_is_taken_field_by_field_and_members_as_a_whole():
    mine = shape.typed_from({**TYPED, "mechanism": "我的", "member-1-name": "我加的"})
    theirs = shape.typed_from({**TYPED, "mechanism": "他的", "member-0-name": "他改的"})
    merged = shape.take(mine, theirs, {"mechanism": "theirs"})
    assert (merged["mechanism"], len(shape.members_of(merged))) == ("他的", 2)
    assert shape.members_of(shape.take(mine, theirs, {"members": "theirs"})) == shape.members_of(theirs)
