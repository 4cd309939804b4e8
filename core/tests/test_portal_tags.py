"""Words for instants, states and histories."""

import datetime as dt

import pytest
from django.template import Context, Template

from core import clock, events
from core.tables import DayColumn, PortalTable
from core.templatetags import portal

events.register(tried_out="试用")

pytestmark = pytest.mark.django_db


def instant(text):
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2020-11-20T18:00:00+08:00", "11月20日（星期五）18:00"),
        ("2020-12-31T16:00:00+00:00", "2021年1月1日（星期五）00:00"),
        ("2019-12-29T09:05:00+08:00", "2019年12月29日（星期日）09:05"),
    ],
)
def test_when_names_weekday_and_another_year(world, at, words):
    assert portal.when(instant(at)) == words


def test_day_of_a_date_and_of_an_instant_in_the_province(world):
    assert portal.day(dt.date(2020, 11, 20)) == "11月20日（星期五）"
    assert portal.day(instant("2020-11-19T16:30:00+00:00")) == "11月20日（星期五）"
    assert portal.day(None) == portal.when(None) == portal.left(None) == ""


def test_full_day_names_the_year_of_a_date_and_of_an_instant_in_the_province(world):
    assert portal.full_day(dt.date(2020, 1, 5)) == "2020年1月5日"
    assert portal.full_day(instant("2020-11-19T16:30:00+00:00")) == "2020年11月20日"
    assert portal.full_day(None) == ""


@pytest.mark.parametrize(
    ("deadline", "words"),
    [
        ("2020-11-20T13:59:00+08:00", "还剩 2天3小时59分钟"),
        ("2020-11-18T12:30:00+08:00", "还剩 2小时30分钟"),
        ("2020-11-18T10:00:01+08:00", "还剩 不到1分钟"),
        ("2020-11-18T10:00:00+08:00", "已过 不到1分钟"),
        ("2020-11-17T09:00:00+08:00", "已过 1天1小时"),
    ],
)
def test_left_counts_down_and_says_what_has_passed(world, deadline, words):
    assert portal.left(instant(deadline)) == words


def test_state_is_colour_letter_and_word_and_escapes_what_it_does_not_know():
    badge = portal.state("missed")
    assert "state-bad" in badge
    assert ">缺</b>" in badge
    assert "未报" in badge
    assert "visually-hidden" in portal.state("late", short=True)
    assert "&lt;b&gt;" in portal.state("<b>")
    assert "已决定取消" in portal.state("decided", "已决定取消")


def test_timeline_says_who_what_when_and_why(world):
    events.record(
        "tried_out",
        world.school_org,
        by=world.office,
        at=clock.now(),
        from_state="missed",
        to_state="excused",
        changes={"name": ["旧名", ""]},
        reason="<b>平台故障</b>",
    )
    page = Template("{% load portal %}{% timeline organization %}").render(
        Context({"organization": world.school_org})
    )
    for words in (
        "试用",
        world.office.label,
        "11月18日（星期三）10:00",
        "未报 → 未报（已谅解）",
        "名称：旧名 → （空）",
    ):
        assert words in page
    assert "&lt;b&gt;平台故障" in page


def test_nothing_yet_leads_to_the_next_step():
    page = Template("{% load portal %}{% empty '这里还没有院校。' '/roster/' '导入名册' %}").render(Context())
    assert 'href="/roster/"' in page
    assert "导入名册" in page


def test_an_instant_kept_in_a_change_is_told_on_the_provinces_clock(world):
    event = events.record(
        "tried_out",
        world.school_org,
        by=world.office,
        at=clock.now(),
        changes={"截止": ["2020-11-20T10:00:00+00:00", "2020-11-20T23:00:00+08:00"], "周次": "2020-W47"},
    )
    assert portal.changed_fields(event) == [
        ("截止", "11月20日（星期五）18:00 → 11月20日（星期五）23:00"),
        ("周次", "2020-W47"),
    ]


def test_a_day_kept_in_a_change_is_told_in_words_and_what_is_none_stays(world):
    event = events.record(
        "tried_out",
        world.school_org,
        by=world.office,
        at=clock.now(),
        changes={
            "有效期至": ["", "2021-01-05"],
            "公示": "2020-11-18至2020-11-24",
            "工号": "2020-02-30",
            "文件": "2020-11-18.xlsx",
        },
    )
    assert portal.changed_fields(event) == [
        ("有效期至", "（空） → 2021年1月5日"),
        ("公示", "2020年11月18日至2020年11月24日"),
        ("工号", "2020-02-30"),
        ("文件", "2020-11-18.xlsx"),
    ]


class Days(PortalTable):
    left_on = DayColumn(default="在校")


def test_a_day_is_shown_in_words_exported_as_iso_and_its_default_is_both():
    rows = Days([{"left_on": dt.date(2020, 11, 20)}, {"left_on": None}]).rows
    assert [row.get_cell("left_on") for row in rows] == ["2020年11月20日", "在校"]
    assert [row.get_cell_value("left_on") for row in rows] == ["2020-11-20", "在校"]
