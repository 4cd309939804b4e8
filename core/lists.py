"""List pages: search, filters in the address, sort, paging, count, export of what is filtered."""

from typing import Any

import django_tables2
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView
from django_filters import FilterSet

from core import clock, exports


class ListPage(TemplateView):
    """A list of what the user may see.

    `queryset()` must begin at `Model.objects.visible_to(user)`; the default does. A filter named `q`
    stands first, as the search. POST to the same address exports the rows that the filters leave.
    """

    template_name = "core/list.html"
    model: Any = None
    table_class: type[django_tables2.Table]
    filterset_class: type[FilterSet] | None = None
    heading = ""
    subtitle = ""
    empty_text = "这里还没有记录。"
    empty_url = ""
    empty_label = ""
    export_name = ""
    # What clears all filters, where one stands without being asked for.
    clear_query = ""
    per_page = 50

    def queryset(self) -> QuerySet[Any]:
        return self.model.objects.visible_to(self.request.user)

    def get_heading(self) -> str:
        return self.heading

    def get_table_kwargs(self) -> dict[str, Any]:
        return {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        filterset, table = self._filtered()
        paginator = Paginator(table.rows, self.per_page)
        in_effect = [name for name in filterset.filters if filterset.data.get(name)] if filterset else []
        table.paginator = paginator
        table.page = paginator.get_page(self.request.GET.get(table.page_field))
        return super().get_context_data(
            heading=self.get_heading(),
            subtitle=self.subtitle,
            filter=filterset,
            table=table,
            count=paginator.count,
            in_effect=len(in_effect),
            # What a list begins with was not asked for.
            is_asked=any(self.request.GET.get(name) for name in in_effect),
            can_clear=bool(in_effect),
            clear_url=f"{self.request.path}{self.clear_query}",
            is_filtered=any(
                value for name, value in self.request.GET.items() if name != table.order_by_field
            ),
            empty_text=self.empty_text,
            empty_url=self.empty_url,
            empty_label=self.empty_label,
            can_export=bool(self.export_name),
            **kwargs,
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.export_name:
            return self.http_method_not_allowed(request, *args, **kwargs)
        filterset, table = self._filtered()
        at = clock.now()
        asked = filterset.data if filterset and filterset.is_bound else request.GET
        content = exports.export_list(
            name=self.export_name,
            rows=table.as_values(),
            filters={name: value for name, value in asked.items() if value},
            by=request.user,
            at=at,
        )
        return exports.download(content, f"{self.export_name}-{clock.local(at):%Y%m%d-%H%M}.xlsx")

    def _filtered(self) -> tuple[FilterSet | None, django_tables2.Table]:
        rows = self.queryset()
        filterset = None
        if self.filterset_class:
            filterset = self.filterset_class(self.request.GET or None, queryset=rows, request=self.request)
            invalid = filterset.is_bound and not filterset.is_valid()
            rows = rows.none() if invalid else filterset.qs
        table = self.table_class(rows, **self.get_table_kwargs())
        table.request = self.request
        if order := self.request.GET.getlist(table.order_by_field):
            table.order_by = order
        # Without a last word on ties, a row may stand on two pages and another on none.
        ordered = table.data.data
        names = ordered.query.order_by or ordered.model._meta.ordering
        table.data.data = ordered.order_by(*names, "pk")
        return filterset, table
