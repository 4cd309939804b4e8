"""The latest figures of programmes, for the page of students whom a revocation concerns."""

from django.db.models import F

from reporting.models import ProgrammeFigures

SHOWN = ("in_training", "registered", "examined", "passed", "certified")


def latest_figures(programme_ids: set[int]) -> dict[int, dict[str, int]]:
    """Programme id → Chinese name → number, of the newest report that names the programme; one query."""
    rows = ProgrammeFigures.objects.filter(
        programme__in=programme_ids, version__report__current=F("version")
    ).order_by("version__report__obligation__due_at")
    names = {
        name: str(getattr(ProgrammeFigures._meta.get_field(name), "verbose_name", name)) for name in SHOWN
    }
    return {row.programme_id: {names[n]: getattr(row, n) for n in SHOWN} for row in rows}
