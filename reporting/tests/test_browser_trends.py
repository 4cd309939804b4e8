"""The charts in a real browser: drawn under the strict policy, their tables folded; without scripts just tables."""

import pytest
from playwright.sync_api import expect

from core import clock
from obligations import services as obligations
from reporting.sweep import sweep

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHARTS = ["rates", "times", "last"]


@pytest.fixture
def closed(world):
    for key in ("2020-W43", "2020-W44", "2020-W45", "2020-W46"):
        world.add_week(key)
        owed = world.owed(world.school, key)
        obligations.fulfil(owed, received_at=owed.opens_at)
    sweep(clock.now())


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_charts_are_drawn_and_their_tables_unfold(world, closed, live_server, visit, size):
    page = visit(world.office, size)
    page.goto(f"{live_server.url}/trends/")
    for name in CHARTS:
        chart = page.locator(f"[data-chart={name}]")
        expect(chart.locator("canvas")).to_be_visible()
        assert chart.bounding_box()["width"] <= size[0]
    table = page.locator("details table").first
    expect(table).to_be_hidden()
    page.locator("details summary:has-text('各市各周填报率')").click()
    expect(table).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("figure details[open]").count() == len(CHARTS)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("figure details[open]").count() == 1


def test_without_scripts_the_tables_stand_open(world, closed, live_server, visit):
    page = visit(world.office, scripts=False)
    page.goto(f"{live_server.url}/trends/")
    for name in CHARTS:
        expect(page.locator(f"[data-chart={name}]")).to_be_hidden()
    assert [page.locator("figure table").nth(i).is_visible() for i in range(3)] == [True] * 3
