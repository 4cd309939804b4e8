"""Tables as wide as they need: on a phone without sideways scrolling, a short matrix without a blank below it."""

import pytest

from reporting.tests.summing import month_of
from reporting.tests.test_circular import weeks  # noqa: F401  (a fixture)
from supervision.tests.feedback import filed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("width", [320, 390])
def test_no_table_is_wider_than_the_phone(world, weeks, live_server, visit, width):  # noqa: F811
    filed(world)
    page = visit(world.office, (width, 844))
    for address in ("/circular/?from=2020-W45&to=2020-W46", "/feedback/counts/"):
        page.goto(live_server.url + address)
        tables = page.locator(".table-wrap")
        assert tables.count()
        widths = tables.evaluate_all("all => all.map(each => [each.scrollWidth, each.clientWidth])")
        assert all(needed <= given for needed, given in widths), (address, widths)
    page.goto(live_server.url + "/circular/?from=2020-W45&to=2020-W46")
    line = page.locator("tr", has_text="长治缺报演示学校").locator("td[data-label='未报']")
    assert line.inner_text().strip() == "2"


def test_a_matrix_of_few_rows_ends_with_its_last(world, live_server, visit):
    month_of(world)
    page = visit(world.office, (1440, 900))
    page.goto(f"{live_server.url}/matrix/?report=monthly_report")
    table, wrap = (page.locator(name).bounding_box() for name in (".matrix", ".matrix-wrap"))
    assert wrap["height"] - table["height"] <= 2
    assert wrap["width"] - table["width"] <= 2


@pytest.mark.parametrize("width", [320, 390])
def test_the_homes_cards_keep_each_heading_on_one_line(world, live_server, visit, width):
    world.evaluator.charges.create(
        coordinator=world.coordinator, given_by=world.office, given_at=world.period.opens_at
    )
    for user, owners in [(world.coordinator, 1), (world.evaluator_officer, 0)]:
        page = visit(user, (width, 844))
        page.goto(f"{live_server.url}/")
        # Whose a certificate is stands there only where it may be several's, and without its heading.
        assert page.locator("td.whose").count() == owners
        heads = page.locator(".table-cards td").evaluate_all(
            "all => all.map(each => getComputedStyle(each, '::before'))"
            ".map(head => head.content === 'none' ? 1 : parseFloat(head.height) / parseFloat(head.lineHeight))"
        )
        assert heads
        assert all(lines < 1.5 for lines in heads), heads
        assert page.evaluate("document.documentElement.scrollWidth") == width
