"""Application rounds: the list, one round with its calendar and rules, and where every school stands."""

from typing import Any

from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from accounts.models import Organization, User
from accounts.typed import keeps_typed
from core import clock
from core.lists import ListPage
from obligations.previews import dry_run
from obligations.views.checked import CheckedFormView, require
from schools import permissions
from schools.filters.rounds import ProgressFilter
from schools.forms.rounds import (
    ExtensionForm,
    RoundForm,
    cells,
    initial_of,
    preset_cells,
    routes_in_words,
)
from schools.models import Application, ApplicationItem, ApplicationRound, RoundExtension, School
from schools.own_rounds import own_standings
from schools.services import extensions
from schools.services import rounds as services
from schools.services.rounds import PRESETS, ROUND_CLAUSE, standing_closings
from schools.tables.rounds import COUNTS, ProgressTable, RoundTable, stage

OFFICE_ONLY = f"申报批次由省推进办发布、修改和延期（{ROUND_CLAUSE}）。"
NOT_YOURS = "申报批次供推进办、市教育局和院校查看。"


# --- reading


class RoundList(ListPage):
    model = ApplicationRound
    table_class = RoundTable
    template_name = "schools/rounds/list.html"
    heading = "申报批次"
    subtitle = "不申报的院校没有任务，不算未报。"
    empty_text = "还没有发布申报批次。"
    export_name = "申报批次"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_rounds(request.user), NOT_YOURS)
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().prefetch_related("extensions")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        may_keep = permissions.may_keep_rounds(user)
        context = super().get_context_data(may_keep=may_keep, own=own_standings(user), **kwargs)
        if may_keep:
            context |= {"empty_url": reverse("rounds:new"), "empty_label": "发布申报批次"}
        return context


def _round(request: HttpRequest, pk: int) -> ApplicationRound:
    rounds = ApplicationRound.objects.visible_to(request.user)
    round = get_object_or_404(rounds.prefetch_related("extensions", "routes"), pk=pk)
    require(permissions.may_see_rounds(request.user), NOT_YOURS)
    return round


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    round = _round(request, pk)
    user = request.user
    closings = standing_closings(round, None)
    own = own_standings(user, round)
    context = {
        "round": round,
        "stage": stage(round, closings, clock.now()),
        "steps": list(
            zip(
                ("院校填报截止", "市级初审截止", "省级审核截止"),
                round.closings,
                own[0]["closings"] if own else closings,
                strict=True,
            )
        ),
        "kinds": [str(School.Kind(kind).label) for kind in round.kinds],
        "routes": routes_in_words(services.routes_of(round), round.kinds),
        "extensions": extensions_seen(round, user),
        "own": own,
        "counts": counts_of(round, user) if permissions.may_see_queue(user) else None,
        "may_keep": permissions.may_keep_rounds(user),
        "sees_timeline": user.sees_province,
    }
    return render(request, "schools/rounds/detail.html", context)


def extensions_seen(round: ApplicationRound, user: User) -> list[RoundExtension]:
    """Those for all, and those for schools within the user's scope."""
    mine = Q(organization=None) | Q(organization__in=Organization.objects.visible_to(user))
    return list(round.extensions.filter(mine).select_related("organization", "created_by"))


def counts_of(round: ApplicationRound, user: User) -> dict[str, Any]:
    """Schools and items by where they stand, within the user's scope; one query each."""
    schools = progress_of(round, user)
    figures = schools.aggregate(
        schools=Count("pk", distinct=True),
        begun=Count("pk", filter=Q(application__isnull=False), distinct=True),
        handed=Count("pk", filter=Q(handed_in__gt=0), distinct=True),
    )
    visible = schools.order_by().values("pk")
    items = ApplicationItem.objects.filter(application__round=round, application__school__in=visible)
    by_state = dict(items.order_by().values_list("state").annotate(Count("pk")))
    figures["items"] = [(name, word, by_state.get(state, 0)) for name, state, word in COUNTS]
    return figures


def progress_of(round: ApplicationRound, user: User) -> QuerySet[Any]:
    """The schools that may apply within the user's scope, with their `application` (its key or None), items
    `handed_in` and by state as in COUNTS, and `is_extended`. A city's scope holds what it reviews first."""
    reviewed = Application.objects.filter(school=OuterRef("pk"), round=round, reviewer=user.organization_id)
    scope = Q(pk__in=School.objects.visible_to(user).values("pk")) | Exists(reviewed)
    named = RoundExtension.objects.filter(round=round, organization=OuterRef("pk"))
    counts = {name: Count("mine__items", filter=Q(mine__items__state=state)) for name, state, _ in COUNTS}
    not_handed_in = Q(mine__items__state=ApplicationItem.State.DRAFT)
    return (
        School.objects.eligible(round.kinds)
        .filter(scope)
        .annotate(
            mine=FilteredRelation("applications", condition=Q(applications__round=round)),
            application=F("mine"),
            handed_in=Count("mine__items", filter=~not_handed_in),
            is_extended=Exists(named),
            **counts,
        )
        .select_related("organization__supervisor")
        .defer("contact_mobile")
    )


class Progress(ListPage):
    """Where every school stands in a round."""

    model = School
    table_class = ProgressTable
    filterset_class = ProgressFilter
    template_name = "schools/rounds/progress.html"
    empty_text = "您可以查看的范围内没有可以申报的院校。"
    export_name = "申报进度"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.round = _round(request, kwargs["pk"])
        require(
            permissions.may_see_queue(request.user),
            "各校申报进度供推进办和市教育局查看；本校的进度见批次页面。",
        )
        return super().dispatch(request, *args, **kwargs)

    def get_heading(self) -> str:
        return f"{self.round}：各校进度"

    def queryset(self) -> QuerySet[Any]:
        return progress_of(self.round, self.request.user)

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"round": self.round, "user": self.request.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            round=self.round, may_keep=permissions.may_keep_rounds(self.request.user), **kwargs
        )


# --- the office's work


class RoundFormView(CheckedFormView):
    form_class = RoundForm
    template_name = "schools/rounds/form.html"
    preview_template = "schools/rounds/_announcement.html"

    def check_right(self) -> None:
        require(permissions.may_keep_rounds(self.request.user), OFFICE_ONLY)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A preset fills the table of routes and keeps all that was typed."""
        if (preset := request.POST.get("preset")) in PRESETS:
            typed = {name: request.POST.get(name) for name in self.form_class.base_fields}
            lists = {name: request.POST.getlist(name) for name in ("kinds", "closed_batches")}
            initial = typed | lists | preset_cells(preset)
            form = self.form_class(initial=initial, round=self.round_in_hand())
            return self.render_to_response(self.get_context_data(form=form))
        return super().post(request, *args, **kwargs)

    def round_in_hand(self) -> ApplicationRound | None:
        return None

    def effect(self, form: RoundForm) -> dict[str, Any]:
        """How many schools are told, and which go another way than the routes say."""
        kinds = form.cleaned_data["kinds"]
        return {
            "schools": School.objects.eligible(kinds).count(),
            "straight": services.without_bureau(kinds, form.routes()),
        }

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"round": self.round_in_hand()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        presets = [(name, label, words) for name, (label, words, _) in PRESETS.items()]
        return super().get_context_data(presets=presets, **kwargs)


@method_decorator(keeps_typed, name="dispatch")
class RoundCreate(RoundFormView):
    heading = "发布申报批次"
    intro = "发布后，可以申报的院校和负责初审的市教育局会收到通知。"
    confirm_label = "确认发布"
    done = "申报批次已发布，已通知有关院校和市教育局。"

    def get_success_url(self) -> str:
        return reverse("rounds:list")

    def get_initial(self) -> dict[str, Any]:
        """Rules as in the last round, else Hubei's routes; a new number and a new calendar."""
        year = clock.today().year
        last = ApplicationRound.objects.prefetch_related("routes").first()
        count = ApplicationRound.objects.filter(year=year).order_by("-number").first()
        fresh = {"year": year, "number": count.number + 1 if count else 1}
        if last is None:
            return fresh | {"kinds": School.Kind.values} | preset_cells("hubei")
        kept = ("kinds", "catalogue", "minimum_candidates", "allows_carry_over", "closed_batches")
        return fresh | {name: getattr(last, name) for name in kept} | cells(services.routes_of(last))

    def preview(self, form: RoundForm) -> dict[str, Any]:
        with dry_run():
            self._write(form)
        return self.effect(form) | {"is_new": True}

    def _write(self, form: RoundForm) -> None:
        who: dict[str, Any] = {"by": self.request.user, "at": clock.now()}
        services.open_round(fields=form.values(), routes=form.routes(), **who)

    def save(self, form: RoundForm) -> None:
        self._write(form)


class OfOneRound:
    """A view of the office about the round in its address; a stranger to it gets 404, others a reason."""

    round: ApplicationRound

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.round = _round(request, kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def check_right(self) -> None:
        require(permissions.may_keep_rounds(self.request.user), OFFICE_ONLY)  # type: ignore[attr-defined]

    def get_success_url(self) -> str:
        return reverse("rounds:detail", args=[self.round.pk])


@method_decorator(keeps_typed, name="dispatch")
class RoundEdit(OfOneRound, RoundFormView):
    intro = "有院校提交申报以后，只能修改通知文号和申报说明；需要延长时间的，请用“延期”。"
    confirm_label = "确认修改"
    done = "申报批次已修改，已通知有关院校和市教育局。"

    @property
    def heading(self) -> str:  # type: ignore[override]
        return f"修改{self.round}"

    def round_in_hand(self) -> ApplicationRound | None:
        return self.round

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.round)

    def preview(self, form: RoundForm) -> dict[str, Any]:
        with dry_run():
            self._write(form)
        return self.effect(form) | {"is_new": False}

    def _write(self, form: RoundForm) -> None:
        who: dict[str, Any] = {"by": self.request.user, "at": clock.now()}
        services.change_round(round=self.round, fields=form.values(), routes=form.routes(), **who)

    def save(self, form: RoundForm) -> None:
        self._write(form)


@method_decorator(keeps_typed, name="dispatch")
class RoundExtend(OfOneRound, CheckedFormView):
    form_class = ExtensionForm
    preview_template = "schools/rounds/_extension.html"
    intro = "时间只能往后延；不改的不填。延期后重新按新的截止时间提醒。"
    confirm_label = "确认延期"
    done = "已延期，已通知有关院校和审核部门。"

    @property
    def heading(self) -> str:  # type: ignore[override]
        return f"{self.round}延期"

    def get_initial(self) -> dict[str, Any]:
        return {"organization": self.request.GET.get("school")}

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"round": self.round}

    def preview(self, form: ExtensionForm) -> dict[str, Any]:
        organization = form.cleaned_data["organization"]
        effect = extensions.extension_effect(**self._extension(form))
        hurried = extensions.hurried(self.round, organization, form.closings())
        return {"moves": form.moves(), "organization": organization, "effect": effect, "hurried": hurried}

    def _extension(self, form: ExtensionForm) -> dict[str, Any]:
        return {
            "round": self.round,
            "organization": form.cleaned_data["organization"],
            "closings": form.closings(),
            "reason": form.cleaned_data["reason"],
            "by": self.request.user,
            "at": clock.now(),
        }

    def save(self, form: ExtensionForm) -> None:
        extensions.extend(**self._extension(form))
