"""Rates: owed = on time + late + missed + pending, never above 100 %, cities add up to the province."""

from hypothesis import given
from hypothesis import strategies as st

from obligations import services
from obligations.models import Obligation
from obligations.rates import Rate, rate, rates, total
from reporting.sweep import sweep

COUNT = st.integers(0, 10_000)


@given(st.builds(Rate, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT))
def test_a_rate_never_exceeds_its_owed(counted):
    assert counted.owed == counted.on_time + counted.late + counted.missed + counted.pending
    if counted.owed:
        assert 0 <= counted.percent_on_time <= counted.percent <= 100
        assert (counted.percent == 100) == (counted.filed == counted.owed)
        assert 0 <= counted.percent_behind <= 100
        assert counted.behind + counted.on_time + counted.excused + counted.pending == counted.owed
    else:
        assert counted.percent is None


RATES = st.builds(Rate, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT)


@given(RATES, RATES)
def test_a_change_is_the_difference_of_the_shares_shown(after, before):
    if after.owed and before.owed:
        assert after.change_from(before) == -before.change_from(after)
        assert abs(before.percent + after.change_from(before) - after.percent) < 0.01
        assert after.change_from(after) == 0
    else:
        assert after.change_from(before) is None


def test_sums_of_parts_are_the_parts_of_the_sum():
    parts = [Rate(1, 2, 3, 4, 5, 6, 7), Rate(7, 6, 5, 4, 3, 2, 1)]
    assert total(parts) == Rate(8, 8, 8, 8, 8, 8, 8)
    assert total(parts).owed == sum(part.owed for part in parts)


def test_every_obligation_is_counted_once_and_cities_add_up(world):
    third = world.add_school("太原第三演示学校")
    world.add_school("长治第四演示学校", bureau=world.other_bureau)
    world.add_school("省属演示学校", bureau=world.province)
    weeks = ["2020-W44", "2020-W45", "2020-W46"]
    for week in weeks:
        world.add_week(week)
    services.fulfil(
        world.owed(world.school, "2020-W44"), received_at=world.owed(world.school, "2020-W44").opens_at
    )
    services.fulfil(world.owed(third, "2020-W44"), received_at=world.owed(third, "2020-W44").due_at)
    at = world.at("2020-11-17T10:00:00+08:00")
    sweep(at)
    services.fulfil(world.owed(third, "2020-W45"), received_at=at)
    services.excuse(world.owed(third, "2020-W46"), reason="国家平台已填报", by=world.office, at=at)
    services.excuse(world.owed(third, "2020-W45"), reason="国家平台已填报", by=world.office, at=at)

    weekly = Obligation.objects.weekly()
    province = rate(weekly)
    assert province.owed + province.exempt == weekly.count()
    assert (province.on_time, province.late, province.excused, province.filled) == (1, 1, 2, 0)
    for lookups in [("organization__supervisor",), ("period",), ("organization__supervisor", "period")]:
        assert total(rates(weekly, *lookups).values()) == province
    services.withdraw_excuse(world.owed(third, "2020-W45"), reason="核实有误", by=world.office, at=at)
    assert rate(weekly).filled == 1
    assert rate(weekly).missed == province.missed


def test_one_query_each(world, django_assert_num_queries):
    with django_assert_num_queries(1):
        rate(Obligation.objects.weekly())
    with django_assert_num_queries(1):
        rates(Obligation.objects.weekly(), "organization__supervisor", "period")
