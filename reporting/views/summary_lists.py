"""Monthly reports and half-year summaries seen together: the list, sums, the report to the ministry."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from accounts.models import Organization, OrganizationQuerySet, Role
from core import clock, documents, events, exports
from core.lists import ListPage
from core.tables import NUMBER, SHORT, ClosingColumn, InstantColumn, PortalTable
from core.templatetags import portal
from obligations.models import Obligation, ObligationKind
from reporting import permissions
from reporting.summaries import ministry as paper
from reporting.summaries import sums as summing
from reporting.summaries.scope import KINDS, summaries_visible_to
from reporting.summaries.sums import Stretch

events.register(ministry_report_made="生成半年总结汇总稿")

TEXTS_SHOWN = 20


class SummaryFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="报送单位", field_name="organization__name", lookup_expr="icontains")
    kind = django_filters.ChoiceFilter(
        label="种类", choices=[(kind.value, kind.label) for kind in KINDS], empty_label="全部"
    )

    class Meta:
        model = Obligation
        fields: list[str] = []


class SummaryTable(PortalTable):
    period = tables.Column("事项", order_by="due_at", linkify=("summaries:detail", [tables.A("pk")]))
    organization = tables.Column("报送单位", order_by="organization__name")
    due_at = ClosingColumn(verbose_name="截止")
    outcome = tables.Column("结果", attrs=SHORT)
    received_at = InstantColumn(verbose_name="收到时间")
    version = tables.Column("版本", accessor="summary__current__number", default="—", attrs=NUMBER)
    receipt = tables.Column(
        "回执",
        accessor="summary__current__receipt",
        linkify=("summaries:receipt", [tables.A("summary__current__receipt")]),
        default="—",
        orderable=False,
    )

    def render_outcome(self, record: Obligation) -> SafeString:
        return portal.state(record.state)

    def value_outcome(self, record: Obligation) -> str:
        return portal.state_word(record.state)

    class Meta(PortalTable.Meta):
        order_by = "-due_at"


class SummaryList(ListPage):
    """What was owed and filed, of everybody whom the user watches over."""

    table_class = SummaryTable
    filterset_class = SummaryFilter
    heading = "月报和半年总结"
    subtitle = "评价组织每月上报，学校和评价组织每半年上报一次总结（晋教职成〔2020〕9号 四.3）"
    empty_text = "还没有开始的月报或半年总结。"
    export_name = "月报和半年总结"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _require(request)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Obligation]:
        rows = summaries_visible_to(self.request.user).opened(clock.now())
        return rows.select_related("organization", "period", "summary__current")


def _require(request: HttpRequest) -> None:
    if not permissions.may_see_summaries(request.user):
        raise PermissionDenied("月报和半年总结供报送单位及其主管部门、推进办、领导组和审计督导查看。")


def _asked(request: HttpRequest) -> tuple[Stretch, list[Stretch]]:
    """The stretch named in the address, the last one that is over by default; and those to choose from."""
    asked = request.GET.get("kind")
    kind = ObligationKind(asked) if asked in KINDS else ObligationKind.MONTHLY_REPORT
    choices = summing.stretches(kind, clock.today())
    return next((s for s in choices if s.key == request.GET.get("period")), choices[1]), choices


def _authority(request: HttpRequest, schools: OrganizationQuerySet) -> Organization | None:
    """The one named in the address, of those that supervise some of `schools`."""
    asked = request.GET.get("city", "")
    if not asked.isdecimal() or len(asked) > 17:
        return None
    supervisors = Organization.objects.filter(pk__in=schools.order_by().values("supervisor"))
    return supervisors.filter(pk=asked).first()


@require_http_methods(["GET", "HEAD", "POST"])
def sums(request: HttpRequest) -> HttpResponse:
    """Figures of a month or half-year. POST exports the table that `part` names."""
    _require(request)
    stretch, choices = _asked(request)
    user = request.user
    schools = Organization.objects.visible_to(user).schools()
    authority = _authority(request, schools)
    if authority:
        schools = schools.filter(supervisor=authority)
    by_school = not user.sees_province or authority is not None
    found = {
        "schools": summing.of_schools(schools, stretch, by_school=by_school),
        "evaluators": summing.of_evaluators(
            summaries_visible_to(user)
            .filter(kind=ObligationKind.MONTHLY_REPORT)
            .order_by()
            .values("organization"),
            stretch,
        ),
    }
    if request.method == "POST":
        return _export(request, stretch, found)
    context = {
        "stretch": stretch,
        "choices": choices,
        "kinds": KINDS,
        "schools": found["schools"],
        "evaluators": found["evaluators"],
        "by_school": by_school,
        "authority": authority,
        "sees_schools": user.sees_reporting or user.role in Role.of_a_school(),
        "sees_evaluators": user.role != Role.CITY_BUREAU and user.role not in Role.of_a_school(),
        "may_see_ministry": permissions.may_see_ministry_report(user),
    }
    return render(request, "reporting/summaries/sums.html", context)


def _export(request: HttpRequest, stretch: Stretch, found: dict[str, summing.Table]) -> HttpResponse:
    part = "evaluators" if request.POST.get("part") == "evaluators" else "schools"
    name = f"{stretch.label}{'培训评价组织' if part == 'evaluators' else '院校'}汇总"
    content = exports.export_list(
        name=name,
        rows=found[part].rows("名称"),
        filters={key: value for key, value in request.GET.items() if value},
        by=request.user,
        at=clock.now(),
    )
    return exports.download(content, f"{name}.xlsx")


@require_http_methods(["GET", "HEAD", "POST"])
def ministry(request: HttpRequest) -> HttpResponse:
    """The half-year report put together; POST gives the Word file."""
    if not permissions.may_see_ministry_report(request.user):
        raise PermissionDenied("半年总结汇总稿由省推进办汇总上报，供领导组和审计督导查看。")
    choices = summing.stretches(ObligationKind.HALF_YEAR_SUMMARY, clock.today())
    stretch = next((s for s in choices if s.key == request.GET.get("period")), choices[1])
    found = paper.report(stretch)
    if request.method == "POST":
        if request.user.role != Role.OFFICE:
            raise PermissionDenied("汇总稿由省推进办生成；您可以在本页查看。")
        at = clock.now()
        events.record(
            "ministry_report_made",
            request.user,
            by=request.user,
            at=at,
            organization_id=request.user.organization_id,
            target_label=found.title,
        )
        content = paper.word(found, by=request.user)
        return documents.download(content, f"{found.title}.docx")
    sections = [(label, texts[:TEXTS_SHOWN], len(texts)) for label, texts in found.sections]
    context = {
        "found": found,
        "stretch": stretch,
        "choices": choices,
        "opening": paper.opening(found),
        "sections": sections,
        "may_make": request.user.role == Role.OFFICE,
    }
    return render(request, "reporting/summaries/ministry.html", context)
