"""The circular: the same figures on the page, in Word and in Excel; whose schools; by whom; at once or later."""

import io
import re

import pytest
from django.urls import reverse
from docx import Document
from openpyxl import load_workbook

from accounts.models import Organization
from certificates.models import Certificate, CertificateLevel
from core import clock, jobs
from core.attachments import content_of
from core.models import Attachment, Event, Job, Notice
from core.tasks import run_job
from evaluators.models import Evaluator
from obligations import services as obligations
from obligations.models import Obligation
from obligations.rates import rate
from reporting.circular import figures, services, wording
from reporting.periods import between, opened_periods
from reporting.sweep import sweep
from reporting.tests.summing import half_of, month_of

URL = "/circular/"


@pytest.fixture
def weeks(world):
    """Weeks 44 to 46 closed, 47 open. In 46: one on time, one late, one missed, one filled, one excused."""
    world.late = world.add_school("太原迟报演示学校")
    world.missing = world.add_school("长治缺报演示学校", bureau=world.other_bureau)
    world.filled = world.add_school("长治补报演示学校", bureau=world.other_bureau)
    world.excused = world.add_school("省属谅解演示学校", bureau=world.province)
    for key in ("2020-W44", "2020-W45", "2020-W46"):
        world.add_week(key)
    for key in ("2020-W45", "2020-W46"):
        for school, field in [(world.school, "opens_at"), (world.late, "due_at")]:
            owed = world.owed(school, key)
            obligations.fulfil(owed, received_at=getattr(owed, field))
    other = world.owed(world.other_school, "2020-W45")
    obligations.fulfil(other, received_at=other.opens_at)
    at = world.at("2020-11-18T10:00:00+08:00")
    sweep(at)
    obligations.fulfil(world.owed(world.filled, "2020-W46"), received_at=at)
    obligations.excuse(world.owed(world.excused, "2020-W46"), reason="停电", by=world.office, at=at)


def made(client, query="", **typed):
    """The job that the button leads to."""
    response = client.post(URL + query, typed)
    assert response.status_code == 302, response.content.decode()
    return Job.objects.get(pk=response["Location"].rstrip("/").rsplit("/", 1)[1])


def file_of(job, extension):
    return io.BytesIO(content_of(Attachment.objects.of(job).get(name__endswith=extension)))


def word_tables(job):
    return [
        [[cell.text for cell in row.cells] for row in table.rows]
        for table in Document(file_of(job, "docx")).tables
    ]


def excel_tables(job):
    book = load_workbook(file_of(job, "xlsx"))
    assert book.sheetnames == ["分市", "分校", "说明"]
    return [[list(row) for row in book[name].values] for name in ("分市", "分校")]


def page_tables(html):
    found = []
    for table in re.findall(r"<table.*?</table>", html, re.S):
        rows = re.findall(r"<tr.*?</tr>", table, re.S)
        cells = [re.findall(r"<t[hd].*?</t[hd]>", row, re.S) for row in rows]
        found.append([[re.sub(r"<small.*?</small>|<[^>]+>", "", cell) for cell in row] for row in cells])
    return found


def text_of(job):
    return "\n".join(paragraph.text for paragraph in Document(file_of(job, "docx")).paragraphs)


def shown(value, heading):
    """As on paper: shares and changes with one decimal, which a spreadsheet keeps as a plain number."""
    if value is None:
        return "—"
    return f"{float(value):.1f}" if heading.endswith(("%", "（百分点）")) else str(value)


def as_shown(table):
    headings, *rows = table
    return [headings, *([shown(v, h) for v, h in zip(row, headings, strict=True)] for row in rows)]


@pytest.mark.parametrize("query", ["?from=2020-W46&to=2020-W46", "?from=2020-W44&to=2020-W47"])
def test_page_word_and_excel_say_the_same(world, weeks, client_for, query):
    client = client_for(world.office)
    job = made(client, query)
    assert [as_shown(table) for table in excel_tables(job)] == word_tables(job)
    assert word_tables(job) == page_tables(client.get(URL + query).content.decode())


def test_sums_are_those_of_the_one_counting_function(world, weeks):
    periods = between(opened_periods(), "2020-W44", "2020-W47")
    schools = Organization.objects.visible_to(world.office).schools()
    counted = figures.count(schools, periods, at=clock.now())
    assert counted.total.rate == rate(Obligation.objects.weekly().filter(period__in=periods))
    assert counted.total.rate.owed == 3 * 6 + 2
    for line in counted.authorities:
        assert line.rate == rate(
            Obligation.objects.weekly().filter(period__in=periods, organization__supervisor=line.pk)
        )


def test_each_school_stands_where_it_belongs(world, weeks):
    schools = Organization.objects.visible_to(world.office).schools()
    counted = figures.count(schools, between(opened_periods(), "2020-W46", ""), at=clock.now())
    lines = {line.name: line for line in counted.schools}
    assert lines["太原演示职业学校"].rate.on_time == 1
    assert lines["太原迟报演示学校"].rate.late == 1
    assert lines["长治缺报演示学校"].rate.never_filled == 1
    assert lines["长治补报演示学校"].rate.filled == 1
    assert lines["省属谅解演示学校"].rate.excused == 1
    assert {name: line.weeks for name, line in lines.items() if line.weeks} == {
        "长治演示职业学校": 1,
        "长治缺报演示学校": 3,
        "长治补报演示学校": 3,
        "省属谅解演示学校": 2,
    }
    assert lines["长治演示职业学校"].change == -100.0
    assert counted.total.rate.percent == 33.3
    assert counted.total.before.percent == 50.0
    assert counted.total.change == -16.7
    assert [(line.name, line.warned(3)) for line in counted.authorities] == [
        ("太原市教育局", 0),
        ("长治市教育局", 2),
        ("山西省推进办", 0),
    ]


def test_streaks_stand_as_at_the_end_of_the_range(world, weeks):
    schools = Organization.objects.visible_to(world.office).schools()
    counted = figures.count(schools, between(opened_periods(), "2020-W44", "2020-W45"), at=clock.now())
    weeks_of = {line.name: line.weeks for line in counted.schools}
    assert weeks_of["长治缺报演示学校"] == 2
    assert weeks_of["长治演示职业学校"] == 0


def test_the_text_is_put_together_from_the_figures(world, weeks, client_for):
    job = made(client_for(world.office), "?from=2020-W46&to=2020-W46", number="晋1+X办〔2020〕12号")
    text = text_of(job)
    assert "关于2020年第46周“1+X”证书制度试点周报填报情况的通报" in text
    assert "晋1+X办〔2020〕12号" in text
    assert "应报周报6份" in text
    assert "按时1份，迟报1份，未报4份（其中关闭后补报1份、从未补报2份、已谅解1份）" in text
    assert "填报率33.3%（较第45周下降16.7个百分点）" in text
    assert "有应报周报的6所院校中，全部按时的1所。" in text
    assert "长治市教育局（2所）：长治演示职业学校、长治缺报演示学校。" in text
    assert "连续未报3周及以上的2所：长治缺报演示学校（3周）、长治补报演示学校（3周）。" in text
    assert "教职成厅函〔2019〕19号 五(四)" in text
    assert "晋教职成〔2020〕9号 四.3" in text
    assert "山西省推进办\n2020年11月18日" in text
    event = Event.objects.about(job).get(action="circular_made")
    assert (event.actor, event.changes["应报"], event.changes["未报"]) == (world.office, 6, 4)


def test_without_a_number_its_line_is_left_to_the_office(world, weeks, client_for):
    assert "〔2020〕　　号" in text_of(made(client_for(world.office)))


def test_demonstration_data_are_marked_on_every_page(world, weeks, client_for):
    client = client_for(world.office)
    assert Document(file_of(made(client), "docx")).sections[0].header.paragraphs[0].text == ""
    Organization.objects.filter(pk=world.school_org.pk).update(is_demonstration=True)
    job = made(client)
    header = Document(file_of(job, "docx")).sections[-1].header
    assert header.paragraphs[0].text == wording.DEMONSTRATION
    notes = load_workbook(file_of(job, "xlsx"))["说明"]
    assert wording.DEMONSTRATION in [row[1] for row in notes.values]


def test_open_periods_are_said_to_be_open(world, weeks, client_for):
    client = client_for(world.office)
    assert "尚未关闭" not in text_of(made(client, "?from=2020-W46&to=2020-W46"))
    assert "2020年第47周尚未关闭，待报2份" in text_of(made(client, "?from=2020-W47&to=2020-W47"))


def test_a_citys_circular_holds_only_its_schools(world, weeks, client_for):
    client = client_for(world.city_officer)
    for query in ("", f"?city={world.other_bureau.pk}"):
        html = client.get(URL + query).content.decode()
        job = made(client, query)
        schools = [row[1] for row in excel_tables(job)[1][1:]]
        assert schools == ["太原演示职业学校", "太原迟报演示学校"]
        for said in (html, text_of(job)):
            assert "太原市教育局" in said
            assert "长治" not in said
    assert "太原市教育局\n2020年11月18日" in text_of(job)


def test_the_office_takes_one_city(world, weeks, client_for):
    query = f"?from=2020-W46&to=2020-W46&city={world.other_bureau.pk}"
    job = made(client_for(world.office), query)
    assert [row[0] for row in excel_tables(job)[0][1:]] == ["长治市教育局", "合计"]
    assert "长治市教育局主管的试点院校3所" in text_of(job)
    assert "太原演示职业学校" not in text_of(job)
    assert job.result["back"] == URL + query


def test_who_may(world, weeks, client_for):
    for user in (world.leading, world.auditor):
        client = client_for(user)
        assert "生成2020年" not in client.get(URL).content.decode()
        refused = client.post(URL)
        assert refused.status_code == 403
        assert "由推进办或市教育局生成" in refused.content.decode()
    for user in (world.contact, world.evaluator_officer, world.finance, world.expert, world.learner):
        assert client_for(user).get(URL).status_code == 403
        assert client_for(user).post(URL).status_code == 403
    assert not Job.objects.exists()


def exported(client, query):
    response = client.post(URL + query, {"figures": "1"})
    assert response.status_code == 200
    book = load_workbook(io.BytesIO(response.content))
    return [list(row) for row in book.worksheets[0].values]


def test_who_makes_no_circular_exports_its_figures_and_prints_them(world, weeks, client_for):
    query = f"?from=2020-W46&to=2020-W46&city={world.other_bureau.pk}&sort=missed"
    client = client_for(world.auditor)
    page = client.get(URL + query).content.decode()
    assert "带发文字号的通报（Word）要落款、盖章，由推进办或市教育局生成" in page
    assert "data-print" in page
    table = exported(client, query)
    assert as_shown(table) == page_tables(page)[1]
    assert exported(client, "?from=2020-W46&to=2020-W46")[1][1] == "太原演示职业学校"
    assert exported(client, "?from=2020-W46&to=2020-W46&sort=missed")[1][1] != "太原演示职业学校"
    event = Event.objects.filter(action="list_exported").earliest("pk")
    assert (event.actor, event.target_label) == (world.auditor, "2020年第46周周报填报情况")
    assert event.changes == {
        "筛选": {
            "from": "2020-W46",
            "to": "2020-W46",
            "city": str(world.other_bureau.pk),
            "sort": "missed",
        },
        "行数": 3,
    }
    assert not Job.objects.exists()
    assert "由推进办或市教育局生成" not in client_for(world.office).get(URL).content.decode()


def test_a_coordinator_exports_the_evaluators_in_charge_alone(world, client_for):
    other = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    Evaluator.objects.create(organization=other)
    certificate = Certificate.objects.create(name="另一证书", owner=other)
    world.add_programme(world.school, CertificateLevel.objects.create(certificate=certificate, level=1))
    owed = month_of(world)
    world.evaluator.charges.create(
        coordinator=world.coordinator, given_by=world.office, given_at=world.period.opens_at
    )
    query = f"?kind=monthly_report&from={owed.key}&to={owed.key}"
    assert [row[0] for row in exported(client_for(world.coordinator), query)] == [
        "评价组织",
        "演示评价组织",
        "合计",
    ]
    assert len(exported(client_for(world.auditor), query)) == 4


def test_the_result_is_its_makers_alone(world, weeks, client_for):
    job = made(client_for(world.city_officer))
    page = client_for(world.city_officer).get(reverse("core:job", args=[job.pk])).content.decode()
    assert ".docx" in page
    assert ".xlsx" in page
    for user in (world.other_city_officer, world.contact):
        assert client_for(user).get(reverse("core:job", args=[job.pk])).status_code == 404
        for attachment in Attachment.objects.of(job):
            assert client_for(user).get(reverse("core:attachment", args=[attachment.pk])).status_code == 404


def test_a_large_range_goes_to_a_worker_and_ends_among_the_notices(world, weeks, client_for, monkeypatch):
    monkeypatch.setattr(services, "AT_ONCE", 5)
    client = client_for(world.office)
    job = made(client)
    assert job.state == Job.State.QUEUED
    assert made(client) == job
    waiting = client.get(reverse("core:job", args=[job.pk]))
    assert "正在处理" in waiting.content.decode()
    assert waiting["Refresh"]
    run_job(str(job.pk))
    job.refresh_from_db()
    assert job.state == Job.State.DONE
    assert job.done_steps == job.total_steps == services.STEPS
    notice = Notice.objects.get(recipient=world.office, key__startswith=f"job:{job.pk}")
    assert "填报情况通报已完成" in notice.text
    assert notice.link == reverse("core:job", args=[job.pk])
    run_job(str(job.pk))
    assert Attachment.objects.of(job).count() == 2
    assert Event.objects.about(job).filter(action="circular_made").count() == 1


def test_who_has_lost_the_right_meanwhile_gets_nothing(world, weeks, client_for, monkeypatch):
    monkeypatch.setattr(services, "AT_ONCE", 0)
    job = made(client_for(world.office))
    world.office.role = "auditor"
    world.office.save()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "不能生成通报" in job.error
    assert not Attachment.objects.of(job).exists()


@pytest.mark.parametrize(
    ("first", "last", "label"),
    [
        ("", "", "2020年第46周"),
        ("nonsense", "2020-W45", "2020年第45周"),
        ("2020-W47", "2020-W45", "2020年第45–47周"),
        ("2020-W46", "", "2020年第46周"),
    ],
)
def test_any_range_is_a_range(world, weeks, first, last, label):
    assert figures.range_label(between(opened_periods(), first, last)) == label


def test_a_range_over_new_year_names_both_years(world):
    for key in ("2020-W53", "2021-W01"):
        world.add_week(key)
    assert figures.range_label(between(opened_periods(), "2020-W53", "2021-W01")) == (
        "2020年第53周至2021年第1周"
    )


def test_a_half_year_is_named_once(world, client_for):
    summary = half_of(world)
    sweep(world.at(summary.closes_at))
    job = made(client_for(world.office), "?kind=half_year_summary")
    assert job.result["title"] == "关于2020年下半年“1+X”证书制度试点总结填报情况的通报"
    assert sorted(Attachment.objects.of(job).values_list("name", flat=True)) == [
        "2020年下半年总结填报情况通报.docx",
        "2020年下半年总结填报情况通报.xlsx",
    ]
    assert "现将2020年下半年总结填报情况通报如下" in text_of(job)


def test_before_anything_has_opened(world, client_for):
    Obligation.objects.all().delete()
    world.period.delete()
    assert "还没有开始的报送周期" in client_for(world.office).get(URL).content.decode()
    assert not Job.objects.exists()


def test_queries_do_not_grow(world, weeks, client_for, django_assert_num_queries):
    client = client_for(world.office)
    client.get(URL)
    with django_assert_num_queries(13):
        client.get(URL)
    for name in "甲乙丙":
        world.add_school(f"{name}演示学校", bureau=world.province)
    world.add_week("2020-W43")
    with django_assert_num_queries(13):
        client.get(URL, {"from": "2020-W45", "to": "2020-W46"})


def test_weeks_without_a_duty_are_not_compared_with(world, weeks):
    schools = Organization.objects.visible_to(world.office).schools()

    def compared(first, last):
        counted = figures.count(schools, between(opened_periods(), first, last), at=clock.now())
        return [period.key for period in counted.before], counted.change_label

    world.add_week("2020-W43")
    sweep(clock.now())
    assert compared("2020-W45", "2020-W46") == (["2020-W43", "2020-W44"], "较第43–44周")
    Obligation.objects.filter(key="2020-W44").update(outcome="exempt", received_at=None)
    assert compared("2020-W45", "2020-W45") == (["2020-W43"], "较第43周")
    assert compared("2020-W44", "2020-W45") == (["2020-W43"], "较第43周")
    world.add_week("2020-W42")
    Obligation.objects.filter(key="2020-W43").update(outcome="exempt", received_at=None)
    Obligation.objects.filter(key="2020-W44").update(outcome="missed")
    sweep(clock.now())
    assert compared("2020-W45", "2020-W46") == (["2020-W42", "2020-W44"], "较前2个应报周期")


def test_what_is_still_open_is_not_compared(world, weeks):
    schools = Organization.objects.visible_to(world.office).schools()
    counted = figures.count(schools, between(opened_periods(), "2020-W46", "2020-W47"), at=clock.now())
    assert counted.total.change is None
    assert counted.change_label == "较前期"
