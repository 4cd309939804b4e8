"""Verbs on a school's teachers and their qualifications, and on the province's rule for training them."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from core import clock, events
from core.saving import save_valid
from core.templatetags.portal import full_day
from evaluators.models import Activity, Qualification, Teacher, TrainingRule
from evaluators.permissions import may_keep_activity, may_keep_teachers, may_set_training_rule

events.register(
    teacher_added="登记教师",
    teacher_changed="修改教师",
    teacher_left="登记教师离校",
    qualification_held="登记教师资格",
    qualification_removed="删除教师资格",
    training_rule_set="制定师资培训规则",
    training_rule_removed="撤销未生效的师资培训规则",
)

OWN_SCHOOL = "教师和资格由本校联系人登记。"
FROM_ACTIVITY = "这条资格由评价组织随活动结果登记，本校不能修改或删除；有误的请与评价组织联系。"
RULES_BY = "师资培训规则由省推进办制定；您可以查看，不能修改。"
FIELDS = ("name", "staff_number", "majors", "phone")
# Personal numbers are never told by an event.
SILENT = {"phone"}


def _own_school_only(by: User, school_id: int) -> None:
    if not may_keep_teachers(by) or by.organization_id != school_id:
        raise PermissionDenied(OWN_SCHOOL)


def told(record: Any, before: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    """What an event keeps of changed fields; of personal numbers only that they changed."""
    return {
        _label(record, name): "已修改"
        if name in SILENT
        else [str(labelled(record, name, each) or "") for each in (before[name], value)]
        for name, value in fields.items()
        if before[name] != value
    }


def _label(record: Any, name: str) -> str:
    return str(record._meta.get_field(name).verbose_name)


def labelled(record: Any, name: str, value: Any) -> Any:
    """The label of a choice; any other value as it is."""
    return dict(record._meta.get_field(name).flatchoices).get(value, value)


@transaction.atomic
def add_teacher(*, fields: dict[str, Any], by: User, at: dt.datetime) -> Teacher:
    """A teacher of one's own school; FIELDS. Raises PermissionDenied, ValidationError."""
    _own_school_only(by, by.organization_id or 0)
    teacher = Teacher(school_id=by.organization_id, **fields)
    save_valid(teacher)
    _record("teacher_added", teacher, by, at, {"工号": teacher.staff_number})
    return teacher


def _record(action: str, teacher: Teacher, by: User, at: dt.datetime, changes: dict[str, Any]) -> None:
    events.record(action, teacher, by=by, at=at, organization_id=teacher.school_id, changes=changes)


@transaction.atomic
def change_teacher(teacher: Teacher, *, fields: dict[str, Any], by: User, at: dt.datetime) -> Teacher:
    """Raises PermissionDenied, ValidationError."""
    _own_school_only(by, teacher.school_id)
    teacher = Teacher.objects.select_for_update().get(pk=teacher.pk)
    before = {name: getattr(teacher, name) for name in fields}
    for name, value in fields.items():
        setattr(teacher, name, value)
    if changes := told(teacher, before, fields):
        save_valid(teacher)
        _record("teacher_changed", teacher, by, at, changes)
    return teacher


@transaction.atomic
def leave(teacher: Teacher, *, left_on: dt.date, by: User, at: dt.datetime) -> Teacher:
    """The teacher's last day; from it on qualifications no longer count. Raises PermissionDenied,
    ValidationError."""
    _own_school_only(by, teacher.school_id)
    if left_on > clock.local(at).date():
        raise ValidationError({"left_on": "离校日期不能晚于今天。"})
    teacher = Teacher.objects.select_for_update().get(pk=teacher.pk)
    if teacher.left_on is not None:
        raise ValidationError(f"已于{full_day(teacher.left_on)}登记离校。")
    teacher.left_on = left_on
    teacher.save(update_fields=["left_on"])
    _record("teacher_left", teacher, by, at, {"离校日期": left_on.isoformat()})
    return teacher


# --- Qualifications


@transaction.atomic
def hold(
    *,
    teacher: Teacher,
    fields: dict[str, Any],
    by: User,
    at: dt.datetime,
    activity: Activity | None = None,
    qualification: Qualification | None = None,
) -> Qualification:
    """Enter, or renew, a qualification: by the own school from its paper, by the evaluator from an activity.

    `fields`: certificate_level, kind, number, obtained_on, valid_until. What an activity gave takes over what
    the school had entered for the same level and kind. Raises PermissionDenied, ValidationError.
    """
    if activity is None:
        _own_school_only(by, teacher.school_id)
    elif not may_keep_activity(by, activity.evaluator_id):
        raise PermissionDenied(OWN_SCHOOL)
    # One teacher's qualifications are entered one after the other.
    Teacher.objects.select_for_update(no_key=True).get(pk=teacher.pk)
    if activity is not None or qualification is not None:
        row = _standing(teacher, fields, qualification)
    else:
        row = None
    if row is not None and activity is None and row.activity_id is not None:
        raise PermissionDenied(FROM_ACTIVITY)
    row = row or Qualification(teacher=teacher)
    names = list(fields)
    before = {name: getattr(row, name) if row.pk else None for name in names}
    for name, value in fields.items():
        setattr(row, name, value)
    row.activity = activity
    if row.obtained_on and row.obtained_on > clock.local(at).date():
        raise ValidationError({"obtained_on": "取得日期不能晚于今天。"})
    row.full_clean()
    row.save()
    source = {"来源": activity.title} if activity else {}
    changes = {"资格": str(row), **told(row, before, fields), **source}
    _record("qualification_held", teacher, by, at, changes)
    return row


def _standing(
    teacher: Teacher, fields: dict[str, Any], qualification: Qualification | None
) -> Qualification | None:
    rows = Qualification.objects.select_for_update().filter(teacher=teacher)
    if qualification is not None:
        return rows.get(pk=qualification.pk)
    return rows.filter(certificate_level=fields["certificate_level"], kind=fields["kind"]).first()


@transaction.atomic
def remove_qualification(qualification: Qualification, *, by: User, at: dt.datetime) -> None:
    """One entered by mistake. Raises PermissionDenied."""
    teacher = qualification.teacher
    _own_school_only(by, teacher.school_id)
    if qualification.activity_id is not None:
        raise PermissionDenied(FROM_ACTIVITY)
    _record("qualification_removed", teacher, by, at, {"资格": str(qualification)})
    qualification.delete()


# --- The province's rule


@transaction.atomic
def set_rule(*, fields: dict[str, Any], by: User, at: dt.datetime) -> TrainingRule:
    """A rule from a local day on, not before today; earlier ones stay. Raises PermissionDenied,
    ValidationError."""
    if not may_set_training_rule(by):
        raise PermissionDenied(RULES_BY)
    rule = TrainingRule(**fields, created_by=by, created_at=at)
    if rule.effective_from and rule.effective_from < clock.local(at).date():
        raise ValidationError({"effective_from": "生效日期不能早于今天：已经过去的日子按当时的规则。"})
    save_valid(rule)
    changes = {_label(rule, name): str(value) for name, value in fields.items() if value}
    events.record(
        "training_rule_set", rule, by=by, at=at, organization_id=by.organization_id, changes=changes
    )
    return rule


@transaction.atomic
def remove_rule(rule: TrainingRule, *, by: User, at: dt.datetime) -> None:
    """One that has not begun. Raises PermissionDenied, ValidationError."""
    if not may_set_training_rule(by):
        raise PermissionDenied(RULES_BY)
    if rule.effective_from <= clock.local(at).date():
        raise ValidationError("这条规则已经生效，不能撤销。有调整的，另行制定新的规则。")
    events.record("training_rule_removed", rule, by=by, at=at, organization_id=by.organization_id)
    rule.delete()
