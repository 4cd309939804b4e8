"""Publishing a round's results: 公示 for objections, then 公布 for good. Rows are frozen at that instant."""

import datetime as dt
from collections import Counter
from collections.abc import Collection
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, QuerySet
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import clock, events, personal
from core.notices import Message, tell
from core.templatetags.portal import closing
from core.templatetags.portal import day as day_words
from obligations import services as obligations
from obligations.calendar import add_months
from obligations.closing import people_of
from obligations.models import ObligationKind
from obligations.periods import after_standing_outages
from obligations.services.rights import require
from schools import eligibility, permissions
from schools.models import ApplicationItem, ApplicationRound, Objection, ResultList, SchoolFiling

events.register(result_proposed="公示名单", result_published="公布名单")

Row = dict[str, Any]
ONLY_OFFICE = "结果由省推进办公示、公布（晋教职成〔2020〕9号 三.1：省教育厅确定试点院校和试点证书）。"
FILING_CLAUSE = "晋教职成〔2020〕9号 三.1：自教育部门公布试点名单之日起1个月内"
State = ApplicationItem.State
WAITING = (State.SUBMITTED, State.FIRST_REVIEWED, State.RETURNED)
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
    items = ApplicationItem.objects.filter(application__round__in=rounds, state__in=WAITING).order_by()
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
    return [objection for objection in upheld if _items_about(objection) <= standing]


def _items_about(objection: Objection) -> set[int]:
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


class Heading(NamedTuple):
    """What stands above a list, and what the officer ticked."""

    title: str
    document: str
    text: str
    contact_confirmed: bool = False
    despite_waiting: bool = False


def check_proposed(
    round: ApplicationRound,
    heading: Heading,
    *,
    starts_on: dt.date,
    ends_on: dt.date,
    at: dt.datetime,
    locked: bool = False,
) -> list[Row]:
    """The rows that a 公示 would show. Raises ValidationError: personal numbers, days, items not decided,
    nothing to show."""
    _check_words(heading)
    if starts_on < clock.local(at).date():
        raise ValidationError({"starts_on": "公示不能从已经过去的日期开始，请填今天或以后的日期。"})
    if ends_on < starts_on:
        raise ValidationError({"ends_on": "公示结束不能早于开始。"})
    _check_waiting(round, heading, "先公示已审定的", at)
    if rows := rows_to_propose(round, at, locked=locked):
        return rows
    raise ValidationError("没有可以公示的项目：已批准的都公示过了，批准后已结束试点，或还没有批准的项目。")


def check_final(
    round: ApplicationRound, heading: Heading, *, at: dt.datetime, locked: bool = False
) -> FinalRows:
    """What a 公布 would hold. Raises ValidationError: what `final_obstacles` says, personal numbers, items
    not decided, nothing to publish."""
    if obstacles := final_obstacles(round, at):
        raise ValidationError(obstacles)
    _check_words(heading)
    _check_waiting(round, heading, "先公布已审定的", at)
    found = rows_to_publish(round, at, locked=locked)
    if found.rows:
        return found
    raise ValidationError("没有可以公布的项目：公示过的都已公布，不再是已批准，或批准后已结束试点。")


def _check_words(heading: Heading) -> None:
    """Words that hold somebody's ID number or mobile number are not published (domain: public column)."""
    found = personal.find("\n".join([heading.title, heading.document, heading.text]))
    if found.id_numbers:
        raise ValidationError(f"含有身份证号，不能公开：{found.words}。请删去后再发布。")
    if found.mobiles and not heading.contact_confirmed:
        raise ValidationError(
            f"含有手机号，不能公开：{found.words}。请删去后再发布；确为对外公布的联系电话的，在下面勾选确认。"
        )


def _check_waiting(round: ApplicationRound, heading: Heading, tick: str, at: dt.datetime) -> None:
    count = 0 if heading.despite_waiting else undecided([round], at)[round.pk].waiting
    if count:
        raise ValidationError(
            {
                "despite_waiting": f"本批次还有 {count} 个项目没有审定。请先审定（已过审核截止的，先延期）；"
                f"确需分批的，勾选“{tick}”，其余以后另行公示。"
            }
        )


# --- publishing


@transaction.atomic
def publish_proposed(
    *,
    round: ApplicationRound,
    heading: Heading,
    starts_on: dt.date,
    ends_on: dt.date,
    by: User,
    at: dt.datetime,
) -> ResultList:
    """The 公示 of what is approved and was not shown before; local days, both included.

    Raises PermissionDenied, ValidationError (`check_proposed`).
    """
    require(permissions.may_publish(by), ONLY_OFFICE)
    round = ApplicationRound.objects.select_for_update().get(pk=round.pk)
    rows = check_proposed(round, heading, starts_on=starts_on, ends_on=ends_on, at=at, locked=True)
    published = _published(
        round, ResultList.Kind.PROPOSED, heading, rows, by=by, at=at, starts_on=starts_on, ends_on=ends_on
    )
    page = reverse("publications:list", args=[published.pk])
    words = f"“{published}”列有贵校，{day_words(starts_on)}至{day_words(ends_on)}公示，其间接受异议。"
    link = page if published.opens_at <= at else reverse("publications:lists")
    _tell_schools(published, words, link, at=at)
    return published


@transaction.atomic
def publish_final(*, round: ApplicationRound, heading: Heading, by: User, at: dt.datetime) -> ResultList:
    """The 公布 of what is approved, still runs and was in a 公示. Its schools owe the filing, one month on.

    Raises PermissionDenied, ValidationError (`check_final`).
    """
    require(permissions.may_publish(by), ONLY_OFFICE)
    round = ApplicationRound.objects.select_for_update().get(pk=round.pk)
    rows = check_final(round, heading, at=at, locked=True).rows
    published = _published(round, ResultList.Kind.FINAL, heading, rows, by=by, at=at)
    _owe_filings(published, at=at)
    return published


def _published(
    round: ApplicationRound,
    kind: ResultList.Kind,
    heading: Heading,
    rows: list[Row],
    *,
    by: User,
    at: dt.datetime,
    **days: dt.date,
) -> ResultList:
    """The list with its rows frozen, and the event."""
    published = ResultList(
        round=round,
        kind=kind,
        title=heading.title,
        document=heading.document,
        text=heading.text,
        rows=rows,
        published_by=by,
        published_at=at,
        **days,
    )
    published.full_clean()
    published.save()
    events.record(
        "result_published" if kind == ResultList.Kind.FINAL else "result_proposed",
        published,
        by=by,
        at=at,
        changes={
            **({"公示": f"{days['starts_on']}至{days['ends_on']}"} if days else {}),
            "院校": len({row["code"] for row in rows}),
            "项目": len(rows),
            "文号": heading.document,
        },
    )
    return published


def _schools(published: ResultList) -> QuerySet[Organization]:
    codes = {row["code"] for row in published.rows}
    listed = Organization.objects.schools().filter(
        school__applications__round=published.round, school__applications__items__state=State.APPROVED
    )
    keep = [pk for pk, code in listed.values_list("pk", "code").distinct() if code in codes]
    return Organization.objects.filter(pk__in=keep).order_by("pk")


def _owe_filings(final: ResultList, *, at: dt.datetime) -> None:
    """Each school on the list that has not filed owes it until the end of the day one month on
    (SX 三.1). What it owes already stays as it is."""
    last_day = add_months(clock.local(at).date(), 1)
    due_at = after_standing_outages(clock.at(last_day + dt.timedelta(days=1)))
    filed = SchoolFiling.objects.filter(current__isnull=False).values("pk")
    owing = list(_schools(final).exclude(pk__in=filed))
    for school in owing:
        obligations.owe(
            organization=school,
            kind=ObligationKind.SCHOOL_FILING,
            key="filing",
            title="院校备案",
            opens_at=at,
            due_at=due_at,
            link=reverse("filings:edit"),
        )
    words = f"“{final}”已公布，列有贵校。"
    todo = f"{words}请在{closing(due_at)}前提交院校备案（{FILING_CLAUSE}）。"
    _tell_schools(final, todo, reverse("filings:edit"), at=at, only={school.pk for school in owing})
    # Whoever was told what to do is not told again.
    _tell_schools(final, words, reverse("publications:list", args=[final.pk]), at=at)


def _tell_schools(
    published: ResultList, words: str, link: str, *, at: dt.datetime, only: set[int] | None = None
) -> None:
    """The people of the schools on the list, each once a list."""
    schools = set(_schools(published).values_list("pk", flat=True)) if only is None else only
    people = people_of(schools, *Role.of_a_school())
    key, important = f"result:{published.pk}", only is not None
    tell(
        [Message(pk, key, words, link, important) for school in schools for pk in people.get(school, [])],
        at=at,
    )
