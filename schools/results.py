"""What a round's results are: the items that there are to publish, as rows of a list, and what stands in the way."""

import datetime as dt
from collections import Counter
from collections.abc import Collection
from typing import Any, NamedTuple

from django.db.models import Count

from core.templatetags.portal import day as day_words
from schools import eligibility
from schools.models import ApplicationItem, ApplicationRound, Objection, ResultList

Row = dict[str, Any]
State = ApplicationItem.State
_SHOWN = ("certificate", "level", "planned")


class Change(NamedTuple):
    """How an item differs from its 公示; `after` null: it is not on the list."""

    before: Row
    after: Row | None


# --- what there is to publish


class Undecided(NamedTuple):
    """How many items nobody has decided: those that wait, and those whose time ran out with the school that
    was to mend them or with the city that was to review them. With these, only an extension goes on."""

    waiting: int
    unmended: int
    unreviewed: int

    @property
    def lapsed_words(self) -> str:
        """The latter in words; "" where there are none."""
        counts = {"退回后到期未重新提交": self.unmended, "市级初审到期未办": self.unreviewed}
        return "、".join(f"{word}的 {count} 个" for word, count in counts.items() if count)


def undecided(rounds: Collection[ApplicationRound], at: dt.datetime) -> dict[int, Undecided]:
    """By round, in a fixed number of queries."""
    items = ApplicationItem.objects.undecided().filter(application__round__in=rounds).order_by()
    counts = dict(items.values_list("application__round").annotate(Count("pk")))
    # No step closes earlier than announced.
    late = items.filter(application__round__city_closes_at__lte=at).exclude(state=State.FIRST_REVIEWED)
    lapsed = Counter(
        (item.application.round_id, item.state)
        for item in late.prefetch_related("application__round__extensions")
        if _has_lapsed(item, at)
    )
    found = {}
    for round in rounds:
        unmended, unreviewed = lapsed[round.pk, State.RETURNED], lapsed[round.pk, State.SUBMITTED]
        found[round.pk] = Undecided(counts.get(round.pk, 0) - unmended - unreviewed, unmended, unreviewed)
    return found


def _has_lapsed(item: ApplicationItem, at: dt.datetime) -> bool:
    is_returned = item.state == State.RETURNED
    return at >= (eligibility.deadline(item) if is_returned else eligibility.closings(item).city)


def approved_rows(round: ApplicationRound, at: dt.datetime, *, locked: bool = False) -> list[Row]:
    """The approved items as a list shows them, by city, school and certificate; not those whose programme or
    school's membership has ended since. They hold nothing personal."""
    items = ApplicationItem.objects.in_force_at(at).filter(application__round=round)
    if locked:
        items = items.select_for_update(of=("self",))
    school = "application__school__organization"
    certificate = "certificate_level__certificate"
    items = items.select_related(f"{school}__city", certificate)
    return [
        _row(item)
        for item in items.order_by(
            f"{school}__city__code",
            f"{school}__code",
            f"{certificate}__name",
            "certificate_level__level",
        )
    ]


def _row(item: ApplicationItem) -> Row:
    school, level = item.application.school, item.certificate_level
    organization = school.organization
    return {
        "school": organization.name,
        "code": organization.code,
        "city": organization.city.name if organization.city else "",
        "kind": school.get_kind_display(),
        "certificate": level.certificate.name,
        "level": level.get_level_display(),
        "planned": item.planned_total,
        "item": item.pk,
    }


def shown_rows(round: ApplicationRound, *, before: dt.datetime | None = None) -> dict[int, Row]:
    """Item → its row in the newest 公示 of the round (published before that instant) that has it, without
    what an earlier 公布 has already."""
    lists = round.lists.filter(published_at__lt=before) if before else round.lists.all()
    shown: dict[int, Row] = {}
    final: set[int] = set()
    for published in lists.order_by("published_at", "pk"):
        if published.kind == ResultList.Kind.FINAL:
            final |= {row["item"] for row in published.rows}
        else:
            shown |= {row["item"]: row for row in published.rows}
    return {item: row for item, row in shown.items() if item not in final}


def rows_to_propose(round: ApplicationRound, at: dt.datetime, *, locked: bool = False) -> list[Row]:
    """What is approved and was not in a 公示 as it stands now."""
    shown, final = shown_rows(round), round.lists.final().items()
    return [
        row
        for row in approved_rows(round, at, locked=locked)
        if row["item"] not in final and not _is_same(row, shown.get(row["item"]))
    ]


def _is_same(row: Row, other: Row | None) -> bool:
    return other is not None and all(row[name] == other[name] for name in _SHOWN)


class FinalRows(NamedTuple):
    """What a 公布 would hold, what is approved but was never in a 公示, and how it differs from the 公示."""

    rows: list[Row]
    unshown: list[Row]
    changes: list[Change]


def rows_to_publish(round: ApplicationRound, at: dt.datetime, *, locked: bool = False) -> FinalRows:
    shown, final = shown_rows(round), round.lists.final().items()
    approved = [row for row in approved_rows(round, at, locked=locked) if row["item"] not in final]
    rows = [row for row in approved if row["item"] in shown]
    unshown = [row for row in approved if row["item"] not in shown]
    return FinalRows(rows, unshown, changes(shown, rows))


def changes(shown: dict[int, Row], rows: list[Row]) -> list[Change]:
    """Where a final list differs from what the 公示 showed, in the order of the 公示."""
    now = {row["item"]: row for row in rows}
    return [Change(row, now.get(item)) for item, row in shown.items() if not _is_same(row, now.get(item))]


def changes_of(final: ResultList) -> list[Change]:
    """The same for a list that is out, from what was frozen."""
    return changes(shown_rows(final.round, before=final.published_at), final.rows)


# --- what stands in the way


def unsettled(round: ApplicationRound, at: dt.datetime) -> list[Objection]:
    """Upheld objections after which nothing was done: every item of the school on that list still stands,
    and nobody has said why the list does."""
    upheld = Objection.objects.filter(result_list__round=round, is_upheld=True, kept_reason="")
    upheld = upheld.select_related("about", "result_list").order_by("received_at", "pk")
    standing = set(
        ApplicationItem.objects.in_force_at(at).filter(application__round=round).values_list("pk", flat=True)
    )
    return [objection for objection in upheld if items_about(objection) <= standing]


def upheld_against(items: Collection[ApplicationItem]) -> dict[int, list[Objection]]:
    """By item, the upheld objections to its school on a list that names it, where nobody has said why the list
    stands; one query."""
    rounds = {item.application.round_id for item in items}
    schools = {item.application.school_id for item in items}
    upheld = Objection.objects.filter(
        is_upheld=True, kept_reason="", about__in=schools, result_list__round__in=rounds
    )
    found: dict[int, list[Objection]] = {item.pk: [] for item in items}
    for objection in upheld.select_related("about", "result_list").order_by("received_at", "pk"):
        for pk in items_about(objection) & found.keys():
            found[pk].append(objection)
    return found


def items_about(objection: Objection) -> set[int]:
    """The keys of the items of the school it is about, on the list that it is held against."""
    code = objection.about.code if objection.about else None
    return {row["item"] for row in objection.result_list.rows if row["code"] == code}


def final_obstacles(round: ApplicationRound, at: dt.datetime) -> list[str]:
    """Why the results cannot be published for good yet, each with what to do; [] when they can."""
    lists = list(round.lists.proposed().defer("rows").order_by("published_at", "pk"))
    if not lists:
        return ["还没有公示过。请先公示，公示期满再公布。"]
    out = [
        f"“{shown}”公示至{day_words(shown.ends_on)}（含当日），期满后才能公布。"
        for shown in lists
        if not shown.is_over(at)
    ]
    if unanswered := Objection.objects.filter(result_list__round=round).unanswered().count():
        out.append(f"还有 {unanswered} 件异议没有答复。请先逐件答复。")
    out += [
        f"异议 {objection.receipt} 成立，名单没有变化。请撤回该校相应项目的审核意见（已过审核截止的，先延长本批次"
        "省级审核时间）后不予批准，或在异议页面写明名单不变的理由。"
        for objection in unsettled(round, at)
    ]
    return out
