"""Experts' opinions: the office asks, the expert answers or stands aside; ties of experts."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse, reverse_lazy
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from accounts.typed import keeps_typed, take
from core import clock
from core.lists import ListPage
from core.numbers import keys_in
from core.workflow import NotNow
from obligations.views.checked import CheckedFormView, require
from schools import permissions
from schools.filters.opinions import OfficeOpinionFilter, OwnOpinionFilter
from schools.filters.reviews import all_filtered
from schools.forms.opinions import AskForm, DeclineForm, GiveForm, InterestForm, RemoveForm, WithdrawForm
from schools.models import ApplicationItem, ExpertInterest, ExpertOpinion
from schools.services import opinions
from schools.tables.opinions import InterestTable, KeptInterestTable, OpinionTable
from schools.workflow import opinion as lifecycle

form_methods = require_http_methods(["GET", "HEAD", "POST"])
NOT_YOURS = "专家意见由推进办和被征求意见的专家查看；审核决定之前不向学校和市教育局公开。"


class OpinionList(ListPage):
    """An expert's own, to begin with those to be answered; the province's roles see all."""

    model = ExpertOpinion
    table_class = OpinionTable
    export_name = "专家意见"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_see_opinions(request.user), NOT_YOURS)
        self.is_expert = request.user.role == Role.EXPERT
        self.heading = "待我提出的意见" if self.is_expert else "专家意见"
        self.empty_text = (
            "现在没有待您提出意见的项目。要看已提出的，请清除条件。"
            if self.is_expert
            else "还没有征求过意见。在审核列表中选择项目，征求专家意见。"
        )
        self.filterset_class = OwnOpinionFilter if self.is_expert else OfficeOpinionFilter
        self.clear_query = "?state=" if self.is_expert else ""
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return (
            super()
            .queryset()
            .select_related(
                "expert",
                "item__certificate_level__certificate",
                "item__application__school__organization",
                "item__application__round",
            )
            .defer("item__application__school__contact_mobile")
        )

    def get_table_kwargs(self) -> dict[str, Any]:
        return {"exclude": ("expert",)} if self.is_expert else {}


def _opinion(request: HttpRequest, pk: int) -> ExpertOpinion:
    rows = ExpertOpinion.objects.visible_to(request.user).select_related(
        "expert__organization",
        "asked_by",
        "item__certificate_level__certificate__owner",
        "item__application__school__organization",
        "item__application__round",
        "item__agreement__evaluator",
    )
    return get_object_or_404(rows, pk=pk)


def _own_opinion(request: HttpRequest, pk: int) -> ExpertOpinion:
    opinion = _opinion(request, pk)
    require(permissions.may_advise(request.user, opinion), "由被征求意见的专家本人办理。")
    return opinion


@keeps_typed
@form_methods
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The item as the expert may see it, and the form; no other expert's opinion, no other school."""
    opinion, at = _opinion(request, pk), clock.now()
    advises = permissions.may_advise(request.user, opinion)
    offers = {offer.transition.action: offer for offer in lifecycle.offers(opinion, request.user, at)}
    give = offers.get("opinion_give")
    if request.method == "POST":
        require(advises, "由被征求意见的专家本人提出。")
        form = GiveForm(request.POST)
        if form.is_valid() and _run(request, "opinion_give", opinion, form, "意见已提交。"):
            return redirect("opinions:detail", pk)
    else:
        form = GiveForm(take(request), initial={"advice": opinion.advice, "text": opinion.text})
    item = opinion.item
    context = {
        "opinion": opinion,
        "item": item,
        "is_shown": not advises or opinion.state in ExpertOpinion.STANDING,
        "files": item.files.handed_in().select_related("attachment"),
        "majors": item.majors.all(),
        "form": form,
        "give": give if advises else None,
        "may_decline": advises and "opinion_decline" in offers,
        "may_withdraw": permissions.may_ask_experts(request.user) and "opinion_withdraw" in offers,
        "is_past_due": at >= opinion.due_at,
    }
    status = 422 if form.is_bound and form.errors and request.method == "POST" else 200
    return render(request, "schools/opinions/detail.html", context, status=status)


def _run(request: HttpRequest, action: str, opinion: ExpertOpinion, form: Any, done: str) -> bool:
    """Whether the verb went through; what it refuses comes to the form."""
    try:
        lifecycle.run(action, opinion, **form.cleaned_data, by=request.user, at=clock.now())
    except NotNow as refusal:
        form.add_error(None, refusal.reasons)
        return False
    except ValidationError as refusal:
        form.add_error(None, refusal)
        return False
    messages.success(request, done)
    return True


@form_methods
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    opinion = _own_opinion(request, pk)
    form = DeclineForm(request.POST or None, item=opinion.item)
    if form.is_valid() and _run(request, "opinion_decline", opinion, form, "已回避，并登记利益关系。"):
        return redirect("opinions:list")
    return _form_page(
        request,
        form,
        heading="回避",
        intro=f"{opinion.item.application.school} {opinion.item}：与学校或证书的评价组织有利益关系的，应当回避。",
        submit_label="回避",
        cancel_url=reverse("opinions:detail", args=[pk]),
    )


@form_methods
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    opinion = _opinion(request, pk)
    require(permissions.may_ask_experts(request.user), opinions.OFFICE_ONLY)
    form = WithdrawForm(request.POST or None)
    if form.is_valid() and _run(request, "opinion_withdraw", opinion, form, "已撤回，并通知专家。"):
        return redirect("opinions:detail", pk)
    return _form_page(
        request,
        form,
        heading="撤回征求的意见",
        intro=f"{opinion.expert.name}：{opinion.item.application.school} {opinion.item}。撤回后该专家不再看到这个项目。",
        submit_label="撤回",
        cancel_url=reverse("opinions:detail", args=[pk]),
    )


def _form_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "core/form_page.html", {"form": form, **context}, status=status)


class AskPage(CheckedFormView):
    """Choose experts and a date for the items that the address (`items`) or the review's list (`item`) names."""

    form_class = AskForm
    preview_template = "schools/opinions/_ask_preview.html"
    heading = "征求专家意见"
    intro = (
        "组织专家评议申报的证书（沪教委高〔2021〕3号 二(一)3）。与学校或证书的评价组织有利益关系的专家"
        "不征求，确认前会列出。"
    )
    confirm_label = "确认征求"
    done = "已征求专家意见，并通知专家。"
    success_url = reverse_lazy("opinions:list")

    def check_right(self) -> None:
        require(permissions.may_ask_experts(self.request.user), opinions.OFFICE_ONLY)

    @property
    def comes_from_list(self) -> bool:
        """The list posts items alone: the form is yet to be filled in."""
        return "due_on" not in self.request.POST and "step" not in self.request.POST

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.get(request) if self.comes_from_list else super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = {**super().get_form_kwargs(), "user": self.request.user}
        if self.comes_from_list:
            kwargs |= {"data": None, "files": None}
        return kwargs

    def get_initial(self) -> dict[str, Any]:
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        named = [*sent.getlist("items"), *sent.getlist("item")]
        rows = ApplicationItem.objects.visible_to(self.request.user)
        if self.request.POST.get("everything"):
            return {"items": all_filtered(self.request, rows.handed_in())}
        chosen = rows.filter(pk__in=keys_in(named)).order_by("pk")
        return {"items": list(chosen.values_list("pk", flat=True))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        count = len(context["form"]["items"].value() or [])
        if not count:
            context["intro"] = "请先在申报审核列表中选择要征求意见的项目。"
        else:
            context["intro"] = f"已选 {count} 个项目。{self.intro}"
        return context

    def form_invalid(self, form: AskForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def preview(self, form: AskForm) -> dict[str, Any]:
        plan = opinions.plan(form.chosen, list(form.cleaned_data["experts"]))
        if not plan.pairs:
            raise ValidationError("所选专家都应当回避或已经征求过，没有可以征求的。请另选专家。")
        return {"plan": plan}

    def save(self, form: AskForm) -> None:
        opinions.ask(
            items=form.chosen,
            experts=list(form.cleaned_data["experts"]),
            due_at=form.due_at,
            by=self.request.user,
            at=clock.now(),
        )


class InterestList(ListPage):
    model = ExpertInterest
    table_class = InterestTable
    template_name = "schools/opinions/interests.html"
    heading = "专家利益关系"
    subtitle = "与学校或证书的评价组织有利益关系的专家，不就有关项目提出意见。"
    empty_text = "还没有登记利益关系。"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(permissions.may_keep_interests(request.user), "利益关系由专家本人申报，由省推进办登记。")
        if permissions.may_ask_experts(request.user):
            self.table_class = KeptInterestTable
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[Any]:
        return super().queryset().select_related("expert", "organization", "declared_by")


@keeps_typed
@form_methods
def new_interest(request: HttpRequest) -> HttpResponse:
    user = request.user
    require(permissions.may_keep_interests(user), "利益关系由专家本人申报，由省推进办登记。")
    form = InterestForm(request.POST or take(request), user=user)
    if request.method == "POST" and form.is_valid():
        facts = {"expert": user, **form.cleaned_data}
        try:
            opinions.register_interest(**facts, by=user, at=clock.now())
            messages.success(request, "利益关系已登记。")
            return redirect("opinions:interests")
        except ValidationError as refusal:
            form.add_error(None, refusal)
    return _form_page(
        request, form, heading="登记利益关系", submit_label="登记", cancel_url=reverse("opinions:interests")
    )


@form_methods
def remove_interest(request: HttpRequest, pk: int) -> HttpResponse:
    interests = ExpertInterest.objects.visible_to(request.user).select_related("expert", "organization")
    interest = get_object_or_404(interests, pk=pk)
    require(permissions.may_ask_experts(request.user), "取消登记由省推进办办理；情况变化的，请联系推进办。")
    form = RemoveForm(request.POST or None)
    if form.is_valid():
        opinions.remove_interest(interest, **form.cleaned_data, by=request.user, at=clock.now())
        messages.success(request, "已取消登记。")
        return redirect("opinions:interests")
    return _form_page(
        request,
        form,
        heading="取消利益关系",
        intro=f"{interest.expert.name}与{interest.organization}：{interest.note}。取消后可以就该单位征求这位专家的意见。",
        submit_label="取消登记",
        cancel_url=reverse("opinions:interests"),
    )
