"""The matrix: a letter for every state, rates, scope, filters, what follows the page, no query that grows."""

import re

import pytest
from django.urls import reverse

from accounts.models import Organization
from obligations import services
from obligations.models import Obligation, Outcome
from obligations.rates import rate, rates
from reporting import matrix as grid
from reporting.periods import opened_periods
from reporting.sweep import sweep

URL = "/matrix/"


@pytest.fixture
def seven(world):
    """One week in each state, the newest pending, for the first school."""
    keys = ["2020-W41", "2020-W42", "2020-W43", "2020-W44", "2020-W45", "2020-W46"]
    for key in keys:
        world.add_week(key)
    owed = {key: world.owed(world.school, key) for key in keys}
    services.fulfil(owed["2020-W41"], received_at=owed["2020-W41"].opens_at)
    services.fulfil(owed["2020-W42"], received_at=owed["2020-W42"].due_at)
    Obligation.objects.filter(pk=owed["2020-W46"].pk).update(outcome=Outcome.EXEMPT, exempt_reason="放假")
    at = world.at("2020-11-18T10:00:00+08:00")
    sweep(at)
    services.fulfil(owed["2020-W44"], received_at=at)
    services.excuse(owed["2020-W45"], reason="停电", by=world.office, at=at)
    return owed


def row_of(html, name):
    return html.split(f">{name}</a>")[1].split("<tr")[0].split("</tbody")[0]


def test_a_letter_for_each_state_oldest_first(world, seven, client_for):
    html = client_for(world.office).get(URL).content.decode()
    row = row_of(html, world.school_org.name)
    assert re.findall(r"<td class=(\w)>", row) == list("olmfxep")
    assert re.findall(r">([准迟缺补谅免待])</a>", row) == list("准迟缺补谅免待")
    assert f"href={reverse('reporting:report', args=[seven['2020-W41'].pk])}>" in row


def test_names_are_escaped(world, client_for):
    Organization.objects.filter(pk=world.school_org.pk).update(name="<script>alert(1)</script>")
    html = client_for(world.office).get(URL).content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_scope(world, client_for):
    city = client_for(world.city_officer).get(URL).content.decode()
    assert world.school_org.name in city
    assert world.other_school_org.name not in city
    alien = client_for(world.city_officer).get(URL, {"group": world.other_bureau.pk}).content.decode()
    assert world.other_school_org.name not in alien
    for user in [world.office, world.leading, world.auditor]:
        assert world.other_school_org.name in client_for(user).get(URL).content.decode()
    for user in [world.contact, world.evaluator_officer, world.finance, world.expert, world.learner]:
        assert client_for(user).get(URL).status_code == 403


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ({"city": "bureau"}, True, False),
        ({"q": "长治"}, False, True),
        ({"kind": "higher_vocational"}, False, False),
        ({"state": "pending"}, True, True),
        ({"state": "on_time"}, False, False),
        ({"streak": "3"}, False, True),
        ({"year": "2020"}, True, True),
        ({"weeks": "12", "state": "nonsense", "year": "1"}, True, True),
    ],
)
def test_filters_in_the_address(world, seven, client_for, query, first, second):
    if "city" in query:
        query = {"city": world.bureau.pk}
    html = client_for(world.office).get(URL, query).content.decode()
    table = html.split("<tbody>")[-1] if "<tbody>" in html else ""
    assert (f">{world.school_org.name}</a>" in table) == first
    assert (f">{world.other_school_org.name}</a>" in table) == second


def test_later_groups_follow_and_need_no_script(world, client_for, monkeypatch):
    monkeypatch.setattr(grid, "FIRST_CELLS", 1)
    client = client_for(world.office)
    html = client.get(URL).content.decode()
    assert f">{world.school_org.name}</a>" in html
    assert f">{world.other_school_org.name}</a>" not in html
    assert f'hx-get="?group={world.other_bureau.pk}"' in html
    assert f'href="?city={world.other_bureau.pk}"' in html
    part = client.get(URL, {"group": world.other_bureau.pk}).content.decode()
    assert part.lstrip().startswith("<tbody")
    assert world.other_school_org.name in part
    assert f">{world.other_school_org.name}</a>" in client.get(URL, {"all": 1}).content.decode()


def rates_of(html, heading):
    """The rates in the row that begins with `heading`."""
    row = next(row for row in html.split("<tr class=")[1:] if heading in row.split("</th>")[0])
    return re.findall(r"<td>([^<]*)", row)


def test_rates_are_those_of_every_page(world, seven, client_for):
    columns = opened_periods()[::-1]
    weekly = Obligation.objects.weekly()
    counts = rates(weekly, "organization__supervisor", "period")
    html = client_for(world.office).get(URL).content.decode()
    for bureau in [world.bureau, world.other_bureau]:
        expected = [counts[bureau.pk, period.pk].text for period in columns]
        assert rates_of(html, bureau.name) == expected
    expected = [rate(weekly.filter(period=period)).text for period in columns]
    assert rates_of(html, "合计填报率") == expected
    assert {"50%", "0%"} <= set(expected)


def test_total_follows_when_not_all_groups_are_shown(world, seven, client_for, monkeypatch):
    client = client_for(world.office)
    at_once = rates_of(client.get(URL).content.decode(), "合计填报率")
    monkeypatch.setattr(grid, "FIRST_CELLS", 1)
    html = client.get(URL, {"weeks": 12}).content.decode()
    assert rates_of(html, "合计填报率") == ["…"] * 7
    assert rates_of(html, world.other_bureau.name) == ["…"] * 7
    assert 'hx-get="?weeks=12&amp;total=1" hx-trigger="load"' in html
    part = client.get(URL, {"weeks": 12, "total": 1}).content.decode()
    assert part.startswith("<tbody")
    assert rates_of(part, "合计填报率") == at_once
    assert rates_of(client.get(URL, {"all": 1}).content.decode(), "合计填报率") == at_once


def test_total_keeps_scope_and_filters(world, seven, client_for):
    for user, query in [(world.city_officer, {}), (world.office, {"city": world.bureau.pk})]:
        client = client_for(user)
        total = rates_of(client.get(URL, query | {"total": 1}).content.decode(), "合计填报率")
        assert total == rates_of(client.get(URL, query).content.decode(), world.bureau.name)
    assert client_for(world.contact).get(URL, {"total": 1}).status_code == 403


def test_queries_do_not_grow(world, client_for, django_assert_num_queries):
    client = client_for(world.office)
    client.get(URL)
    with django_assert_num_queries(9):
        client.get(URL)
    for name in ["甲", "乙", "丙"]:
        world.add_school(f"{name}演示学校", bureau=world.province)
    world.add_week("2020-W46")
    with django_assert_num_queries(9):
        client.get(URL)
