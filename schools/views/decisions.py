"""Deciding: a preview that names every item, then the decision; and the list of decisions of a round."""

import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from core import clock, documents, exports
from core.links import local_path
from core.models import Event
from core.numbers import keys_in
from core.workflow import NotNow, Transition
from schools import decision_list
from schools.filters.reviews import all_filtered
from schools.forms.reviews import DecisionForm
from schools.models import ApplicationItem, ApplicationRound
from schools.services import reviews
from schools.services.reviews import Line
from schools.views.reviews import check_right
from schools.workflow import review

CHANGED = 409
NOTHING_TICKED = "没有选择申报项目。请先勾选，或选“全部”。"


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """First the preview, by what was ticked; then, with `step=confirm`, the decision on what was shown."""
    check_right(request.user)
    if not reviews.actions_of(request.user):
        raise PermissionDenied("申报由市教育局初审、省推进办审核；您的角色可以查看，不能办理。")
    action = request.POST.get("action", "")
    if action not in {*reviews.OF_THE_CITY, *reviews.OF_THE_PROVINCE}:
        raise Http404
    transition = review.transition(action)
    if request.POST.get("step") == "confirm":
        return _confirm(request, transition)
    keys = _asked(request)
    if not keys:
        messages.error(request, NOTHING_TICKED)
        return redirect(_back(request))
    return _show(request, transition, _lines(request, transition, keys))


def _asked(request: HttpRequest) -> list[int]:
    """The keys of the ticked items, or of all that the list's filters leave."""
    items = ApplicationItem.objects.visible_to(request.user).handed_in()
    if request.POST.get("everything"):
        return all_filtered(request, items)
    ticked = set(keys_in(request.POST.getlist("item")))
    if items.filter(pk__in=ticked).count() != len(ticked):
        raise Http404
    return sorted(ticked)


def _lines(request: HttpRequest, transition: Transition, keys: list[int]) -> list[Line]:
    items = ApplicationItem.objects.visible_to(request.user).handed_in().filter(pk__in=keys)
    return reviews.preview(
        action=transition.action,
        items=items.order_by("application__school__organization__code", "pk"),
        by=request.user,
        at=clock.now(),
    )


def _show(
    request: HttpRequest,
    transition: Transition,
    lines: list[Line],
    *,
    form: DecisionForm | None = None,
    changed: tuple[Line, ...] = (),
    status: int = 200,
) -> HttpResponse:
    """The preview: what will be decided, what not and why, what has changed since it was last shown."""
    will = [line for line in lines if not line.reasons and line not in changed]
    cannot = [line for line in lines if line.reasons and line not in changed]
    initial = {
        "comment": form.data.get("comment", "") if form else "",
        "marks": " ".join(reviews.mark(line.item) for line in will),
        "shown_at": clock.now().isoformat(),
    }
    if form is None or not form.errors:
        form = DecisionForm(initial=initial, transition=transition)
    context = {
        "transition": transition,
        "target": ApplicationItem.State(transition.target).label,
        "will": will,
        "cannot": cannot,
        "changed": changed,
        "schools": len({line.item.application.school_id for line in will}),
        "heads": sum(line.item.planned_total for line in will),
        "form": form,
        "back": _back(request),
    }
    return render(request, "schools/reviews/decide.html", context, status=status)


def _confirm(request: HttpRequest, transition: Transition) -> HttpResponse:
    form = DecisionForm(request.POST, transition=transition)
    marks = dict(_marks(request.POST.get("marks", "")))
    valid, keys = form.is_valid(), list(marks)
    if not keys or "marks" in form.errors or "shown_at" in form.errors:
        messages.error(request, NOTHING_TICKED)
        return redirect(_back(request))
    lines = _lines(request, transition, keys)
    if len(lines) != len(keys):
        raise Http404
    if _is_done(request, transition, lines, form.cleaned_data["shown_at"]):
        return _done_before(request, len(lines))
    changed = tuple(line for line in lines if line.reasons or reviews.mark(line.item) != marks[line.item.pk])
    if changed:
        return _show(request, transition, lines, form=form, changed=changed, status=CHANGED)
    if not valid:
        return _show(request, transition, lines, form=form, status=422)
    try:
        comment = form.cleaned_data["comment"]
        reviews.decide_many(
            action=transition.action, items=keys, by=request.user, at=clock.now(), comment=comment
        )
    except ValidationError as error:
        form.add_error(None, error)
        return _show(request, transition, lines, form=form, status=422)
    except NotNow:
        # Somebody was quicker by a moment: this very form, or another officer.
        return _confirm(request, transition)
    return _done(request, transition, len(keys))


def _marks(text: str) -> Any:
    for mark in text.split():
        for key in keys_in([mark.partition(":")[0]]):
            yield key, mark


def _is_done(request: HttpRequest, transition: Transition, lines: list[Line], shown_at: dt.datetime) -> bool:
    """Whether this very form has done it already: sent twice, it is done once."""
    if any(line.item.state != transition.target for line in lines):
        return False
    own = Event.objects.filter(
        target_type=ContentType.objects.get_for_model(ApplicationItem),
        target_id__in=[str(line.item.pk) for line in lines],
        action=transition.action,
        actor=request.user,
        at__gte=shown_at,
    )
    return own.values("target_id").distinct().count() == len(lines)


def _done(request: HttpRequest, transition: Transition, count: int) -> HttpResponse:
    messages.success(request, f"已办理：{transition.label} {count} 项。已通知学校联系人。")
    return redirect(_back(request))


def _done_before(request: HttpRequest, count: int) -> HttpResponse:
    """Sent twice, or again after going back: the decision stands once and nobody is told again."""
    messages.info(request, f"这 {count} 项此前已办理，没有重复办理。")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    """The page that the decision was begun from, where it is one of ours."""
    return local_path(request.POST.get("back", "")) or reverse("reviews:queue")


@require_http_methods(["GET", "HEAD", "POST"])
def decisions(request: HttpRequest, pk: int) -> HttpResponse:
    """Counts by supervising authority, and the list as Word or Excel; what is taken out goes on record."""
    round_ = get_object_or_404(ApplicationRound.objects.visible_to(request.user), pk=pk)
    check_right(request.user)
    groups = decision_list.counts(round_, request.user)
    if request.method != "POST":
        context = {"round": round_, "groups": groups}
        return render(request, "schools/reviews/decisions.html", context)
    rows = decision_list.rows(round_, request.user)
    name, at = f"{round_}审核结果", clock.now()
    file = f"{name}-{clock.local(at):%Y%m%d-%H%M}"
    workbook = exports.export_list(
        name=name, rows=[decision_list.HEADINGS, *rows], filters={"批次": str(round_)}, by=request.user, at=at
    )
    if request.POST.get("format") == "docx":
        return documents.download(decision_list.paper(round_, groups, rows, at=at), f"{file}.docx")
    return exports.download(workbook, f"{file}.xlsx")
