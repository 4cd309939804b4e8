"""The sheet that a school fills: whether it may be filled now, its programmes, and what was said last time."""

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models

from accounts.models import Organization
from core import clock
from core.templatetags.portal import closing
from obligations.models import Obligation, ObligationKind, Outcome
from reporting import content as shape
from reporting.models import ReportVersion, WeeklyReport
from schools.models import Programme


class Filing(models.TextChoices):
    """What filing at an instant means; NOT_OPEN and LEFT lock the form, each with its own message."""

    NOT_OPEN = "not_open", "尚未开始"
    ON_TIME = "on_time", "按时"
    LATE = "late", "迟报"
    BACK_FILL = "back_fill", "补报"
    VOLUNTARY = "voluntary", "免报，可自愿报送"
    LEFT = "left", "已退出试点"

    @property
    def locked(self) -> bool:
        return self in {Filing.NOT_OPEN, Filing.LEFT}


def filing(obligation: Obligation, at: dt.datetime) -> Filing:
    """What filing at `at` means. What was owed before a school left may still be filed until the close."""
    if at < obligation.opens_at:
        return Filing.NOT_OPEN
    closed = obligation.closes_at is not None and at >= obligation.closes_at
    if closed or obligation.outcome != Outcome.PENDING:
        # An evaluator has no membership to lose.
        school = Organization.objects.schools().filter(pk=obligation.organization_id)
        left = school.exclude(pk__in=Organization.objects.members_at(at).values("pk"))
        if left.exists() and not open_corrections(obligation).exists():
            return Filing.LEFT
    if obligation.outcome == Outcome.EXEMPT:
        return Filing.VOLUNTARY
    if closed:
        return Filing.BACK_FILL
    return Filing.ON_TIME if at < obligation.due_at else Filing.LATE


def corrections(obligation: Obligation) -> "models.QuerySet[Obligation]":
    """What this report was sent back for, one for each version returned, oldest first."""
    return Obligation.objects.filter(
        organization=obligation.organization_id,
        kind=ObligationKind.CORRECTION,
        key__startswith=f"{obligation.key}-v",
    ).order_by("opens_at", "pk")


def until_words(correction: Obligation) -> str:
    """Until when the returned report is to be corrected, or why it need not be."""
    if correction.outcome == Outcome.EXEMPT:
        return f"停报期间免办（{correction.exempt_reason}）"
    return f"更正截止{closing(correction.due_at)}"


def open_corrections(obligation: Obligation) -> "models.QuerySet[Obligation]":
    return corrections(obligation).filter(outcome=Outcome.PENDING)


def year_of(obligation: Obligation) -> int:
    """The year that the figures are cumulative for: the year of the week's label (ISO), also when the
    week ends in the next one."""
    return clock.local(obligation.opens_at).isocalendar().year


@dataclass(frozen=True)
class Sheet:
    """One week of one school, with what its last filed report before that week said.

    `programmes` are reported on; those that are `dormant` for want of a plan are not.
    """

    obligation: Obligation
    programmes: list[Programme]
    previous: ReportVersion | None
    dormant: list[Programme] = field(default_factory=list)

    @cached_property
    def names(self) -> dict[str, str]:
        """{programme id: name}, in the order of the page."""
        return {str(programme.pk): str(programme) for programme in self.programmes}

    @property
    def starts_again(self) -> bool:
        """The first report of a year: cumulative figures begin at nothing, so a fall needs no reason."""
        return self.previous is not None and year_of(self.previous.report.obligation) != year_of(
            self.obligation
        )

    @property
    def before(self) -> dict[str, dict[str, Any]]:
        """{programme id: figures} that this week's are held against; none in the first report of a year."""
        if self.previous is None or self.starts_again:
            return {}
        return self.previous.content["programmes"]

    @property
    def last_year(self) -> dict[str, dict[str, Any]]:
        """Shown for orientation in the first report of a year."""
        return self.previous.content["programmes"] if self.previous and self.starts_again else {}

    @property
    def plan(self) -> str:
        """What the last report planned for this week."""
        return self.previous.content["next_week"] if self.previous else ""

    @property
    def year(self) -> int:
        return year_of(self.obligation)

    def start(self, report: WeeklyReport | None) -> shape.Typed:
        """What the form shows first: the draft, else the filed version, else a copy of last time's figures.

        A programme that has come awake since has no figures in the draft or version: it takes the copy.
        """
        typed = {
            shape.field_name(pk, figure.name): str(row[figure.name])
            for pk, row in self.before.items()
            for figure in shape.FIGURES
        }
        if report and report.current:
            typed |= shape.typed_of(report.current.content)
        if report and report.draft is not None:
            typed |= report.draft
        return typed

    def kept(self, report: WeeklyReport | None) -> list[tuple[Programme, list[tuple[str, str]]]]:
        """What the draft holds of dormant programmes, as (programme, [(label, text), …]): shown, not sent."""
        draft = (report.draft if report else None) or {}
        found = []
        for programme in self.dormant:
            names = [figure.name for figure in shape.FIGURES] + ["explanation"]
            texts = [(name, draft.get(shape.field_name(programme.pk, name), "")) for name in names]
            if told := [(shape.LABELS.get(name, "变动说明"), text) for name, text in texts if text.strip()]:
                found.append((programme, told))
        return found


def sheet_for(obligation: Obligation) -> Sheet:
    """Two queries. Programmes are those that ran when the period opened and have a plan for its year now.

    Plans count as they stand when the form is shown, and once more when it is sent: a plan set in the
    middle of the week brings its programme into that week's report, whose opening it does not undo.
    """
    running = (
        Programme.objects.running_at(obligation.opens_at)
        .with_state(obligation.opens_at, year_of(obligation))
        .filter(school=obligation.organization_id)
        .select_related("certificate_level__certificate")
        .order_by("certificate_level__certificate__name", "certificate_level__level")
    )
    previous = (
        ReportVersion.objects.filter(
            pk=models.F("report__current"),
            report__obligation__organization=obligation.organization_id,
            report__obligation__kind=ObligationKind.WEEKLY_REPORT,
            report__obligation__opens_at__lt=obligation.opens_at,
        )
        .select_related("report__obligation__period")
        .order_by("-report__obligation__opens_at")
        .first()
    )
    rows: list[Any] = list(running)
    active = [programme for programme in rows if programme.state == "active"]
    dormant = [programme for programme in rows if programme.state == "dormant"]
    return Sheet(obligation, active, previous, dormant)
