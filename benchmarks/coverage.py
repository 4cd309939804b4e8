"""Coverage by exam sites, 500 certificates × 17 cities × 2,000 schools, against raw SQL for the same cells."""

import datetime as dt
import gzip
import random
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import City, Organization, User
from benchmarks import data
from benchmarks.measure import Claim, ratios
from certificates.models import Certificate, CertificateLevel
from core import clock
from core.bulk import insert
from evaluators import coverage
from evaluators.models import ExamSite
from schools.models import AnnualPlan, Programme, School

SCHOOLS, CERTIFICATES, CITIES, EACH = 2000, 500, 17, 10
SQL = Path(__file__).with_name("coverage.sql").read_text()


def run() -> list[Claim]:
    officer = data.found_province(SCHOOLS)
    _spread(officer)
    _same_cells(officer)
    found = ratios(partial(_table, officer), _raw, rounds=25)
    whole = ratios(partial(_page, officer), _raw, rounds=15)
    detail = {"整页 ÷ SQL": whole["ratio"], "整页 ms": whole["a_ms"]} | _size(officer)
    return [
        Claim(
            "考点覆盖（500 证书 × 17 市 × 2000 校，合计与排序在内）÷ 手写 SQL",
            found.pop("ratio"),
            "<=",
            3,
            detail=found | detail,
        ),
        Claim("考点覆盖的查询", _queries(officer), "<=", 2, unit="条"),
    ]


def _spread(officer: User) -> None:
    """Ten certificates more at every school, in seventeen cities; a site at one in eight of these."""
    rng = random.Random(2020)  # noqa: S311 (invented data)
    now, day = clock.now(), dt.timedelta(days=1)
    for number in range(CITIES - City.objects.count()):
        City.objects.create(code=f"99{number:02}00", name=f"演示{number + 1}市")
    cities = list(City.objects.all()[:CITIES])
    organizations = list(Organization.objects.schools().filter(school__isnull=False)[:SCHOOLS])
    for index, organization in enumerate(organizations):
        organization.city = cities[index % CITIES]
    Organization.objects.bulk_update(organizations, ["city"], batch_size=500)
    owners = list(Organization.objects.filter(kind=Organization.Kind.EVALUATOR))
    made = Certificate.objects.bulk_create(
        Certificate(name=f"测量证书{number}职业技能等级证书", owner=rng.choice(owners))
        for number in range(CERTIFICATES)
    )
    levels = CertificateLevel.objects.bulk_create(
        CertificateLevel(certificate=certificate, level=level) for certificate in made for level in (1, 2, 3)
    )
    schools = School.objects.filter(pk__in=[o.pk for o in organizations]).in_bulk()
    chosen = [(schools[o.pk], o.city, level) for o in organizations for level in rng.sample(levels, EACH)]
    programmes = Programme.objects.bulk_create(
        [Programme(school=s, certificate_level=level, started_at=now - 9 * day) for s, _, level in chosen],
        batch_size=1000,
    )
    insert([AnnualPlan(programme=p, year=clock.today().year, candidates=40) for p in programmes])
    places = {
        (s.pk, level.certificate_id): (s, city, level)
        for s, city, level in rng.sample(chosen, len(chosen) // 8)
    }
    insert(
        [
            ExamSite(
                certificate=level.certificate,
                school=school,
                name="测量站点",
                city=city,
                address="演示路",
                places=40,
                equipment="机房",
                state=ExamSite.State.FILED,
                applied_by=officer,
                applied_at=now,
                filed_at=now,
            )
            for school, city, level in places.values()
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _table(officer: User) -> coverage.Table:
    return coverage.table(coverage.cells(coverage.scope_of(officer), clock.now()))


def _raw() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SQL, {"year": clock.today().year, "now": clock.now()})
        return cursor.fetchall()


def _same_cells(officer: User) -> None:
    rows = {(city, certificate): tuple(counts) for city, certificate, *counts in _raw()}
    found = coverage.cells(coverage.scope_of(officer), clock.now())
    if rows != {key: tuple(cell) for key, cell in found.items()}:
        raise AssertionError(f"{len(rows)} cells and {len(found)}, or they differ")
    certificates = {certificate for _, certificate in found}
    if len(certificates) < CERTIFICATES or len({city for city, _ in found}) != CITIES:
        raise AssertionError(f"{len(certificates)} certificates, {len(found)} cells")


def _queries(officer: User) -> int:
    with CaptureQueriesContext(connection) as found:
        _table(officer)
    return len(found)


def _client(officer: User) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(officer, "django.contrib.auth.backends.ModelBackend")
    return client


def _page(officer: User) -> Any:
    return _client(officer).get(reverse("sites:coverage"))


def _size(officer: User) -> dict[str, Any]:
    content = _page(officer).content
    return {
        "单元格": len(coverage.cells(coverage.scope_of(officer), clock.now())),
        "压缩后 KB": round(len(gzip.compress(content, 6)) / 1024),
    }
