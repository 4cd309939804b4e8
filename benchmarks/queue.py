"""The review queue of 2,000 schools × 6 certificate levels against raw SQL for the same page and count,
and what its pages ask of the database."""

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from benchmarks import data
from benchmarks.measure import Claim, ratios
from certificates.models import CertificateLevel
from core import clock
from core.bulk import insert
from core.models import Event
from obligations.rates import Rate
from schools import queue
from schools.models import (
    Agreement,
    AgreementParty,
    Application,
    ApplicationItem,
    ApplicationRound,
    ApplicationVersion,
    ItemMajor,
    School,
)

SCHOOLS, LEVELS = 2000, 6
SQL = Path(__file__).with_name("queue.sql").read_text()
COUNT = (
    "SELECT count(*) FROM schools_applicationitem i JOIN schools_application a ON a.id = i.application_id"
    " WHERE a.round_id = %(round)s AND i.state = 'first_reviewed'"
)


def run() -> list[Claim]:
    data.make_province(schools=SCHOOLS)
    officer = User.objects.get(username="office1")
    round_ = _round(officer)
    _same_rows(officer, round_)
    found = ratios(partial(_page, officer, round_), partial(_raw, round_), rounds=15)
    claims = [
        Claim("审核列表一页（12,000 项，全部列与总数）÷ 手写 SQL", found.pop("ratio"), "<=", 3, detail=found)
    ]
    slowest, times = 0.0, {}
    for label, work in _pages(officer, round_).items():
        with _database_time() as spent:
            work()
        times[label] = round(spent[0] * 1000)
        slowest = max(slowest, spent[0])
    detail = {f"{label} ms": spent for label, spent in times.items()}
    claims.append(
        Claim("审核各页中数据库用时最多的一页", round(slowest, 3), "<=", 1, unit="秒", detail=detail)
    )
    return claims


def _round(officer: User) -> ApplicationRound:
    """Every school has six items waiting for the province, complete but for their files."""
    now, day = clock.now(), dt.timedelta(days=1)
    round_ = ApplicationRound.objects.create(
        year=2021,
        number=1,
        opens_at=now - 9 * day,
        school_closes_at=now - 2 * day,
        city_closes_at=now - day,
        province_closes_at=now + 3 * day,
        created_by=officer,
        created_at=now,
    )
    schools = list(School.objects.filter(organization__is_demonstration=True).order_by("pk")[:SCHOOLS])
    levels = list(CertificateLevel.objects.select_related("certificate").order_by("pk")[:LEVELS])
    who: dict[str, Any] = {"started_by": officer, "started_at": now}
    applications = Application.objects.bulk_create(
        Application(round=round_, school=s, **who) for s in schools
    )
    versions = ApplicationVersion.objects.bulk_create(
        ApplicationVersion(
            application=application,
            number=1,
            receipt=f"SB20201116-{index:06d}",
            token=str(index),
            received_at=now - 3 * day,
            submitted_by=officer,
            content={},
            content_hash="0" * 64,
        )
        for index, application in enumerate(applications)
    )
    for application, version in zip(applications, versions, strict=True):
        application.current = version
    Application.objects.bulk_update(applications, ["current"], batch_size=500)
    _items(applications, levels, _agreements(schools, levels, officer))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return round_


def _agreements(schools: list[School], levels: list[CertificateLevel], by: User) -> dict[int, Agreement]:
    """One price for each level, signed by all."""
    today, now = clock.today(), clock.now()
    agreements = {
        level.pk: Agreement.objects.create(
            evaluator=level.certificate.owner,
            certificate_level=level,
            fee=200,
            signed_on=today - dt.timedelta(days=9),
            valid_until=today + dt.timedelta(days=365),
            registered_by=by,
            registered_at=now,
        )
        for level in levels
    }
    insert(
        [
            AgreementParty(agreement=agreement, school=school, confirmed_at=now, confirmed_by=by)
            for agreement in agreements.values()
            for school in schools
        ]
    )
    return agreements


def _items(
    applications: list[Application], levels: list[CertificateLevel], agreements: dict[int, Agreement]
) -> None:
    items = ApplicationItem.objects.bulk_create(
        ApplicationItem(
            application=application,
            certificate_level=level,
            state=ApplicationItem.State.FIRST_REVIEWED,
            planned_new=40,
            trainers=2,
            equipment="实训室两间",
            justification="专业对口",
            is_voluntary=True,
            is_no_condition=True,
            agreement=agreements[level.pk],
        )
        for application in applications
        for level in levels
    )
    names = {"710202": "计算机网络技术", "710201": "计算机应用"}
    insert([ItemMajor(item=item, code=code, name=name) for item in items for code, name in names.items()])
    type_ = ContentType.objects.get_for_model(ApplicationItem)
    told = {"at": clock.now(), "actor_label": "演示", "action": "item_submit_to_province"}
    insert(
        [
            Event(target_type=type_, target_id=str(item.pk), to_state=item.state, target_label="", **told)
            for item in items
        ]
    )


def _page(officer: User, round_: ApplicationRound) -> tuple[int, list[Any], Any, Any]:
    """What the queue fetches for its first page."""
    rows = queue.listed(ApplicationItem.objects.visible_to(officer).handed_in())
    rows = rows.filter(application__round=round_, state=ApplicationItem.State.FIRST_REVIEWED)
    items = queue.page(rows.values_list("pk", flat=True)[:50])
    rates = queue.reporting_rates(officer, {item.application.school_id for item in items})
    return rows.count(), items, rates, queue.waiting_since(items)


def _raw(round_: ApplicationRound) -> tuple[int, list[tuple[Any, ...]]]:
    values: dict[str, Any] = {
        "round": round_.pk,
        "first": clock.at(dt.date(clock.today().year, 1, 1)),
        "now": clock.now(),
        "type": ContentType.objects.get_for_model(ApplicationItem).pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)
        rows = cursor.fetchall()
        cursor.execute(COUNT, values)
        return cursor.fetchone()[0], rows


def _same_rows(officer: User, round_: ApplicationRound) -> None:
    count, items, rates, since = _page(officer, round_)
    counted, rows = _raw(round_)
    shown = [
        (i.pk, i.planned, i.last_plan, rates.get(i.application.school_id, Rate()).owed, since[i.pk])
        for i in items
    ]
    if (
        count != counted
        or count < SCHOOLS * LEVELS * 0.9
        or shown != [(r[0], r[6], r[11], r[13], r[15]) for r in rows]
    ):
        raise AssertionError(f"{count} items and {counted}, or rows differ: {shown[:2]} {rows[:2]}")


def _pages(officer: User, round_: ApplicationRound) -> dict[str, Callable[[], Any]]:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(officer, "django.contrib.auth.backends.ModelBackend")
    item = ApplicationItem.objects.filter(application__round=round_).earliest("pk")
    decide = {"action": "item_return", "everything": "1", "query": f"round={round_.pk}&state=first_reviewed"}
    return {
        "列表": lambda: client.get(reverse("reviews:queue")),
        "一项": lambda: client.get(reverse("reviews:item", args=[item.pk])),
        "一校": lambda: client.get(reverse("reviews:application", args=[item.application_id])),
        "审核结果": lambda: client.get(reverse("reviews:decisions", args=[round_.pk])),
        "全部退回的预览": lambda: client.post(reverse("reviews:decide"), decide),
        "全部批准的预览": lambda: client.post(reverse("reviews:decide"), decide | {"action": "item_approve"}),
    }


@contextmanager
def _database_time() -> Iterator[list[float]]:
    """Seconds that the database takes for what is asked within."""
    spent = [0.0]

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent[0] += time.perf_counter() - start

    with connection.execute_wrapper(timed):
        yield spent
