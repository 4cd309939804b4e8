"""The rows that the benchmarks run on, made through the demonstration's founder and by set-based SQL."""

import datetime as dt
import io
from pathlib import Path
from random import Random

from django.core.management import call_command
from django.db import connection

from accounts.models import User
from core import clock
from obligations import services
from obligations.models import ObligationKind, Period
from obligations.periods import make_periods, open_period
from reporting.demo.province import Founder

MONDAY = dt.date(2020, 11, 16)
HISTORY_WEEKS = 26
HISTORY = Path(__file__).with_name("history.sql").read_text()


def make_province(*, schools: int, years: int = 1) -> None:
    """The demonstration province at that size: accounts, a year of reports, the clock at 2020-11-18 10:00."""
    call_command("load_reference", stdout=io.StringIO())
    call_command("demo", schools=schools, years=years, stdout=io.StringIO())
    _analyze()


def found_province(schools: int) -> User:
    """`schools` schools with their programmes and plans, and nothing reported yet; an officer of the office."""
    call_command("load_reference", stdout=io.StringIO())
    rng = Random(2020)  # noqa: S311 (invented data)
    return Founder(schools=schools, starts_on=MONDAY, rng=rng).found().users["office1"]


def make_closing_week(schools: int) -> Period:
    """`schools` schools with half a year behind them, one in ten of which has not filed the newest week.

    Of those a quarter missed the week before too, and an eighth three weeks, half of these across an
    exempt one. Gives that week, which closes with the next sweep.
    """
    call_command("load_reference", stdout=io.StringIO())
    starts_on = MONDAY - dt.timedelta(weeks=HISTORY_WEEKS)
    rng = Random(2020)  # noqa: S311 (invented data)
    province = Founder(schools=schools, starts_on=starts_on, rng=rng).found()
    fields = {
        "kind": ObligationKind.WEEKLY_REPORT,
        "effective_from": starts_on,
        "reminder_hours": [48, 24, 2],
    }
    services.set_policy(
        fields=fields, by=province.users["office1"], at=clock.at(starts_on - dt.timedelta(days=10))
    )
    make_periods(ObligationKind.WEEKLY_REPORT, at=clock.at(MONDAY + dt.timedelta(weeks=1)))
    for period in Period.objects.filter(starts_on__lte=MONDAY + dt.timedelta(weeks=1)).order_by("starts_on"):
        open_period(period)
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, {"newest": MONDAY})
    _analyze()
    return Period.objects.select_related("policy").get(starts_on=MONDAY)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
