"""Where the national platform's list and the portal do not agree."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When

from accounts.models import Organization
from core.tables import SHORT, ClosingColumn, InstantColumn, PortalTable, StateColumn
from obligations.filters import supervisors
from obligations.models import Obligation, ObligationQuerySet, Outcome, PlatformFiling, PlatformImport
from obligations.platform_forms import listed_periods
from reporting.models import ReportVersion


class Difference(models.TextChoices):
    THERE_ONLY = "there_only", "仅国家平台有"
    HERE_ONLY = "here_only", "仅本平台有"
    SIDES = "sides", "两边都有，时间分在期限两侧"
    GONE = "gone", "前一份名单有，最近的没有"


def with_both(weeks: ObligationQuerySet) -> QuerySet[Any]:
    """Weeks of which a list stands, with `there_at`, `here_at` (first filings) and `difference` ("" for none).

    A report that came here after the list was taken cannot be on it, and is no difference.
    """
    lists = PlatformImport.objects.standing().filter(periods=OuterRef("period"))
    latest = lists.order_by("-listed_at", "-pk")
    listed = PlatformFiling.objects.filter(
        organization=OuterRef("organization"), period=OuterRef("period"), platform_import__undone_at=None
    )
    here = ReportVersion.objects.filter(report=OuterRef("pk")).order_by("number")
    rows = weeks.filter(Exists(lists)).annotate(
        there_at=Subquery(listed.order_by("filed_at").values("filed_at")[:1]),
        here_at=Subquery(here.values("received_at")[:1]),
        listed_at=Subquery(latest.values("listed_at")[:1]),
        latest_list=Subquery(latest.values("pk")[:1]),
    )
    rows = rows.annotate(still_listed=Exists(listed.filter(platform_import=OuterRef("latest_list"))))
    return rows.annotate(
        difference=Case(
            When(there_at__isnull=False, still_listed=False, then=Value(Difference.GONE)),
            When(there_at__isnull=False, here_at=None, then=Value(Difference.THERE_ONLY)),
            When(
                ~Q(outcome=Outcome.EXEMPT),
                there_at=None,
                here_at__lte=F("listed_at"),
                then=Value(Difference.HERE_ONLY),
            ),
            When(_apart("due_at") | _apart("closes_at"), then=Value(Difference.SIDES)),
            default=Value(""),
            output_field=models.CharField(),
        )
    )


def _apart(limit: str) -> Q:
    """One filing before the limit, the other at or after it."""
    return Q(there_at__lt=F(limit), here_at__gte=F(limit)) | Q(there_at__gte=F(limit), here_at__lt=F(limit))


def differing(user: Any) -> QuerySet[Any]:
    """The weeks within the user's scope that differ."""
    weeks = Obligation.objects.visible_to(user).weekly()
    return with_both(weeks).exclude(difference="").select_related("organization", "period")


class DifferenceFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校", method="of_name")
    difference = django_filters.ChoiceFilter(
        label="差异", choices=Difference.choices, field_name="difference", empty_label="全部"
    )
    period = django_filters.ModelChoiceFilter(
        label="周次", queryset=lambda request: listed_periods(), empty_label="全部"
    )
    city = django_filters.ModelChoiceFilter(
        label="市（主管部门）",
        field_name="organization__supervisor",
        queryset=supervisors,
        empty_label="全部",
    )

    class Meta:
        model = Obligation
        fields: list[str] = []

    def of_name(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(organization__in=Organization.objects.matching(value))


class DifferenceTable(PortalTable):
    organization = tables.Column("院校", linkify=("reporting:history", [tables.A("organization_id")]))
    week = tables.Column(
        "周次",
        accessor="period__label",
        linkify=("reporting:report", [tables.A("pk")]),
        order_by="due_at",
        attrs=SHORT,
    )
    difference = tables.Column("差异")
    there_at = InstantColumn(verbose_name="国家平台填报", default="没有")
    here_at = InstantColumn(verbose_name="本平台收到", default="没有")
    due_at = ClosingColumn(verbose_name="截止")
    state = StateColumn(verbose_name="本平台结果", orderable=False)

    class Meta(PortalTable.Meta):
        order_by = "-due_at"

    def render_difference(self, value: str) -> str:
        return str(Difference(value).label)
