"""The office's home against a view that answers "ok", in the same server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from accounts.models import User
from benchmarks import data
from benchmarks.measure import Claim, ratios
from benchmarks.server import Person, running
from reporting.demo.province import SCHOOLS
from reporting.homes import watch_home

PEOPLE = 4
REQUESTS = 15
OWED = """
SELECT count(*) FILTER (WHERE outcome IN ('on_time', 'late')), count(*)
FROM obligations_obligation
WHERE kind = 'weekly_report' AND outcome <> 'exempt' AND period_id = %s
"""


def run() -> list[Claim]:
    data.make_province(schools=SCHOOLS)
    office = User.objects.get(username="office1")
    _counts_right(office)
    with running() as port, ThreadPoolExecutor(PEOPLE) as pool:
        people = [Person(office, port) for _ in range(PEOPLE)]

        def all_ask(path: str) -> Callable[[], object]:
            return lambda: list(pool.map(lambda p: [p.get(path) for _ in range(REQUESTS)], people))

        home, ok = all_ask("/"), all_ask("/benchmark/ok/")
        home(), ok()
        found = ratios(ok, home, rounds=7)
    requests = PEOPLE * REQUESTS
    detail = {
        "首页每秒": round(requests * 1000 / found["b_ms"], 1),
        "ok 每秒": round(requests * 1000 / found["a_ms"], 1),
        "院校": SCHOOLS,
        "rounds": found["rounds"],
    }
    return [Claim("推进办首页每秒请求数 ÷ 只答 ok 的页面", found["ratio"], ">=", 0.3, detail=detail)]


def _counts_right(office: User) -> None:
    shown = watch_home(office)
    with connection.cursor() as cursor:
        cursor.execute(OWED, [shown.period.pk if shown.period else None])
        counted = cursor.fetchone()
    if counted != (shown.rate.filed, shown.rate.owed):
        raise AssertionError(f"the home says {shown.rate}, the rows {counted}")
