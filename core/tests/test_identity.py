"""The check of an ID number: checksum, real day, plausible age, what it says of sex and month of birth."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import identity
from core.personal import check_digit

TODAY = dt.date(2020, 11, 18)
births = st.dates(dt.date(1921, 1, 1), dt.date(2004, 11, 1))
regions = st.sampled_from(["140105", "142301", "140400", "830000", "659001", "110000"])


def number_of(region="140105", day="19850317", order="124"):
    first = f"{region}{day}{order}"
    return first + check_digit(first)


@given(regions, births, st.integers(0, 999))
def test_every_well_made_number_is_taken_and_read(region, born, order):
    number = number_of(region, f"{born:%Y%m%d}", f"{order:03d}")
    assert identity.fault(number, on=TODAY) == ""
    assert identity.birth_of(number) == born
    sex = "男" if order % 2 else "女"
    assert identity.disagreements(number, sex=sex, birth_month=f"{born:%Y-%m}") == {}


@given(births, st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(born, order, place, by):
    """The weights are prime to 11, so that any one digit changed changes the check digit."""
    number = number_of(day=f"{born:%Y%m%d}", order=f"{order:03d}")
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert identity.fault(wrong, on=TODAY)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("140105850317124", "15 位"),
        ("14010519850317", "18 位"),
        ("1401051985031712A5", "18 位"),
        ("", "18 位"),
        (number_of(day="19850230"), "真实的日期"),
        (number_of(day="20990101"), "年龄"),
        (number_of(day="19191118"), "年龄"),
        (number_of(region="990105"), "省份"),
        (number_of()[:17] + "*", "18 位"),
    ],
)
def test_what_is_wrong_is_said_without_a_digit_of_it(number, words):
    said = identity.fault(number, on=TODAY)
    assert words in said
    assert not number or number not in said


def test_sixteen_is_reached_on_the_birthday():
    number = number_of(day="20041118")
    assert identity.fault(number, on=dt.date(2020, 11, 17))
    assert identity.fault(number, on=dt.date(2020, 11, 18)) == ""


def test_sex_and_month_must_agree():
    number = number_of(order="124")
    assert identity.disagreements(number, sex="女", birth_month="1985-03") == {}
    assert set(identity.disagreements(number, sex="男", birth_month="1985-04")) == {"sex", "birth_month"}


def test_it_is_kept_as_the_card_shows_it():
    assert identity.normal(" １４０１０５ 19850317 102x ") == "14010519850317102X"
