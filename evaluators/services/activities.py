"""Verbs on activities (SX 三.8, MOE 一(二)): file, change, complete, return, cancel. Instants are aware (UTC)."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import clock, events, notices
from core.attachments import attach
from core.templatetags import portal
from core.workflow import NotNow
from evaluators.models import Activity
from evaluators.permissions import may_keep_activity
from evaluators.services.activity_rules import CLAUSE, MANY, NO_PLAN, PLAIN, faults, fill
from evaluators.workflow import activity as lifecycle
from obligations.closing import people_of
from schools.models import Programme, School

events.register(activity_filed="备案活动")

LATE = "开始后备案，不符合提前备案要求（晋教职成〔2020〕9号 三.8）"
VOLUNTARY = (
    "试点院校结合实际自愿参加，不得以任何理由强制教师参加收费性培训（教职成厅函〔2019〕19号 二(二)）。"
)
ONLY_EVALUATOR = f"活动由证书的培训评价组织备案（{CLAUSE}）。"


def schools_concerned(activity: Activity, at: dt.datetime) -> QuerySet[School]:
    """Those named; else all that run the certificate at `at`, in the named cities where there are some."""
    if activity.schools.exists():
        return activity.schools.all()
    running = Programme.objects.running_at(at).filter(certificate_level__certificate=activity.certificate_id)
    schools = School.objects.filter(pk__in=running.values("school"))
    cities = list(activity.cities.all())
    return schools.filter(organization__city__in=cities) if cities else schools


@transaction.atomic
def file_activity(
    *, fields: dict[str, Any], extra_fee: bool, files: Sequence[Any], by: User, at: dt.datetime
) -> Activity:
    """File an activity; after its start too, which is then seen (`was_filed_late`).

    `fields`: `certificate`, PLAIN and MANY. `extra_fee`: whether certifying trainers or examiners costs extra.
    The same content by the same organisation again gives the activity that is there. Raises
    PermissionDenied, ValidationError by field.
    """
    certificate = fields["certificate"]
    if not may_keep_activity(by, certificate.owner_id):
        raise PermissionDenied(ONLY_EVALUATOR)
    # One organisation's filings wait for each other, so that the same form sent twice meets the first.
    Organization.objects.select_for_update().get(pk=certificate.owner_id)
    activity = Activity(evaluator_id=certificate.owner_id, certificate=certificate, filed_by=by, filed_at=at)
    fill(activity, fields)
    found = faults(activity, fields, extra_fee=extra_fee, at=at)
    if not files:
        found["files"] = [NO_PLAN]
    if found:
        raise ValidationError(found)
    if twin := _twin(activity):
        return twin
    activity.save()
    _set_many(activity, fields)
    for upload in files:
        attach(target=activity, upload=upload, by=by, at=at)
    events.record(
        "activity_filed",
        activity,
        by=by,
        at=at,
        organization_id=activity.evaluator_id,
        to_state=activity.state,
        changes={label: word for label, word in _words(activity).items() if word}
        | {"另收师资或考评员认证费": "否"},
        reason=LATE if activity.was_filed_late else "",
    )
    _tell_concerned(activity, at)
    return activity


def _twin(activity: Activity) -> Activity | None:
    standing = Activity.objects.filter(evaluator=activity.evaluator_id, certificate=activity.certificate_id)
    same = {name: getattr(activity, name) for name in PLAIN}
    return standing.exclude(state=Activity.State.CANCELLED).filter(**same).first()


def _set_many(activity: Activity, fields: dict[str, Any]) -> None:
    for name in MANY:
        getattr(activity, name).set(fields[name])


def _words(activity: Activity) -> dict[str, str]:
    """What an event keeps of an activity, field by field, as people read it."""
    values = {
        "类别": activity.get_kind_display(),
        "名称": activity.title,
        # A browser sends each end of a line as two characters.
        "活动方案": "\n".join(activity.plan.splitlines()),
        "举行方式": "线上" if activity.is_online else "线下",
        "地点或线上平台": activity.place,
        "所在市": str(activity.city or ""),
        "开始时间": _instant(activity.starts_at),
        "结束时间": _instant(activity.ends_at),
        "名额": "" if activity.places is None else str(activity.places),
        "收费（元/人）": f"{activity.fee:.2f}",
        "收费依据": activity.fee_basis,
        "高于参考标准的理由": activity.fee_reason,
    }
    lists = {"面向的市": activity.cities, "面向的院校": activity.schools, "授课专家": activity.trainers}
    return values | {label: "、".join(str(one) for one in rows.all()) for label, rows in lists.items()}


def _instant(instant: dt.datetime) -> str:
    """The same words for the same instant: a form gives it on the province's wall clock, the database in UTC."""
    return clock.local(instant).isoformat()


def _tell_concerned(activity: Activity, at: dt.datetime) -> None:
    """The contacts of the schools concerned, each once for an activity; those that come to be concerned by a
    change are told then. What is over is told to nobody."""
    if at >= activity.ends_at:
        return
    schools = set(schools_concerned(activity, at).values_list("pk", flat=True))
    fee = f"，收费 {activity.fee:.2f} 元/人" if activity.fee else "，不收费"
    text = (
        f"{activity.evaluator}备案了{activity.get_kind_display()}活动“{activity.title}”："
        f"{portal.when(activity.starts_at)}，{activity.place}{fee}。自愿参加，开始前可报名。"
    )
    _tell(activity, schools, "filed", text, at)


def _tell(activity: Activity, schools: Collection[int], step: str, text: str, at: dt.datetime) -> None:
    people = people_of(set(schools), Role.SCHOOL_CONTACT)
    link = reverse("activities:detail", args=[activity.pk])
    notices.tell(
        [
            notices.Message(person, f"activity:{activity.pk}:{step}", text, link)
            for school in schools
            for person in people.get(school, [])
        ],
        at=at,
    )


def signed_up_schools(activity: Activity) -> set[int]:
    return set(activity.sign_ups.active().order_by().values_list("teacher__school", flat=True))


# --- Afterwards


def _locked(activity: Activity) -> Activity:
    """The row as it is now: what is done with one activity comes one after the other."""
    return Activity.objects.select_for_update().get(pk=activity.pk)


def _rewrite(
    action: str,
    activity: Activity,
    *,
    fields: dict[str, Any],
    extra_fee: bool,
    files: Sequence[Any],
    by: User,
    at: dt.datetime,
) -> Activity | None:
    fresh = _locked(activity)
    row = lifecycle.transition(action)
    if reason := row.forbids(by, fresh):
        raise PermissionDenied(reason)
    if missing := lifecycle.missing(row, fresh, at):
        raise NotNow(missing)
    before, begins = _words(fresh), fresh.starts_at
    fill(fresh, fields)
    if found := faults(fresh, fields, extra_fee=extra_fee, begins=begins, at=at):
        raise ValidationError(found)
    values = {name: getattr(fresh, name) for name in PLAIN}
    _set_many(fresh, fields)
    changes = {label: [before[label], word] for label, word in _words(fresh).items() if before[label] != word}
    for upload in files:
        attach(target=fresh, upload=upload, by=by, at=at)
    if action == "activity_change" and not (changes or files):
        return None
    done = lifecycle.perform(
        action, fresh, by=by, at=at, changes=changes, values=values, organization_id=fresh.evaluator_id
    )
    step = f"changed:{at.timestamp()}"
    told = "、".join(changes) or "方案材料"
    _tell(done, signed_up_schools(done), step, f"已报名的活动“{done.title}”有变动（{told}），请查看。", at)
    _tell_concerned(done, at)
    return done


@lifecycle.verb("activity_change")
@transaction.atomic
def change(activity: Activity, **given: Any) -> Activity | None:
    """Rewrite it before its start; earlier words stay in the events, those signed up are told. None where
    nothing is changed.

    Arguments as for `file_activity`, the certificate stays. Raises PermissionDenied, NotNow, ValidationError.
    """
    return _rewrite("activity_change", activity, **given)


@lifecycle.verb("activity_complete")
@transaction.atomic
def complete(activity: Activity, **given: Any) -> Activity | None:
    """File a returned one again; when it was first filed stays. Raises PermissionDenied, NotNow,
    ValidationError."""
    return _rewrite("activity_complete", activity, **given)


@lifecycle.verb("activity_return")
@transaction.atomic
def send_back(activity: Activity, *, comment: str, by: User, at: dt.datetime) -> Activity:
    """Back to the evaluator for completion. Raises PermissionDenied, NotNow, ValidationError."""
    if not comment.strip():
        raise ValidationError({"comment": "请写明需要补充什么。"})
    done: Activity = lifecycle.perform(
        "activity_return",
        activity,
        by=by,
        at=at,
        comment=comment.strip(),
        values={"review_comment": comment.strip()},
        organization_id=activity.evaluator_id,
    )
    people = people_of({done.evaluator_id}, Role.EVALUATOR)[done.evaluator_id]
    text = f"活动“{done.title}”的备案被退回补充：{done.review_comment}"
    link = reverse("activities:detail", args=[done.pk])
    key = f"activity:{done.pk}:returned:{at.timestamp()}"
    notices.tell([notices.Message(person, key, text, link) for person in people], at=at)
    return done


@lifecycle.verb("activity_cancel")
@transaction.atomic
def cancel(activity: Activity, *, comment: str, by: User, at: dt.datetime) -> Activity:
    """Called off, with the reason told to the schools that signed teachers up. Raises PermissionDenied,
    NotNow, ValidationError."""
    if not comment.strip():
        raise ValidationError({"comment": "请写明取消的原因。"})
    _locked(activity)
    done: Activity = lifecycle.perform(
        "activity_cancel",
        activity,
        by=by,
        at=at,
        comment=comment.strip(),
        organization_id=activity.evaluator_id,
    )
    text = f"已报名的活动“{done.title}”取消：{comment.strip()}"
    _tell(done, signed_up_schools(done), "cancelled", text, at)
    return done
