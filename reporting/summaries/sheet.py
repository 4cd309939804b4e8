"""The sheet that is filled: its rows with what is known, and what was said last time."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import F

from accounts.models import Organization
from core import draft_files
from core.models import Attachment
from obligations.models import Obligation, ObligationKind, Period
from obligations.rates import rate
from reporting.models import Summary, SummaryVersion
from reporting.summaries import content as shapes
from reporting.summaries import sources


@dataclass(frozen=True)
class Sheet:
    """`known`: {row id: {"name": …, given figures}}; `sums`: what is added up over the whole."""

    obligation: Obligation
    shape: shapes.Shape
    known: dict[str, dict[str, Any]]
    sums: dict[str, Any]
    previous: SummaryVersion | None

    @cached_property
    def names(self) -> dict[str, str]:
        return {pk: row["name"] for pk, row in self.known.items()}

    def given(self, pk: str) -> dict[str, int | str]:
        """The given figures of a row, as content keeps them."""
        row = self.known[pk]
        figures = {f.name: shapes.stored(row[f.name], f.places) for f in self.shape.given}
        if self.shape.said:
            figures["exams_held"] = row["exams_held"]
        return figures

    @cached_property
    def given_sums(self) -> dict[str, int | str]:
        return {f.name: shapes.stored(self.sums[f.name], f.places) for f in self.shape.sums}

    def start(self, report: Summary | None, *, copy: bool = False) -> shapes.Typed:
        """What the form shows first: the draft, else the filed version; with `copy` last time's below it."""
        typed: shapes.Typed = {}
        if copy and self.previous:
            typed |= self.shape.typed_of(self.previous.content)
            typed.pop(draft_files.FIELD, None)
        if report and report.current:
            typed |= self.shape.typed_of(report.current.content)
        if report and report.draft is not None:
            typed |= {name: text for name, text in report.draft.items() if text or not copy}
        return typed

    def files(self, report: Summary | None, typed: shapes.Typed) -> list[Attachment]:
        return draft_files.files_of(report, typed) if self.shape.has_files else []


def sheet_for(obligation: Obligation) -> Sheet:
    """A fixed number of queries, whatever the number of rows."""
    period = obligation.period
    if period is None:
        raise ValueError(obligation.pk)
    shape = shapes.shape_of(obligation)
    return Sheet(
        obligation,
        shape,
        _known(obligation, period),
        _sums(obligation, period, shape),
        previous_of(obligation),
    )


def _known(obligation: Obligation, period: Period) -> dict[str, dict[str, Any]]:
    owner = obligation.organization_id
    if obligation.organization.kind == Organization.Kind.SCHOOL:
        return {str(pk): row for pk, row in sources.of_programmes(owner, period).items()}
    if obligation.kind != ObligationKind.HALF_YEAR_SUMMARY:
        return {str(pk): row for pk, row in sources.of_certificates(owner, period).items()}
    said = sources.said_in_months([owner], period.starts_on, period.ends_on)
    known = sources.of_certificates(owner, period, also=[pk for _, pk in said])
    nothing = dict.fromkeys([figure.name for figure in shapes.SAID], 0)
    return {str(pk): row | said.get((owner, pk), nothing) for pk, row in known.items()}


def _sums(obligation: Obligation, period: Period, shape: shapes.Shape) -> dict[str, Any]:
    """What the half-year's own reports come to."""
    if not shape.sums:
        return {}
    owner = obligation.organization_id
    of_school = shape is shapes.HALF_OF_SCHOOL
    kind = ObligationKind.WEEKLY_REPORT if of_school else ObligationKind.MONTHLY_REPORT
    shift = sources.THURSDAY * of_school
    reports = Obligation.objects.filter(
        organization=owner,
        kind=kind,
        period__starts_on__gte=period.starts_on - shift,
        period__starts_on__lte=period.ends_on - shift,
    )
    counted = rate(reports)
    sums: dict[str, Any] = {"owed": counted.owed, "filed": counted.filed + counted.filled}
    if of_school:
        nothing = {"teachers_trained": 0, "money_spent": 0}
        sums |= sources.weekly_sums([owner], period.starts_on, period.ends_on).get(owner, nothing)
    return sums


def previous_of(obligation: Obligation) -> SummaryVersion | None:
    """The newest filed one of the same kind before it."""
    return (
        SummaryVersion.objects.filter(
            pk=F("report__current"),
            report__obligation__organization=obligation.organization_id,
            report__obligation__kind=obligation.kind,
            report__obligation__opens_at__lt=obligation.opens_at,
        )
        .select_related("report__obligation__period")
        .order_by("-report__obligation__opens_at")
        .first()
    )
