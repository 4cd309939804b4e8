"""The demonstration's monthly reports and half-year summaries: filed as the weeks are played, in bulk; one of
last month's late, one missing, one without anything new, one sent back."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from django.db.models import Max, OuterRef, QuerySet, Subquery, Sum

from accounts.models import Organization, User
from core import clock, events
from core.bulk import insert
from core.drafts import content_hash
from obligations import services as obligations
from obligations.models import Obligation, ObligationKind, Outcome, Period, Policy, received_outcome
from obligations.periods import make_periods
from obligations.rates import rates
from reporting import services
from reporting.demo.bulk import next_key, receipt, reset_keys
from reporting.demo.names import LABEL
from reporting.demo.province import DemoProvince
from reporting.models import ReportVersion, Summary, SummaryVersion
from reporting.summaries import sources
from reporting.summaries.content import HALF_OF_SCHOOL, questions, shape_of, stored
from reporting.summaries.sheet import Sheet, sheet_for
from reporting.sweep import sweep

KINDS = (ObligationKind.MONTHLY_REPORT, ObligationKind.HALF_YEAR_SUMMARY)
PREFIXES = {ObligationKind.MONTHLY_REPORT: "YB", ObligationKind.HALF_YEAR_SUMMARY: "BN"}
# A month's by the fifth working day; a half-year's by the tenth day, before the schools' holidays.
TERMS: dict[str, dict[str, Any]] = {
    ObligationKind.MONTHLY_REPORT: {"due_in": Policy.DueIn.WORKING_DAYS, "due_day": 5},
    ObligationKind.HALF_YEAR_SUMMARY: {"due_in": Policy.DueIn.DAYS, "due_day": 10},
}
# How the last month stands, by the place of the evaluator among all; the others filed in time.
RETURNED, LATE, MISSING, ZERO = 1, 2, 3, 4
# Days in which they are filed; a half-year's when its last month's are in, which it adds up.
MONTHS_FROM, HALVES_FROM, ALL_FILED = (dt.timedelta(hours=hours) for hours in (9, 34, 66))
FEE = 300
PER_EXAM = 40
WORD = "上月考核、本月录入。（演示）"
TEXTS = {
    "problems": "部分院校考位紧张。（演示）",
    "plans": "组织下月考核和师资培训。（演示）",
    "progress": "按计划完成培训和考核，证书标准已融入教学。（演示）",
    "suggestions": "建议相邻院校共用考核站点。（演示）",
    "next_half": "扩大培训规模，完善考核站点。（演示）",
}
WRONG = f"发证数与院校周报相差较大，请核对后更正。（{LABEL}）"
At = Callable[[dt.datetime, Callable[[dt.datetime], object]], None]


@dataclass(frozen=True)
class Filed:
    """One on its way."""

    obligation: Obligation
    sheet: Sheet
    by: User
    received_at: dt.datetime


class Summaries:
    """`plan` sets the rules and puts what will be filed into the run of time by `at`."""

    def __init__(self, province: DemoProvince, *, now: dt.datetime, rng: Random) -> None:
        self.province, self.now, self.rng = province, now, rng
        self.office = province.users["office1"]
        self.contacts = {school.organization.pk: school.contact for school in province.schools}
        self.people = {**self.contacts, **province.evaluators}
        self.places = {pk: number for number, pk in enumerate(province.evaluators)}
        self.next_version = next_key(SummaryVersion)

    def plan(self, *, effective_from: dt.date, declared_at: dt.datetime, at: At) -> None:
        for kind in KINDS:
            obligations.set_policy(
                fields={
                    "kind": kind,
                    "effective_from": effective_from,
                    "reminder_hours": [48, 24],
                    "note": "演示数据：本平台的默认规则",
                    **TERMS[kind],
                },
                by=self.office,
                at=declared_at,
            )
            make_periods(kind, at=self.now)
        over = Period.objects.filter(kind__in=KINDS, closes_at__lt=self.now).order_by("opens_at")
        months = [period for period in over if period.kind == ObligationKind.MONTHLY_REPORT]
        for period in over:
            is_last = bool(months) and period == months[-1]
            self._plan(period, is_last, at)
        if months:
            at(clock.at(dt.date(2020, 11, 12), dt.time(10)), self._send_back)

    def _plan(self, period: Period, is_last: bool, at: At) -> None:
        is_half = period.kind == ObligationKind.HALF_YEAR_SUMMARY
        begins = period.opens_at + (HALVES_FROM if is_half else MONTHS_FROM)
        ends = period.opens_at + (ALL_FILED if is_half else HALVES_FROM)
        at(begins, sweep)
        for pk in self.places:
            drawn = begins + dt.timedelta(seconds=self.rng.randrange(int((ends - begins).total_seconds())))
            if not (is_last and self.places[pk] in {LATE, MISSING}):
                at(drawn, partial(self._file_one, period, pk))
        if is_half:
            at(ends, lambda now: self._file_schools(period, begins, now))
        if is_last:
            late = period.due_at + dt.timedelta(hours=20)
            at(late, lambda now: self._file_late(period, now))

    # --- what is filed, as `services.submit_summary` would one by one

    def _file_one(self, period: Period, pk: int, at: dt.datetime) -> None:
        """An evaluator's, at its own instant: what schools have reported by then stands in it."""
        row = self._owed(period).filter(organization=pk).first()
        if row:
            self._store([Filed(row, sheet_for(row), self.people[pk], at)])

    def _file_schools(self, period: Period, begins: dt.datetime, at: dt.datetime) -> None:
        """Most schools' at once, each received after the last weekly that it counts."""
        rows = list(self._owed(period).filter(organization__kind=Organization.Kind.SCHOOL))
        rows = [row for number, row in enumerate(rows) if number % 40 != 23]
        weeklies = ReportVersion.objects.filter(received_at__gt=begins, received_at__lt=at).order_by()
        by_school = weeklies.values_list("report__obligation__organization")
        last = dict(by_school.annotate(Max("received_at")))
        batch = []
        for row, sheet in self._of_schools(rows, period):
            start = last.get(row.organization_id, begins)
            seconds = self.rng.randrange(int((at - start).total_seconds()) + 1)
            batch.append(
                Filed(row, sheet, self.people[row.organization_id], at - dt.timedelta(seconds=seconds))
            )
        self._store(batch)

    def _owed(self, period: Period) -> QuerySet[Obligation]:
        owed = Obligation.objects.filter(period=period, outcome=Outcome.PENDING)
        return owed.select_related("organization", "period__policy").order_by("pk")

    def _file_late(self, period: Period, at: dt.datetime) -> None:
        """By the service: after the deadline, before the close."""
        for pk, officer in self.province.evaluators.items():
            row = Obligation.objects.filter(period=period, organization=pk).first()
            if row and self.places[pk] == LATE:
                content = self._content(Filed(row, sheet_for(row), officer, at))
                services.submit_summary(
                    obligation=row, content=content, token=f"demo-{row.pk}", by=officer, at=at
                )

    def _send_back(self, at: dt.datetime) -> None:
        pk = list(self.province.evaluators)[RETURNED]
        rows = Obligation.objects.filter(organization=pk, kind=ObligationKind.MONTHLY_REPORT)
        row = rows.filter(outcome=Outcome.ON_TIME).order_by("-due_at").first()
        if row:
            services.return_for_correction(obligation=row, reason=WRONG, by=self.office, at=at)

    # --- what they know

    def _of_schools(self, rows: list[Obligation], period: Period) -> Iterable[tuple[Obligation, Sheet]]:
        """Of the same sources as `sheet_for`."""
        owners = [row.organization_id for row in rows]
        first, last = period.starts_on, period.ends_on
        programmes = sources.programmes_of(period).filter(school__in=owners)
        figures = sources.weekly_figures(programmes, first, last)
        plans = (
            programmes.filter(plans__year=first.year).order_by().annotate(planned=Sum("plans__candidates"))
        )
        planned = dict(plans.values_list("pk", "planned"))
        known: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
        for one in programmes.select_related("certificate_level__certificate").order_by(
            "certificate_level__certificate__name", "certificate_level__level"
        ):
            row = {"name": str(one), "planned": planned.get(one.pk, 0)}
            known[one.school_id][str(one.pk)] = row | figures.get(one.pk, sources.none_known())
        sums = sources.weekly_sums(owners, first, last)
        weeks = Obligation.objects.weekly().filter(
            organization__in=owners,
            period__starts_on__gte=first - sources.THURSDAY,
            period__starts_on__lte=last - sources.THURSDAY,
        )
        counted = rates(weeks, "organization")
        for owed in rows:
            pk = owed.organization_id
            count = counted.get(pk)
            mine = {"owed": count.owed, "filed": count.filed + count.filled} if count else {}
            nothing = dict.fromkeys((figure.name for figure in HALF_OF_SCHOOL.sums), 0)
            yield owed, Sheet(owed, HALF_OF_SCHOOL, known[pk], nothing | mine | sums.get(pk, {}), None)

    def _content(self, filed: Filed) -> dict[str, Any]:
        """In the shape that the form makes."""
        sheet, shape = filed.sheet, shape_of(filed.obligation)
        is_zero = bool(shape.said) and self._is_zero(filed.obligation)
        content: dict[str, Any] = {
            "period": filed.obligation.key,
            "organization": filed.obligation.organization.code,
            "is_zero": is_zero,
            "rows": {pk: self._row(sheet, pk, is_zero) for pk in sheet.names},
            "sums": sheet.given_sums,
            **{name: "" if is_zero else TEXTS[name] for name in shape.texts},
        }
        return content | ({"files": []} if shape.has_files else {})

    def _is_zero(self, obligation: Obligation) -> bool:
        month = (obligation.period and obligation.period.starts_on) or self.now.date()
        return self.places.get(obligation.organization_id) == ZERO and month == dt.date(2020, 10, 1)

    def _row(self, sheet: Sheet, pk: str, is_zero: bool) -> dict[str, Any]:
        given = sheet.given(pk)
        said: dict[str, Any] = {}
        if sheet.shape.said:
            examined, issued = (
                (0, 0) if is_zero else (int(given["examined_added"]), int(given["certified_added"]))
            )
            exams = 0 if is_zero else max(int(given["exams_held"]), -(-examined // PER_EXAM))
            said = {"exams": exams, "said_examined": examined, "issued": issued}
            said["fees"] = stored(FEE * examined, 2)
        word = WORD if said and questions(said, given) else ""
        return {"name": sheet.names[pk], "given": given, "said": said, "explanation": word}

    # --- what is stored

    def _store(self, batch: Iterable[Filed]) -> None:
        pairs = [(filed, self._version(filed)) for filed in batch]
        insert([Summary(obligation=f.obligation, current_id=v.pk, draft_revision=1) for f, v in pairs])
        insert([version for _, version in pairs])
        reset_keys(SummaryVersion)
        received = SummaryVersion.objects.filter(report=OuterRef("pk"), number=1).values("received_at")[:1]
        owed = Obligation.objects.filter(pk__in=[filed.obligation.pk for filed, _ in pairs])
        owed.pending().update(outcome=Outcome.ON_TIME, received_at=Subquery(received))
        insert([_event(filed, version) for filed, version in pairs])

    def _version(self, filed: Filed) -> SummaryVersion:
        content = self._content(filed)
        number = self.next_version
        self.next_version += 1
        return SummaryVersion(
            pk=number,
            report_id=filed.obligation.pk,
            number=1,
            receipt=receipt(PREFIXES[ObligationKind(filed.obligation.kind)], filed.received_at, number),
            token=f"{self.rng.getrandbits(128):032x}",
            received_at=filed.received_at,
            submitted_by=filed.by,
            is_zero=content["is_zero"],
            content=content,
            content_hash=content_hash(content),
        )


def _event(filed: Filed, version: SummaryVersion) -> Any:
    owed = filed.obligation
    return events.build(
        "summary_submitted",
        owed,
        by=filed.by,
        at=filed.received_at,
        organization_id=owed.organization_id,
        to_state=received_outcome(filed.received_at, owed.due_at, owed.closes_at) or "filled",
        changes={"回执": version.receipt, "版本": 1, "内容摘要": version.content_hash},
        target_label=f"{owed.organization.name} {owed.title}",
    )
