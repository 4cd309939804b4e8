"""Plays the weeks one after the other: the portal's own sweep opens, reminds, closes, warns and flags;
officers declare vacations and excuse through the services; schools file in between.
"""

import datetime as dt
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from django.db.models import F, OuterRef, Subquery

from accounts.models import Organization, User
from core import clock, events
from core.bulk import insert
from core.drafts import content_hash
from core.models import Event, Notice
from obligations import services as obligations
from obligations.models import Obligation, ObligationKind, Outcome, Period, Suspension, received_outcome
from obligations.periods import make_periods
from reporting import services
from reporting.demo import behaviour, figures
from reporting.demo.bulk import next_key, receipt, refresh_statistics, reset_keys
from reporting.demo.names import LABEL
from reporting.demo.province import DemoProvince, DemoSchool
from reporting.demo.summaries import Summaries
from reporting.models import ProgrammeFigures, ReportVersion, WeeklyReport
from reporting.sweep import LAG, sweep
from schools.services.renewals import owe_renewals

REMINDED_WEEKS = 4
MOST_EXCUSES = 30
EXCUSES = [f"国家平台列表显示该校已按时填报（{LABEL}）", f"学校网络中断，已提供运营商证明（{LABEL}）"]
READ_AFTER = dt.timedelta(days=14)


@dataclass(frozen=True)
class Filing:
    """One report on its way: received at an instant, for one obligation."""

    obligation: Obligation
    period: Period
    school: "Reporter"
    received_at: dt.datetime


class Reporter:
    """A school with what it said last; figures start again with each year."""

    def __init__(self, school: DemoSchool, habit: behaviour.Habit, rng: Random) -> None:
        self.school = school
        self.habit = habit
        self.delays = [rng.randrange(4) for _ in school.programmes]
        self.year = 0
        self.last: dict[str, figures.Row] = {}

    def rows(self, period: Period) -> dict[str, figures.Row]:
        year, week, _ = period.starts_on.isocalendar()
        if year != self.year:
            self.year, self.last = year, {}
        rows = {}
        for programme, delay in zip(self.school.programmes, self.delays, strict=True):
            if programme.started_at > period.opens_at or year not in programme.plans:
                continue
            started = clock.local(programme.started_at)
            autumn = started.year == year and started.month > 6
            pk = str(programme.pk)
            rows[pk] = figures.row(programme.plans[year], week, delay=delay, autumn=autumn)
            figures.explain(rows[pk], self.last.get(pk))
        return rows


class Chronicle:
    """`play()` goes from the first week to `now`, in order, and ends as the portal itself would stand."""

    def __init__(self, province: DemoProvince, *, starts_on: dt.date, now: dt.datetime, rng: Random) -> None:
        self.province = province
        self.starts_on = starts_on
        self.now = now
        self.rng = rng
        self.office = province.users["office1"]
        self.reporters = self._reporters()
        self.filings: list[tuple[dt.datetime, int, Filing]] = []
        self.actions: list[tuple[dt.datetime, int, Callable[[dt.datetime], object]]] = []
        self.order = itertools.count()
        self.next_version = next_key(ReportVersion)
        self.excuses = 0

    def _reporters(self) -> dict[int, Reporter]:
        schools = self.province.schools
        bureau = schools[0].organization.supervisor_id
        founded = [n for n, s in enumerate(schools) if clock.local(s.joined_at).date() < self.starts_on]
        eligible = sorted(founded, key=lambda n: schools[n].organization.supervisor_id != bureau)
        habits = behaviour.habits(len(schools), eligible=eligible, home=0, rng=self.rng)
        return {
            school.organization.pk: Reporter(school, habit, self.rng)
            for school, habit in zip(schools, habits, strict=True)
        }

    def play(self, say: Callable[[str], object]) -> None:
        declared_at = clock.at(self.starts_on - dt.timedelta(days=10), dt.time(10))
        obligations.set_policy(
            fields={
                "kind": ObligationKind.WEEKLY_REPORT,
                "effective_from": self.starts_on,
                "reminder_hours": [48, 24, 2],
                "note": "演示数据：本平台的默认规则",
            },
            by=self.office,
            at=declared_at,
        )
        self._plan_vacations()
        # Its own chance, so that what it draws leaves the weeks as they were.
        chance = Random(len(self.reporters))  # noqa: S311 (invented data)
        Summaries(self.province, now=self.now, rng=chance).plan(
            effective_from=self.starts_on, declared_at=declared_at, at=self._at
        )
        make_periods(ObligationKind.WEEKLY_REPORT, at=self.now)
        weekly = Period.objects.filter(kind=ObligationKind.WEEKLY_REPORT, opens_at__lte=self.now)
        periods = list(weekly.select_related("policy").order_by("starts_on"))
        self._at(self.now - dt.timedelta(hours=19), self._send_one_back)
        for number, period in enumerate(periods):
            if number in (0, 1) or number % 10 == 5:
                refresh_statistics()
            self._play_week(period, weeks_ago=len(periods) - 1 - number)
            if number % 26 == 25:
                say(f"已到{period.label}")
        self._pass_until(self.now)
        reset_keys(ReportVersion)

    # --- time

    def _play_week(self, period: Period, *, weeks_ago: int) -> None:
        self._pass_until(period.opens_at)
        self._plan_filings(period, weeks_ago)
        if weeks_ago <= REMINDED_WEEKS:
            for hours in period.policy.reminder_hours:
                self._pass_until(period.due_at - dt.timedelta(hours=hours))
        if period.closes_at < self.now:
            self._at(period.closes_at, sweep)
            self._at(
                period.closes_at + dt.timedelta(seconds=1), lambda at: self._excuse_some(period, weeks_ago)
            )

    def _at(self, at: dt.datetime, action: Callable[[dt.datetime], object]) -> None:
        heapq.heappush(self.actions, (at, next(self.order), action))

    def _pass_until(self, at: dt.datetime) -> None:
        """Whatever happens before `at` happens; then the portal sweeps."""
        at = min(at, self.now - LAG)
        while self.actions and self.actions[0][0] <= at:
            instant, _, action = heapq.heappop(self.actions)
            self._receive_until(instant)
            action(instant)
        self._receive_until(at)
        sweep(at)

    # --- reports

    def _plan_filings(self, period: Period, weeks_ago: int) -> None:
        owed = Obligation.objects.filter(period=period, outcome=Outcome.PENDING).order_by("pk")
        for obligation in owed:
            school = self.reporters.get(obligation.organization_id)
            if school is None:
                continue
            received_at = self._receives(school, period, weeks_ago)
            if received_at and received_at < self.now - LAG:
                filing = Filing(obligation, period, school, received_at)
                heapq.heappush(self.filings, (received_at, next(self.order), filing))

    def _receives(self, school: Reporter, period: Period, weeks_ago: int) -> dt.datetime | None:
        rng, habit = self.rng, school.habit
        if weeks_ago == 0:
            if habit.stands_out or habit.is_home or rng.random() > behaviour.ALREADY_FILED_THIS_WEEK:
                return None
            return behaviour.on_time(period.starts_on, self.now, rng)
        what = behaviour.outcome(habit, weeks_ago, rng)
        if what == "on_time":
            return behaviour.on_time(period.starts_on, period.due_at, rng)
        if what == "late":
            return behaviour.late(period.due_at, period.closes_at, rng)
        if habit.misses != behaviour.FLAGGED and rng.random() < behaviour.BACK_FILLED:
            return behaviour.back_filled(period.closes_at, rng)
        return None

    def _receive_until(self, at: dt.datetime) -> None:
        """Store the reports received before `at`, as `services.submit_report` would one by one."""
        batch = []
        while self.filings and self.filings[0][0] < at:
            batch.append(heapq.heappop(self.filings)[2])
        if not batch:
            return
        versions = [self._version(filing) for filing in batch]
        pairs = list(zip(batch, versions, strict=True))
        insert([WeeklyReport(obligation=f.obligation, current_id=v.pk, draft_revision=1) for f, v in pairs])
        insert(versions)
        insert([row for version in versions for row in self._figures(version)])
        self._fulfil(batch)
        insert([self._event(filing, version) for filing, version in pairs])

    def _version(self, filing: Filing) -> ReportVersion:
        reporter = filing.school
        rows = reporter.rows(filing.period)
        zero = figures.unchanged(rows, reporter.last) and self.rng.random() < 0.7
        content = figures.content(
            period=filing.period.key,
            organization=reporter.school.organization.code,
            rows=rows,
            zero=zero,
            subject=self.rng.choice(reporter.school.programmes).certificate,
            rng=self.rng,
        )
        reporter.last = rows
        number = self.next_version
        self.next_version += 1
        return ReportVersion(
            pk=number,
            report_id=filing.obligation.pk,
            number=1,
            receipt=receipt("ZB", filing.received_at, number),
            token=f"{self.rng.getrandbits(128):032x}",
            received_at=filing.received_at,
            submitted_by=reporter.school.contact,
            is_zero=zero,
            content=content,
            content_hash=content_hash(content),
        )

    def _figures(self, version: ReportVersion) -> list[ProgrammeFigures]:
        return [
            ProgrammeFigures(version=version, programme_id=int(pk), **row)
            for pk, row in version.content["programmes"].items()
        ]

    def _fulfil(self, batch: list[Filing]) -> None:
        """What `obligations.fulfil` does, for many: the outcome by the same function, the instant as received."""
        received = Subquery(
            ReportVersion.objects.filter(report=OuterRef("pk"), number=1).values("received_at")[:1]
        )
        by_outcome: dict[Outcome | None, list[int]] = {}
        for filing in batch:
            outcome = received_outcome(filing.received_at, filing.period.due_at, filing.period.closes_at)
            by_outcome.setdefault(outcome, []).append(filing.obligation.pk)
        for outcome, keys in by_outcome.items():
            for start in range(0, len(keys), 5000):
                rows = Obligation.objects.filter(pk__in=keys[start : start + 5000])
                if outcome:
                    rows.pending().update(outcome=outcome, received_at=received)
                else:
                    rows.filter(outcome=Outcome.MISSED).update(filled_at=received)

    def _event(self, filing: Filing, version: ReportVersion) -> Event:
        outcome = received_outcome(filing.received_at, filing.period.due_at, filing.period.closes_at)
        organization = filing.school.school.organization
        return events.build(
            "report_submitted",
            filing.obligation,
            by=filing.school.school.contact,
            at=filing.received_at,
            organization_id=organization.pk,
            to_state=outcome or "filled",
            changes={"回执": version.receipt, "版本": 1, "内容摘要": version.content_hash},
            target_label=f"{organization.name} {filing.obligation.title}",
        )

    # --- officers

    def _excuse_some(self, period: Period, weeks_ago: int) -> None:
        if weeks_ago <= behaviour.FLAGGED + 1 or self.excuses >= MOST_EXCUSES:
            return
        for obligation in Obligation.objects.filter(period=period).counted_missed().order_by("pk"):
            if self.rng.random() < behaviour.EXCUSED and self.excuses < MOST_EXCUSES:
                self.excuses += 1
                reason = self.rng.choice(EXCUSES)
                at = period.closes_at + dt.timedelta(days=self.rng.randrange(1, 4), hours=-8)
                self._at(at, _Excuse(obligation, reason, self.office))

    def _plan_vacations(self) -> None:
        bureaux = [([b], f"{b.name}主管院校", self.province.officers[b.pk]) for b in self.province.bureaux]
        of_the_province = [
            s.organization
            for s in self.province.schools
            if s.organization.supervisor_id == self.province.office.pk
        ]
        vacation = Suspension.Kind.VACATION
        for year in range(self.starts_on.year, clock.local(self.now).year + 1):
            for scope in [*bureaux, (of_the_province, "省属院校", self.office)]:
                shift = dt.timedelta(weeks=self.rng.randrange(2))
                for name, first, last in [
                    ("寒假", dt.date(year, 1, 13), dt.date(year, 2, 17)),
                    ("暑假", dt.date(year, 7, 13), dt.date(year, 8, 31)),
                ]:
                    self._plan_suspension(vacation, *scope, first + shift, last, f"{name}（{LABEL}）")
        school = self.province.schools[2]
        moving = (dt.date(2020, 5, 11), dt.date(2020, 5, 16), f"实训基地搬迁停课（{LABEL}）")
        own = ([school.organization], school.organization.name, school.contact)
        self._plan_suspension(vacation, *own, *moving)
        epidemic = (dt.date(2020, 2, 17), dt.date(2020, 3, 2), f"疫情防控，推迟开学（{LABEL}）")
        everybody = ([self.province.office], "全省", self.office)
        self._plan_suspension(Suspension.Kind.EMERGENCY, *everybody, *epidemic)

    def _plan_suspension(
        self,
        kind: str,
        organizations: list[Organization],
        scope_label: str,
        by: User,
        first: dt.date,
        last: dt.date,
        reason: str,
    ) -> None:
        """Declared a week before its first day; `last` is the first day after it."""
        declared_at = clock.at(first - dt.timedelta(days=7), dt.time(10))
        if not organizations or declared_at < clock.at(self.starts_on) or declared_at > self.now:
            return
        self._at(
            declared_at,
            lambda at: obligations.suspend(
                kind=kind,
                organizations=organizations,
                scope_label=scope_label,
                starts_at=clock.at(first),
                ends_at=clock.at(last),
                reason=reason,
                by=by,
                at=at,
            ),
        )

    def _send_one_back(self, at: dt.datetime) -> None:
        """One report of last week goes back to a neighbour of the home school."""
        bureau = self.province.bureaux[0]
        sent = Obligation.objects.weekly().filter(
            organization__supervisor=bureau, outcome=Outcome.ON_TIME, closed_at__isnull=False
        )
        home = self.province.schools[0].organization
        obligation = sent.exclude(organization=home).order_by("-due_at", "pk").first()
        if obligation:
            services.return_for_correction(
                obligation=obligation,
                reason=f"参考人数与上周不符，请核对后更正。（{LABEL}）",
                by=self.province.officers[bureau.pk],
                at=at,
            )


@dataclass(frozen=True)
class _Excuse:
    obligation: Obligation
    reason: str
    by: User

    def __call__(self, at: dt.datetime) -> None:
        obligations.excuse(self.obligation, reason=self.reason, by=self.by, at=at)


def settle(now: dt.datetime) -> None:
    """What the portal's own jobs have done by `now`; and notices are read within two weeks."""
    owe_renewals(at=now - LAG)
    sweep(now - LAG)
    Notice.objects.filter(created_at__lt=now - READ_AFTER).update(read_at=F("created_at"))
