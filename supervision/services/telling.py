"""Whom a case concerns, and telling them of each step."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db.models import Q
from django.urls import reverse

from accounts.models import Organization, Role, User
from core.notices import Message, tell
from supervision.models import Case


def watchers(organizations: Iterable[Organization]) -> dict[int, list[uuid.UUID]]:
    """Organisation → ids of those whom its trouble concerns: its people, its supervisor's, the office's."""
    organizations = list(organizations)
    theirs = {o.pk for o in organizations} | {o.supervisor_id for o in organizations}
    users = User.objects.active().filter(
        Q(role__in=[Role.SCHOOL_CONTACT, Role.SCHOOL_LEADER, Role.CITY_BUREAU], organization__in=theirs)
        | Q(role=Role.OFFICE)
    )
    office: list[uuid.UUID] = []
    others: dict[int | None, list[uuid.UUID]] = {}
    for pk, role, organization_id in users.order_by("pk").values_list("pk", "role", "organization_id"):
        if role == Role.OFFICE:
            office.append(pk)
        else:
            others.setdefault(organization_id, []).append(pk)
    return {o.pk: [*others.get(o.pk, []), *others.get(o.supervisor_id, []), *office] for o in organizations}


def tell_of(case: Case, step: str, text: str, *, at: dt.datetime) -> None:
    """One notice each to the school, its supervisor and the office. `step` makes it unique in the case."""
    link = reverse("supervision:case-detail", args=[case.pk])
    people = watchers([case.organization])[case.organization_id]
    tell((Message(user, f"case:{case.pk}:{step}", text, link, important=True) for user in people), at=at)
