import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.imports.columns import Choice, Code, Column, Email, Text, WholeNumber, tidy

GARBAGE = st.one_of(
    st.text(max_size=60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.none(),
)
WIDGETS = [
    Text(20),
    Code(),
    WholeNumber(0, 99),
    WholeNumber(2019, 2100, "年"),
    Choice({"是": True, "否": False}),
    Email(50),
]


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda w: type(w).__name__)
@given(value=GARBAGE)
def test_any_cell_gives_a_value_or_a_message(widget, value):
    column = Column("x", "列", widget)
    message = ""
    try:
        column.clean({"列": value})
    except ValueError as error:
        message = str(error)
    assert not message or message.endswith("。")


def test_codes_are_texts_however_they_were_typed():
    clean = Code().clean
    assert clean(4114010108.0) == "4114010108"
    assert clean(" ４１１４０１０１０８ ") == "4114010108"
    assert clean("0012") == "0012"


@pytest.mark.parametrize("value", [1.2345678901234567e16, 110101199003071234.0, "1.10101E+17"])
def test_lost_digits_are_found(value):
    with pytest.raises(ValueError, match=r"已丢失.*“文本”格式"):
        Code().clean(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1.0, "负数"),
        ("-3", "负数"),
        (2.5, "不是整数"),
        ("十", "不是整数"),
        (1e9, "超出范围"),
        (True, "逻辑值"),
        (dt.date(2020, 1, 1), "日期"),
    ],
)
def test_head_counts(value, message):
    with pytest.raises(ValueError, match=message):
        WholeNumber(0, 99_999).clean(value)


def test_head_counts_as_people_write_them():
    clean = WholeNumber(0, 99_999, "人").clean
    assert [clean(v) for v in (30.0, "３０", " 1,200 ", "45人")] == [30, 30, 1200, 45]


def test_tidy():
    assert tidy(" 山西\u3000某　学校\n") == "山西 某 学校"
    assert tidy("\u200b\ufeff") == ""
