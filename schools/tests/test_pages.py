"""Pages of schools and of the roster's import: who sees what, and what a press does."""

import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from accounts.models import Organization
from certificates.models import Certificate, CertificateLevel
from core import clock, jobs, tasks
from core.models import Job, Notice
from schools.models import AnnualPlan, School
from schools.tests.rosters import GOOD, row, take_in, upload


def page(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, response.status_code
    return response.content.decode()


def import_by_page(client, *rows):
    response = client.post("/schools/roster/", {"file": upload(*rows)})
    assert response.status_code == 302, response.content.decode()
    return response.url


def test_from_upload_to_undo_by_hand(world, client_for):
    client = client_for(world.office)
    address = import_by_page(client, GOOD)
    assert "确认导入 1 行" in page(client, address)
    assert not School.objects.filter(organization__code="4214000001").exists()
    assert client.post(f"{address}apply/").url == address
    assert "导入完成" in page(client, address)
    assert client.post(f"{address}apply/").url == address
    assert School.objects.filter(organization__code="4214000001").count() == 1
    assert "撤销" in page(client, f"{address}undo/")
    assert client.post(f"{address}undo/").url == address
    assert "已撤销" in page(client, address)
    assert not School.objects.filter(organization__code="4214000001").exists()
    assert "已撤销" in page(client, "/schools/roster/")
    assert client.post("/schools/roster/", {"file": upload(row(年度=None))}).status_code == 302
    assert "有错误，未导入" in page(client, "/schools/roster/")


def test_errors_and_their_workbook(world, client_for):
    client = client_for(world.office)
    address = import_by_page(client, row(拟考证人数=-1, 所在市="北京市"))
    shown = page(client, address)
    assert "1 行有 2 处错误" in shown
    assert "确认导入" not in shown
    assert client.post(f"{address}apply/").status_code == 302
    assert not School.objects.filter(organization__code="4214000001").exists()
    sheet = load_workbook(io.BytesIO(client.get(f"{address}errors.xlsx").content))["院校名册"]
    assert "负数" in sheet["L2"].comment.text
    assert "北京市" in sheet["D2"].comment.text


def test_refused_file_and_no_file(world, client_for):
    client = client_for(world.office)
    response = client.post("/schools/roster/", {"file": io.BytesIO(b"PK nonsense")})
    assert response.status_code == 422
    assert client.post("/schools/roster/").status_code == 422
    assert not Job.objects.exists()


def test_large_file_goes_to_a_worker(world, client_for):
    client = client_for(world.office)
    rows = [row(学校代码=f"42150{n:05d}", 学校名称=f"演示学校{n:05d}", 别名=None) for n in range(300)]
    address = import_by_page(client, *rows)
    response = client.get(address)
    assert response["Refresh"]
    assert "正在核对" in response.content.decode()
    job = Job.objects.get()
    tasks.run_job(str(job.pk))
    assert Notice.objects.get(recipient=world.office).link == address
    assert "新增 300 行" in page(client, address)
    client.post(f"{address}apply/")
    assert "正在导入" in page(client, address)
    tasks.run_job(str(job.pk))
    tasks.run_job(str(job.pk))
    assert "导入完成" in page(client, address)
    assert School.objects.count() == 302
    assert Notice.objects.filter(recipient=world.office).count() == 2


def test_what_a_worker_left_is_done_again(world):
    job = take_in(world.office, GOOD)
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None, arguments={"step": "apply"})
    assert jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["same"]) == ("done", 1)


@pytest.mark.parametrize("who", ["city_officer", "contact", "evaluator_officer", "auditor", "learner"])
def test_only_the_office_imports_and_edits(world, client_for, who):
    job = take_in(world.office, GOOD)
    client = client_for(getattr(world, who))
    assert client.get("/schools/roster/").status_code == 403
    assert client.post("/schools/roster/", {"file": upload(GOOD)}).status_code == 403
    assert client.get("/imports/schools.roster/template.xlsx").status_code == 403
    assert client.get("/schools/new/").status_code == 403
    for path in ("", "errors.xlsx", "undo/"):
        assert client.get(f"/jobs/{job.pk}/{path}").status_code == 404
    assert client.post(f"/jobs/{job.pk}/apply/").status_code == 404
    assert client.post(f"/schools/{world.school.pk}/edit/").status_code in {403, 404}
    assert client.post(f"/programmes/{world.programme.pk}/plan/").status_code in {403, 404}


def test_scope_of_the_list(world, client_for):
    both = {str(world.school), str(world.other_school)}
    seen = {
        who: {name for name in both if name in page(client_for(getattr(world, who)), "/schools/")}
        for who in ("office", "auditor", "city_officer", "contact", "evaluator_officer")
    }
    own = {str(world.school)}
    assert seen == {
        "office": both,
        "auditor": both,
        "city_officer": own,
        "contact": own,
        "evaluator_officer": both,
    }
    for who in ("expert", "third_party", "coordinator", "learner"):
        assert client_for(getattr(world, who)).get("/schools/").status_code == 403


def test_an_evaluator_sees_the_schools_that_run_its_certificates(world, client_for):
    stranger = Organization.objects.create(kind="evaluator", name="另一演示组织", code="E2")
    user = world.add_user("evaluator", stranger, "stranger")
    assert client_for(user).get(f"/schools/{world.school.pk}/").status_code == 404
    client = client_for(world.evaluator_officer)
    shown = page(client, f"/schools/{world.school.pk}/")
    assert ">修改</a>" not in shown
    assert "历次周报" not in shown
    assert client.get(f"/schools/{world.school.pk}/edit/").status_code == 403
    assert client_for(world.contact).get(f"/schools/{world.other_school.pk}/").status_code == 404


def test_a_contacts_mobile_is_for_those_who_must_reach_them(world, client_for):
    world.school.contact_mobile = "13812345678"
    world.school.save()
    path = f"/schools/{world.school.pk}/"
    for who in ("office", "city_officer", "contact"):
        assert "13812345678" in page(client_for(getattr(world, who)), path)
    for who in ("auditor", "evaluator_officer"):
        assert "138****5678" in page(client_for(getattr(world, who)), path)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=太原", 1),
        ("q=ty", 1),
        ("q=T0", 2),
        ("kind=secondary_vocational", 2),
        ("kind=open_university", 0),
        ("lead=True", 0),
        ("pilot=True", 2),
        ("pilot=False", 0),
        ("city=140400", 1),
        ("certificate={certificate}", 2),
        ("certificate={other}", 0),
        ("certificate=99999", 0),
        ("supervisor={bureau}", 1),
    ],
)
def test_filters(world, client_for, query, found):
    for organization in (world.school_org, world.other_school_org):
        organization.pinyin = "ty" if organization == world.school_org else "cz"
        organization.save()
    other = Certificate.objects.create(name="别的", owner=world.evaluator_org)
    query = query.format(certificate=world.certificate.pk, other=other.pk, bureau=world.bureau.pk)
    assert f"共 <strong>{found}</strong> 条" in page(client_for(world.office), f"/schools/?{query}")


def test_the_list_begins_with_those_in_the_pilot(world, client_for):
    world.other_school_org.memberships.update(left_at=clock.now())
    client = client_for(world.office)
    for query, found in [("", 1), ("?sort=code", 1), ("?pilot=", 2), ("?pilot=False", 1), ("?q=T0", 1)]:
        assert f"共 <strong>{found}</strong> 条" in page(client, f"/schools/{query}"), query
    shown = page(client, "/schools/")
    assert '<option value="True" selected>在试点' in shown
    assert 'href="/schools/?pilot="' in shown
    assert 'href="/schools/?pilot="' not in page(client, "/schools/?pilot=")
    exported = load_workbook(io.BytesIO(client.post("/schools/").content)).active
    assert exported.max_row == 2


def test_accounts_stand_in_where_the_roster_names_no_contact(world, client_for):
    client, address = client_for(world.office), f"/schools/{world.school.pk}/"
    School.objects.filter(pk=world.school.pk).update(contact_name="", contact_mobile="", contact_email="")
    shown = page(client, address)
    assert world.contact.name in shown
    assert "名册未登记联系人" in shown
    School.objects.filter(pk=world.school.pk).update(contact_name="名册上的人")
    shown = page(client, address)
    assert "名册上的人" in shown
    assert "名册未登记联系人" not in shown


def test_list_sorts_and_exports(world, client_for):
    client = client_for(world.office)
    for column in (
        "organization",
        "code",
        "kind",
        "city",
        "supervisor",
        "is_lead",
        "levels",
        "planned",
        "in_pilot",
    ):
        page(client, f"/schools/?sort=-{column}")
    response = client.post("/schools/?city=140100")
    rows = list(load_workbook(io.BytesIO(response.content)).active.values)
    assert len(rows) == 2
    assert rows[1][-1] == "在试点"


@pytest.mark.parametrize("path", ["/schools/", "/schools/{pk}/", "/schools/roster/"])
def test_queries_do_not_grow_with_rows(world, client_for, path):
    client = client_for(world.office)
    path = path.format(pk=world.school.pk)
    take_in(world.office, GOOD)
    with CaptureQueriesContext(connection) as few:
        page(client, path)
    for level in (1, 3):
        level = CertificateLevel.objects.create(certificate=world.certificate, level=level)
        world.add_programme(world.school, level)
        world.add_school(f"再一所{level.level}")
        take_in(world.office, row(拟考证人数=level.level))
    with CaptureQueriesContext(connection) as more:
        page(client, path)
    assert len(more) <= len(few) <= 20


def test_a_school_by_hand(world, client_for):
    client = client_for(world.office)
    fields = {
        "code": "4214000007",
        "name": "手工演示学校",
        "kind": "secondary_vocational",
        "city": "140100",
        "supervisor": world.bureau.pk,
        "contact_mobile": "138 0000 0000",
    }
    response = client.post("/schools/new/", fields)
    school = School.objects.get(organization__code="4214000007")
    assert response.url == f"/schools/{school.pk}/"
    assert school.contact_mobile == "13800000000"
    again = client.post("/schools/new/", {**fields, "name": "又一所"})
    assert again.status_code == 422
    assert "代码 4214000007 已登记" in again.content.decode()
    technical = client.post("/schools/new/", {**fields, "code": "1", "name": "某技工学校"}).content.decode()
    assert "不含技工学校" in technical
    edited = {**fields, "name": "改名演示学校", "is_lead": "on"}
    assert client.post(f"/schools/{school.pk}/edit/", edited).status_code == 302
    shown = page(client, f"/schools/{school.pk}/")
    assert "改名演示学校" in shown
    assert "手工演示学校" in shown
    assert "牵头院校" in shown


def test_programmes_and_plans_by_hand(world, client_for):
    client = client_for(world.office)
    level = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    path = f"/schools/{world.school.pk}/programmes/new/"
    assert client.post(path, {"certificate_level": level.pk, "candidates": 40}).status_code == 302
    assert client.post(path, {"certificate_level": level.pk}).status_code == 422
    programme = world.school.programmes.get(certificate_level=level)
    assert (
        client.post(f"/programmes/{programme.pk}/plan/", {"year": 2020, "candidates": 55}).status_code == 302
    )
    assert (
        client.post(f"/programmes/{programme.pk}/plan/", {"year": 2030, "candidates": 55}).status_code == 422
    )
    assert AnnualPlan.objects.get(programme=programme).candidates == 55
    world.at("2020-11-19T10:00:00+08:00")
    client = client_for(world.office)
    assert "结束" in page(client, f"/programmes/{programme.pk}/end/")
    assert client.post(f"/programmes/{programme.pk}/end/", {"reason": ""}).status_code == 422
    assert client.post(f"/programmes/{programme.pk}/end/", {"reason": "协议终止"}).status_code == 302
    programme.refresh_from_db()
    assert programme.ended_at == clock.now()
    assert "已结束的项目" in page(client, f"/schools/{world.school.pk}/")


def test_a_file_too_large_to_read_while_waiting_is_refused_by_the_worker(world, client_for, monkeypatch):
    monkeypatch.setattr("core.imports.services.INLINE_BYTES", 0)
    client = client_for(world.office)
    address = import_by_page(client, row(学校代码=None, 学校名称="=A1"))
    tasks.run_job(str(Job.objects.get().pk))
    shown = page(client, address)
    assert "没有导入任何内容" in shown
    assert "是公式" in shown
