"""Coverage city × certificate: what counts where, that it adds up, whose numbers; distances, loss, neighbours."""

import datetime as dt
import itertools
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import City, County
from certificates.models import Certificate, CertificateLevel
from core import clock
from evaluators import coverage, nearest
from evaluators.coverage import Cell
from evaluators.models import SchoolPlace, SiteRule
from evaluators.services import coverage as coverage_services
from evaluators.tests.siting import standing
from schools.models import AnnualPlan

TAIYUAN, CHANGZHI = "140100", "140400"


def counted(world, who="office", **narrowed):
    return coverage.cells(coverage.scope_of(getattr(world, who), **narrowed), clock.now())


def another_certificate(world, owner=None):
    certificate = Certificate.objects.create(
        name=f"证书{Certificate.objects.count()}", owner=owner or world.evaluator_org
    )
    return certificate, CertificateLevel.objects.create(certificate=certificate, level=1)


def at(latitude, longitude):
    return nearest.Spot(None, None, Decimal(latitude), Decimal(longitude))


def test_schools_that_run_it_and_no_site_are_a_gap(world):
    key = world.certificate.pk
    assert counted(world) == {
        (TAIYUAN, key): Cell(1, 100, 0, 0, 1),
        (CHANGZHI, key): Cell(1, 100, 0, 0, 1),
    }
    standing(world)
    assert counted(world)[TAIYUAN, key] == Cell(1, 100, 1, 40, 0)


@pytest.mark.parametrize("state", ["applied", "agreed", "returned", "refused"])
def test_only_a_filed_site_fills_a_gap(world, state):
    standing(world, state=state, filed_at=None)
    assert counted(world)[TAIYUAN, world.certificate.pk].gaps == 1


def test_a_site_where_nobody_runs_it_is_no_gap(world):
    city = City.objects.create(code="140200", name="大同市")
    standing(world, city=city)
    assert counted(world)["140200", world.certificate.pk] == Cell(0, 0, 1, 40, 0)


def test_two_levels_at_one_school_are_one_school_and_both_plans(world):
    second = CertificateLevel.objects.create(certificate=world.certificate, level=1)
    AnnualPlan.objects.create(programme=world.add_programme(world.school, second), year=2021, candidates=7)
    assert counted(world)[TAIYUAN, world.certificate.pk][:2] == (1, 200)


def test_a_school_counts_where_it_lies_not_under_whom(world):
    world.school_org.supervisor = world.province
    world.school_org.save()
    assert counted(world, "city_officer") == {
        (TAIYUAN, world.certificate.pk): counted(world)[TAIYUAN, world.certificate.pk]
    }


@pytest.mark.parametrize(
    ("moment", "runs"), [("2020-11-17T16:00:00+00:00", False), ("2020-11-17T15:59:59.999999+00:00", True)]
)
def test_an_ended_programme_runs_until_its_end(world, moment, runs):
    world.programme.ended_at = dt.datetime.fromisoformat("2020-11-17T16:00:00+00:00")
    world.programme.save()
    world.at(moment)
    assert ((TAIYUAN, world.certificate.pk) in counted(world)) is runs


def test_a_school_without_a_city_is_counted_too(world):
    world.school_org.city = None
    world.school_org.save()
    found = counted(world)
    assert found[None, world.certificate.pk] == Cell(1, 100, 0, 0, 1)
    assert coverage.table(found).sum.gaps == 2


def test_an_evaluator_counts_its_certificates_a_coordinator_those_in_charge(world):
    owner = world.bureau.__class__.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    other, level = another_certificate(world, owner)
    world.add_programme(world.school, level)
    assert {key for _, key in counted(world)} == {world.certificate.pk, other.pk}
    assert {key for _, key in counted(world, "evaluator_officer")} == {world.certificate.pk}
    assert counted(world, "coordinator") == {}
    world.evaluator.charges.create(coordinator=world.coordinator, given_by=world.office, given_at=clock.now())
    assert {key for _, key in counted(world, "coordinator")} == {world.certificate.pk}


@pytest.mark.parametrize("who", ["contact", "expert", "third_party", "learner"])
def test_the_others_count_nothing(world, who):
    assert counted(world, who) == {}


def test_a_city_asking_for_another_city_counts_nothing(world):
    assert counted(world, "city_officer", city=CHANGZHI) == {}


def test_two_queries_however_much_there_is(world):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as found:
            counted(world)
        return len(found)

    assert queries() == 2
    for _ in range(3):
        _, level = another_certificate(world)
        world.add_programme(world.school, level)
        standing(world, certificate=level.certificate)
    assert queries() == 2


cell = st.tuples(st.integers(0, 3), st.integers(0, 500), st.integers(0, 2), st.integers(1, 60)).map(
    lambda n: Cell(n[0], n[1] * bool(n[0]), n[2], n[3] * n[2], int(n[0] > 0 and n[2] == 0))
)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from([None, "140100", "140200", "140400"]), st.integers(1, 6)), cell
    ),
    st.booleans(),
)
def test_rows_and_columns_add_up_to_the_same(found, only_gaps):
    table = coverage.table(found, only_gaps=only_gaps)
    kept = [c for c in found.values() if c.gaps or not only_gaps]
    assert table.sum == coverage.total(kept)
    assert coverage.total(row.sum for row in table.rows) == table.sum
    assert coverage.total(table.columns.values()) == table.sum
    for row in table.rows:
        assert row.cells == {
            city: c for (city, key), c in found.items() if key == row.certificate and c in kept
        }


def test_a_gap_is_zero_only_where_a_site_stands_or_nobody_runs_it(world):
    """All four cases, from rows of the database."""
    for runs, stands in itertools.product([True, False], repeat=2):
        certificate, level = another_certificate(world)
        if runs:
            world.add_programme(world.school, level)
        if stands:
            standing(world, certificate=certificate)
        gaps = counted(world).get((TAIYUAN, certificate.pk), coverage.NOTHING).gaps
        assert (gaps == 0) == (stands or not runs)


# --- Distances


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (at("37.87059", "112.54886"), at("37.87059", "112.54886"), 0),
        # A degree of latitude.
        (at("37", "112"), at("38", "112"), 111.19),
        # Over the date line it is the short way.
        (at("0", "179.5"), at("0", "-179.5"), 111.19),
        (at("90", "0"), at("-90", "0"), 20015.09),
    ],
)
def test_great_circle(one, other, km):
    assert nearest.kilometres(one, other) == pytest.approx(km, abs=0.01)


@given(*[st.tuples(st.integers(-90, 90), st.integers(-180, 180))] * 2)
def test_a_distance_is_the_same_both_ways(one, other):
    there = nearest.kilometres(at(*one), at(*other))
    assert there == pytest.approx(nearest.kilometres(at(*other), at(*one)))
    assert 0 <= there <= 20016


def own(world):
    (line,) = nearest.of_school(world.school, clock.now())
    return line


def test_no_site_anywhere(world):
    line = own(world)
    assert (line.near, line.gap_in_city) == (None, True)


def test_words_by_what_is_known(world):
    third, fourth = world.add_school("第三学校"), world.add_school("第四学校")
    county = County.objects.create(code="140105", name="小店区", city=world.city)
    far = standing(world, world.other_school)
    assert (own(world).near.site, own(world).near.words, own(world).gap_in_city) == (far, "距离不详", True)
    near = standing(world, third)
    assert (own(world).near.site, own(world).near.words, own(world).gap_in_city) == (near, "同市", False)
    SchoolPlace.objects.create(
        school=world.school, county=county, latitude=Decimal(37), longitude=Decimal(112)
    )
    nearer = standing(world, fourth, county=county)
    assert (own(world).near.site, own(world).near.words) == (nearer, "同县（市、区）")
    measured = standing(world, world.add_school("第五学校"), latitude=Decimal("37.1"), longitude=Decimal(112))
    assert (own(world).near.site, own(world).near.words) == (measured, "11.1 公里")
    mine = standing(world)
    assert (own(world).near.site, own(world).near.words) == (mine, "本校")


def test_a_school_without_a_place_is_where_its_own_site_is(world):
    _, level = another_certificate(world)
    standing(world, certificate=level.certificate, latitude=Decimal(37), longitude=Decimal(112))
    standing(world, world.other_school, latitude=Decimal(38), longitude=Decimal(112))
    assert own(world).near.words == "111.2 公里"


# --- What falls to zero


def test_the_last_site_of_a_city_leaves_nothing(world):
    site = standing(world)
    far = standing(world, world.other_school)
    loss = nearest.loss_of(site, clock.now())
    assert (loss.falls_to_zero, loss.schools, loss.planned, loss.next.site) == (True, 1, 100, far)
    standing(world, world.add_school("第三学校"))
    loss = nearest.loss_of(site, clock.now())
    assert (loss.falls_to_zero, loss.others, loss.schools, loss.planned) == (False, 1, 2, 200)
    assert loss.next.words == "同市"


# --- Side by side


def paired(world):
    return [
        {pair.one.school, pair.other.school}
        for pair in nearest.side_by_side(nearest.filed_sites(world.office), clock.now())
    ]


@pytest.mark.parametrize(("places", "pointed_out"), [(200, False), (201, True)])
def test_two_of_a_city_under_half_a_candidate_a_place(world, places, pointed_out):
    """200 planned in the city: exactly half a candidate for each of 400 places is enough."""
    third = world.add_school("第三学校")
    standing(world, places=200)
    standing(world, third, places=places)
    assert paired(world) == ([{world.school, third}] if pointed_out else [])


def test_the_province_sets_the_threshold(world):
    third = world.add_school("第三学校")
    for school in (world.school, third):
        standing(world, school, places=100)
    assert paired(world) == []
    with pytest.raises(PermissionDenied):
        coverage_services.set_rule(
            candidates_per_place=Decimal("1.01"), by=world.city_officer, at=clock.now()
        )
    coverage_services.set_rule(candidates_per_place=Decimal("1.01"), by=world.office, at=clock.now())
    assert SiteRule.threshold() == Decimal("1.01")
    assert paired(world) == [{world.school, third}]


@pytest.mark.parametrize(("latitude", "pointed_out"), [("37.134", True), ("37.136", False)])
def test_over_the_border_fifteen_kilometres_count(world, latitude, pointed_out):
    """0.1349° of latitude are 15 km."""
    standing(world, places=500, latitude=Decimal(37), longitude=Decimal(112))
    standing(world, world.other_school, places=500, latitude=Decimal(latitude), longitude=Decimal(112))
    assert bool(paired(world)) is pointed_out


def test_a_busy_one_beside_an_idle_one_is_not_pointed_out(world):
    position = {"latitude": Decimal(37), "longitude": Decimal(112)}
    standing(world, places=500, **position)
    standing(world, world.other_school, places=100, **position)
    assert paired(world) == []


def test_other_certificates_are_no_neighbours(world):
    _, level = another_certificate(world)
    standing(world, places=500)
    standing(world, certificate=level.certificate, places=500)
    assert paired(world) == []
