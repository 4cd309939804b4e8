"""Signing teachers up for an activity, and what came of it. Attendance is voluntary (MOE 二(二)).

What is said of a teacher is recorded with the teacher: an activity is read by other schools too.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from certificates.models import CertificateLevel
from core import events, notices
from core.templatetags import portal
from evaluators.models import Activity, Qualification, SignUp, Teacher
from evaluators.permissions import may_keep_activity, may_sign_up
from evaluators.services.activities import schools_concerned
from evaluators.services.teachers import hold
from obligations.closing import people_of

events.register(
    teacher_signed_up="活动报名",
    sign_up_cancelled="取消报名",
    sign_up_result="登记到会和结果",
    activity_results="登记到会和结果",
)

BY_THE_SCHOOL = "报名由院校联系人为本校教师办理，自愿参加。"
BY_THE_EVALUATOR = "到会和结果由举办活动的评价组织登记。"


def why_no_sign_up(activity: Activity, user: User, at: dt.datetime) -> str:
    """Why the user's school may not sign up (or cancel) now; "". The deadline is the start, half-open."""
    if not may_sign_up(user):
        return BY_THE_SCHOOL
    if activity.state != Activity.State.FILED:
        return f"活动“{activity.get_state_display()}”，现在不能报名。"
    if at >= activity.starts_at:
        return f"报名截止到活动开始（{portal.when(activity.starts_at)}），已经截止。"
    return ""


@transaction.atomic
def sign_up(activity: Activity, *, teachers: Sequence[Teacher], by: User, at: dt.datetime) -> list[SignUp]:
    """Sign own teachers up, all or none; who is signed up already stays so.

    Raises PermissionDenied, ValidationError (closed, not concerned, no place left).
    """
    if not may_sign_up(by):
        raise PermissionDenied(BY_THE_SCHOOL)
    # Whoever wants the last place waits here for whoever was first.
    activity = Activity.objects.select_for_update().get(pk=activity.pk)
    if reason := why_no_sign_up(activity, by, at):
        raise ValidationError(reason)
    if not schools_concerned(activity, at).filter(pk=by.organization_id).exists():
        raise ValidationError("这项活动不面向本校：本校没有开展这个证书的试点，或不在活动面向的范围。")
    _refuse_others(teachers, by, at)
    known = {row.teacher_id: row for row in activity.sign_ups.all()}
    wanted = list(dict.fromkeys(teachers))
    new = [t for t in wanted if t.pk not in known or known[t.pk].cancelled_at is not None]
    _require_places(activity, known.values(), len(new))
    return [_sign_up(activity, teacher, known.get(teacher.pk), by, at) for teacher in new]


def _refuse_others(teachers: Sequence[Teacher], by: User, at: dt.datetime) -> None:
    if not teachers:
        raise ValidationError({"teachers": "请选择要报名的教师。"})
    for teacher in teachers:
        if teacher.school_id != by.organization_id:
            raise PermissionDenied(BY_THE_SCHOOL)
        if teacher.left_on is not None:
            raise ValidationError({"teachers": f"{teacher}已离校，不能报名。"})


def _require_places(activity: Activity, known: Iterable[SignUp], wanted: int) -> None:
    if activity.places is None:
        return
    taken = sum(row.cancelled_at is None for row in known)
    left = activity.places - taken
    if wanted > left:
        rest = f"只剩 {left} 个名额" if left > 0 else "名额已满"
        raise ValidationError({"teachers": f"{rest}（共 {activity.places} 个），本次要报 {wanted} 人。"})


def _sign_up(activity: Activity, teacher: Teacher, row: SignUp | None, by: User, at: dt.datetime) -> SignUp:
    row = row or SignUp(activity=activity, teacher=teacher)
    row.signed_by, row.signed_at, row.cancelled_at = by, at, None
    row.save()
    _record("teacher_signed_up", row, by, at, {"活动": activity.title})
    return row


def _record(action: str, row: SignUp, by: User, at: dt.datetime, changes: dict[str, Any]) -> None:
    teacher = row.teacher
    events.record(action, teacher, by=by, at=at, organization_id=teacher.school_id, changes=changes)


@transaction.atomic
def cancel_sign_up(row: SignUp, *, by: User, at: dt.datetime) -> None:
    """Before the start, by the teacher's school. Raises PermissionDenied, ValidationError."""
    activity = Activity.objects.select_for_update().get(pk=row.activity_id)
    row = SignUp.objects.select_related("teacher").get(pk=row.pk)
    if not may_sign_up(by) or row.teacher.school_id != by.organization_id:
        raise PermissionDenied(BY_THE_SCHOOL)
    if at >= activity.starts_at:
        begun = portal.when(activity.starts_at)
        raise ValidationError(f"活动已于{begun}开始，不能再取消报名；没有参加的由评价组织记为未到会。")
    if row.cancelled_at is not None:
        return
    row.cancelled_at = at
    row.save(update_fields=["cancelled_at"])
    _record("sign_up_cancelled", row, by, at, {"活动": activity.title})


# --- What came of it


@dataclass(frozen=True)
class Mark:
    """What is said of one who was signed up. `attended` None: not said yet."""

    attended: bool | None
    result: str = ""
    # Whether the grant is for this one, and the number of the paper.
    qualifies: bool = False
    number: str = ""


@dataclass(frozen=True)
class Grant:
    """The qualification that the activity gave to those marked."""

    kind: str
    certificate_level: CertificateLevel
    obtained_on: dt.date
    valid_until: dt.date | None = None


def why_no_results(activity: Activity, user: User, at: dt.datetime) -> str:
    """Why the user may not record attendance now; ""."""
    if not may_keep_activity(user, activity.evaluator_id):
        return BY_THE_EVALUATOR
    if activity.state == Activity.State.CANCELLED:
        return "活动已取消，没有到会和结果可登记。"
    if at < activity.starts_at:
        return f"活动于{portal.when(activity.starts_at)}开始，开始后再登记到会和结果。"
    if not activity.sign_ups.active().exists():
        return "没有教师报名，没有到会和结果可登记。"
    return ""


@transaction.atomic
def record_results(
    activity: Activity, *, marks: Mapping[int, Mark], grant: Grant | None, by: User, at: dt.datetime
) -> int:
    """Attendance and results, many at once: how many changed. `marks` by key of the sign-up.

    With a `grant`, those marked get the qualification in the same step. Raises PermissionDenied,
    ValidationError.
    """
    if not may_keep_activity(by, activity.evaluator_id):
        raise PermissionDenied(BY_THE_EVALUATOR)
    activity = Activity.objects.select_for_update().get(pk=activity.pk)
    if reason := why_no_results(activity, by, at):
        raise ValidationError(reason)
    signed_up = activity.sign_ups.active().select_related("teacher__school").filter(pk__in=marks)
    rows = [row for row in signed_up if _changes(row, marks[row.pk])]
    _require_valid(activity, rows, marks, grant, at)
    for row in rows:
        _mark(row, marks[row.pk], grant, activity, by, at)
    if rows:
        _summed_up(activity, by, at)
        _tell_schools(activity, rows, at)
    return len(rows)


def _changes(row: SignUp, mark: Mark) -> bool:
    return mark.qualifies or (row.attended, row.result) != (mark.attended, mark.result.strip())


def _require_valid(
    activity: Activity,
    rows: Sequence[SignUp],
    marks: Mapping[int, Mark],
    grant: Grant | None,
    at: dt.datetime,
) -> None:
    found = []
    for row in rows:
        mark = marks[row.pk]
        if not mark.attended and (mark.result.strip() or mark.qualifies):
            found.append(f"{row.teacher}：没有记为到会的，不能登记结果或授予资格。")
        if mark.qualifies and grant is None:
            found.append(f"{row.teacher}：勾选了授予资格，请填写资格种类、证书等级和取得日期。")
    if grant and grant.certificate_level.certificate_id != activity.certificate_id:
        found.append("授予资格的证书等级应属于这项活动的证书。")
    if grant and activity.kind not in {Activity.Kind.TRAINING, Activity.Kind.EXAMINATION}:
        found.append("只有师资培训和考核活动可以登记取得的资格。")
    if found:
        raise ValidationError(found)


def _mark(
    row: SignUp, mark: Mark, grant: Grant | None, activity: Activity, by: User, at: dt.datetime
) -> None:
    if (row.attended, row.result) != (mark.attended, mark.result.strip()):
        words = {None: "", True: "到会", False: "未到会"}
        changes: dict[str, Any] = {
            "活动": activity.title,
            "到会": [words[row.attended], words[mark.attended]],
            "结果": [row.result, mark.result.strip()],
        }
        row.attended, row.result = mark.attended, mark.result.strip()
        row.save(update_fields=["attended", "result"])
        _record("sign_up_result", row, by, at, changes)
    if mark.qualifies and grant:
        hold(
            teacher=row.teacher,
            fields={
                "certificate_level": grant.certificate_level,
                "kind": Qualification.Kind(grant.kind),
                "number": mark.number.strip(),
                "obtained_on": grant.obtained_on,
                "valid_until": grant.valid_until,
            },
            activity=activity,
            by=by,
            at=at,
        )


def _summed_up(activity: Activity, by: User, at: dt.datetime) -> None:
    counted = Counter(activity.sign_ups.active().values_list("attended", flat=True))
    events.record(
        "activity_results",
        activity,
        by=by,
        at=at,
        organization_id=activity.evaluator_id,
        changes={"到会": counted[True], "未到会": counted[False], "未登记": counted[None]},
    )


def _tell_schools(activity: Activity, rows: Sequence[SignUp], at: dt.datetime) -> None:
    """One notice a school and a step, whatever the number of its teachers."""
    mine = Counter(row.teacher.school_id for row in rows)
    people = people_of(set(mine), Role.SCHOOL_CONTACT)
    link = reverse("activities:detail", args=[activity.pk])
    key = f"activity:{activity.pk}:results:{at.timestamp()}"
    notices.tell(
        [
            notices.Message(
                person, key, f"活动“{activity.title}”登记了本校 {count} 名教师的到会和结果。", link
            )
            for school, count in mine.items()
            for person in people.get(school, [])
        ],
        at=at,
    )
