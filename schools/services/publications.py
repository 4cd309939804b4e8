"""Publishing a round's results: 公示 for objections, then 公布 for good. Rows are frozen at that instant."""

import datetime as dt
from typing import NamedTuple

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import QuerySet
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
from schools import permissions
from schools.models import ApplicationItem, ApplicationRound, ResultList, SchoolFiling
from schools.results import FinalRows, Row, final_obstacles, rows_to_propose, rows_to_publish, undecided

events.register(result_proposed="公示名单", result_published="公布名单")

ONLY_OFFICE = "结果由省推进办公示、公布（晋教职成〔2020〕9号 三.1：省教育厅确定试点院校和试点证书）。"
FILING_CLAUSE = "晋教职成〔2020〕9号 三.1：自教育部门公布试点名单之日起1个月内"
State = ApplicationItem.State


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
    """The rows that a 公示 would show. Raises ValidationError, all at once: personal numbers, days, items not decided,
    nothing to show."""
    errors = {**wrong_days(starts_on, ends_on, at), **_wrong_words(heading)}
    errors |= _waiting(round, heading, "先公示已审定的", at)
    if errors:
        raise ValidationError(errors)
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
    if errors := {**_wrong_words(heading), **_waiting(round, heading, "先公布已审定的", at)}:
        raise ValidationError(errors)
    found = rows_to_publish(round, at, locked=locked)
    if found.rows:
        return found
    raise ValidationError("没有可以公布的项目：公示过的都已公布，不再是已批准，或批准后已结束试点。")


def wrong_days(starts_on: dt.date, ends_on: dt.date, at: dt.datetime) -> dict[str, str]:
    """By field; {}."""
    errors = {}
    if starts_on < clock.local(at).date():
        errors["starts_on"] = "公示不能从已经过去的日期开始，请填今天或以后的日期。"
    if ends_on < starts_on:
        errors["ends_on"] = "公示结束不能早于开始。"
    return errors


def _wrong_words(heading: Heading) -> dict[str, list[str]]:
    """Words that hold somebody's ID number or mobile number are not published (domain: public column)."""
    found = personal.find("\n".join([heading.title, heading.document, heading.text]))
    errors = []
    if found.id_numbers:
        errors.append(f"含有身份证号，不能公开：{found.words}。请删去后再发布。")
    elif found.mobiles and not heading.contact_confirmed:
        errors.append(
            f"含有手机号，不能公开：{found.words}。请删去后再发布；确为对外公布的联系电话的，在下面勾选确认。"
        )
    return {NON_FIELD_ERRORS: errors} if errors else {}


def _waiting(round: ApplicationRound, heading: Heading, tick: str, at: dt.datetime) -> dict[str, str]:
    count = 0 if heading.despite_waiting else undecided([round], at)[round.pk].waiting
    if not count:
        return {}
    return {
        "despite_waiting": f"本批次还有 {count} 个项目没有审定。请先审定（已过审核截止的，先延期）；"
        f"确需分批的，勾选“{tick}”，其余以后另行公示。"
    }


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
