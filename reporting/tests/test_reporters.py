"""Words and filters follow who owes: evaluators a month's report, both a half-year's; and what a coordinator sees."""

import io
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from docx import Document
from openpyxl import load_workbook

from accounts.models import Organization
from certificates.models import Certificate, CertificateLevel
from core import jobs
from core.models import Attachment
from evaluators.models import Evaluator
from obligations.models import Obligation
from reporting import matrix as grid
from reporting.circular import services as circular_services
from reporting.sweep import sweep
from reporting.tests.summing import half_of, month_of
from reporting.tests.test_circular import file_of, made

MATRIX, LIST, CIRCULAR = "/matrix/", "/non-reporters/", "/circular/"
MONTH, HALF = {"report": "monthly_report"}, {"report": "half_year_summary"}
# The rows of the matrix write it without quotes.
HREF = re.compile(r'href="?([^" >]+)')
FOR_SCHOOLS = ("city", "kind", "streak", "who", "sort")


def evaluator(world, name, code):
    """One more whose certificate runs at the world's school, and which nobody has in charge."""
    organization = Organization.objects.create(kind="evaluator", name=name, code=code)
    Evaluator.objects.create(organization=organization)
    certificate = Certificate.objects.create(name=f"{name}证书", owner=organization)
    world.add_programme(world.school, CertificateLevel.objects.create(certificate=certificate, level=1))
    return organization


@pytest.fixture
def month(world):
    """October's, owed by two evaluators."""
    evaluator(world, "另一评价组织", "E2")
    return month_of(world)


@pytest.fixture
def charged(world):
    world.evaluator.charges.create(
        coordinator=world.coordinator, given_by=world.office, given_at=world.period.opens_at
    )
    return world.coordinator


@pytest.mark.parametrize("address", [MATRIX, LIST])
def test_a_report_that_nobody_in_the_scope_owes_shows_the_first_without_complaint(
    world, month, client_for, address
):
    """`monthly_report` is of evaluators; a bureau supervises schools only."""
    page = client_for(world.city_officer).get(address, MONTH)
    form = page.context["filter"].form
    assert (form.errors, form["report"].value()) == ({}, "weekly_report")
    assert "选择一个有效的选项" not in main(page)


@pytest.mark.parametrize(
    ("address", "name", "kept", "shown"),
    [
        (MATRIX, "weeks", "26", "4"),
        (MATRIX, "year", "2019", ""),
        (LIST, "period", "2020-W47", "2020-H2"),
        (CIRCULAR, "sort", "streak", "authority"),
    ],
)
def test_what_only_the_weeks_offer_is_dropped_with_another_kind(
    world, client_for, address, name, kept, shown
):
    half_of(world)
    asked = {"kind": "half_year_summary"} if address == CIRCULAR else HALF
    page = client_for(world.office).get(address, asked | {name: kept})
    form = page.context["chosen"] if address == CIRCULAR else page.context["filter"].form
    assert (form.errors, form[name].value()) == ({}, shown)


def main(response):
    return response.content.decode().split("<main", 1)[1]


@pytest.mark.parametrize("address", [MATRIX, LIST])
def test_a_month_speaks_of_evaluators_and_offers_no_filters_of_schools(world, month, client_for, address):
    page = client_for(world.office).get(address, MONTH)
    assert "演示评价组织" in main(page)
    assert "院校" not in main(page)
    assert "主管部门" not in main(page)
    assert "2 家" in main(page) or "<strong>2</strong> 家" in main(page)
    assert not set(FOR_SCHOOLS) & set(page.context["filter"].form.fields)
    assert page.context["filter"].form.fields["q"].label == "评价组织"
    # An address that still names them narrows nothing.
    kept = client_for(world.office).get(address, MONTH | {"city": world.bureau.pk, "streak": 3})
    assert "演示评价组织" in main(kept)
    weekly = client_for(world.office).get(address)
    assert {"city", "kind", "streak"} <= set(weekly.context["filter"].form.fields)


@pytest.mark.parametrize("address", [MATRIX, LIST])
def test_a_half_year_is_of_both_until_one_of_them_is_chosen(world, client_for, address):
    half_of(world)
    client = client_for(world.office)
    both = client.get(address, HALF)
    assert {"who", "city", "kind"} <= set(both.context["filter"].form.fields)
    assert both.context["filter"].form.fields["q"].label == "报送单位"
    alone = client.get(address, HALF | {"who": "evaluator"})
    assert "演示评价组织" in main(alone)
    assert "演示职业学校" not in main(alone)
    assert not {"city", "kind"} & set(alone.context["filter"].form.fields)
    schools = client.get(address, HALF | {"who": "school"})
    assert "演示评价组织" not in main(schools)
    city = client_for(world.city_officer).get(address, HALF)
    assert not {"who", "city"} & set(city.context["filter"].form.fields)
    kinds = city.context["filter"].form.fields["report"].choices
    assert [value for value, _ in kinds] == ["weekly_report", "half_year_summary"]


def test_the_matrix_leads_to_the_evaluators_page(world, month, client_for):
    html = client_for(world.office).get(MATRIX, MONTH).content.decode()
    assert f"href={reverse('evaluators:detail', args=[world.evaluator_org.pk])}>演示评价组织" in html
    half_of(world)
    both = client_for(world.office).get(MATRIX, HALF).content.decode()
    assert f"href={reverse('accounts:organization-detail', args=[world.school_org.pk])}>" in both
    assert "培训评价组织 <small>2 家" in both
    assert "太原市教育局 <small>1 所" in both


def test_the_evaluators_of_a_half_year_stand_last_and_follow_when_there_is_no_room(
    world, client_for, monkeypatch
):
    half_of(world)
    client = client_for(world.office)
    listed = main(client.get(LIST, HALF))
    assert listed.index("长治演示职业学校") < listed.index("演示评价组织")
    monkeypatch.setattr(grid, "FIRST_CELLS", 1)
    html = client.get(MATRIX, HALF).content.decode()
    assert 'href="?report=half_year_summary&amp;who=evaluator">培训评价组织</a> <small>1 家' in html
    part = client.get(MATRIX, HALF | {"group": 0}).content.decode()
    assert ">演示评价组织</a>" in part
    assert "演示职业学校" not in part


def test_the_list_is_exported_without_what_evaluators_do_not_have(world, month, client_for):
    response = client_for(world.office).post(f"{LIST}?report=monthly_report")
    rows = [list(row) for row in load_workbook(io.BytesIO(response.content)).worksheets[0].values]
    assert ["评价组织", "代码", "联系人", "周期", "状态", "最近一次报送"] in rows
    assert ["演示评价组织", "E1", "测试evaluator_officer", "2020年10月", "待报", None] in [
        [value or None for value in row] for row in rows
    ]


def test_reminding_and_excusing_speak_of_evaluators_and_come_back_to_their_list(world, month, client_for):
    client = client_for(world.office)
    ask = client.get("/non-reporters/remind/", {"obligation": month.pk})
    assert "将提醒 1 家评价组织、1 人" in main(ask)
    assert "院校" not in main(ask)
    told = client.post("/non-reporters/remind/", {"obligations": str(month.pk)}, follow=True)
    assert "已提醒 1 家评价组织，共 1 人" in main(told)
    assert told.redirect_chain[0][0] == f"{LIST}?report=monthly_report"
    sweep(world.at(month.closes_at))
    ask = client_for(world.office).get("/non-reporters/excuse/", {"obligation": month.pk})
    assert "将谅解（1 家）" in main(ask)
    assert "连续未报" not in main(ask)
    given = {"obligations": str(month.pk), "reason": "停电"}
    done = client_for(world.office).post("/non-reporters/excuse/", given, follow=True)
    assert "已谅解 1 家评价组织的未报；仍计入应报。" in main(done)


def papers_of(client, query):
    job = made(client, query)
    return Document(file_of(job, "docx")), load_workbook(file_of(job, "xlsx"))


def test_the_circular_of_a_month_is_about_evaluators(world, month, client_for):
    sweep(world.at(month.closes_at))
    client = client_for(world.office)
    page = client.get(CIRCULAR, {"kind": "monthly_report"})
    for word in ("院校", "主管部门", "分市", "分校", "连续未报", "各单位"):
        assert word not in main(page), word
    assert "city" not in page.context["chosen"].fields
    document, book = papers_of(client, "?kind=monthly_report")
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "各培训评价组织：" in text
    assert "全省培训评价组织2家，应报月报2份" in text
    assert "有应报月报的2家评价组织中，全部按时的0家。" in text
    assert "培训评价组织（2家）：演示评价组织、另一评价组织。" in text
    assert "附件：各评价组织填报情况表" in text
    for word in ("试点院校", "市教育局", "分市", "单位的"):
        assert word not in text, word
    assert book.sheetnames == ["各评价组织", "说明"]
    rows = [list(row) for row in book["各评价组织"].values]
    assert rows[0][:2] == ["评价组织", "应报"]
    assert [row[:2] for row in rows[1:]] == [["演示评价组织", 1], ["另一评价组织", 1], ["合计", 2]]
    [table] = document.tables
    assert [[cell.text for cell in row.cells][:2] for row in table.rows][1:] == [
        ["演示评价组织", "1"],
        ["另一评价组织", "1"],
        ["合计", "2"],
    ]


def test_the_circular_of_a_half_year_names_both(world, client_for):
    sweep(world.at(half_of(world).closes_at))
    document, book = papers_of(client_for(world.office), "?kind=half_year_summary")
    text = "\n".join(paragraph.text for paragraph in document.paragraphs)
    assert "各市教育局、各试点院校、各培训评价组织：" in text
    assert "全省试点院校和培训评价组织3个" in text
    assert "太原市教育局（1所）：太原演示职业学校。" in text
    assert "培训评价组织（1家）：演示评价组织。" in text
    assert book.sheetnames == ["按主管部门", "各单位", "说明"]
    city, _ = papers_of(client_for(world.city_officer), "?kind=half_year_summary")
    text = "\n".join(paragraph.text for paragraph in city.paragraphs)
    assert "太原市教育局主管的试点院校1所" in text
    assert "评价组织" not in text.split("有关要求")[0]


def test_a_queued_circular_of_what_is_out_of_scope_by_then_is_refused_not_one_of_weeks(
    world, month, client_for, monkeypatch
):
    monkeypatch.setattr(circular_services, "AT_ONCE", 0)
    sweep(world.at(month.closes_at))
    job = made(client_for(world.office), "?kind=monthly_report")
    world.office.role, world.office.organization = "city_bureau", world.bureau
    world.office.save()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "已不在您的范围内" in job.error
    assert not Attachment.objects.of(job).exists()


# --- the coordinator


@pytest.mark.parametrize("address", [MATRIX, LIST, CIRCULAR])
def test_a_coordinator_sees_the_evaluators_in_charge_and_nobody_else(
    world, month, charged, client_for, address
):
    page = client_for(charged).get(address)
    assert page.status_code == 200
    assert "演示评价组织" in main(page)
    assert "另一评价组织" not in main(page)
    assert "演示职业学校" not in main(page)
    world.evaluator.charges.update(ended_at=month.opens_at)
    assert "演示评价组织" not in main(client_for(charged).get(address))


def test_a_coordinator_reads_and_does_nothing(world, month, charged, client_for):
    client = client_for(charged)
    for address in ("/non-reporters/remind/", "/non-reporters/excuse/"):
        assert client.post(address, {"obligations": str(month.pk)}).status_code == 403
    assert client.post(CIRCULAR).status_code == 403
    assert "提醒所选" not in main(client.get(LIST))
    assert "生成通报" not in main(client.get(CIRCULAR))
    # Their own schools are nobody's: the weeks are not shown, whatever the address says.
    for address in (MATRIX, LIST):
        page = client.get(address, {"report": "weekly_report"})
        assert [value for value, _ in page.context["filter"].form.fields["report"].choices] == [
            "monthly_report",
            "half_year_summary",
        ]
        assert "演示职业学校" not in main(page)
    assert client.get("/trends/").status_code == 403


def test_what_the_pages_of_a_coordinator_lead_to_is_open(world, month, charged, client_for):
    client = client_for(charged)
    for address in (MATRIX, LIST, CIRCULAR):
        links = {link for link in HREF.findall(main(client.get(address))) if link.startswith("/")}
        for link in links:
            assert client.get(unescape(link), follow=True).status_code == 200, (address, link)
        if address == MATRIX:
            assert reverse("evaluators:detail", args=[world.evaluator_org.pk]) in links
            assert reverse("reporting:report", args=[month.pk]) in links
    assert client.get(reverse("reporting:report", args=[month.pk]), follow=True).status_code == 200


def test_the_home_of_a_coordinator_leads_there(world, month, charged, client_for):
    home = main(client_for(charged).get("/"))
    assert "2020年10月月报尚未报送（应报 1，填报率 0%）" in home
    for name in ("matrix", "non-reporters", "circular"):
        assert reverse(f"reporting:{name}") in home
        assert reverse(f"reporting:{name}") not in main(client_for(world.finance).get("/"))


@pytest.mark.parametrize("address", [MATRIX, LIST, CIRCULAR, "/"])
def test_more_evaluators_ask_no_more_queries(world, month, charged, client_for, address):
    client = client_for(charged)

    def queries():
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(address)
        return len(found)

    one = queries()
    for number in range(2):
        more = evaluator(world, f"第{number}评价组织", f"E3{number}")
        more.evaluator.charges.create(coordinator=charged, given_by=world.office, given_at=month.opens_at)
        Obligation.objects.create(
            organization=more,
            kind=month.kind,
            key=month.key,
            title=month.title,
            period=month.period,
            opens_at=month.opens_at,
            due_at=month.due_at,
            closes_at=month.closes_at,
        )
    assert queries() == one
