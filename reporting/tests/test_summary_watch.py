"""Watching over months and half-years: matrix, list, reminders, circular, sums, the paper to the ministry, homes."""

import io

import pytest
from django.urls import reverse
from docx import Document

from core.models import Event, Notice
from obligations.models import Obligation, Period, Policy
from reporting.summaries.ministry import report
from reporting.summaries.sums import stretches
from reporting.sweep import sweep
from reporting.tests import weekly
from reporting.tests.summing import file, half_of, month_of

ALL = ["office", "leading", "auditor"]


@pytest.fixture
def filed(world):
    """October's report filed, the second half's summaries of one school and the evaluator filed."""
    weekly.file(world)
    file(month_of(world), world.evaluator_officer)
    half = half_of(world)
    file(half, world.contact)
    file(
        Obligation.objects.get(kind="half_year_summary", organization=world.evaluator_org),
        world.evaluator_officer,
        progress="评价组织的进展",
    )
    return half


def test_the_matrix_shows_evaluators_by_month(world, client_for, filed):
    page = client_for(world.office).get(reverse("reporting:matrix"), {"report": "monthly_report"})
    text = page.content.decode()
    assert "演示评价组织" in text
    assert "10月" in text
    assert "太原演示职业学校" not in text
    half = client_for(world.office).get(reverse("reporting:matrix"), {"report": "half_year_summary"})
    assert all(
        name in half.content.decode() for name in ("演示评价组织", "太原演示职业学校", "长治演示职业学校")
    )
    city = client_for(world.city_officer).get(reverse("reporting:matrix"), {"report": "half_year_summary"})
    assert "太原演示职业学校" in city.content.decode()
    assert "演示评价组织" not in city.content.decode()


def test_who_has_not_filed_is_listed_and_reminded(world, client_for, filed):
    client = client_for(world.office)
    page = client.get(reverse("reporting:non-reporters"), {"report": "half_year_summary"})
    [row] = page.context["rows"]
    missing = row["line"].obligation
    assert missing.organization == world.other_school_org
    client.post(reverse("reporting:remind"), {"obligations": str(missing.pk)})
    assert Notice.objects.filter(
        recipient=world.other_contact, text__contains="2020年下半年总结尚未填报"
    ).exists()


def test_an_evaluator_is_reminded_too(world, client_for):
    owed = month_of(world)
    client_for(world.office).post(reverse("reporting:remind"), {"obligations": str(owed.pk)})
    assert Notice.objects.filter(
        recipient=world.evaluator_officer, text__contains="10月月报尚未填报"
    ).exists()


def test_the_circular_of_a_month_knows_no_streak(world, client_for, filed):
    address = reverse("reporting:circular") + "?kind=monthly_report"
    client = client_for(world.office)
    page = client.get(address)
    assert page.context["circular"].total.rate.on_time == 1
    assert "连续未报" not in "".join(column.heading for column in page.context["school_columns"])
    response = client.post(address, {"number": ""})
    from core.attachments import content_of
    from core.models import Attachment

    assert response.status_code == 302
    word = Attachment.objects.get(name__endswith=".docx")
    text = "\n".join(p.text for p in Document(io.BytesIO(content_of(word))).paragraphs)
    assert "2020年10月“1+X”证书制度试点月报填报情况的通报" in text
    assert "周报" not in text


def test_sums_are_added_up_for_each_scope(world, client_for, filed):
    address = reverse("summaries:sums")
    asked = {"kind": "half_year_summary", "period": "2020-H2"}
    context = client_for(world.office).get(address, asked).context
    assert context["schools"].total.values["registered_added"] == 30
    assert context["evaluators"].total.values["issued"] == 25
    [line] = client_for(world.contact).get(address, asked).context["schools"].lines
    assert line.name == "太原演示职业学校"
    assert client_for(world.other_city_officer).get(address, asked).context["schools"].lines == []
    assert client_for(world.city_officer).get(address, asked).context["evaluators"].lines == []
    for name in ("finance", "expert", "third_party", "learner"):
        assert client_for(getattr(world, name)).get(address).status_code == 403, name
    assert client_for(world.city_officer).post(address, {"part": "schools"})["Content-Type"].endswith("sheet")
    assert Event.objects.filter(action="list_exported").exists()


def test_the_address_names_only_authorities_of_the_schools_one_sees(world, client_for, filed):
    def authority(user, city):
        return client_for(user).get(reverse("summaries:sums"), {"city": city}).context["authority"]

    assert (
        authority(world.contact, world.bureau.pk) == authority(world.office, world.bureau.pk) == world.bureau
    )
    for city in (world.other_school_org.pk, world.other_bureau.pk, world.school_org.pk, "x", "9" * 30):
        assert authority(world.contact, city) is None, city


def test_the_cities_add_up_to_the_province(world, filed):
    world.at("2021-01-04T10:00:00+08:00")
    [stretch] = [s for s in stretches("half_year_summary", filed.due_at.date()) if s.key == "2020-H2"]
    table = report(stretch).schools
    for figure in table.figures:
        assert table.total.values[figure.name] == sum(line.values[figure.name] for line in table.lines)


def test_the_ministry_report_gathers_figures_and_texts(world, client_for, filed):
    address = reverse("summaries:ministry")
    for name in ALL:
        assert client_for(getattr(world, name)).get(address).status_code == 200, name
    for name in ("city_officer", "contact", "evaluator_officer", "coordinator", "finance", "learner"):
        assert client_for(getattr(world, name)).get(address).status_code == 403, name
    assert client_for(world.auditor).post(address).status_code == 403
    response = client_for(world.office).post(f"{address}?period=2020-H2")
    paper = Document(io.BytesIO(response.content))
    text = "\n".join(p.text for p in paper.paragraphs)
    assert "山西省2020年下半年1+X证书制度试点工作总结" in text
    assert "太原演示职业学校：已完成三批考核" in text
    assert "演示评价组织：评价组织的进展" in text
    assert text.index("一、总体情况") < text.index("二、工作进展") < text.index("三、存在问题")
    assert len(paper.tables) == 2


def test_homes_begin_with_what_is_owed(world, client_for):
    owed = month_of(world)
    page = client_for(world.evaluator_officer).get("/").content.decode()
    assert reverse("summaries:edit", args=[owed.pk]) in page
    assert "2020年10月月报尚未报送（应报 1" in client_for(world.office).get("/").content.decode()
    half = half_of(world)
    assert reverse("summaries:edit", args=[half.pk]) in client_for(world.contact).get("/").content.decode()


def test_each_kind_has_its_own_rules(world, client_for):
    client = client_for(world.office)
    address = reverse("obligations:policy-create") + "?kind=monthly_report"
    form = client.get(address).context["form"]
    assert {"due_in", "due_day"} <= set(form.fields)
    assert not {"period_weeks", "due_weekday", "flag_weeks", "dispute_working_days"} & set(form.fields)
    answers = {
        "effective_from": "2020-12-01",
        "due_in": "working_days",
        "due_day": "5",
        "due_time": "18:00",
        "close_after_hours": "72",
        "on_holiday": "exempt",
        "reminder_hours": "72, 24",
        "correction_working_days": "3",
    }
    wrong = client.post(address, answers | {"effective_from": "2020-12-02"})
    assert "请选某月1日" in wrong.content.decode()
    shown = client.post(address, answers)
    assert [p.label for p in shown.context["periods"]][:2] == ["2020年12月", "2021年1月"]
    assert client.post(address, answers | {"step": "confirm"})["Location"].endswith("kind=monthly_report")
    policy = Policy.objects.get(kind="monthly_report")
    assert Period.objects.filter(policy=policy, key="2020-12").exists()
    assert (
        "结束后第 5"
        in client.get(reverse("obligations:policies"), {"kind": "monthly_report"}).content.decode()
    )


def test_the_sweep_counts_all_kinds_and_keeps_its_nine_keys(world):
    owed = month_of(world)
    counts = sweep(world.at(owed.closes_at)).as_dict()
    assert len(counts) == 9
    assert counts["missed"] >= 1
