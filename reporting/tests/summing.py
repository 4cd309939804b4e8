"""What the tests of monthly reports and half-year summaries type and file."""

import datetime as dt
from typing import Any

from core import clock
from obligations import periods
from obligations.models import Obligation, Period, Policy
from reporting.models import SummaryVersion
from reporting.services import submit_summary
from reporting.summaries.forms import SummaryForm
from reporting.summaries.sheet import sheet_for

OCTOBER, SECOND_HALF = dt.date(2020, 10, 1), dt.date(2020, 7, 1)


def rule(kind: str, **fields: Any) -> Policy:
    """A rule of that kind in force since 2020: the 5th, or for half-years the 10th, working day."""
    fields = {"due_day": 5 if kind == "monthly_report" else 10, "reminder_hours": [24]} | fields
    return Policy.objects.create(
        kind=kind, effective_from=dt.date(2020, 1, 1), created_at=clock.now(), **fields
    )


def opened(kind: str, starts_on: dt.date, **fields: Any) -> Period:
    period = periods.make_period(rule(kind, **fields), starts_on)
    periods.open_period(period)
    return period


def month_of(world: Any) -> Obligation:
    """October's report of the world's evaluator, open since 1 November; the clock stands at the 5th."""
    world.at("2020-11-05T10:00:00+08:00")
    period = opened("monthly_report", OCTOBER)
    return Obligation.objects.get(period=period, organization=world.evaluator_org)


def half_of(world: Any, organization: Any = None) -> Obligation:
    """The second half's summary of the world's school; the clock goes on to 4 January 2021."""
    world.at("2021-01-04T10:00:00+08:00")
    period = opened("half_year_summary", SECOND_HALF)
    return Obligation.objects.get(period=period, organization=organization or world.school_org)


def typed(obligation: Obligation, **changes: str) -> dict[str, str]:
    """A good one; figures by name go into every row."""
    sheet = sheet_for(obligation)
    figures = {
        "exams": "2",
        "said_examined": "30",
        "issued": "25",
        "fees": "6000",
        "explanation": "上月考核，本月录入",
    }
    texts = {"progress": "已完成三批考核", "problems": "场地紧张"}
    filled = dict.fromkeys(sheet.shape.fields(sheet.names), "")
    for name in filled:
        part = name.rpartition("-")[2]
        filled[name] = changes.get(part, figures.get(part) or texts.get(name) or "")
    return filled


def file(
    obligation: Obligation, by: Any, *, token: str = "t1", at: Any = None, **changes: str
) -> SummaryVersion:
    form = SummaryForm(sheet_for(obligation), typed(obligation, **changes))
    assert form.is_valid(), form.errors
    return submit_summary(
        obligation=obligation, content=form.content, token=token, by=by, at=at or clock.now()
    )


def addresses(world: Any) -> dict[str, Any]:
    """URL name → the first half's summary of the world's school, filed after its close."""
    period = opened("half_year_summary", dt.date(2020, 1, 1))
    owed = Obligation.objects.get(period=period, organization=world.school_org)
    version = file(owed, world.contact)
    names = ("detail", "edit", "draft", "check", "return")
    return {f"summaries:{name}": owed.pk for name in names} | {
        "summaries:receipt": {"receipt": version.receipt}
    }
