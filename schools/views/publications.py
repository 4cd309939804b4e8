"""Result lists: what everybody reads without signing in, and what the office publishes."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core import clock, documents, exports
from obligations.views.checked import CheckedFormView, require
from schools import permissions, result_lists, results
from schools.forms.publications import ProposeForm, PublishForm
from schools.models import ApplicationItem, ApplicationRound, Objection, ResultList
from schools.services import publications as services

PER_PAGE = 100
SEEN_BY = "公示、公布的办理情况供省级查看。已公开的名单见“结果名单”。"


# --- read by everybody


@login_not_required
@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    at = clock.now()
    public = list(ResultList.objects.public(at).select_related("round").defer("rows"))
    running = [shown for shown in public if shown.is_open(at)]
    context = {
        "running": sorted(running, key=lambda shown: shown.closes_at),
        "final": [shown for shown in public if shown.kind == ResultList.Kind.FINAL],
        "over": [shown for shown in public if shown.is_over(at)],
    }
    return render(request, "schools/publications/lists.html", context)


def public_list(pk: int) -> ResultList:
    found = ResultList.objects.public(clock.now()).select_related("round", "published_by__organization")
    return get_object_or_404(found, pk=pk)


@login_not_required
@require_safe
def one_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Searched by `q`, in one `city`; `all` shows every row at once, to print."""
    shown, at = public_list(pk), clock.now()
    q, city = request.GET.get("q", "")[:60], request.GET.get("city", "")[:40]
    rows = result_lists.matching(shown.rows, q, city)
    paginator = Paginator(rows, max(len(rows), 1) if request.GET.get("all") else PER_PAGE)
    is_final = shown.kind == ResultList.Kind.FINAL
    context = {
        "shown": shown,
        "is_final": is_final,
        "is_open": shown.is_open(at),
        "span": "" if is_final else result_lists.span_words(shown),
        "cities": result_lists.by_city(shown.rows),
        "changes": results.changes_of(shown) if is_final else [],
        "final": None if is_final else _later_final(shown),
        "page": paginator.get_page(request.GET.get("page")),
        "pages": paginator,
        "q": q,
        "city": city,
        "is_filtered": bool(q or city),
    }
    return render(request, "schools/publications/list.html", context)


def _later_final(shown: ResultList) -> ResultList | None:
    later = shown.round.lists.final().filter(published_at__gt=shown.published_at)
    return later.defer("rows").order_by("published_at").first()


@login_not_required
@require_safe
def download(request: HttpRequest, pk: int) -> HttpResponse:
    """What is public anyway: no record is kept of who takes it."""
    shown = public_list(pk)
    return exports.download(result_lists.excel(shown), f"{shown.title}.xlsx")


# --- the office


@require_safe
def manage(request: HttpRequest) -> HttpResponse:
    """Every round, newest first: how far its decisions are, its lists, its objections."""
    require(permissions.may_see_objections(request.user), SEEN_BY)
    State = ApplicationItem.State
    found = ApplicationRound.objects.visible_to(request.user).annotate(
        approved=Count("applications__items", Q(applications__items__state=State.APPROVED)),
        rejected=Count("applications__items", Q(applications__items__state=State.REJECTED)),
    )
    rounds = list(found)
    undecided = results.undecided(rounds, clock.now())
    published: dict[int, list[ResultList]] = {}
    for shown in ResultList.objects.visible_to(request.user).defer("rows").order_by("published_at", "pk"):
        published.setdefault(shown.round_id, []).append(shown)
    context = {
        "rounds": [(round, undecided[round.pk], published.get(round.pk, [])) for round in rounds],
        "unanswered": Objection.objects.visible_to(request.user).unanswered().count(),
    }
    return render(request, "schools/publications/manage.html", context)


def _round(request: HttpRequest, pk: int) -> ApplicationRound:
    return get_object_or_404(ApplicationRound.objects.visible_to(request.user), pk=pk)


@require_safe
def round_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One round: what is decided, what may be published next and why not yet."""
    found, at = _round(request, pk), clock.now()
    require(permissions.may_see_objections(request.user), SEEN_BY)
    states = ApplicationItem.objects.filter(application__round=found).handed_in().values("state").order_by()
    counts = dict(states.annotate(n=Count("pk")).values_list("state", "n"))
    published = ResultList.objects.visible_to(request.user).filter(round=found).defer("rows")
    final = results.rows_to_publish(found, at)
    context = {
        "round": found,
        "counts": [(s, counts[s]) for s in ApplicationItem.State if s in counts],
        "lists": [
            (shown, shown.is_open(at), shown.kind == ResultList.Kind.FINAL or shown.opens_at <= at)
            for shown in published.annotate(
                received=Count("objections"),
                unanswered=Count("objections", Q(objections__answered_at=None)),
            )
        ],
        "to_propose": len(results.rows_to_propose(found, at)),
        "to_publish": len(final.rows),
        "changes": final.changes,
        "obstacles": results.final_obstacles(found, at),
        "may_publish": permissions.may_publish(request.user),
    }
    return render(request, "schools/publications/round.html", context)


@require_safe
def paper(request: HttpRequest, pk: int) -> HttpResponse:
    """The list as Word, for the seal."""
    shown = get_object_or_404(
        ResultList.objects.visible_to(request.user).select_related("published_by__organization"), pk=pk
    )
    return documents.download(result_lists.word(shown), f"{shown.title}.docx")


class Publish(CheckedFormView):
    """Fill in what stands above the list, see the list, publish."""

    preview_template = "schools/publications/_preview.html"
    heading = "公布结果"
    confirm_label = "确认公布"
    done = "名单已公布。名单上尚未备案的院校已收到院校备案任务。"
    form_class: type[PublishForm] = PublishForm
    intro = "名单按此刻已批准、已公示的项目固定下来，以后的变动不会改动它。公布后不能撤回。"
    default_title = "{}结果名单"

    def check_right(self) -> None:
        self.round = _round(self.request, self.kwargs["pk"])
        require(permissions.may_publish(self.request.user), services.ONLY_OFFICE)

    def get_success_url(self) -> str:
        return reverse("publications:round", args=[self.round.pk])

    def get_initial(self) -> dict[str, Any]:
        return {"title": self.default_title.format(self.round)}

    def preview(self, form: PublishForm) -> dict[str, Any]:
        found = services.check_final(self.round, form.heading, at=clock.now())
        return self._shown(found.rows) | {"changes": found.changes, "unshown": found.unshown}

    def _shown(self, rows: list[results.Row]) -> dict[str, Any]:
        cities = result_lists.by_city(rows)
        return {
            "rows": rows,
            "cities": cities,
            "schools": sum(len(count.schools) for count in cities),
            "undecided": results.undecided([self.round], clock.now())[self.round.pk],
            "changes": [],
            "unshown": [],
        }

    def save(self, form: PublishForm) -> None:
        services.publish_final(round=self.round, heading=form.heading, by=self.request.user, at=clock.now())


class Propose(Publish):
    """The 公示."""

    heading = "公示结果"
    confirm_label = "确认公示"
    done = "公示已发布。"
    form_class = ProposeForm
    intro = "名单按此刻已批准、还没有公示的项目固定下来，以后的变动不会改动它。发布后不能撤回。"
    default_title = "{}结果公示"

    def preview(self, form: ProposeForm) -> dict[str, Any]:
        rows = services.check_proposed(self.round, form.heading, **form.days, at=clock.now())
        return self._shown(rows)

    def save(self, form: ProposeForm) -> None:
        services.publish_proposed(
            round=self.round, heading=form.heading, **form.days, by=self.request.user, at=clock.now()
        )
