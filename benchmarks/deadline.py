"""The last ten minutes: 2,000 schools file at once while 50 officers browse, over HTTP.

Compressed in time: the schools file as fast as the server takes it. Each opens the form, has it checked,
reads what will be sent, sends it and reads the receipt: five requests. The officers turn a page
every quarter of a minute. All the portal's instants lie within the ten minutes before the deadline.
"""

import datetime as dt
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import unescape

from django.db.models import Count
from django.urls import reverse

from accounts.models import Role, User
from benchmarks import data
from benchmarks.measure import Claim, percentile
from benchmarks.server import Person, running
from core import clock
from core.models import ClockOrigin
from obligations.models import Obligation, Outcome, Period
from reporting.models import ReportVersion
from reporting.sweep import sweep

SCHOOLS, FILERS, OFFICERS = 2000, 12, 50
PAUSE = 15.0
AT_MOST = 540.0
BEFORE_DUE = dt.timedelta(minutes=10)
FIELD = re.compile(r"<(input|textarea)\b([^>]*)>([^<]*)")
ATTRIBUTE = re.compile(r'([\w-]+)(?:="([^"]*)")?')


def run() -> list[Claim]:
    data.make_province(schools=SCHOOLS)
    period = _stand_before_the_deadline()
    waiting = _waiting(period)
    versions = ReportVersion.objects.count()
    with running() as port:
        officers = [Person(user, port) for user in _officers()]
        contacts = [(Person(user, port), pk) for user, pk in waiting]
        rush = Rush()
        rush.go(officers, contacts)
    stored = ReportVersion.objects.count() - versions
    return [*_nothing_lost(period, rush, stored, len(waiting)), _told(rush)]


def _stand_before_the_deadline() -> Period:
    """The next week, whole: opened by the sweep, ten minutes before it is due."""
    monday = clock.at(data.MONDAY + dt.timedelta(weeks=1))
    sweep(monday)
    period = Period.objects.get(opens_at=monday)
    sweep(period.due_at - BEFORE_DUE)
    ClockOrigin.objects.update(real_at=clock.real_now(), portal_at=period.due_at - BEFORE_DUE)
    clock.forget_origin()
    return period


def _waiting(period: Period) -> list[tuple[User, int]]:
    contacts = {u.organization_id: u for u in User.objects.filter(role=Role.SCHOOL_CONTACT)}
    pending = Obligation.objects.filter(period=period, outcome=Outcome.PENDING).order_by("pk")
    return [(contacts[org], pk) for pk, org in pending.values_list("pk", "organization_id")]


def _officers() -> list[User]:
    """The office's and the cities' officers, each at several desks, up to OFFICERS."""
    users = list(User.objects.filter(role__in=[Role.OFFICE, Role.CITY_BUREAU]).order_by("username"))
    return [users[n % len(users)] for n in range(OFFICERS)]


class Rush:
    """What happened: seconds of each request, the receipts, and what failed."""

    def __init__(self) -> None:
        self.filing: list[float] = []
        self.browsing: list[float] = []
        self.receipts: list[str] = []
        self.failures: list[str] = []
        self.over = threading.Event()
        self.seconds = 0.0

    def go(self, officers: list[Person], contacts: list[tuple[Person, int]]) -> None:
        start = time.monotonic()
        self.ends_at = start + AT_MOST
        with ThreadPoolExecutor(OFFICERS) as browsers, ThreadPoolExecutor(FILERS) as filers:
            for officer in officers:
                browsers.submit(self._browse, officer)
            for _ in filers.map(self._file, contacts):
                pass
            self.over.set()
        self.seconds = time.monotonic() - start

    def _browse(self, officer: Person) -> None:
        pages = ["home", "reporting:matrix", "reporting:non-reporters", "obligations:deadlines"]
        turn = random.Random(officer.token)  # noqa: S311 (which page comes next)
        while not self.over.wait(turn.uniform(0, 2 * PAUSE)) and time.monotonic() < self.ends_at:
            path = reverse(turn.choice(pages))
            try:
                self._timed(self.browsing, partial(officer.get, path))
            except Exception as error:
                self.failures.append(f"{path}: {error}")

    def _file(self, one: tuple[Person, int]) -> None:
        contact, pk = one
        if time.monotonic() > self.ends_at:
            self.failures.append(f"{pk}: no time left")
            return
        try:
            self.receipts.append(self._report(contact, pk))
        except Exception as error:
            self.failures.append(f"{pk}: {error}")
        finally:
            contact.close()

    def _report(self, contact: Person, pk: int) -> str:
        edit, check = (reverse(f"reporting:{name}", args=[pk]) for name in ("edit", "check"))
        form = fields_of(self._timed(self.filing, lambda: contact.get(edit)))
        # The copy of last week, and its texts where they are still empty.
        for name in ("work_done", "next_week"):
            form[name] = form.get(name) or "继续开展教学与考前培训"
        form["action"] = "check"
        self._timed(self.filing, lambda: contact.post(edit, form))
        token = fields_of(self._timed(self.filing, lambda: contact.get(check)))["token"]
        receipt = self._timed(self.filing, lambda: contact.post(check, {"token": token}))
        page = self._timed(self.filing, lambda: contact.get(receipt))
        number = receipt.rstrip("/").rpartition("/")[2]
        if number not in page:
            raise RuntimeError(f"no receipt at {receipt}")
        return number

    def _timed(self, times: list[float], work: Callable[[], str]) -> str:
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
        return result


def fields_of(page: str) -> dict[str, str]:
    """Names and values of a page's inputs and text areas, as a browser would send them."""
    found: dict[str, str] = {}
    for kind, rest, text in FIELD.findall(page):
        attributes = dict(ATTRIBUTE.findall(rest))
        name = attributes.get("name")
        unticked = attributes.get("type") in {"checkbox", "radio"} and "checked" not in attributes
        if not name or unticked or attributes.get("type") in {"submit", "search"}:
            continue
        value = text.removeprefix("\n") if kind == "textarea" else attributes.get("value", "")
        found[name] = unescape(value)
    return found


def _nothing_lost(period: Period, rush: Rush, stored: int, owed: int) -> list[Claim]:
    """Every receipt names a stored version of its own, every school has one, all within the deadline."""
    named = ReportVersion.objects.filter(receipt__in=rush.receipts)
    on_time = Obligation.objects.filter(period=period, outcome=Outcome.ON_TIME)
    several = named.values("report").annotate(n=Count("pk")).filter(n__gt=1).count()
    lost = owed - min(len(set(rush.receipts)), stored, named.count(), on_time.count()) + several
    detail = {
        "院校": owed,
        "回执": len(set(rush.receipts)),
        "版本": stored,
        "按时": on_time.count(),
        "用时秒": round(rush.seconds),
    }
    failed = {"例": rush.failures[0][:120]} if rush.failures else {}
    return [
        Claim("截止前十分钟：丢失的周报", lost, "<=", 0, unit="份", detail=detail),
        Claim("截止前十分钟：失败的请求", len(rush.failures), "<=", 0, unit="次", detail=failed),
    ]


def _told(rush: Rush) -> Claim:
    """The pace that ten minutes ask for, and how long people wait meanwhile."""
    detail = {
        "填报请求": len(rush.filing),
        "填报 p95 ms": round(percentile(rush.filing, 0.95) * 1000),
        "浏览请求": len(rush.browsing),
        "浏览 p95 ms": round(percentile(rush.browsing, 0.95) * 1000) if rush.browsing else 0,
    }
    return Claim("截止前十分钟：全部报完用时", round(rush.seconds), "<=", 600, unit="秒", detail=detail)
