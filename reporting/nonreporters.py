"""Who has not reported for a period: the list, and what an officer chose from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, QuerySet

from accounts.models import Organization, Role, User
from core import clock
from core.templatetags.portal import state_word
from obligations.models import Obligation
from reporting.filters import NonReporterFilter
from reporting.streaks import Streak, current_streaks

# As reporting.reporters.BY_AUTHORITY, of obligations.
BY_AUTHORITY = (
    F("organization__supervisor__kind").asc(nulls_last=True),
    "organization__supervisor__code",
    "organization__code",
)


@dataclass
class NonReporter:
    """One line of the list; `weeks` is the streak up to what has closed."""

    obligation: Obligation
    weeks: int
    spans_exempt: bool


def found_by(chosen: NonReporterFilter, user: User) -> list[NonReporter]:
    """The lines that the filters leave, longest streak first unless sorted otherwise."""
    obligations = list(
        Obligation.objects.visible_to(user)
        .filter(chosen.state_asked(), period=chosen.period, organization__in=chosen.qs.values("pk"))
        .select_related("organization__supervisor", "organization__school", "period")
        .order_by(*BY_AUTHORITY)
    )
    owing = Organization.objects.filter(obligations__in=obligations)
    streaks = current_streaks(owing, at=clock.now()) if chosen.is_weekly else {}
    lines = [line(obligation, streaks.get(obligation.organization_id)) for obligation in obligations]
    if chosen.sort_asked() == "streak":
        lines.sort(key=lambda line: -line.weeks)
    return lines


def line(obligation: Obligation, streak: Streak | None) -> NonReporter:
    return NonReporter(obligation, streak.weeks if streak else 0, bool(streak and streak.spans_exempt))


def add_details(lines: Iterable[NonReporter]) -> list[dict[str, Any]]:
    """Lines of one page with contacts and the last instant at which anything came in; two queries."""
    lines = list(lines)
    ids = [line.obligation.organization_id for line in lines]
    contacts = contacts_of(ids)
    last = {
        pk: max(filter(None, (received, filled)), default=None)
        for pk, received, filled in _last_filed(ids, lines).values_list("organization", "received", "filled")
    }
    return [
        {
            "line": line,
            "contacts": contacts.get(line.obligation.organization_id, []),
            "last_filed": last.get(line.obligation.organization_id),
        }
        for line in lines
    ]


def contacts_of(ids: list[int]) -> dict[int, list[str]]:
    """Organisation → names of its contacts or of an evaluator's officers, stand-ins last."""
    contacts: dict[int, list[str]] = {}
    people = User.objects.active().filter(role__in=[Role.SCHOOL_CONTACT, Role.EVALUATOR])
    users = people.filter(organization__in=ids).order_by("is_stand_in", "username")
    for pk, name in users.values_list("organization_id", "name"):
        contacts.setdefault(pk, []).append(name)
    return contacts


def _last_filed(ids: list[int], lines: list[NonReporter]) -> QuerySet[Any]:
    kinds = {line.obligation.kind for line in lines}
    mine = Obligation.objects.filter(organization__in=ids, kind__in=kinds).order_by()
    return mine.values("organization").annotate(received=Max("received_at"), filled=Max("filled_at"))


def selected(ids: Iterable[str], user: User) -> list[Obligation]:
    """The reports owed of those ids within the user's scope; what is not a number is left out."""
    numbers = [int(text) for text in ids if text.isdecimal() and len(text) < 18]
    return list(
        Obligation.objects.visible_to(user)
        .periodic()
        .filter(pk__in=numbers)
        .select_related("organization__supervisor", "period")
        .order_by(*BY_AUTHORITY)
    )


def as_table(lines: list[NonReporter], chosen: NonReporterFilter) -> list[list[Any]]:
    """Headings and rows for a spreadsheet; without what those who owe the report do not have."""
    schools, is_weekly = chosen.reporters.has_schools, chosen.is_weekly
    headings = [chosen.reporters.noun, "代码", *(["主管部门", "办学类型"] if schools else [])]
    headings += ["联系人", "周期", "状态", *(["连续未报（周）"] if is_weekly else []), "最近一次报送"]
    rows: list[list[Any]] = [headings]
    for detail in add_details(lines):
        obligation, organization = detail["line"].obligation, detail["line"].obligation.organization
        last = detail["last_filed"]
        rows.append(
            [
                organization.name,
                organization.code,
                *(_of_a_school(organization) if schools else []),
                "、".join(detail["contacts"]),
                obligation.period.label,
                state_word(obligation.state),
                *([detail["line"].weeks] if is_weekly else []),
                f"{clock.local(last):%Y-%m-%d %H:%M}" if last else "",
            ]
        )
    return rows


def _of_a_school(organization: Organization) -> list[str]:
    """Its supervising authority and its kind."""
    school = getattr(organization, "school", None)
    supervisor = organization.supervisor.name if organization.supervisor else ""
    return [supervisor, school.get_kind_display() if school else ""]
