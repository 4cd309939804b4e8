"""The matrix of 2,000 schools × 52 weeks against the raw SQL that fetches its cells."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from benchmarks import data
from benchmarks.measure import Claim, ratios
from benchmarks.server import compressed
from reporting.matrix import MARKS
from reporting.periods import opened_periods

SCHOOLS, WEEKS = 2000, 52
SQL = Path(__file__).with_name("cells.sql").read_text()
CELL = re.compile(r"<td class=(\w)><a href=/reports/(\d+)/>")
LATER = re.compile(r'hx-get="([^"]+)"')


def run() -> list[Claim]:
    data.make_province(schools=SCHOOLS)
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(username="office1"), "django.contrib.auth.backends.ModelBackend")
    page = Matrix(client)
    periods = [period.pk for period in opened_periods(newest=WEEKS)]
    _same_cells(page.parts(), periods)
    fetch = partial(_fetch, periods)
    first = ratios(page.first, fetch, rounds=9)
    parts = ratios(page.parts, fetch, rounds=7)
    whole = ratios(page.whole, fetch, rounds=7)
    size = sum(compressed(part) for part in page.parts())
    size_first = compressed(page.first())
    return [
        Claim("矩阵首屏（2000 校 × 52 周）÷ 取全部单元格的 SQL", first.pop("ratio"), "<=", 1, detail=first),
        Claim("矩阵一页给全（?all=1）÷ 取全部单元格的 SQL", whole.pop("ratio"), "<=", 1, detail=whole),
        Claim("矩阵首屏与其后各组之和 ÷ 取全部单元格的 SQL", parts.pop("ratio"), "<=", 1, detail=parts),
        Claim(
            "矩阵各部分压缩后之和",
            round(size / 1024),
            "<=",
            400,
            unit="KB",
            detail={"其中首屏 KB": round(size_first / 1024)},
        ),
    ]


class Matrix:
    """The page as an officer gets it: first the page, then group by group as they come into view."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.path = f"{reverse('reporting:matrix')}?weeks={WEEKS}"

    def _get(self, path: str) -> str:
        response = self.client.get(path)
        if response.status_code != 200:
            raise AssertionError(f"{path}: {response.status_code}")
        return response.content.decode()

    def first(self) -> str:
        return self._get(self.path)

    def parts(self) -> list[str]:
        first = self.first()
        later = [address.replace("&amp;", "&") for address in LATER.findall(first)]
        return [first, *(self._get(reverse("reporting:matrix") + address) for address in later)]

    def whole(self) -> str:
        return self._get(f"{self.path}&all=1")


def _fetch(periods: list[int]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SQL, [periods])
        return cursor.fetchall()


def _same_cells(parts: list[str], periods: list[int]) -> None:
    """Every cell stands in the page once, with its state."""
    shown = sorted((int(pk), key) for part in parts for key, pk in CELL.findall(part))
    fetched = sorted((pk, key) for _, _, pk, key in _fetch(periods))
    if shown != fetched or {key for _, key in shown} - set(MARKS):
        raise AssertionError(f"{len(shown)} cells shown, {len(fetched)} fetched, or states differ")
