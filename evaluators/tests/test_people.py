"""Teachers and their qualifications; the trainer team; resources and their age; the sheets of both."""

import datetime as dt
import io
import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import Workbook

from certificates.models import Certificate
from core import clock
from core.imports import services as imports
from core.imports.services import CannotUndo
from core.models import Event, Job
from evaluators import resources as sheets
from evaluators.models import Qualification, Teacher, Trainer
from evaluators.services import resources, teachers, trainers
from evaluators.tests.activity_rows import file, qualify, resource, sign_up, teacher, trainer
from evaluators.tests.test_ratios import rule

TODAY = dt.date(2020, 11, 18)
ONE = dt.timedelta(days=1)
PHONE = "13912345678"


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- Who meets what


@pytest.mark.parametrize(
    ("who", "teachers_", "trainers_", "resources_"),
    [
        ("office", 200, 200, 200),
        ("auditor", 200, 200, 200),
        ("coordinator", 403, 200, 200),
        ("city_officer", 200, 403, 200),
        ("other_city_officer", 200, 403, 200),
        ("contact", 200, 403, 200),
        ("leader", 200, 403, 200),
        ("other_contact", 200, 403, 200),
        ("evaluator_officer", 200, 200, 200),
        ("expert", 403, 403, 403),
        ("third_party", 403, 403, 403),
        ("learner", 403, 403, 403),
    ],
)
def test_lists_by_role(world, client_for, who, teachers_, trainers_, resources_):
    client = client_for(getattr(world, who))
    got = [client.get(reverse(f"{name}:list")).status_code for name in ("teachers", "trainers", "resources")]
    assert got == [teachers_, trainers_, resources_]


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("office", 200),
        ("city_officer", 200),
        ("contact", 200),
        ("leader", 200),
        ("evaluator_officer", 404),
        ("other_contact", 404),
        ("other_city_officer", 404),
        ("coordinator", 404),
        ("expert", 404),
        ("learner", 404),
    ],
)
def test_a_teacher_is_for_the_own_school_and_those_above_it(world, client_for, who, status):
    mine = teacher(world, phone=PHONE)
    page = client_for(getattr(world, who)).get(reverse("teachers:detail", args=[mine.pk]))
    assert page.status_code == status
    assert PHONE not in page.content.decode()
    if status == 200:
        assert "139****5678" in text(page)


def test_an_evaluator_sees_who_is_signed_up_and_only_its_own_qualifications(world, client_for):
    other = type(world.evaluator_org).objects.create(kind="evaluator", name="另一评价组织", code="E2")
    foreign = Certificate.objects.create(name="别家证书", owner=other).levels.create(level=1)
    mine = teacher(world)
    qualify(world, mine)
    qualify(world, mine, certificate_level=foreign, number="别家号")
    sign_up(file(world), mine, by=world.contact)
    page = client_for(world.evaluator_officer).get(reverse("teachers:detail", args=[mine.pk]))
    assert page.status_code == 200
    assert "演示001" in text(page)
    assert "别家号" not in text(page)
    listing = client_for(world.evaluator_officer).get(reverse("teachers:list"))
    [row] = listing.context["table"].rows
    assert "别家证书" not in row.get_cell_value("held")


@pytest.mark.parametrize("action", ["edit", "leave", "qualify"])
@pytest.mark.parametrize(
    ("who", "status"),
    [("contact", 200), ("leader", 403), ("office", 403), ("city_officer", 403), ("other_contact", 404)],
)
def test_only_the_own_contact_keeps_teachers(world, client_for, who, status, action):
    address = reverse(f"teachers:{action}", args=[teacher(world).pk])
    assert client_for(getattr(world, who)).get(address).status_code == status


@pytest.mark.parametrize("action", ["edit", "leave"])
@pytest.mark.parametrize(
    ("who", "status"), [("evaluator_officer", 200), ("office", 403), ("contact", 404), ("coordinator", 404)]
)
def test_only_the_evaluator_keeps_its_team(world, client_for, who, status, action):
    address = reverse(f"trainers:{action}", args=[trainer(world).pk])
    assert client_for(getattr(world, who)).get(address).status_code == status


# --- Teachers and qualifications


def test_phones_are_in_no_event_and_encrypted(world):
    mine = teacher(world, phone=PHONE)
    teachers.change_teacher(mine, fields={"phone": "13500009999"}, by=world.contact, at=clock.now())
    team = trainer(world, phone=PHONE)
    trainers.change_trainer(team, fields={"phone": "13500009999"}, by=world.evaluator_officer, at=clock.now())
    kept = [str(event.changes) for event in Event.objects.all()]
    assert not any("139" in words or "135" in words for words in kept)
    assert any("已修改" in words for words in kept)
    with connection.cursor() as cursor:
        for table in ("evaluators_teacher", "evaluators_trainer"):
            cursor.execute(f"SELECT phone FROM {table}")
            assert "13500009999" not in str(cursor.fetchall())


def test_events_tell_choices_in_words(world, client_for):
    mine, team = teacher(world), trainer(world)
    qualify(world, mine)
    trainers.change_trainer(
        team, fields={"employer_kind": "school"}, by=world.evaluator_officer, at=clock.now()
    )
    assert Event.objects.get(action="qualification_held").changes["种类"] == ["", "培训资格"]
    assert Event.objects.get(action="trainer_changed").changes == {"单位类别": ["行业企业", "院校"]}
    page = text(client_for(world.contact).get(reverse("teachers:detail", args=[mine.pk])))
    assert "种类：（空） → 培训资格" in page


def test_a_qualification_from_entry_to_expiry(world):
    mine = teacher(world)
    until = TODAY + 100 * ONE
    held = qualify(world, mine, valid_until=until)
    days = [TODAY - ONE, TODAY, until - 91 * ONE, until - 90 * ONE, until, until + ONE]
    assert [held.state_on(day) for day in days] == [
        "pending",
        "valid",
        "valid",
        "expiring",
        "expiring",
        "expired",
    ]
    counted = [Qualification.objects.held_on(day).count() for day in days]
    assert counted == [0, 1, 1, 1, 1, 0]
    soon = [Qualification.objects.expiring(day).count() for day in days]
    assert soon == [0, 0, 0, 1, 1, 0]
    with pytest.raises(ValidationError, match="请修改原有的一条"):
        qualify(world, mine)
    with pytest.raises(ValidationError, match="不能晚于今天"):
        qualify(world, mine, kind="examiner", obtained_on=TODAY + ONE)
    with pytest.raises(ValidationError, match="有效期不能早于取得日期"):
        qualify(world, mine, kind="examiner", valid_until=TODAY - ONE)
    teachers.leave(mine, left_on=TODAY, by=world.contact, at=clock.now())
    assert not Qualification.objects.held_on(TODAY).exists()


def test_the_school_enters_changes_and_removes_its_own(world, client_for):
    mine = teacher(world)
    client = client_for(world.contact)
    entry = {
        "certificate_level": world.level.pk,
        "kind": "trainer",
        "number": "甲",
        "obtained_on": "2020-11-01",
        "valid_until": "",
    }
    assert client.post(reverse("teachers:qualify", args=[mine.pk]), entry).status_code == 302
    again = client.post(reverse("teachers:qualify", args=[mine.pk]), entry)
    assert (again.status_code, "请修改原有的一条" in text(again)) == (422, True)
    held = Qualification.objects.get()
    changed = client.post(reverse("teachers:qualification", args=[held.pk]), {**entry, "number": "乙"})
    assert changed.status_code == 302
    assert Qualification.objects.get().number == "乙"
    assert (
        client_for(world.other_contact)
        .post(reverse("teachers:qualification-remove", args=[held.pk]))
        .status_code
        == 404
    )
    assert client.post(reverse("teachers:qualification-remove", args=[held.pk])).status_code == 302
    assert not Qualification.objects.exists()


def test_teachers_are_filtered_by_what_they_hold(world, client_for):
    first, second, third = (teacher(world, name=f"教师{n}", number=f"T{n}") for n in range(3))
    qualify(world, first)
    qualify(world, second, valid_until=TODAY + 90 * ONE)
    client = client_for(world.contact)

    def found(**query):
        page = client.get(reverse("teachers:list"), query)
        return {row.record for row in page.context["table"].rows}

    assert found(qualified="valid") == {first, second} == found(certificate=world.certificate.pk)
    assert found(qualified="expiring") == {second}
    assert found(qualified="none") == {third}
    assert found(q="T1") == {second}
    assert found(there="left") == set()
    assert "1 名教师有资格在 90 天内到期" in text(client.get(reverse("teachers:list")))
    exported = client.post(reverse("teachers:list"))
    assert exported.headers["Content-Type"].startswith("application/vnd")


# --- The team


def test_the_team_page_warns_below_forty_per_cent_and_says_how_many_lack(world, client_for):
    trainer(world)
    others = [trainer(world, name=f"院校{n}", kind="school") for n in range(2)]
    client = client_for(world.evaluator_officer)
    page = client.get(reverse("trainers:list"))
    assert "3 人中行业企业 1 人，占 33.3%，低于要求（教职成厅函〔2019〕19号 二(二)" in text(page)
    assert "还须增加行业企业专家 1 人" in text(page)
    assert "138****1111" in text(page)
    left = client.post(reverse("trainers:leave", args=[others[0].pk]), {"left_on": "2020-11-18"})
    assert left.status_code == 302
    assert "占 50.0%" in text(client.get(reverse("trainers:list")))
    again = client.post(reverse("trainers:leave", args=[others[0].pk]), {"left_on": "2020-11-18"})
    assert again.status_code == 422
    early = client.post(reverse("trainers:leave", args=[others[1].pk]), {"left_on": "2020-11-17"})
    assert "不能早于加入日期" in text(early)
    twice = client.post(
        reverse("trainers:new"),
        {"name": "演示专家", "employer": "演示企业", "employer_kind": "industry", "joined_on": "2020-11-18"},
    )
    assert (twice.status_code, "已在团队中" in text(twice)) == (422, True)


# --- Resources


@pytest.mark.parametrize(
    ("updated", "age"),
    [(TODAY, "fresh"), (dt.date(2019, 11, 18), "fresh"), (dt.date(2019, 11, 17), "old")],
)
def test_older_than_a_year_is_old(world, client_for, updated, age):
    resource(world, updated_on=updated)
    client = client_for(world.office)
    page = client.get(reverse("resources:detail", args=[world.level.pk]))
    assert page.context["state"] == age
    assert ("不及时更新" in text(page)) is (age == "old")
    assert client.get(reverse("resources:list"), {"age": age}).context["count"] == 1
    assert client.get(reverse("resources:list")).context["old"] == int(age == "old")


def test_resources_are_kept_by_the_owner_with_their_history(world, client_for):
    client = client_for(world.evaluator_officer)
    address = reverse("resources:edit", args=[world.level.pk])
    given = {"exam_scheme": "一", "textbook": "教程", "updated_on": "2020-11-01"}
    refused = client.post(address, given)
    assert (refused.status_code, "请填写出版单位" in text(refused)) == (422, True)
    assert client.post(address, {**given, "publisher": "演示出版社"}).status_code == 302
    for day, words in (("2020-11-19", "不能晚于今天"), ("2020-10-31", "不能早于已登记")):
        page = client.post(address, {**given, "publisher": "演示出版社", "updated_on": day})
        assert (page.status_code, words in text(page)) == (422, True)
    client.post(
        address, {**given, "publisher": "演示出版社", "exam_scheme": "二", "updated_on": "2020-11-02"}
    )
    changes = Event.objects.filter(action="resource_updated").order_by("-pk").first().changes
    assert changes["考核方案"] == ["一", "二"]
    assert "二" in text(client_for(world.contact).get(reverse("resources:detail", args=[world.level.pk])))
    with pytest.raises(PermissionDenied):
        resources.keep(world.level, fields={}, files=[], by=world.office, at=clock.now())


def test_a_resource_without_content_is_not_kept_up(world, client_for):
    client = client_for(world.evaluator_officer)
    address = reverse("resources:edit", args=[world.level.pk])
    only_day = {"exam_scheme": " ", "updated_on": "2020-11-18"}
    refused = client.post(address, only_day)
    assert (refused.status_code, "只有日期不算更新" in text(refused)) == (422, True)
    assert client.get(reverse("resources:list")).context["missing"] == 1
    assert client.post(address, {**only_day, "banks": "题库"}).status_code == 302
    changes = Event.objects.get(action="resource_updated").changes
    assert changes == {"免费题库、案例库": ["", "题库"], "最近更新日期": ["", "2020-11-18"]}
    page = client.get(reverse("resources:detail", args=[world.level.pk]))
    assert "还没有登记：考核方案、模拟考核、教材（" in text(page)


def test_a_file_alone_is_content_of_a_resource(world, client_for):
    client = client_for(world.evaluator_officer)
    address = reverse("resources:edit", args=[world.level.pk])
    upload = SimpleUploadedFile("题库.pdf", b"%PDF-1.4\nstartxref\n0\n%%EOF\n", "application/pdf")
    assert client.post(address, {"updated_on": "2020-11-17", "files": [upload]}).status_code == 302
    assert client.post(address, {"updated_on": "2020-11-18"}).status_code == 302


def test_who_does_not_run_the_level_does_not_see_its_resources(world, client_for):
    other = Certificate.objects.create(name="别的", owner=world.evaluator_org).levels.create(level=1)
    resource(world, other)
    address = reverse("resources:detail", args=[other.pk])
    got = {
        who: client_for(getattr(world, who)).get(address).status_code for who in ("contact", "city_officer")
    }
    assert got == {"contact": 404, "city_officer": 404}
    assert client_for(world.office).get(address).status_code == 200
    assert client_for(world.coordinator).get(address).status_code == 404
    world.evaluator.charges.create(coordinator=world.coordinator, given_by=world.office, given_at=clock.now())
    assert client_for(world.coordinator).get(address).status_code == 200


def test_lists_ask_as_often_for_three_as_for_one(world, client_for):
    client = client_for(world.office)
    rule(world)
    qualify(world, teacher(world))
    trainer(world)
    resource(world)
    names = ["teachers:list", "trainers:list", "resources:list", "teachers:ratios"]
    counts = {}
    for name in names:
        client.get(reverse(name))
    for more in (0, 2):
        for n in range(more):
            qualify(world, teacher(world, number=f"M{n}", by=world.other_contact), by=world.other_contact)
            trainer(world, name=f"又{n}")
            level = Certificate.objects.create(name=f"证{n}", owner=world.evaluator_org).levels.create(
                level=1
            )
            resource(world, level)
            world.add_programme(world.school, level)
        for name in names:
            with CaptureQueriesContext(connection) as asked:
                client.get(reverse(name))
            counts.setdefault(name, set()).add(len(asked))
    assert all(len(numbers) == 1 and max(numbers) <= 20 for numbers in counts.values()), counts


# --- Sheets


def workbook(resource_class, *rows):
    book = Workbook()
    headings = [column.shown_heading for column in resource_class.columns()]
    book.active.title = resource_class.sheet
    book.active.append(headings)
    for cells in rows:
        book.active.append([cells.get(heading.rstrip("*")) for heading in headings])
    buffer = io.BytesIO()
    book.save(buffer)
    return SimpleUploadedFile("名单.xlsx", buffer.getvalue())


def take_in(kind, resource_class, by, *rows):
    job = imports.start(kind=kind, upload=workbook(resource_class, *rows), by=by, at=clock.now())
    job.refresh_from_db()
    if not job.result["error_count"]:
        imports.apply(job=job)
        job.refresh_from_db()
    return job


def teachers_in(world, *rows, by=None):
    return take_in("evaluators.teachers", sheets.TeacherResource, by or world.contact, *rows)


def trainers_in(world, *rows):
    return take_in("evaluators.trainers", sheets.TrainerResource, world.evaluator_officer, *rows)


def test_teachers_come_by_staff_number_and_nobody_elses_are_touched(world):
    theirs = teacher(world, name="外校", number="0012", by=world.other_contact)
    row = {"工号": "0012", "姓名": "甲", "任教专业": "机电", "电话": PHONE}
    job = teachers_in(world, row)
    mine = Teacher.objects.get(school=world.school)
    assert (mine.name, mine.staff_number, mine.phone) == ("甲", "0012", PHONE)
    assert PHONE not in str(Job.objects.get(pk=job.pk).result)
    teachers_in(world, {"工号": "0012", "姓名": "甲改"})
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.name, mine.majors, mine.phone, theirs.name) == ("甲改", "机电", PHONE, "外校")


def test_a_bad_row_stops_the_whole_sheet(world):
    job = teachers_in(
        world,
        {"工号": "1", "姓名": "甲"},
        {"工号": "1", "姓名": "乙"},
        {"工号": "2", "姓名": "丙", "电话": "13912"},
    )
    assert job.result["error_count"] == 2
    assert "13912" not in str(job.result)
    assert not Teacher.objects.exists()


def test_a_sheet_of_trainers_and_its_undoing(world):
    row = {"姓名": "甲", "工作单位": "演示企业", "单位类别": "行业企业", "加入日期": "2020-11-01"}
    known = trainer(world, name="乙")
    job = trainers_in(world, row, {**row, "姓名": "乙", "职称或职业资格": "技师", "单位类别": "院校"})
    assert "单位类别：行业企业 → 院校" in str(job.result)
    known.refresh_from_db()
    assert known.title == "技师"
    new = Trainer.objects.get(name="甲")
    assert (new.employer_kind, new.joined_on) == ("industry", dt.date(2020, 11, 1))
    imports.undo(job=job, by=world.evaluator_officer, at=clock.now())
    known.refresh_from_db()
    assert (known.title, Trainer.objects.count()) == ("高级工程师", 1)
    again = trainers_in(world, row)
    file(world, trainers=[Trainer.objects.get(name="甲")])
    with pytest.raises(CannotUndo, match="导入后已使用"):
        imports.undo(job=again, by=world.evaluator_officer, at=clock.now())


@pytest.mark.parametrize("fields", [{"title": "总工"}, {"phone": PHONE}])
def test_whom_a_sheet_brought_stays_once_changed(world, fields):
    job = trainers_in(
        world, {"姓名": "甲", "工作单位": "演示企业", "单位类别": "行业企业", "加入日期": "2020-11-01"}
    )
    made = Trainer.objects.get(name="甲")
    trainers.change_trainer(made, fields=fields, by=world.evaluator_officer, at=clock.now())
    with pytest.raises(CannotUndo, match="甲：导入后又改过"):
        imports.undo(job=job, by=world.evaluator_officer, at=clock.now())
    assert Trainer.objects.filter(pk=made.pk).exists()


def test_sheets_upon_one_another_are_undone_the_last_first(world):
    row = {"姓名": "甲", "工作单位": "演示企业", "单位类别": "行业企业", "加入日期": "2020-11-01"}
    first = trainers_in(world, row)
    second = trainers_in(world, {**row, "职称或职业资格": "技师"})
    with pytest.raises(CannotUndo, match="甲：导入后又改过"):
        imports.undo(job=first, by=world.evaluator_officer, at=clock.now())
    imports.undo(job=second, by=world.evaluator_officer, at=clock.now())
    imports.undo(job=first, by=world.evaluator_officer, at=clock.now())
    assert not Trainer.objects.exists()


def test_who_is_gone_is_a_reason(world, client_for):
    known = trainer(world, name="乙")
    row = {"姓名": "乙", "工作单位": "演示企业", "单位类别": "行业企业", "加入日期": "2020-11-01"}
    job = trainers_in(world, {**row, "职称或职业资格": "技师"}, {**row, "姓名": "甲"})
    known.delete()
    page = client_for(world.evaluator_officer).post(f"/jobs/{job.pk}/undo/")
    assert page.status_code < 500
    with pytest.raises(CannotUndo, match="乙：导入后已从名单中删除"):
        imports.undo(job=job, by=world.evaluator_officer, at=clock.now())


def test_a_new_phone_is_kept_in_no_result(world):
    job = teachers_in(world, {"工号": "1", "姓名": "甲", "电话": PHONE})
    assert PHONE not in str(job.result)
    imports.undo(job=job, by=world.contact, at=clock.now())
    assert not Teacher.objects.exists()


def test_replaced_phones_are_kept_nowhere_so_that_sheet_stays(world):
    teacher(world, number="1")
    job = teachers_in(world, {"工号": "1", "姓名": "演示教师", "电话": PHONE})
    assert PHONE not in str(job.result)
    assert "13900002222" not in str(job.result)
    with pytest.raises(CannotUndo, match="更新过电话"):
        imports.undo(job=job, by=world.contact, at=clock.now())


@pytest.mark.parametrize(
    ("who", "teachers_", "trainers_"),
    [("contact", 200, 403), ("leader", 403, 403), ("evaluator_officer", 403, 200), ("office", 403, 403)],
)
def test_each_imports_only_its_own(world, client_for, who, teachers_, trainers_):
    client = client_for(getattr(world, who))
    got = [client.get(reverse(f"{name}:import")).status_code for name in ("teachers", "trainers")]
    assert got == [teachers_, trainers_]
