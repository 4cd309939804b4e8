"""The staff of a filing from a sheet: read whole or not at all, into the draft, and kept nowhere else."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from openpyxl import Workbook, load_workbook

from accounts.models import Role
from core.imports import faults
from core.models import Attachment, Event, Job
from evaluators import filing_content as shape
from evaluators.models import EvaluatorFiling
from evaluators.tests.filed import TYPED, draft

HEADINGS = ["姓名", "电话", "负责业务"]
GOOD = [["丙", "139 3333 4444", "培训"], ["丁", "0351-7654321", None], ["戊", 13955557777, "考务"]]
READ = [
    {"name": "丙", "phone": "13933334444", "duty": "培训"},
    {"name": "丁", "phone": "0351-7654321", "duty": ""},
    {"name": "戊", "phone": "13955557777", "duty": "考务"},
]
STANDING = {"name": "工作人员乙", "phone": "13955556666", "duty": "考务"}


def sheet(rows, headings=HEADINGS, name="人员.xlsx"):
    book = Workbook()
    for row in [headings, *rows]:
        book.active.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return SimpleUploadedFile(name, kept.getvalue())


def send(world, client, file, action="staff-replace", *, revision=None, **changes):
    record = EvaluatorFiling.objects.filter(pk=world.certificate.pk).first()
    posted = {**TYPED, **changes, "action": action, "staff_file": file or ""}
    posted["revision"] = (record.draft_revision if record else 0) if revision is None else revision
    return client.post(reverse("evaluator-filings:edit", args=[world.certificate.pk]), posted)


def staff(world):
    return shape.staff_of(EvaluatorFiling.objects.get(pk=world.certificate.pk).draft)


@pytest.fixture
def client(world, client_for):
    return client_for(world.evaluator_officer)


@pytest.mark.parametrize(
    ("action", "expected"), [("staff-replace", READ), ("staff-append", [STANDING, *READ])]
)
def test_a_good_sheet_stands_in_the_form_for_checking(world, client, action, expected):
    response = send(world, client, sheet(GOOD), action, name="刚改的名字")
    page = client.get(response["Location"].partition("#")[0])
    assert staff(world) == expected
    assert all(person["phone"] in page.content.decode() for person in expected)
    assert "刚改的名字" in page.content.decode()
    assert not page.context["form"].errors


def test_the_same_sheet_appended_twice_adds_nobody_twice(world, client):
    send(world, client, sheet(GOOD), "staff-append")
    typed = shape.with_staff(TYPED, staff(world))
    send(world, client, sheet(GOOD), "staff-append", **typed)
    assert staff(world) == [STANDING, *READ]


def test_nothing_of_the_sheet_is_kept_but_the_draft(world, client):
    before = Attachment.objects.count()
    send(world, client, sheet(GOOD))
    send(world, client, sheet([["丙", "13900", ""]]))
    assert Attachment.objects.count() == before
    assert not Job.objects.exists()
    assert not any("139" in str(event.changes) for event in Event.objects.all())


def test_two_bad_rows_are_both_told_and_no_row_is_taken(world, client):
    rows = [GOOD[0], ["", "13933334444", "培训"], GOOD[1], ["戊", "1386666", "字" * 61]]
    response = send(world, client, sheet(rows), name="刚改的名字")
    text = response.content.decode()
    assert response.status_code == 422
    assert "第3行“姓名”（A3）：必填" in text
    assert "第5行“电话”（B5）：请填写 11 位手机号" in text
    assert "第5行“负责业务”（C5）：共 61 字" in text
    assert "1386666" not in text
    assert staff(world) == [STANDING]
    assert EvaluatorFiling.objects.get(pk=world.certificate.pk).draft["name"] == "刚改的名字"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (sheet(GOOD, name="人员.xls"), faults.WRONG_EXTENSION.format(name="人员.xls")),
        (SimpleUploadedFile("人员.xlsx", "姓名,电话\n".encode()), faults.CSV_RENAMED),
        (SimpleUploadedFile("人员.xlsx", b""), faults.EMPTY_FILE[:14]),
        (sheet([["丙", "培训"]], ["姓名", "负责业务"]), faults.MISSING_HEADINGS.format(names="电话")),
        (sheet([["丙", "=1+1", "培训"]]), faults.FORMULAS.format(cells="B2")),
        (sheet([]), faults.EMPTY_TEMPLATE),
        (sheet([[f"人{n}", "", ""] for n in range(301)]), "最多 300 人：表格有 301 人"),
        (None, "请选择要上传的文件"),
    ],
)
def test_a_wrong_file_is_refused_in_the_words_of_every_import(world, client, file, message):
    if file:
        file.seek(0)
    response = send(world, client, file)
    assert response.status_code == 422
    assert message in response.context["sheet"].errors["staff_file"][0]
    assert staff(world) == [STANDING]


def test_as_many_as_fit_and_one_more_beside_them_does_not(world, client):
    rows = [[f"人{n}", "", ""] for n in range(shape.MOST_STAFF)]
    assert send(world, client, sheet(rows), "staff-append").status_code == 422
    assert staff(world) == [STANDING]
    assert send(world, client, sheet(rows)).status_code == 302
    assert len(staff(world)) == shape.MOST_STAFF


def test_a_sheet_sent_with_another_button_is_not_passed_over(world, client):
    response = send(world, client, sheet(GOOD), "check")
    assert response.status_code == 422
    assert "表格还没有读入" in response.content.decode()
    assert staff(world) == [STANDING]


def test_a_draft_saved_elsewhere_meets_the_sheet_on_the_conflict_page(world, client):
    draft(world)
    response = send(world, client, sheet(GOOD), revision="0")
    assert response.status_code == 409
    assert "13933334444" in response.content.decode()
    assert staff(world) == [STANDING]
    merge = {**response.context["mine"], "action": "merge", "whole": "mine"}
    merge["revision"] = response.context["record"].draft_revision
    client.post(reverse("evaluator-filings:edit", args=[world.certificate.pk]), merge)
    assert staff(world) == READ


def test_the_template_is_read_as_it_comes(world, client):
    response = client.get(reverse("evaluator-filings:staff-template", args=[world.certificate.pk]))
    book = load_workbook(io.BytesIO(response.content))
    assert [cell.value.rstrip("*") for cell in book["工作人员"][1]] == HEADINGS
    for row in GOOD:
        book["工作人员"].append(row)
    kept = io.BytesIO()
    book.save(kept)
    send(world, client, SimpleUploadedFile("工作人员模板.xlsx", kept.getvalue()))
    assert staff(world) == READ


def test_another_evaluator_meets_neither_form_nor_template(world, client_for):
    stranger = type(world.evaluator_org).objects.create(kind="evaluator", name="另一评价组织", code="E2")
    client = client_for(world.add_user(Role.EVALUATOR, stranger, "stranger"))
    draft(world)
    assert send(world, client, sheet(GOOD)).status_code == 404
    address = reverse("evaluator-filings:staff-template", args=[world.certificate.pk])
    assert client.get(address).status_code == 404
    assert client_for(world.office).get(address).status_code == 403
    assert staff(world) == [STANDING]
