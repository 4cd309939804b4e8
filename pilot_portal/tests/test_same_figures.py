"""The circular's figures and the API's are the same."""

import pytest

from pilot_portal.tests.calling import Api, token_of
from reporting.circular import columns, figures, services
from reporting.circular.columns import COUNTS
from reporting.periods import between, opened_periods
from reporting.tests.test_circular import weeks  # noqa: F401  (a fixture)

NAMES = [
    "owed", "on_time", "late", "pending", "missed", "filled", "never_filled", "excused", "exempt",
    "percent", "percent_on_time",
]  # fmt: skip


@pytest.mark.parametrize("key", ["2020-W46", "2020-W47"])
@pytest.mark.parametrize("name", ["office", "other_city_officer"])
def test_the_circular_and_the_api_say_the_same(world, weeks, name, key):  # noqa: F811
    user = getattr(world, name)
    periods = between(opened_periods(), key, key)
    counted = figures.count(
        services.reporters_of(user, None, "weekly_report"), periods, at=periods[0].closes_at
    )
    answer = Api(token_of(user)).get(f"rates/{periods[0].pk}/").json()
    said = [
        [part["name"], *(part["rate"][field] for field in NAMES)]
        for part in [*answer["authorities"], {"name": "合计", "rate": answer["total"]}]
    ]
    first = 2
    assert said == [[row[0], *row[first : first + len(COUNTS)]] for row in columns.authority_rows(counted)]
