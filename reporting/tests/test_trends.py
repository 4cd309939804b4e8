"""Trends: the figures of the tables, the charts that draw them, scope, filters."""

import datetime as dt
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from core import clock
from obligations import services as obligations
from obligations.models import Obligation
from obligations.rates import rate
from reporting import trends as counting
from reporting.periods import opened_periods
from reporting.sweep import sweep

URL = "/trends/"
KEYS = ["2020-W43", "2020-W44", "2020-W45", "2020-W46"]


@pytest.fixture
def weeks(world):
    """Four closed weeks: the first school 30 hours early, the second an hour late and then never."""
    for key in KEYS:
        world.add_week(key)
        owed = world.owed(world.school, key)
        obligations.fulfil(owed, received_at=owed.due_at - dt.timedelta(hours=30))
    late = world.owed(world.other_school, KEYS[0])
    obligations.fulfil(late, received_at=late.due_at + dt.timedelta(hours=1))
    at = world.at("2020-11-18T10:00:00+08:00")
    sweep(at)
    obligations.fulfil(world.owed(world.other_school, KEYS[1]), received_at=at)
    obligations.excuse(world.owed(world.other_school, KEYS[2]), reason="停电", by=world.office, at=at)


def found(world, by="share"):
    schools = Organization.objects.visible_to(world.office).schools()
    closed = [period for period in opened_periods() if period.closed_at][::-1]
    return counting.trends(schools, closed, by=by)


def charts(html):
    return json.loads(re.search(r'<script id="charts"[^>]*>(.*?)</script>', html, re.S)[1])


def test_rates_are_those_of_the_one_counting_function(world, weeks):
    lines = found(world)
    assert [(line.name, [r.percent for r in line.rates]) for line in lines.lines] == [
        ("太原市教育局", [100.0] * 4),
        ("长治市教育局", [100.0, 0.0, 0.0, 0.0]),
    ]
    assert lines.whole.whole == rate(Obligation.objects.weekly().exclude(key="2020-W47"))
    assert [rates[-1].percent for _, rates in lines.weeks] == [100.0, 50.0, 50.0, 50.0]


def test_times_of_filing(world, weeks):
    bars = {bar.label: (bar.kind, bar.count) for bar in found(world).bars if bar.count}
    assert bars == {
        "提前24–48小时": ("on_time", 4),
        "过后0–2小时": ("late", 1),
        "关闭后补报": ("filled", 1),
    }


@given(st.lists(st.floats(-80, 300)))
def test_every_report_stands_in_one_bar_on_its_side_of_the_deadline(hours):
    bars = counting._bars([hours], 0)
    assert sum(bar.count for bar in bars) == len(hours)
    assert sum(bar.count for bar in bars if bar.kind == "on_time") == sum(hour > 0 for hour in hours)
    assert sum(bar.count for bar in bars if bar.kind == "late") == sum(hour <= 0 for hour in hours)


def test_who_is_always_last(world, weeks):
    ranked = found(world).ranked
    assert [(r.name, r.rate.percent_behind, r.median_hours) for r in ranked] == [
        ("长治演示职业学校", 75.0, -1.0),
        ("太原演示职业学校", 0.0, 30.0),
    ]
    world.add_school("从未报送演示学校", joined="2020-01-01T00:00:00+08:00")
    for key in ("2020-W39", "2020-W40", "2020-W41", "2020-W42"):
        world.add_week(key)
    sweep(clock.now())
    ranked = found(world, by="median").ranked
    assert (ranked[0].name, ranked[0].median_hours) == ("从未报送演示学校", None)


def test_too_few_weeks_are_not_ranked(world, weeks):
    world.add_school("新来演示学校")
    world.add_week("2020-W42")
    sweep(clock.now())
    result = found(world)
    assert result.too_few == 1
    assert "新来演示学校" not in [row.name for row in result.ranked]


def test_the_page_has_a_table_behind_each_chart(world, weeks, client_for):
    html = client_for(world.office).get(URL).content.decode()
    drawn = charts(html)
    assert re.findall(r'data-chart="(\w+)"', html) == list(drawn) == ["rates", "times", "last"]
    assert html.count("<details open>") == 3
    assert [line["name"] for line in drawn["rates"]["series"]] == ["太原市教育局", "长治市教育局", "合计"]
    assert drawn["rates"]["series"][1]["values"] == [100.0, 0.0, 0.0, 0.0]
    assert [sum(pair) for pair in zip(*(s["values"] for s in drawn["last"]["series"]), strict=True)] == [
        75,
        0,
    ]


def test_names_cannot_break_out_of_the_json(world, weeks, client_for):
    Organization.objects.filter(pk=world.school_org.pk).update(name="</script><b>坏</b>")
    html = client_for(world.office).get(URL).content.decode()
    assert "</script><b>" not in html
    assert "</script><b>坏</b>" in charts(html)["last"]["labels"]


def test_scope(world, weeks, client_for):
    html = client_for(world.city_officer).get(URL).content.decode()
    assert "太原演示职业学校" in html
    assert "长治" not in html
    alien = client_for(world.city_officer).get(URL, {"city": world.other_bureau.pk}).content.decode()
    assert "长治" not in alien
    for user in (world.office, world.leading, world.auditor):
        assert "长治演示职业学校" in client_for(user).get(URL).content.decode()
    for user in (world.contact, world.evaluator_officer, world.finance, world.expert, world.learner):
        assert client_for(user).get(URL).status_code == 403


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ({"city": "bureau"}, True, False),
        ({"kind": "higher_vocational"}, False, False),
        ({"kind": "secondary_vocational", "year": "2020", "rank": "median"}, True, True),
        ({"year": "1999", "rank": "nonsense"}, True, True),
    ],
)
def test_filters_in_the_address(world, weeks, client_for, query, first, second):
    if "city" in query:
        query = {"city": world.bureau.pk}
    table = client_for(world.office).get(URL, query).content.decode().split('id="last-title"')[1]
    assert (">太原演示职业学校</a>" in table) == first
    assert (">长治演示职业学校</a>" in table) == second


def test_before_anything_has_closed(world, client_for):
    assert "还没有已关闭的报送周期" in client_for(world.office).get(URL).content.decode()


def test_queries_do_not_grow(world, weeks, client_for, django_assert_num_queries):
    client = client_for(world.office)
    client.get(URL)
    with django_assert_num_queries(12):
        client.get(URL)
    for name in "甲乙丙":
        world.add_school(f"{name}演示学校", bureau=world.province)
    world.add_week("2020-W42")
    sweep(clock.now())
    with django_assert_num_queries(12):
        client.get(URL)
