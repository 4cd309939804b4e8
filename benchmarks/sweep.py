"""The close of a week of 10,000 schools, 1,000 of them missing: the sweep, hand-written SQL, a loop."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.urls import reverse

from benchmarks import data
from benchmarks.loop import close_in_a_loop
from benchmarks.measure import Claim, ratios
from core.events import JOB
from core.models import Event, Notice
from obligations.models import Obligation, Period
from reporting.models import StreakWarning
from reporting.sweep import sweep
from supervision.models import Case, CaseEvidence

SCHOOLS = 10_000
SQL = Path(__file__).with_name("close_week.sql").read_text()


def run() -> list[Claim]:
    period = data.make_closing_week(SCHOOLS)
    at = period.closes_at
    by_sweep = _settled(lambda: sweep(at))
    by_sql = _settled(partial(_close_by_sql, period))
    by_loop = _settled(partial(close_in_a_loop, period, at=at))
    rows = _same_rows(period, {"sweep": by_sweep, "SQL": by_sql, "loop": by_loop})
    against_sql = ratios(by_sweep, by_sql, rounds=9, around=_undone)
    against_loop = ratios(by_loop, by_sweep, rounds=2, around=_undone)
    return [
        Claim(
            "关闭一周（1万所，10% 未报）：定时任务 ÷ 手写 SQL",
            against_sql.pop("ratio"),
            "<=",
            2,
            detail=against_sql | rows,
        ),
        Claim("关闭一周：逐校 ORM 循环 ÷ 定时任务", against_loop.pop("ratio"), ">=", 5, detail=against_loop),
    ]


def _settled(work: Any) -> Any:
    """`work`, with the foreign keys checked as a commit would."""

    def whole() -> None:
        work()
        connection.check_constraints()

    return whole


@contextmanager
def _undone() -> Iterator[None]:
    """Everything that happens within is rolled back: each run meets the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    # What was rolled back leaves dead rows: they must not slow the next run.
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE obligations_obligation, core_event, core_notice")


def _close_by_sql(period: Period) -> None:
    report, case = (reverse(name, args=[0]) for name in ("reporting:report", "supervision:case-detail"))
    values: dict[str, Any] = {
        "period": period.pk,
        "at": period.closes_at,
        "label": period.label,
        "key": period.key,
        "job": JOB,
        "limit": period.policy.flag_weeks,
        "clause": Case.CLAUSE,
        "ground": Case.Ground.NOT_REPORTING,
        "ground_label": Case.Ground.NOT_REPORTING.label,
        "report_link": report,
        "case_link": case,
        "list_link": reverse("reporting:non-reporters"),
        "cases_link": reverse("supervision:case-list"),
        "minute": f"{period.closes_at:%Y%m%d%H%M}",
        "obligation_type": ContentType.objects.get_for_model(Obligation).pk,
        "period_type": ContentType.objects.get_for_model(Period).pk,
        "case_type": ContentType.objects.get_for_model(Case).pk,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL, values)


def _same_rows(period: Period, ways: dict[str, Any]) -> dict[str, int]:
    """Each way's rows are the same, but for the numbers that the database gives; how many they are."""
    found = {}
    for name, work in ways.items():
        with _undone():
            before = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            work()
            found[name] = _written(period, before)
    first, *others = found.items()
    for name, rows in others:
        for table, lines in rows.items():
            differing = set(first[1][table]) ^ set(lines)
            if differing or len(first[1][table]) != len(lines):
                raise AssertionError(f"{first[0]} and {name} differ in {table}: {sorted(differing)[:4]}")
    counts = {table: len(lines) for table, lines in first[1].items()}
    if not all(counts.values()):
        raise AssertionError(f"a table stayed empty: {counts}")
    return counts


def _written(period: Period, last_event: int) -> dict[str, list[str]]:
    """Table → its rows as text, cases named by their organisation."""
    owner = {
        str(pk): f"of {organization}" for pk, organization in Case.objects.values_list("pk", "organization")
    }

    def named(text: str) -> str:
        return re.sub(r"(case:|cases/)(\d+)", lambda m: m[1] + owner[m[2]], text)

    closed = Obligation.objects.filter(period=period)
    tables: dict[str, Any] = {
        "outcomes": closed.values_list("pk", "outcome", "closed_at"),
        "periods": Period.objects.filter(pk=period.pk).values_list("pk", "closed_at"),
        "warnings": StreakWarning.objects.values_list("pk", "weeks", "warned_at"),
        "flags": Case.objects.values_list("organization", "ground", "state", "flagged_at", "spans_exempt"),
        "evidence": CaseEvidence.objects.values_list("case__organization", "obligation", "frozen", "added_at"),
        "notices": Notice.objects.values_list("recipient", "key", "text", "link", "created_at", "important"),
        "events": Event.objects.filter(pk__gt=last_event).values_list(
            "at", "actor", "actor_label", "action", "target_type", "target_label", "organization",
            "from_state", "to_state", "changes", "reason", "request_id",
        ),
    }  # fmt: skip
    return {name: [named(str(_plain(row))) for row in rows.order_by()] for name, rows in tables.items()}


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """JSON objects with their keys in order: the database gives them back in its own."""
    return [sorted(value.items()) if isinstance(value, dict) else value for value in row]
