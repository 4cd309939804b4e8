"""Sites taken in as a list: every row's faults at once, all or nothing, taken back."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from accounts.models import County
from core import clock
from core.imports import services as imports
from core.models import Event
from evaluators.models import EvaluatorFiling, ExamSite
from evaluators.services import sites
from evaluators.site_resources import SiteResource
from evaluators.tests.siting import applied, condition

HEADINGS = [column.shown_heading for column in SiteResource.columns()]


def row(world, **changes):
    return {
        "学校代码": world.school_org.code,
        "证书名称": "演示运维",
        "站点名称": "太原演示考点",
        "地址": "演示路1号",
        "考位": 40,
        "设备与场地": "机房三间",
        "备案日期": "2020-10-12",
        **changes,
    }


def workbook(*rows):
    book = Workbook()
    book.active.title = SiteResource.sheet
    book.active.append(HEADINGS)
    for cells in rows:
        book.active.append([cells.get(heading.rstrip("*")) for heading in HEADINGS])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def checked(world, *rows):
    upload = SimpleUploadedFile("站点.xlsx", workbook(*rows))
    job = imports.start(kind="evaluators.sites", upload=upload, by=world.office, at=clock.now())
    job.refresh_from_db()
    return job


def taken(world, *rows):
    job = checked(world, *rows)
    assert job.result["errors"] == []
    imports.apply(job=job)
    job.refresh_from_db()
    assert job.result["stage"] == "applied"
    return job


def faults(world, *rows):
    return [
        (error["row"], error["heading"], error["message"]) for error in checked(world, *rows).result["errors"]
    ]


def test_taken_in_as_filed_and_taken_back(world):
    County.objects.create(code="140105", name="小店区", city=world.city)
    job = taken(world, row(world, **{"县(市、区)": "小店区", "纬度": 37.87059, "经度": "112.54886"}))
    site = ExamSite.objects.get()
    assert (site.state, site.places, str(site.latitude), site.county.name) == (
        "filed",
        40,
        "37.87059",
        "小店区",
    )
    assert clock.local(site.filed_at).date().isoformat() == "2020-10-12"
    event = Event.objects.about(site).get()
    assert event.action == "site_taken_in"
    assert (event.changes["所在市"], event.changes["县(市、区)"]) == ([None, "太原市"], [None, "小店区"])
    assert "县(市、区)：小店区" in str(job.result)
    imports.undo(job=job, by=world.office, at=clock.now())
    assert not ExamSite.objects.exists()


def test_the_same_again_changes_nothing_and_a_change_goes_back_to_what_was(world):
    taken(world, row(world))
    assert checked(world, row(world)).result["same"] == 1
    job = taken(world, row(world, 考位=50))
    assert ExamSite.objects.get().places == 50
    imports.undo(job=job, by=world.office, at=clock.now())
    assert ExamSite.objects.get().places == 40


def test_what_was_ended_since_is_not_taken_back(world, client_for):
    job = taken(world, row(world))
    sites.end(ExamSite.objects.get(), ended_on=clock.today(), comment="搬迁", by=world.office, at=clock.now())
    with pytest.raises(imports.CannotUndo, match="又有变动"):
        imports.undo(job=job, by=world.office, at=clock.now())
    assert ExamSite.objects.exists()
    told = client_for(world.office).post(f"/jobs/{job.pk}/undo/").content.decode()
    assert "请逐条处理下列各项，或导入更正后的站点。" in told


def test_all_faults_are_told_at_once_and_nothing_is_written(world):
    found = faults(
        world,
        row(world),
        row(world),
        row(world, 学校代码="4214999999"),
        row(world, 学校名称="别的学校"),
        row(world, 证书名称="没有的证书"),
        row(world, 考位=0),
        row(world, 备案日期="2020-11-19"),
        row(world, 纬度="三十七度", 经度=112),
        row(world, 学校代码=world.other_school_org.code, 纬度=37),
        row(world, 学校代码=world.other_school_org.code, **{"县(市、区)": "没有县"}),
    )
    assert [line for line, _, _ in found if line != 5] == [3, 4, 6, 7, 8, 9, 10, 11]
    assert any("重复" in text for line, _, text in found if line == 3)
    assert not ExamSite.objects.exists()


def test_counties_of_one_name_need_a_code(world):
    for code, city in (("140105", world.city), ("140405", world.other_city)):
        County.objects.create(code=code, name="城区", city=city)
    ((_, heading, text),) = faults(world, row(world, **{"县(市、区)": "城区"}))
    assert (heading, "区划代码" in text) == ("县(市、区)", True)
    taken(world, row(world, **{"县(市、区)": "140405"}))
    assert ExamSite.objects.get().city == world.other_city


def test_not_before_the_evaluators_filing_and_not_over_an_application(world):
    applied(world)
    ((_, _, text),) = faults(world, row(world))
    assert "正在平台上申报" in text
    EvaluatorFiling.objects.update(accepted=None, state="submitted")
    ((_, _, text),) = faults(world, row(world))
    assert "三.8" in text


@pytest.mark.parametrize(("day", "refused"), [("2020-11-18", True), ("2020-11-17", False)])
def test_a_condition_holds_from_the_day_it_was_published(world, day, refused):
    condition(world, minimum_places=41)
    found = faults(world, row(world, 备案日期=day))
    assert bool(found) is refused


@pytest.mark.parametrize("who", ["city_officer", "evaluator_officer", "contact", "auditor"])
def test_only_the_office_imports(world, client_for, who):
    assert client_for(getattr(world, who)).get("/sites/import/").status_code == 403
    assert client_for(world.office).get("/sites/import/").status_code == 200
    assert client_for(world.office).get("/imports/evaluators.sites/template.xlsx").status_code == 200
