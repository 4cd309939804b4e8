"""What a weekly report may hold, and what is asked about it."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.drafts import content_hash
from core.numbers import MAX_FIGURE, parse_number
from reporting import content as shape
from reporting.forms import WeeklyForm
from reporting.sheet import sheet_for
from reporting.tests.weekly import content_of, file, typed


def check(world, week="2020-W47", **changes):
    form = WeeklyForm(sheet_for(world.owed(world.school, week)), typed(world, **changes))
    form.is_valid()
    return form


def errors_at(form, name, world):
    return form.errors.get(shape.field_name(world.programme.pk, name), [])


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("１２", 12),
        (" 1,200 ", 1200),
        ("１，２００", 1200),
        ("007", 7),
        ("5.0", 5),
        ("1000000", 1_000_000),
    ],
)
def test_numbers_as_people_type_them(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-1", "negative"),
        ("－３", "negative"),
        ("12人", "number"),
        ("十二", "number"),
        ("1e5", "number"),
        ("NaN", "number"),
        ("1.5", "places"),
        ("1,5", "number"),
        ("1000001", "large"),
        ("9" * 5000, "large"),
    ],
)
def test_what_is_no_number_is_refused_in_plain_words(text, code):
    with pytest.raises(ValidationError) as refusal:
        parse_number(text)
    assert refusal.value.code == code


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(text):
    try:
        number = parse_number(text, places=2)
    except ValidationError:
        return
    assert 0 <= number <= MAX_FIGURE


figures = st.fixed_dictionaries({figure.name: st.integers(0, MAX_FIGURE) for figure in shape.FIGURES})


@given(figures)
def test_repeating_last_week_is_never_questioned(row):
    assert shape.questions(row, row) == []


@given(figures, figures)
def test_every_fall_is_asked_about_and_nothing_else_is_called_a_fall(row, before):
    asked = " ".join(shape.questions(row, before))
    for figure in shape.FIGURES:
        assert (f"{figure.label}比上次少" in asked) == (row[figure.name] < before[figure.name])


@given(st.dictionaries(st.sampled_from([*shape.TEXTS]), st.text()), st.booleans())
def test_the_hash_does_not_depend_on_the_order_of_keys(texts, flag):
    content = {"is_zero": flag, **texts}
    assert content_hash(content) == content_hash(dict(reversed(content.items())))
    assert content_hash(content) != content_hash(content | {"is_zero": not flag})


@pytest.mark.parametrize(
    ("before", "now", "asked"),
    [(40, 39, True), (40, 90, True), (40, 89, False), (60, 120, False), (0, 49, False)],
)
def test_a_fall_or_a_jump_asks(before, now, asked):
    row = dict.fromkeys((figure.name for figure in shape.FIGURES), 500)
    assert bool(shape.questions(row | {"in_training": now}, row | {"in_training": before})) == asked


def test_typed_and_accepted_again_gives_the_same_content(world):
    content = content_of(world.obligation, typed(world))
    assert content_of(world.obligation, shape.typed_of(content)) == content
    assert content["money_spent"] == "1500.50"
    assert content["programmes"][str(world.programme.pk)]["training_hours"] == "36.5"


def test_each_figure_must_be_filled_and_says_so_at_its_field(world):
    form = check(world, in_training="", registered="-2", passed="abc")
    assert errors_at(form, "in_training", world) == ["请填写，没有请填 0。"]
    assert errors_at(form, "registered", world) == ["不能是负数。"]
    assert errors_at(form, "passed", world) == ["请填写数字，没有请填 0。"]
    assert [label for _, label, _ in form.messages()] == [
        f"{world.programme} · {name}" for name in ("在训人数", "报考人数", "合格人数")
    ]


def test_a_fall_needs_a_word_and_then_passes(world):
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    form = check(world, in_training="35")
    assert errors_at(form, "explanation", world) == ["请写明原因。"]
    assert [message for _, _, message in form.messages()] == ["在训人数比上次少 5。请写明原因。"]
    assert check(world, in_training="35", explanation="5 名学生退训").is_valid()


def test_more_passed_than_examined_asks_and_does_not_forbid(world):
    assert "合格人数多于参考人数" in check(world, passed="25").messages()[0][2]
    assert check(world, passed="25", explanation="含去年参考、今年公布成绩的 7 人").is_valid()


def test_figures_begin_again_in_january(world):
    file(world)
    world.at("2021-01-05T09:00:00+08:00")
    world.add_week("2021-W01")
    obligation = world.owed(world.school, "2021-W01")
    sheet = sheet_for(obligation)
    assert sheet.starts_again
    assert sheet.start(None) == {}
    form = check(world, "2021-W01", in_training="3", registered="0", examined="0", passed="0", certified="0")
    assert form.is_valid(), form.errors


def test_the_week_across_new_year_still_counts_for_the_old_year(world):
    file(world)
    world.at("2020-12-30T09:00:00+08:00")
    world.add_week("2020-W53")
    sheet = sheet_for(world.owed(world.school, "2020-W53"))
    assert not sheet.starts_again


def test_an_empty_report_is_not_a_report(world):
    zeros = dict.fromkeys((figure.name for figure in shape.FIGURES), "0")
    nothing = {"teachers_trained": "", "money_spent": "0", "work_done": "  ", "next_week": ""}
    form = check(world, **zeros, **nothing)
    assert [error.code for error in form.non_field_errors().as_data()] == ["empty"]
    assert check(world, **zeros, **nothing | {"problems": "缺设备"}).is_valid()


def test_repeating_last_week_without_a_word_is_empty_and_the_tick_makes_it_a_report(world):
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    nothing = {"teachers_trained": "", "money_spent": "", "work_done": "", "next_week": ""}
    assert not check(world, **nothing).is_valid()
    form = check(world, **nothing, is_zero="on")
    assert form.is_valid()
    assert form.content["is_zero"]
    assert not form.has_unused_figures


def test_a_zero_report_repeats_last_week_whatever_stands_in_the_boxes(world):
    world.add_week("2020-W46")
    before = file(world, world.owed(world.school, "2020-W46"))
    form = check(world, is_zero="on", in_training="999", passed="x")
    assert form.is_valid()
    row = form.content["programmes"][str(world.programme.pk)]
    assert row == before.content["programmes"][str(world.programme.pk)] | {"explanation": ""}
    assert form.content["money_spent"] == "0.00"
    assert form.has_unused_figures


def test_a_text_of_5000_characters_passes_and_one_more_is_counted(world):
    assert check(world, problems="字" * 5000).is_valid()
    form = check(world, problems="字" * 5001)
    assert form.errors["problems"] == ["“存在问题”共 5001 字，最多 5000 字。内容都还在，请删减。"]


def test_only_programmes_that_ran_when_the_week_opened_are_on_the_sheet(world):
    later = world.add_programme(world.school, _other_level(world))
    later.started_at = clock.now()
    later.save()
    world.programme.ended_at = clock.now()
    world.programme.save()
    assert list(sheet_for(world.obligation).names) == [str(world.programme.pk)]


def test_somebody_elses_programme_in_the_form_is_not_read(world):
    data = typed(world) | {shape.field_name(world.other_programme.pk, "in_training"): "7"}
    kept = shape.typed_from(data, sheet_for(world.obligation).names)
    assert shape.field_name(world.other_programme.pk, "in_training") not in kept
    assert Decimal(kept["teachers_trained"]) == 2


def test_nul_and_crlf_do_not_reach_the_database(world):
    kept = shape.typed_from({"problems": "一\r\n二\x00"}, [])
    assert kept["problems"] == "一\n二"


def _other_level(world):
    from certificates.models import CertificateLevel

    return CertificateLevel.objects.create(certificate=world.certificate, level=3)
