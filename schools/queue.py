"""What a reviewer reads beside an application: last year's plan, the school's reporting record, how long
an item has waited and until when it can be decided. In sets, for the rows of a page. Years are those of
the province's calendar, instants aware."""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery

from core import clock
from core.models import Event
from obligations.models import Obligation, ObligationQuerySet, Outcome
from obligations.rates import Rate, rates
from schools import content as shape
from schools import eligibility
from schools.models import AnnualPlan, ApplicationItem, ApplicationItemQuerySet, ApplicationVersion
from schools.services.reviews import OF_THE_CITY, OF_THE_PROVINCE, RETURNED_FROM

S = ApplicationItem.State
# Schools stand together, in the order of their codes.
ORDER = ("application__school__organization__code", "pk")
REVIEWS = {*OF_THE_CITY, *OF_THE_PROVINCE}
ABOUT_REVIEW = ("target_id", "action", "at")


def listed(items: ApplicationItemQuerySet) -> ApplicationItemQuerySet:
    """In the queue's order, with what its columns are sorted by and no more: `planned`, `submitted_at`."""
    return items.with_total().annotate(submitted_at=F("application__current__received_at")).order_by(*ORDER)


def page(keys: Iterable[int]) -> list[ApplicationItem]:
    """The rows of these keys, in their order, with all that `rows` shows.

    Thousands wait and fifty are shown: the keys are sorted alone, the many columns joined to these few.
    """
    keys = list(keys)
    found = {item.pk: item for item in rows(ApplicationItem.objects.filter(pk__in=keys))}
    return [found[key] for key in keys if key in found]


def rows(items: ApplicationItemQuerySet) -> QuerySet[ApplicationItem]:
    """With all that a row of the queue shows: `planned`, `last_plan`, majors, fee, names; in its order."""
    last_plan = (
        AnnualPlan.objects.filter(
            programme__school=OuterRef("application__school"),
            programme__certificate_level=OuterRef("certificate_level"),
            year=OuterRef("application__round__year") - 1,
        )
        .order_by("-programme__started_at")
        .values("candidates")[:1]
    )
    return (
        listed(items)
        .annotate(last_plan=Subquery(last_plan))
        .select_related(
            "application__school__organization__supervisor",
            "application__round",
            "certificate_level__certificate",
            "agreement",
        )
        .defer("draft", "equipment", "justification", "application__school__contact_mobile")
        .prefetch_related("application__round__extensions", "majors")
    )


def step_closes(item: ApplicationItem) -> dt.datetime | None:
    """Until when the step at which the item stands can be done; None where nothing is waited for."""
    closings = eligibility.closings(item)
    return {
        S.SUBMITTED: closings.city,
        S.FIRST_REVIEWED: closings.province,
        S.RETURNED: eligibility.deadline(item),
    }.get(S(item.state))


def waiting_since(items: Collection[ApplicationItem]) -> dict[int, dt.datetime]:
    """When each came into its present state; one query. Those without a record are left out."""
    states = {str(item.pk): item.state for item in items}
    found = (
        Event.objects.filter(
            target_type=ContentType.objects.get_for_model(ApplicationItem), target_id__in=states
        )
        .order_by()
        .values_list("target_id", "to_state")
        .annotate(at=Max("at"))
    )
    return {int(pk): at for pk, state, at in found if states[pk] == state}


def handed_in_with(item: ApplicationItem) -> list[ApplicationVersion]:
    """The versions that this item was handed in with, newest first; others came with the school's other items."""
    current = item.application.current
    if current is None:
        return []
    versions = item.application.versions.all() if current.number > 1 else []
    return shape.versions_with(item.certificate_level_id, versions) or [current]


def changes_since(
    item: ApplicationItem, former: ApplicationVersion, sent: ApplicationVersion
) -> list[shape.Change]:
    """What differs in this item between two versions that it was handed in with."""
    before, after = (
        [told for told in version.content["items"] if told["level"] == item.certificate_level_id]
        for version in (former, sent)
    )
    return shape.changes({"items": before}, {"items": after})


def past_returns(items: Collection[ApplicationItem]) -> dict[int, dt.datetime]:
    """When those that wait again with a comment were returned: it is of then; one query, or none."""
    again = {S.SUBMITTED, S.FIRST_REVIEWED}
    waiting = [str(item.pk) for item in items if item.review_comment and item.state in again]
    if not waiting:
        return {}
    kind = ContentType.objects.get_for_model(ApplicationItem)
    rows = Event.objects.filter(target_type=kind, target_id__in=waiting, action__in=REVIEWS)
    newest = {pk: (action, at) for pk, action, at in rows.order_by("at", "pk").values_list(*ABOUT_REVIEW)}
    return {int(pk): at for pk, (action, at) in newest.items() if action in RETURNED_FROM}


def comment_words(item: ApplicationItem, returned_at: dt.datetime | None) -> str:
    """The comment as lists tell it; `returned_at` as `past_returns` has it."""
    if returned_at is None:
        return item.review_comment
    return f"上次退回意见（{clock.local(returned_at):%-m月%-d日}）：{item.review_comment}"


def weeklies(user: Any, schools: Collection[int]) -> ObligationQuerySet:
    """The weekly reports of this calendar year that have fallen due, as far as the user sees reporting."""
    first = clock.at(dt.date(clock.today().year, 1, 1))
    due = Obligation.objects.visible_to(user).weekly().filter(due_at__gte=first, due_at__lte=clock.now())
    return due.filter(organization__in=schools)


def reporting_rates(user: Any, schools: Collection[int]) -> dict[int, Rate]:
    return rates(weeklies(user, schools), "organization")


def behind_and_open(user: Any, school: int) -> tuple[list[Obligation], list[Obligation]]:
    """This year's late and missed weekly reports, newest first, and whatever the school owes now; one query."""
    late = Q(pk__in=weeklies(user, [school]).filter(outcome__in=[Outcome.LATE, Outcome.MISSED]).values("pk"))
    owing = Q(outcome=Outcome.PENDING, opens_at__lte=clock.now())
    rows = Obligation.objects.visible_to(user).filter(late | owing, organization=school).order_by("due_at")
    found = list(rows)
    behind = [row for row in reversed(found) if row.outcome != Outcome.PENDING]
    return behind, [row for row in found if row.outcome == Outcome.PENDING]


def with_neighbours(items: ApplicationItemQuerySet, user: Any, state: str) -> ApplicationItemQuerySet:
    """`before` and `after`: the keys of the items next to each among those of its round in `state`, or null."""
    code = "application__school__organization__code"
    others = ApplicationItem.objects.visible_to(user).handed_in()
    others = others.filter(application__round=OuterRef("application__round"))
    if state:
        others = others.filter(state=state)
    same = Q(**{code: OuterRef(code)})
    before = Q(**{f"{code}__lt": OuterRef(code)}) | (same & Q(pk__lt=OuterRef("pk")))
    after = Q(**{f"{code}__gt": OuterRef(code)}) | (same & Q(pk__gt=OuterRef("pk")))
    keys = others.order_by(*ORDER).values("pk")
    return items.annotate(
        before=Subquery(keys.filter(before).reverse()[:1]), after=Subquery(keys.filter(after)[:1])
    )
