"""Monitoring points: each certificate's turns, one turn with its schools, and the choosing of the next."""

from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from certificates.models import Certificate
from core import clock
from core.forms import DayInput, SearchSelect
from core.lists import ListPage
from core.tables import NUMBER, WIDE, PortalTable, StateColumn
from core.templatetags import portal
from obligations.forms import AnswersMixin
from obligations.views.checked import CheckedFormView
from schools.models import Programme
from supervision import monitoring, permissions
from supervision.models import MonitoringPoint, MonitoringTurn
from supervision.services import monitoring as services

ONLY_OFFICE = f"监测点由省推进办选定（{monitoring.CLAUSE}，各地可参照执行）。"
NOT_SEEN = "监测点供推进办、对接专员、市级、相关院校和评价组织查看。"


class TurnTable(PortalTable):
    certificate = tables.Column(linkify=("supervision:monitoring-turn", [tables.A("pk")]), attrs=WIDE)
    owner = tables.Column("评价组织", accessor="certificate__owner")
    starts_on = tables.Column()
    ends_on = tables.Column()
    count = tables.Column("院校数", attrs=NUMBER)
    state = StateColumn(verbose_name="状态", accessor="starts_on", orderable=False)

    class Meta(PortalTable.Meta):
        model = MonitoringTurn
        fields = ("certificate", "owner", "starts_on", "ends_on", "count", "state")

    def render_starts_on(self, value: Any) -> str:
        return portal.day(value)

    def render_ends_on(self, value: Any) -> str:
        return portal.day(value)

    def render_state(self, record: MonitoringTurn) -> str:
        return portal.state(record.state_on(clock.today()), self.value_state(record))

    def value_state(self, record: MonitoringTurn) -> str:
        words = {"coming": "尚未开始", "active": "监测中", "ended": "已结束"}
        return words[record.state_on(clock.today())]


class TurnFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="证书、评价组织", method="by_text")
    standing = django_filters.ChoiceFilter(
        label="状态", choices=[("1", "监测中"), ("0", "其他")], method="by_standing", empty_label="全部"
    )

    class Meta:
        model = MonitoringTurn
        fields: list[str] = []

    def by_text(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        text = value.strip()
        return rows.filter(Q(certificate__name__icontains=text) | Q(certificate__owner__name__icontains=text))

    def by_standing(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        standing = MonitoringTurn.objects.standing(clock.today()).values("pk")
        return rows.filter(pk__in=standing) if value == "1" else rows.exclude(pk__in=standing)


class TurnList(ListPage):
    model = MonitoringTurn
    table_class = TurnTable
    filterset_class = TurnFilter
    template_name = "supervision/monitoring/list.html"
    heading = "监测点"
    subtitle = f"每个试点证书在 10 所左右院校设立监测点，分期轮换（{monitoring.CLAUSE}，各地可参照执行）。"
    empty_text = "还没有选定监测点。"
    export_name = "监测点"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_monitoring(request.user):
            raise PermissionDenied(NOT_SEEN)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        mine = MonitoringPoint.objects.visible_to(self.request.user).values("pk")
        turns = super().queryset().select_related("certificate__owner")
        return turns.annotate(count=Count("points", filter=Q(points__in=mine), distinct=True))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may_choose = permissions.may_choose_points(self.request.user)
        return super().get_context_data(may_choose=may_choose, **kwargs)


@require_safe
def turn(request: HttpRequest, pk: int) -> HttpResponse:
    """A school finds itself here and no other, a city its own schools."""
    turns = MonitoringTurn.objects.visible_to(request.user).select_related("certificate__owner", "chosen_by")
    found = get_object_or_404(turns, pk=pk)
    points = MonitoringPoint.objects.visible_to(request.user).filter(turn=found)
    watches = request.user.sees_province
    context = {
        "turn": found,
        "state": found.state_on(clock.today()),
        "points": points.select_related("organization__city", "organization__school").order_by(
            "organization__city", "organization__code"
        ),
        "watches": watches,
        "may_choose": permissions.may_choose_points(request.user),
        "others": MonitoringTurn.objects.visible_to(request.user)
        .filter(certificate=found.certificate)
        .exclude(pk=found.pk),
    }
    return render(request, "supervision/monitoring/turn.html", context)


class CertificateField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Certificate) -> str:
        return f"{obj.short_name}（{obj.owner}）"


class CertificateForm(forms.Form):
    """Certificates that some school runs now."""

    certificate = CertificateField(
        Certificate.objects.none(),
        label="证书",
        widget=SearchSelect,
        error_messages={"required": "请选择证书。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        running = Programme.objects.running_at(clock.now()).order_by()
        found = Certificate.objects.filter(pk__in=running.values("certificate_level__certificate"))
        self.fields["certificate"].queryset = found.select_related("owner")


@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Which certificate to choose points for."""
    if not permissions.may_choose_points(request.user):
        raise PermissionDenied(ONLY_OFFICE)
    form = CertificateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("supervision:monitoring-new", form.cleaned_data["certificate"].pk)
    context = {
        "heading": "选定监测点",
        "intro": "先选证书；平台按市和办学类型分散拟定名单，避开上一轮的院校，您可以改。",
        "form": form,
        "submit_label": "下一步",
        "cancel_url": reverse("supervision:monitoring"),
    }
    return render(request, "core/form_page.html", context, status=422 if form.errors else 200)


class PointsForm(AnswersMixin, forms.Form):
    schools = forms.TypedMultipleChoiceField(
        label="院校",
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请至少选一所院校。"},
    )
    starts_on = forms.DateField(
        label="自", widget=DayInput(), error_messages={"required": "请填写开始日期。"}
    )
    ends_on = forms.DateField(
        label="至（含当日）", widget=DayInput(), error_messages={"required": "请填写结束日期。"}
    )
    reason = forms.CharField(
        label="理由",
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="怎样选定、为何轮换、为何改动平台拟定的名单。",
        error_messages={"required": "请写明怎样选定、为何轮换。"},
    )

    def __init__(
        self, *args: Any, certificate: Certificate, candidates: list[monitoring.Candidate], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.certificate = certificate
        self.fields["schools"].choices = [(each.pk, _words(each)) for each in candidates]

    def clean(self) -> dict[str, Any]:
        """What the service would refuse is told together with what could not be read."""
        data = super().clean() or {}
        given = {name: data.get(name) for name in self.fields}
        for name, text in services.faults(self.certificate, **given, at=clock.now()).items():
            self.add_error(name, text)
        return data

    def _shown(self, field: forms.BoundField) -> str:
        if field.name == "schools":
            names = dict(field.field.choices)
            return "；".join(names[pk] for pk in self.cleaned_data["schools"])
        return super()._shown(field)


def _words(each: monitoring.Candidate) -> str:
    last = "，上一轮监测点" if each.was_last else ""
    return f"{each.name}（{each.city or '省属'}，{each.kind}{last}）"


class NewTurn(CheckedFormView):
    form_class = PointsForm
    preview_template = "supervision/monitoring/_effect.html"
    heading = "选定监测点"
    confirm_label = "确认选定"
    done = "监测点已选定，院校和评价组织已收到通知。"

    def check_right(self) -> None:
        if not permissions.may_choose_points(self.request.user):
            raise PermissionDenied(ONLY_OFFICE)
        certificates = Certificate.objects.select_related("owner")
        self.certificate = get_object_or_404(certificates, pk=self.kwargs["certificate"])
        self.candidates = monitoring.candidates(self.certificate)
        self.heading = f"选定监测点：{self.certificate.short_name}"
        self.intro = (
            f"开展试点的院校 {len(self.candidates)} 所。已按市和办学类型分散勾选 {monitoring.ABOUT} 所左右，"
            "避开上一轮的院校；请按实际情况改。"
        )

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {
            "certificate": self.certificate,
            "candidates": self.candidates,
        }

    def get_initial(self) -> dict[str, Any]:
        return {
            "schools": [each.pk for each in monitoring.propose(self.candidates)],
            "starts_on": clock.today(),
        }

    def get_success_url(self) -> str:
        return reverse("supervision:monitoring")

    def preview(self, form: PointsForm) -> dict[str, Any]:
        chosen = set(form.cleaned_data["schools"])
        mine = [each for each in self.candidates if each.pk in chosen]
        return {
            "count": len(mine),
            "is_far": monitoring.is_far(len(mine), len(self.candidates)),
            "about": monitoring.ABOUT,
            "clause": monitoring.CLAUSE,
            "cities": len({each.city for each in mine}),
            "again": [each.name for each in mine if each.was_last],
            "running": MonitoringTurn.objects.filter(
                certificate=self.certificate, ends_on__gte=form.cleaned_data["starts_on"]
            ).first(),
        }

    def save(self, form: PointsForm) -> None:
        services.choose_points(
            certificate=self.certificate, **form.cleaned_data, by=self.request.user, at=clock.now()
        )
