"""Loading reference data: all of it, twice, over what people changed, and from bad files."""

import datetime as dt
import io
import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import City, County, Organization, OrganizationAlias, PilotMembership
from certificates.models import Certificate, CertificateLevel, Major
from core import clock
from core.models import Event
from evaluators.models import Evaluator
from obligations import services
from obligations.models import CalendarDay, CalendarYear
from schools.models import School

FILES = Path(settings.BASE_DIR) / "reference"


@pytest.fixture
def folder(tmp_path):
    """A copy of both folders that a test may spoil: `folder / "shanxi"`, `folder / "national"`."""
    shutil.copytree(FILES, tmp_path / "reference")
    return tmp_path / "reference"


def load(folder: Path = FILES) -> str:
    out = io.StringIO()
    call_command("load_reference", data=folder / "shanxi", national=folder / "national", stdout=out)
    return out.getvalue()


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.django_db
def test_first_load_brings_everything_and_the_second_changes_nothing():
    load()
    assert (City.objects.count(), County.objects.count()) == (11, 121)
    assert Organization.objects.filter(kind="city", name="太原市教育局", code="140100").exists()
    assert Organization.objects.schools().count() == 83
    assert (Certificate.objects.count(), CertificateLevel.objects.count()) == (73, 112)
    assert Evaluator.objects.count() == Organization.objects.filter(kind="evaluator").count() == 63
    assert Major.objects.count() == 1313
    events = Event.objects.count()
    second = load()
    assert "参考数据没有变化" in second
    assert "新增 0，更新 0，未变 1313" in second
    assert Event.objects.count() == events


@pytest.mark.django_db
def test_being_listed_makes_no_pilot_school_and_a_university_is_not_called_applied():
    load()
    assert not PilotMembership.objects.exists()
    assert not School.objects.filter(organization__name="山西大学").exists()
    assert School.objects.get(organization__code="4114013528").kind == School.Kind.HIGHER_VOCATIONAL
    assert School.objects.get(organization__name="运城职业技术大学").kind == School.Kind.VOCATIONAL_BACHELOR


@pytest.mark.django_db
def test_codes_are_never_derived_and_a_better_code_recodes_the_same_college(folder):
    load(folder)
    college = Organization.objects.get(name="山西工程职业学院")
    assert college.code == "HEI-14681"
    unknown = Organization.objects.get(name="晋中信息学院")
    assert unknown.code.startswith("LOCAL-140000-")
    change(folder / "shanxi/colleges.csv", "高职专科,14681,,", "高职专科,14681,4114014681,")
    load(folder)
    college.refresh_from_db()
    assert college.code == "4114014681"
    assert Organization.objects.schools().count() == 83


@pytest.mark.django_db
def test_an_old_name_under_the_same_code_is_an_alias(folder):
    change(folder / "shanxi/colleges_former.csv", "13528,山西职业技术学院", "13528,山西旧名学院")
    load(folder)
    alias = OrganizationAlias.objects.get(name="山西旧名学院")
    assert alias.organization.code == "4114013528"
    assert alias.source
    change(folder / "shanxi/colleges.csv", "山西职业技术学院", "山西新名学院")
    load(folder)
    assert alias.organization.aliases.filter(name="山西职业技术学院", source="原名").exists()


@pytest.mark.django_db
def test_owners_are_matched_by_alias_and_width_never_guessed(folder):
    load(folder)
    bim = Certificate.objects.get(name__startswith="建筑信息模型")
    assert bim.owner.name == "廊坊市中科建筑产业化创新研究中心"
    assert bim.batch == "1"
    assert sorted(bim.levels.values_list("level", flat=True)) == [1, 2, 3]
    path = folder / "national/certificates_platform.csv"
    change(path, "联想（北京）有限公司", "联想(北京) 有限公司")
    assert "新增 0，更新 0，未变 112" in load(folder)
    change(path, "联想(北京) 有限公司", "联想集团")
    with pytest.raises(CommandError, match=r"certificates_platform\.csv 第\d+行：评价组织“联想集团”不在"):
        load(folder)


@pytest.mark.django_db
def test_a_certificate_renamed_by_the_platform_stays_the_same_record(folder):
    load(folder)
    level = CertificateLevel.objects.get(platform_id="1240847400306741250")
    path = folder / "national/certificates_platform.csv"
    path.write_text(path.read_text().replace("工业机器人装调职业", "工业机器人安装调试职业"))
    load(folder)
    level.refresh_from_db()
    assert level.certificate.name == "工业机器人安装调试职业技能等级证书"
    assert Certificate.objects.count() == 73


@pytest.mark.django_db
def test_no_level_is_invented_for_the_first_batches():
    load()
    assert not CertificateLevel.objects.filter(certificate__name__startswith="物流管理").exists()


@pytest.mark.django_db
def test_the_calendar_knows_make_up_days_and_the_extended_spring_festival():
    load()
    kinds = dict(CalendarDay.objects.filter(day__year=2020).values_list("day", "kind"))
    assert kinds[dt.date(2020, 10, 10)] == "workday"
    assert kinds[dt.date(2020, 1, 31)] == "holiday"
    assert CalendarYear.objects.latest("year").year == 2026


def test_what_the_office_changed_is_kept(world):
    services.set_calendar_day(day=dt.date(2020, 10, 2), kind=None, name="", by=world.office, at=clock.now())
    services.set_calendar_day(
        day=dt.date(2020, 10, 9), kind="holiday", name="演示", by=world.office, at=clock.now()
    )
    out = load()
    assert "保留人工修改 1" in out
    assert not CalendarDay.objects.filter(day="2020-10-02").exists()
    assert CalendarDay.objects.get(day="2020-10-09").kind == "holiday"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("shanxi/divisions.csv", "140105,", "14010,", r"divisions\.csv 第14行"),
        ("shanxi/divisions.csv", "140200,", "140100,", r"第4行：与divisions\.csv 第3行重复"),
        ("shanxi/divisions.csv", "code,name", "编码,name", "缺少列 code"),
        ("shanxi/colleges.csv", "太原市", "北京市", r"colleges\.csv 第2行：“city”应为"),
        ("shanxi/colleges.csv", "4114010108", "411401010", r"第2行：“moe_id_10”"),
        ("national/workdays.csv", "2019-01-01", "2019-13-01", "YYYY-MM-DD"),
        ("national/majors.csv", "设施园艺,", "", r"第3行：应有6列"),
        ("national/certificates_platform.csv", ",初级,", ",特级,", "“level”应为"),
    ],
)
def test_a_bad_file_is_named_with_its_line_and_nothing_is_loaded(folder, file, old, new, message):
    change(folder / file, old, new)
    with pytest.raises(CommandError, match=message):
        load(folder)
    assert not City.objects.exists()
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_another_province_by_its_own_files_but_never_a_second_one(tmp_path):
    (tmp_path / "divisions.csv").write_text(
        "code,name,level,city,authority\n"
        "420000,湖北省,province,,\n420100,武汉市,city,武汉市,\n429021,神农架林区,city,神农架林区,林区教育局\n"
        "420102,江岸区,county,武汉市,\n"
    )
    out = io.StringIO()
    call_command("load_reference", data=tmp_path, stdout=out)
    assert "PROVINCE_CODE" in out.getvalue()
    names = set(Organization.objects.exclude(kind="evaluator").values_list("name", flat=True))
    assert names == {"湖北省教育厅", "武汉市教育局", "林区教育局"}
    with pytest.raises(CommandError, match="已有另一个省"):
        load()
    assert City.objects.count() == 2
