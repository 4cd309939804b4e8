"""时限: whatever is owed by whom, past and ahead, by date or by organisation; pending first."""

from typing import Any, NamedTuple

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse

from core import clock
from core.lists import ListPage
from obligations import ics, permissions
from obligations.coming import Coming, coming
from obligations.filters import DeadlineFilter
from obligations.models import Obligation, ObligationKind, Outcome
from obligations.tables import DeadlineTable
from obligations.views.checked import require


class KindCount(NamedTuple):
    """`count` of the rows that the other filters leave; `query` chooses the kind, or gives it up again."""

    label: str
    count: int
    overdue: int
    query: str
    is_chosen: bool


class DeadlineList(ListPage):
    model = Obligation
    table_class = DeadlineTable
    filterset_class = DeadlineFilter
    template_name = "obligations/deadlines.html"
    heading = "截止事项"
    subtitle = (
        "待办的排在前面，先到期的最先；已结束的在后。"
        f"订阅的日历只列 {ics.KEPT.days} 天以内到期和以后到期的，更早的（包括逾期未办的）只在本页。"
    )
    empty_text = "现在没有需要报送的事项；新的周期开始后会列在这里。"
    export_name = "截止事项"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_deadlines(request.user), "截止事项供报送单位及其主管部门查看。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Obligation]:
        pending_due = Case(When(outcome=Outcome.PENDING, then=F("due_at")))
        return (
            super()
            .queryset()
            .select_related("organization", "period")
            .order_by(pending_due.asc(nulls_last=True), "-due_at", "organization")
        )

    def get_table_kwargs(self) -> dict[str, Any]:
        by_organization = self.request.GET.get("by") == "organization" and permissions.may_watch_deadlines(
            self.request.user
        )
        return {"user": self.request.user, "by_organization": by_organization}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return super().get_context_data(
            kinds=self._kinds(),
            ahead=self._ahead(),
            sees_many=permissions.may_watch_deadlines(user),
            **kwargs,
        )

    def _kinds(self) -> list[KindCount]:
        asked = self.request.GET.copy()
        chosen = asked.pop("kind", [""])[-1]
        asked.pop("page", None)
        filterset = DeadlineFilter(asked or None, queryset=super().queryset(), request=self.request)
        if filterset.is_bound and not filterset.is_valid():
            return []
        overdue = Count("pk", filter=Q(outcome=Outcome.PENDING, due_at__lte=clock.now()))
        rows = filterset.qs.order_by().values("kind").annotate(n=Count("pk"), overdue=overdue)
        found = {row["kind"]: row for row in rows}
        return [
            self._kind(kind, found[kind], asked.copy(), chosen) for kind in ObligationKind if kind in found
        ]

    @staticmethod
    def _kind(kind: ObligationKind, row: dict[str, Any], query: Any, chosen: str) -> KindCount:
        if kind != chosen:
            query["kind"] = kind.value
        return KindCount(kind.label, row["n"], row["overdue"], f"?{query.urlencode()}", kind == chosen)

    def _ahead(self) -> list[Coming]:
        """All that is ahead, unless one looks for something in particular that has begun."""
        asked = self.request.GET
        if asked.get("state", "") not in ("", "todo", "coming") or asked.get("q") or asked.get("due_to"):
            return []
        rows = coming(self.request.user, clock.now())
        return [row for row in rows if asked.get("kind", "") in ("", row.period.kind)]
