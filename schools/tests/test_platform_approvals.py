"""The national platform's approvals: taken in, taken back, and held against ours."""

import io

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from accounts.models import Organization, OrganizationAlias
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.imports import services as imports
from core.models import Event
from schools import differences, services
from schools.models import AnnualPlan, PlatformApproval
from schools.platform_resources import PlatformStateResource
from schools.services import platform

UPLOAD = "/programmes/platform/"
DIFFERENCES = "/programmes/platform/differences/"
HEADINGS = [column.shown_heading for column in PlatformStateResource.columns()]


def page(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, response.status_code
    return response.content.decode()


def row(world, school=None, **changes):
    return {
        "学校代码": (school or world.school).organization.code,
        "证书名称": "演示运维",
        "等级": "中级",
        "年度": 2020,
        "审核状态": "审核通过",
        "计划人数": 100,
        "数据日期": "2020-11-10",
        **changes,
    }


def upload(*rows):
    book = Workbook()
    book.active.title = PlatformStateResource.sheet
    book.active.append(HEADINGS)
    for cells in rows:
        book.active.append([cells.get(heading.rstrip("*")) for heading in HEADINGS])
    buffer = io.BytesIO()
    book.save(buffer)
    return SimpleUploadedFile("平台审核.xlsx", buffer.getvalue())


def check(world, *rows):
    content = upload(*rows).read()
    return PlatformStateResource(by=world.office, at=clock.now()).check(content, "平台审核.xlsx")


def take_in(world, *rows):
    job = imports.start(kind="schools.platform_states", upload=upload(*rows), by=world.office, at=clock.now())
    job.refresh_from_db()
    imports.apply(job=job)
    job.refresh_from_db()
    return job


def errors(world, *rows):
    return [(e.row, e.heading, e.message) for e in check(world, *rows).errors]


# --- import


def test_from_upload_to_undo_on_the_pages(world, client_for):
    client = client_for(world.office)
    assert client.get("/imports/schools.platform_states/template.xlsx").status_code == 200
    response = client.post(UPLOAD, {"file": upload(row(world))})
    assert "确认导入 1 行" in page(client, response.url)
    assert not PlatformApproval.objects.exists()
    client.post(f"{response.url}apply/")
    assert "导入完成" in page(client, response.url)
    kept = PlatformApproval.objects.get()
    assert (kept.is_approved, kept.state_words, kept.candidates) == (True, "审核通过", 100)
    assert "2020年11月10日" in page(client, f"/programmes/?q={world.school.organization.code}")
    assert client.post(f"{response.url}undo/").url == response.url
    assert not PlatformApproval.objects.exists()
    assert list(
        Event.objects.filter(action__startswith="platform_state")
        .order_by("pk")
        .values_list("action", flat=True)
    ) == ["platform_state_taken", "platform_state_undone"]


def test_the_same_file_twice_changes_nothing_and_says_so(world, client_for):
    take_in(world, row(world))
    before = Event.objects.count()
    again = take_in(world, row(world))
    assert (again.result["stage"], again.result["same"], again.result["news"]) == ("checked", 1, 0)
    assert Event.objects.filter(action="platform_state_taken").count() == 1
    assert Event.objects.count() == before + 1  # the kept file's
    assert "没有变化" in page(client_for(world.office), UPLOAD)


def test_every_fault_of_every_row_at_once(world):
    rows = [
        row(world, 学校代码="0000000000"),
        row(world, 学校名称="长治演示职业学校"),
        row(world, 证书名称="没有的证书", 等级="特级"),
        row(world, 等级="高级", 审核状态="大概通过"),
        row(world, 年度=2022, 计划人数=-1, 数据日期="2020-11-19"),
        row(world, 数据日期="下周"),
        {},
        row(world, world.other_school),
        row(world, world.other_school, 审核状态="未通过"),
    ]
    found = errors(world, *rows)
    for number, heading, words in [
        (2, "学校代码", "没有登记代码"),
        (3, "学校名称", "核对是否错行"),
        (4, "证书名称", "证书目录里没有"),
        (4, "等级", "不认识"),
        (5, "审核状态", "审核通过"),
        (5, "等级", "没有这个等级"),
        (6, "年度", "太远"),
        (6, "计划人数", "负数"),
        (6, "数据日期", "还没有到"),
        (7, "数据日期", "不是日期"),
    ]:
        assert any(n == number and h == heading and words in m for n, h, m in found), (number, heading)
    assert any("重复" in message for _, _, message in found)
    job = take_in(world, *rows)
    assert job.result["stage"] == "checked"
    assert not PlatformApproval.objects.exists()


def test_a_school_is_matched_by_code_or_alias_and_never_by_name_alone(world):
    assert errors(world, row(world, 学校代码=None, 学校名称=str(world.school)))[0][1] == "学校代码"
    OrganizationAlias.objects.create(organization=world.school_org, name="4199999999")
    OrganizationAlias.objects.create(organization=world.school_org, name="太原旧名学校")
    take_in(world, row(world, 学校代码="4199999999", 学校名称="太原旧名学校"))
    assert PlatformApproval.objects.get().organization == world.school_org


def test_certificates_of_one_name_need_their_owner(world):
    other = Organization.objects.create(kind="evaluator", name="另一演示组织", code="E2")
    twin = Certificate.objects.create(name=world.certificate.name, owner=other)
    level = CertificateLevel.objects.create(certificate=twin, level=2)
    assert errors(world, row(world))[0][1] == "培训评价组织"
    take_in(world, row(world, 培训评价组织="另一演示组织"))
    assert PlatformApproval.objects.get().certificate_level == level


def test_a_later_list_replaces_and_an_earlier_one_is_refused(world):
    take_in(world, row(world, 审核状态="待审核"))
    take_in(world, row(world, 计划人数=90, 数据日期="2020-11-17"))
    kept = PlatformApproval.objects.get()
    assert (kept.is_approved, kept.candidates) == (True, 90)
    assert errors(world, row(world))[0][1:] == (
        "数据日期",
        "已有较新的数据（2020年11月17日）。请核对日期，或删去这一行。",
    )


def test_a_blank_number_says_nothing_on_the_same_day(world):
    take_in(world, row(world))
    assert check(world, row(world, 计划人数=None)).same == 1


def test_undo_brings_back_what_was_known_and_refuses_once_a_later_list_has_spoken(world):
    take_in(world, row(world, 审核状态="待审核"))
    second = take_in(world, row(world, 数据日期="2020-11-12"), row(world, world.other_school))
    third = take_in(world, row(world, 计划人数=80, 数据日期="2020-11-15"))
    with pytest.raises(imports.CannotUndo, match="导入后又改过"):
        imports.undo(job=second, by=world.office, at=clock.now())
    assert PlatformApproval.objects.count() == 2
    imports.undo(job=third, by=world.office, at=clock.now())
    imports.undo(job=second, by=world.office, at=clock.now())
    kept = PlatformApproval.objects.get()
    assert (kept.organization, kept.state_words, kept.as_of.isoformat()) == (
        world.school_org,
        "待审核",
        "2020-11-10",
    )


@pytest.mark.parametrize("who", ["city_officer", "contact", "evaluator_officer", "finance", "auditor"])
def test_only_the_office_imports(world, client_for, who):
    client = client_for(getattr(world, who))
    assert client.get(UPLOAD).status_code == 403
    assert "推进办导入" in client.post(UPLOAD, {"file": upload(row(world))}).content.decode()
    with pytest.raises(PermissionDenied):
        platform.take_states(rows=[], by=getattr(world, who), at=clock.now())


# --- differences


def kinds(user):
    return {kind: number for kind, _, number in differences.counts(user, clock.now(), 2020)}


def test_each_kind_of_difference(world, client_for):
    assert kinds(world.office) == {"ours": 0, "theirs": 0, "heads": 0, "ended": 0}
    high = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    third = world.add_school("阳泉演示职业学校")
    fourth = world.add_school("晋城演示职业学校")
    take_in(
        world,
        row(world),
        row(world, world.other_school, 计划人数=60),
        row(world, third, 审核状态="未通过", 计划人数=None),
        row(world, third, 等级="高级", 计划人数=30),
        row(world, fourth),
    )
    assert kinds(world.office) == {"ours": 1, "theirs": 1, "heads": 1, "ended": 0}
    services.end_programme(programme=fourth.programmes.get(), reason="停办", by=world.office, at=clock.now())
    assert kinds(world.office) == {"ours": 1, "theirs": 1, "heads": 1, "ended": 1}
    client = client_for(world.office)
    told = {
        "ours": (third, ["未通过", "100"]),
        "theirs": (third, ["没有计划", "30", str(high.get_level_display())]),
        "heads": (world.other_school, ["100", "60"]),
        "ended": (fourth, ["2020年11月10日"]),
    }
    for kind, (school, words) in told.items():
        shown = page(client, f"{DIFFERENCES}?kind={kind}")
        table = shown[shown.index("<table") :]
        for word in [str(school), *words]:
            assert word in table, (kind, word)
        assert "2020年11月10日" in shown or "11月10日" in shown
        exported = client.post(f"{DIFFERENCES}?kind={kind}")
        sheet = load_workbook(io.BytesIO(exported.content)).worksheets[0]
        assert any(str(school) in map(str, cells) for cells in sheet.iter_rows(values_only=True)), kind


def test_a_plan_for_a_dormant_year_and_an_equal_number_are_no_difference(world):
    take_in(world, row(world), row(world, world.other_school, 计划人数=None))
    assert not any(kinds(world.office).values())
    world.programme.plans.all().delete()
    assert kinds(world.office)["theirs"] == 1
    AnnualPlan.objects.create(programme=world.programme, year=2021, candidates=5)
    assert differences.counts(world.office, clock.now(), 2021)[0][2] == 0


def test_a_year_not_imported_is_no_difference_but_said(world, client_for):
    shown = page(client_for(world.office), DIFFERENCES)
    assert "还没有导入2020年度的国家平台审核结果" in shown
    assert "未导入该年数据" in page(client_for(world.contact), f"/programmes/{world.programme.pk}/")


def test_a_started_again_programme_has_not_ended(world):
    services.end_programme(programme=world.programme, reason="误开", by=world.office, at=clock.now())
    take_in(world, row(world))
    assert kinds(world.office)["ended"] == 1
    world.at("2020-11-19T10:00:00+08:00")
    fresh = services.start_programme(school=world.school, level=world.level, by=world.office, at=clock.now())
    services.set_annual_plan(programme=fresh, year=2020, candidates=70, by=world.office, at=clock.now())
    assert kinds(world.office) == {"ours": 1, "theirs": 0, "heads": 1, "ended": 0}


def test_the_programme_page_and_the_list_tell_the_difference(world, client_for):
    take_in(world, row(world, 计划人数=60))
    shown = page(client_for(world.contact), f"/programmes/{world.programme.pk}/")
    assert "计划人数不同：国家平台 60，本平台 100" in shown
    assert "国家平台名单中没有" in page(
        client_for(world.other_contact), f"/programmes/{world.other_programme.pk}/"
    )
    listed = page(client_for(world.office), "/programmes/?gap=platform")
    assert str(world.school) in listed
    assert str(world.other_school) in listed
    take_in(world, row(world, 数据日期="2020-11-11"))
    assert str(world.school) not in page(client_for(world.office), "/programmes/?gap=platform")


def test_the_scope_of_the_differences(world, client_for):
    take_in(world, row(world, 计划人数=60), row(world, world.other_school, 计划人数=60))
    seen = page(client_for(world.city_officer), f"{DIFFERENCES}?kind=heads")
    assert str(world.school) in seen
    assert str(world.other_school) not in seen
    assert kinds(world.city_officer)["heads"] == 1
    for who in ("contact", "leader", "evaluator_officer", "expert", "third_party", "learner"):
        assert "核对" in page(client_for(getattr(world, who)), DIFFERENCES, 403)
    for who in ("finance", "leading", "auditor"):
        assert "导入国家平台审核结果</a>" not in page(client_for(getattr(world, who)), DIFFERENCES)


@pytest.mark.parametrize("kind", differences.Kind.values)
@pytest.mark.parametrize("schools", [1, 3])
def test_the_same_queries_for_one_and_for_many(world, client_for, kind, schools, django_assert_num_queries):
    rows = []
    for n in range(schools):
        school = world.add_school(f"演示学校{n}")
        if kind == "theirs":
            school.programmes.get().plans.all().delete()
        if kind == "ended":
            services.end_programme(
                programme=school.programmes.get(), reason="停", by=world.office, at=clock.now()
            )
        rows.append(row(world, school, 计划人数=60, 审核状态="未通过" if kind == "ours" else "审核通过"))
    take_in(world, *rows)
    client = client_for(world.office)
    client.get(f"{DIFFERENCES}?kind={kind}")
    with django_assert_num_queries(13):
        client.get(f"{DIFFERENCES}?kind={kind}")
