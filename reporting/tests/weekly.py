"""What the tests of the weekly form type and file."""

from typing import Any

from core import clock
from obligations.models import Obligation
from reporting import content as shape
from reporting.forms import WeeklyForm
from reporting.models import ReportVersion
from reporting.services import submit_report
from reporting.sheet import sheet_for


def typed(world: Any, **changes: str) -> dict[str, str]:
    """A good first report of the world's school; figures by name, texts by field."""
    figures = {
        "in_training": "40",
        "training_hours": "36.5",
        "registered": "30",
        "examined": "20",
        "passed": "18",
        "certified": "10",
    }
    filled = {name: "" for name in shape.field_names([world.programme.pk])}
    filled |= {
        "teachers_trained": "2",
        "money_spent": "1500.5",
        "work_done": "开展考前培训",
        "next_week": "组织模拟考核",
    }
    for name, value in (figures | changes).items():
        in_row = name in figures or name == "explanation"
        filled[shape.field_name(world.programme.pk, name) if in_row else name] = value
    return filled


def content_of(obligation: Obligation, filled: dict[str, str]) -> dict[str, Any]:
    form = WeeklyForm(sheet_for(obligation), filled)
    assert form.is_valid(), form.errors
    return form.content


def file(
    world: Any, obligation: Obligation | None = None, *, token: str = "t1", **changes: str
) -> ReportVersion:
    """The contact files now."""
    obligation = obligation or world.obligation
    return submit_report(
        obligation=obligation,
        content=content_of(obligation, typed(world, **changes)),
        token=token,
        by=world.contact,
        at=clock.now(),
    )
