"""Home = what I must do next."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Role
from reporting import home_counts, homes
from reporting.matrix import MARKS
from reporting.permissions import may_remind, may_watch_reports
from reporting.summaries import home as summaries
from schools.own_rounds import own_standings
from schools.permissions import may_see_schools

# What each role can already do here; nothing is announced that does not exist.
WORK = {
    Role.EVALUATOR: "贵单位的证书在本省的试点情况。",
    Role.FINANCE: "全省试点院校、项目与年度计划人数。",
    Role.COORDINATOR: "您对接的评价组织及其证书在本省的试点情况。",
}
# Nothing can be assigned to these yet; the province's totals are not theirs.
ASSIGNED = {
    Role.EXPERT: "目前没有分配给您的任务。有任务时会显示在这里，并发通知给您。",
    Role.THIRD_PARTY: "目前没有委托给您的评价。有委托时会显示在这里，并发通知给您。",
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Each role its own."""
    user = request.user
    if user.role in Role.of_a_school():
        context = {
            "home": homes.school_home(user),
            "marks": MARKS.items(),
            "counts": home_counts.counts(user),
            "money": home_counts.money(user),
            "rounds": own_standings(user, open_only=True),
        }
        return render(request, "reporting/home/school.html", context)
    waiting = {"counts": home_counts.counts(user)}
    if user.sees_reporting:
        context = {
            "home": homes.watch_home(user),
            "may_remind": may_remind(user),
            "standings": summaries.standings(user),
            **waiting,
        }
        return render(request, "reporting/home/watch.html", context)
    if user.role in WORK:
        context = {
            "home": homes.plans_home(user),
            "work": WORK[user.role],
            "may_see_schools": may_see_schools(user),
            "is_evaluator": user.role == Role.EVALUATOR,
            "watches": may_watch_reports(user),
            "standings": summaries.standings(user) if may_watch_reports(user) else [],
            "summaries": summaries.tasks(user) if user.role == Role.EVALUATOR else [],
            "coming": summaries.coming() if user.role == Role.EVALUATOR else None,
            **waiting,
        }
        return render(request, "reporting/home/plans.html", context)
    assigned = ASSIGNED.get(user.role, "与您有关的消息会显示在通知里。")
    return render(request, "reporting/home/assigned.html", {"assigned": assigned} | waiting)
