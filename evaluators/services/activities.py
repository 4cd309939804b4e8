"""Verbs on activities (SX 三.8, MOE 一(二)): file, change, complete, return, cancel. Instants are aware (UTC)."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
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
from evaluators.models import Activity, Trainer, TrainingRule
from evaluators.permissions import may_keep_activity, why_not_before_filing
from evaluators.workflow import activity as lifecycle
from obligations.closing import people_of
from schools.models import Programme, School

events.register(activity_filed="备案活动")

CLAUSE = "晋教职成〔2020〕9号 三.8；教职成厅函〔2019〕19号 一(二)"
NO_PLAN = f"请上传活动方案材料：活动方案须提前备案（{CLAUSE}）。"
LATE = "开始后备案，不符合提前备案要求（晋教职成〔2020〕9号 三.8）"
FEE_CLAUSE = "教职成厅函〔2019〕19号 二(二)：有关收费标准参考国家和地方关于教师培训的规定，结合实际合理确定"
NO_EXTRA_FEE = (
    "不得另立名目额外收取培训师、考评员考核认证等其他费用（教职成厅函〔2019〕19号 二(二)），不能备案。"
    "请取消该项收费后再备案。"
)
VOLUNTARY = (
    "试点院校结合实际自愿参加，不得以任何理由强制教师参加收费性培训（教职成厅函〔2019〕19号 二(二)）。"
)
ONLY_EVALUATOR = f"活动由证书的培训评价组织备案（{CLAUSE}）。"
PLAIN = (
    "kind",
    "title",
    "plan",
    "is_online",
    "place",
    "city",
    "starts_at",
    "ends_at",
    "places",
    "fee",
    "fee_basis",
)  # fmt: skip
MANY = ("cities", "schools", "trainers")


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
    _fill(activity, fields)
    _require_valid(activity, fields, extra_fee=extra_fee, lacks_plan=not files)
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


def _fill(activity: Activity, fields: dict[str, Any]) -> None:
    for name in PLAIN:
        setattr(activity, name, fields[name])
    activity.fee_basis = activity.fee_basis.strip()
    if not activity.fee:
        activity.fee = Decimal(0)


def _require_valid(
    activity: Activity, fields: dict[str, Any], *, extra_fee: bool, lacks_plan: bool = False
) -> None:
    found: dict[str, list[str]] = {}
    try:
        activity.full_clean()
    except ValidationError as error:
        found = {name: list(map(str, texts)) for name, texts in error.message_dict.items()}
    if refusal := why_not_before_filing(activity.certificate):
        found.setdefault("certificate", []).append(refusal)
    if extra_fee:
        found.setdefault("extra_fee", []).append(NO_EXTRA_FEE)
    if activity.fee > 0 and not activity.fee_basis:
        found.setdefault("fee_basis", []).append(
            f"收费的活动须写明收费依据（{FEE_CLAUSE}）。没有依据的不能收费，请补写依据，或把收费改为 0。"
        )
    if not activity.is_online and activity.city_id is None:
        found.setdefault("city", []).append("线下举行的活动请选择所在市。")
    if fields["cities"] and fields["schools"]:
        found.setdefault("schools", []).append("面向的市和面向的院校只填一项：指定了院校的，只面向这些院校。")
    if lacks_plan:
        found.setdefault("files", []).append(NO_PLAN)
    _check_trainers(activity, fields["trainers"], found)
    if found:
        raise ValidationError(found)


def _check_trainers(activity: Activity, trainers: Iterable[Trainer], found: dict[str, list[str]]) -> None:
    """Of the own team; who has left stays on the activities on which he or she already stands."""
    kept = set(activity.trainers.values_list("pk", flat=True)) if activity.pk else set()
    for trainer in trainers:
        gone = trainer.left_on is not None and trainer.pk not in kept
        if trainer.evaluator_id != activity.evaluator_id or gone:
            found.setdefault("trainers", []).append(f"{trainer}不在本组织的培训专家团队中，请先登记。")


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
        "活动方案": activity.plan,
        "举行方式": "线上" if activity.is_online else "线下",
        "地点或线上平台": activity.place,
        "所在市": str(activity.city or ""),
        "开始时间": activity.starts_at.isoformat(),
        "结束时间": activity.ends_at.isoformat(),
        "名额": "" if activity.places is None else str(activity.places),
        "收费（元/人）": f"{activity.fee:.2f}",
        "收费依据": activity.fee_basis,
    }
    lists = {"面向的市": activity.cities, "面向的院校": activity.schools, "授课专家": activity.trainers}
    return values | {label: "、".join(str(one) for one in rows.all()) for label, rows in lists.items()}


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
) -> Activity:
    fresh = _locked(activity)
    row = lifecycle.transition(action)
    if reason := row.forbids(by, fresh):
        raise PermissionDenied(reason)
    if missing := lifecycle.missing(row, fresh, at):
        raise NotNow(missing)
    before, begins = _words(fresh), fresh.starts_at
    _fill(fresh, fields)
    _require_valid(fresh, fields, extra_fee=extra_fee)
    _refuse_moving(fresh, begins, at)
    taken = fresh.sign_ups.active().count()
    if fresh.places is not None and fresh.places < taken:
        raise ValidationError({"places": f"已有 {taken} 人报名，名额不能少于它。"})
    values = {name: getattr(fresh, name) for name in PLAIN}
    _set_many(fresh, fields)
    changes = {label: [before[label], word] for label, word in _words(fresh).items() if before[label] != word}
    for upload in files:
        attach(target=fresh, upload=upload, by=by, at=at)
    if not changes and action == "activity_change":
        return fresh
    done = lifecycle.perform(
        action, fresh, by=by, at=at, changes=changes, values=values, organization_id=fresh.evaluator_id
    )
    step = f"changed:{at.timestamp()}"
    told = "、".join(changes) or "方案材料"
    _tell(done, signed_up_schools(done), step, f"已报名的活动“{done.title}”有变动（{told}），请查看。", at)
    _tell_concerned(done, at)
    return done


def _refuse_moving(activity: Activity, begins: dt.datetime, at: dt.datetime) -> None:
    """What has begun keeps its start, and nothing is moved to a time that has passed: either would hide that
    it was not filed in advance."""
    if activity.starts_at == begins:
        return
    if at >= begins:
        raise ValidationError({"starts_at": "活动已经开始，开始时间不能再改（晋教职成〔2020〕9号 三.8）。"})
    if activity.starts_at <= at:
        raise ValidationError(
            {"starts_at": "改后的开始时间已过。活动须提前备案（晋教职成〔2020〕9号 三.8）。"}
        )


@lifecycle.verb("activity_change")
@transaction.atomic
def change(activity: Activity, **given: Any) -> Activity:
    """Rewrite it before its start; earlier words stay in the events, those signed up are told.

    Arguments as for `file_activity`, the certificate stays. Raises PermissionDenied, NotNow, ValidationError.
    """
    return _rewrite("activity_change", activity, **given)


@lifecycle.verb("activity_complete")
@transaction.atomic
def complete(activity: Activity, **given: Any) -> Activity:
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


def days_of(activity: Activity) -> int:
    """Local days that it touches; one that ends at midnight does not touch the next."""
    last = clock.local(activity.ends_at - dt.timedelta(microseconds=1)).date()
    return (last - clock.local(activity.starts_at).date()).days + 1


def fee_reference(activity: Activity) -> str:
    """How the fee of a training stands to the province's rule for training fees on the day of its start, in
    words; "" where there is neither a fee nor a rule. The rule is a reference (MOE 二(二)), not a cap."""
    if activity.kind != Activity.Kind.TRAINING or not activity.fee:
        return ""
    rule = TrainingRule.objects.on(clock.local(activity.starts_at).date())
    named = "，".join(filter(None, [rule.fee_rule, rule.document]))
    if rule.fee_per_day is None:
        return f"本省教师培训收费规定：{named}。" if named else ""
    most = rule.fee_per_day * days_of(activity)
    above = "，请说明理由" if activity.fee > most else ""
    stands = "高于" if activity.fee > most else "不高于"
    return (
        f"{days_of(activity)} 天参考标准 {most:.2f} 元/人"
        f"（{rule.fee_per_day:.2f} 元/人·天；{named or '本省师资培训规则'}），收费{stands}参考标准{above}。"
    )
