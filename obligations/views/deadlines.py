"""One page of deadlines: whatever is owed by whom, pending first."""

from typing import Any

from django.db.models import Case, F, QuerySet, When
from django.http import HttpRequest, HttpResponse

from core.lists import ListPage
from obligations import permissions
from obligations.filters import DeadlineFilter
from obligations.models import Obligation, Outcome
from obligations.tables import DeadlineTable
from obligations.views.checked import require


class DeadlineList(ListPage):
    model = Obligation
    table_class = DeadlineTable
    filterset_class = DeadlineFilter
    heading = "截止事项"
    subtitle = "待办的排在前面，先到期的最先。"
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
        return {"user": self.request.user}
