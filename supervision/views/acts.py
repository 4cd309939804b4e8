"""The acts of the office: each page says what it will do, asks for what it needs, or says why not yet."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms as django_forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods
from django.views.generic import FormView

from accounts import typed
from core import clock
from core.workflow import NotNow, Transition
from evaluators.services import sites
from supervision import forms, permissions, services, students
from supervision.models import Case, CaseDocument, FollowUp
from supervision.views.cases import BY_THE_SCHOOL, visible_case
from supervision.workflow import procedure

ONLY_OFFICE = f"案件由省推进办办理（{Case.CLAUSE}：由省级教育行政部门取消）。"


class Act(NamedTuple):
    """A form, and in words what follows when it is sent."""

    form: type[django_forms.Form]
    consequences: tuple[str, ...]


ACTS = {
    "case_investigate": Act(forms.InvestigateForm, ("案件进入调查核实，学校和主管部门可以看到进展。",)),
    "case_notify": Act(
        forms.NotifyForm,
        (
            "按现有证据生成告知书（Word）并固定：事实、条款原文、陈述申辩权利和期限。",
            "学校从此时起有一项“陈述申辩”待办，到期前有提醒。",
            "您成为告知人，此后不能对本案作决定。",
            "告知书发出以后，证据材料不再增加。",
        ),
    ),
    "case_drop": Act(
        forms.DecisionForm, ("调查后结案，不对学校作不利处理；生成不予处理决定书。", "证据和经过保留。")
    ),
    "case_revoke": Act(
        forms.GraveDecisionForm,
        (
            "从作出决定这一刻起：学校退出试点，全部试点项目结束，尚未到期的报送免报，其他事项不再办理。",
            "已备案的考核站点撤销，未备案的申报不再办理；通知学校和评价组织。",
            "此前已经产生的义务和成绩、证书、结算不受影响。",
            "生成决定书（写明救济途径）和取消资格通报，均为 Word，编号并固定。",
            "产生三项后续事项：收回专项资金、追究主要责任人责任、通报全省（晋教职成〔2020〕9号 四.3）。",
        ),
    ),
    "case_rectify": Act(
        forms.RectifyForm,
        ("生成责令限期整改决定书。", "学校有一项“限期整改”待办；逾期未交整改报告的，案件回到决定环节。"),
    ),
    "case_dismiss": Act(forms.DecisionForm, ("案件办结，不对学校作不利处理；生成不予处理决定书。",)),
    "case_accept": Act(forms.CommentForm, ("整改合格，案件办结。",)),
    "case_fail": Act(forms.CommentForm, ("整改不合格，案件回到决定环节，须重新作出决定。",)),
    "case_reverse": Act(
        forms.GraveDecisionForm,
        (
            "撤销现行决定，原决定和经过保留；生成复核决定书。",
            "原决定取消了资格的：从这一刻起恢复试点资格和试点项目，其间不计应报；未办的后续事项不再办理。",
            "随原决定撤销的考核站点不自动恢复，由学校重新申报。",
        ),
    ),
}


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """One step of the procedure. What the table refuses is refused here with its reasons."""
    case = visible_case(request, pk)
    try:
        row = procedure.transition(action)
    except KeyError:
        raise Http404 from None
    if action in BY_THE_SCHOOL:
        return redirect("supervision:statement", pk)
    if row.by_job:
        raise PermissionDenied(f"“{row.label}”由平台按时限办理，不能手工操作。")
    if reason := row.forbids(request.user, case):
        raise PermissionDenied(reason)
    if reasons := procedure.missing(row, case, clock.now()):
        return _refused(request, case, row, reasons)
    return _carry_out(request, case, row)


def _carry_out(request: HttpRequest, case: Case, row: Transition) -> HttpResponse:
    form = ACTS[row.action].form(request.POST or typed.take(request))
    if request.method == "POST" and form.is_valid():
        given = form.given if isinstance(form, forms.RectifyForm) else dict(form.cleaned_data)
        given.pop("checked", None)
        try:
            procedure.run(row.action, case, by=request.user, at=clock.now(), **given)
        except NotNow as refusal:
            return _refused(request, case, row, refusal.reasons)
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            messages.success(request, f"已办理：{row.label}。")
            return redirect("supervision:case-detail", case.pk)
    context = {
        "case": case,
        "form": form,
        "row": row,
        "consequences": ACTS[row.action].consequences,
        "lines": students.concerned(case, clock.now()) if row.action == "case_revoke" else [],
        "sites": sites.standing_of(case.organization_id) if row.action == "case_revoke" else [],
    }
    return render(request, "supervision/act.html", context)


def _refused(request: HttpRequest, case: Case, row: Transition, reasons: list[str]) -> HttpResponse:
    context = {"case": case, "row": row, "reasons": reasons}
    return render(request, "supervision/refused.html", context, status=409)


@method_decorator(typed.keeps_typed, name="dispatch")
class OpenCase(FormView):
    """A case by hand, with its evidence."""

    form_class = forms.OpenCaseForm
    template_name = "core/form_page.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_handle(request.user):
            raise PermissionDenied(ONLY_OFFICE)
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        return {"school": self.request.GET.get("school", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = {
            "heading": "登记案件",
            "intro": "登记不是处理决定。登记后先调查核实，再告知学校并听取陈述申辩，由另一位经办人作出决定。",
            "submit_label": "登记",
            "cancel_url": "/cases/",
        }
        return super().get_context_data(**frame, **kwargs)

    def form_valid(self, form: forms.OpenCaseForm) -> HttpResponse:
        given = form.cleaned_data
        try:
            case = services.open_case(
                organization=given["school"],
                ground=given["ground"],
                facts=given["facts"],
                files=given["files"],
                by=self.request.user,
                at=clock.now(),
            )
        except ValidationError as error:
            _show(form, error)
            return self.form_invalid(form)
        messages.success(self.request, "案件已登记。")
        return redirect("supervision:case-detail", case.pk)


def _side_step(
    request: HttpRequest,
    case: Case,
    form_class: type[django_forms.Form],
    save: Callable[[dict[str, Any]], Any],
    **frame: str,
) -> HttpResponse:
    """A form beside the procedure's own steps; back to the case when it is saved."""
    if not permissions.may_handle(request.user):
        raise PermissionDenied(ONLY_OFFICE)
    form = form_class(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            save(form.cleaned_data)
        except NotNow as refusal:
            form.add_error(None, refusal.reasons)
        except ValidationError as error:
            _show(form, error)
        else:
            messages.success(request, frame.pop("done"))
            return redirect("supervision:case-detail", case.pk)
    context = {"form": form, "cancel_url": f"/cases/{case.pk}/", **frame}
    return render(request, "core/form_page.html", context)


def _show(form: django_forms.Form, error: ValidationError) -> None:
    """What a service refuses, at its field where the form has it."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {}
    if not by_field:
        form.add_error(None, error.messages)
    for name, texts in by_field.items():
        form.add_error(name if name in form.fields else None, texts)


@require_http_methods(["GET", "HEAD", "POST"])
def confirm_streak(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    return _side_step(
        request,
        case,
        forms.ReasonForm,
        lambda given: services.confirm_streak(case, by=request.user, at=clock.now(), **given),
        heading="确认仍属“连续三周”",
        intro=f"这几周之间隔着免报或已谅解的周。请写明为什么仍属{Case.CLAUSE}所说的连续三周不填报。",
        submit_label="确认",
        done="已确认，写入案件经过。",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def certify(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    return _side_step(
        request,
        case,
        forms.CertifyForm,
        lambda given: services.certify_platform(case, by=request.user, at=clock.now(), **given),
        heading="核实国家平台没有填报",
        intro="没有导入国家平台填报名单的周，须由您核实该校在国家平台上也没有填报；以您的名义写入案件经过。",
        submit_label="登记核实结果",
        done="已登记核实结果。",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def add_files(request: HttpRequest, pk: int) -> HttpResponse:
    case = visible_case(request, pk)
    return _side_step(
        request,
        case,
        forms.FilesForm,
        lambda given: services.add_evidence_files(case, by=request.user, at=clock.now(), **given),
        heading="补充证据材料",
        intro="告知书发出以前可以补充；学校可以看到这些材料。",
        submit_label="上传",
        done="证据材料已上传。",
    )


@typed.keeps_typed
@require_http_methods(["GET", "HEAD", "POST"])
def case_students(request: HttpRequest, pk: int) -> HttpResponse:
    """The students concerned, and what becomes of them; needed before a revocation."""
    case = visible_case(request, pk)
    if not permissions.may_handle(request.user):
        raise PermissionDenied(ONLY_OFFICE)
    now = clock.now()
    lines = students.concerned(case, now)
    form = forms.WaysOutForm(request.POST or typed.take(request), lines=lines)
    if request.method == "POST" and form.is_valid():
        try:
            services.write_ways_out(case, texts=form.texts, by=request.user, at=now)
        except NotNow as refusal:
            form.add_error(None, refusal.reasons)
        else:
            messages.success(request, "学生安置办法已保存。")
            return redirect("supervision:case-detail", pk)
    return render(request, "supervision/students.html", {"case": case, "lines": lines, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def scan(request: HttpRequest, pk: int) -> HttpResponse:
    """The stamped paper, beside the frozen one."""
    documents = CaseDocument.objects.visible_to(request.user).select_related("case")
    document = get_object_or_404(documents, pk=pk)

    def save(given: dict[str, Any]) -> None:
        for upload in given["files"]:
            services.attach_scan(document, upload=upload, by=request.user, at=clock.now())

    return _side_step(
        request,
        document.case,
        forms.ScanForm,
        save,
        heading=f"上传盖章件：{document}",
        intro="盖章后的扫描件附在这份文书上；平台生成的原件不变。",
        submit_label="上传",
        done="盖章件已上传。",
    )


@require_http_methods(["GET", "HEAD", "POST"])
def finish_follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    follow_ups = FollowUp.objects.visible_to(request.user).select_related("case__organization")
    follow_up = get_object_or_404(follow_ups, pk=pk)
    return _side_step(
        request,
        follow_up.case,
        forms.DoneForm,
        lambda given: services.finish_follow_up(follow_up, by=request.user, at=clock.now(), **given),
        heading=f"办结：{follow_up}",
        intro=str(follow_up.case),
        submit_label="办结",
        done="后续事项已办结。",
    )
