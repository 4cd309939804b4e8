"""Every page in a real browser: nothing serious for axe, nothing wider than the window, no CSP violation."""

from pathlib import Path

import pytest
from django.conf import settings

from reporting.tests.test_every_url import ROLES, addresses  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AXE = Path(settings.BASE_DIR) / "build" / "axe" / "axe.min.js"
DESK, PHONE = (1440, 900), (390, 844)


def faults(page, size):
    """What axe calls serious or critical, and sideways scrolling."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        ".filter(v => ['serious', 'critical'].includes(v.impact))"
        ".map(v => v.id + ' ' + v.nodes.map(n => n.target.join(' ')).slice(0, 3).join(' | '))"
    )
    width = page.evaluate("document.documentElement.scrollWidth")
    return found + ([f"{width} px wide"] if width > size[0] else [])


@pytest.mark.parametrize(("role", "size"), [("office", DESK), ("office", PHONE), ("contact", PHONE)])
def test_every_page(world, addresses, live_server, visit, role, size):  # noqa: F811
    page = visit(getattr(world, role), size)
    wrong, seen = {}, 0
    for name, address in addresses.items():
        answer = page.request.get(live_server.url + address)
        # What a browser would download is no page, and neither is the API's own.
        if answer.status != 200 or "html" not in answer.headers["content-type"] or "/api/" in address:
            continue
        page.goto(live_server.url + address)
        seen += 1
        if found := faults(page, size):
            wrong[name] = found
    assert wrong == {}
    assert seen > 15


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_every_home(world, live_server, visit, size):
    wrong = {}
    for role in ROLES:
        page = visit(getattr(world, role), size)
        page.goto(live_server.url + "/")
        if found := faults(page, size):
            wrong[role] = found
        page.context.close()
    assert wrong == {}


def test_the_door(world, live_server, chromium):
    page = chromium.new_page(viewport={"width": 320, "height": 600})
    page.goto(live_server.url)
    assert faults(page, (320, 600)) == []
    page.close()
