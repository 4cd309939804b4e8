"""The decisions of a round (审核结果): rows by supervising authority and school, counts, and the Word file."""

import datetime as dt
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum

from core import clock
from core.documents import Paper
from schools import queue
from schools.models import ApplicationItem, ApplicationRound

S = ApplicationItem.State
HEADINGS = ["主管部门", "院校", "代码", "证书等级", "专业", "拟考证人数", "审核结果", "审核意见"]
WIDTHS = [30, 44, 24, 46, 40, 16, 18, 26]


class Counts(NamedTuple):
    """Of one supervising authority, or all: items by what became of them; heads are those approved."""

    name: str
    items: int
    schools: int
    approved: int
    rejected: int
    returned: int
    open: int
    withdrawn: int
    heads: int


AUTHORITY = "application__school__organization__supervisor"


def _items(round: ApplicationRound, user: Any) -> QuerySet[ApplicationItem]:
    return ApplicationItem.objects.visible_to(user).handed_in().filter(application__round=round)


def rows(round: ApplicationRound, user: Any) -> list[list[Any]]:
    """In the order of HEADINGS, of the items that the user sees; four queries."""
    items = (
        _items(round, user)
        .select_related(AUTHORITY, "certificate_level__certificate")
        .defer("draft", "equipment", "justification", "application__school__contact_mobile")
        .prefetch_related("majors")
        .order_by(
            f"-{AUTHORITY}__kind",
            f"{AUTHORITY}__code",
            "application__school__organization__code",
            "certificate_level__certificate__name",
            "certificate_level__level",
        )
    )
    returned = queue.past_returns(items)
    return [_row(item, queue.comment_words(item, returned.get(item.pk))) for item in items]


def _row(item: ApplicationItem, comment: str) -> list[Any]:
    organization = item.application.school.organization
    return [
        str(organization.supervisor),
        organization.name,
        organization.code,
        str(item.certificate_level),
        "、".join(str(major) for major in item.majors.all()),
        item.planned_total,
        item.get_state_display(),
        comment,
    ]


def counts(round: ApplicationRound, user: Any) -> list[Counts]:
    """One line for each authority in the order of the rows, and the total of them all as the last: counted
    by the database, in one query for any number of items."""

    def of(*states: str) -> Count:
        return Count("pk", filter=Q(state__in=states))

    tallies = (
        _items(round, user)
        .order_by(f"-{AUTHORITY}__kind", f"{AUTHORITY}__code")
        .values(f"{AUTHORITY}__kind", f"{AUTHORITY}__code", f"{AUTHORITY}__name")
        .annotate(
            items=Count("pk"),
            schools=Count("application__school", distinct=True),
            approved=of(S.APPROVED),
            rejected=of(S.REJECTED),
            returned=of(S.RETURNED),
            open=of(S.SUBMITTED, S.FIRST_REVIEWED),
            withdrawn=of(S.WITHDRAWN),
            heads=Sum(F("planned_new") + F("carried_over"), filter=Q(state=S.APPROVED), default=0),
        )
    )
    lines = [Counts(*row) for row in tallies.values_list(f"{AUTHORITY}__name", *Counts._fields[1:])]
    sums = (sum(column) for column in zip(*(line[1:] for line in lines), strict=True))
    return [*lines, Counts("合计", *sums)] if lines else []


def paper(round: ApplicationRound, found: list[Counts], rows: list[list[Any]], *, at: dt.datetime) -> bytes:
    """The counts, and the whole list as an annex."""
    document = Paper()
    document.title(f"{round}审核结果")
    if found:
        total = found[-1]
        document.paragraph(
            f"截至{clock.local(at):%Y年%-m月%-d日%H:%M}，{round}共收到 {total.schools} 所院校申报的 {total.items} 项"
            f"（一个证书等级为一项），批准 {total.approved} 项，拟考证 {total.heads} 人。按主管部门统计如下。"
        )
    columns = ["主管部门", "院校", "申报", "批准", "未通过", "退回", "待办", "撤回", "批准人数"]
    cells = [[c.name, c.schools, c.items, *c[3:8], c.heads] for c in found]
    document.table(columns, cells, widths=[40, 14, 14, 14, 16, 14, 14, 14, 16], size=10)
    document.annex("附件", f"{round}审核结果表")
    document.table(HEADINGS, rows, widths=WIDTHS, size=9)
    return document.content()
