"""Verbs on an evaluator's trainer team (MOE 二(二)). Days are local."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from core import clock, events
from core.saving import save_valid
from core.templatetags.portal import full_day
from evaluators.models import Trainer
from evaluators.permissions import may_keep_trainers
from evaluators.services.teachers import told

events.register(trainer_added="登记培训专家", trainer_changed="修改培训专家", trainer_left="登记培训专家退出")

OWN_TEAM = "培训专家团队由评价组织自己登记。"
FIELDS = ("name", "employer", "employer_kind", "title", "phone", "joined_on")


def _own_team_only(by: User, organization_id: int) -> None:
    if not may_keep_trainers(by) or by.organization_id != organization_id:
        raise PermissionDenied(OWN_TEAM)


def _record(action: str, trainer: Trainer, by: User, at: dt.datetime, changes: dict[str, Any]) -> None:
    events.record(action, trainer, by=by, at=at, organization_id=trainer.evaluator_id, changes=changes)


@transaction.atomic
def add_trainer(*, fields: dict[str, Any], by: User, at: dt.datetime) -> Trainer:
    """Into one's own team; FIELDS. Raises PermissionDenied, ValidationError."""
    team = by.organization_id or 0
    _own_team_only(by, team)
    trainer = Trainer(evaluator_id=team, **fields)
    _require_past(trainer.joined_on, "joined_on", "加入日期不能晚于今天。", at)
    save_valid(trainer)
    _record("trainer_added", trainer, by, at, {"单位类别": trainer.get_employer_kind_display()})
    return trainer


def _require_past(day: dt.date | None, field: str, refusal: str, at: dt.datetime) -> None:
    if day and day > clock.local(at).date():
        raise ValidationError({field: refusal})


@transaction.atomic
def change_trainer(trainer: Trainer, *, fields: dict[str, Any], by: User, at: dt.datetime) -> Trainer:
    """Raises PermissionDenied, ValidationError."""
    _own_team_only(by, trainer.evaluator_id)
    trainer = Trainer.objects.select_for_update().get(pk=trainer.pk)
    before = {name: getattr(trainer, name) for name in fields}
    for name, value in fields.items():
        setattr(trainer, name, value)
    _require_past(trainer.joined_on, "joined_on", "加入日期不能晚于今天。", at)
    if changes := told(trainer, before, fields):
        save_valid(trainer)
        _record("trainer_changed", trainer, by, at, changes)
    return trainer


@transaction.atomic
def leave(trainer: Trainer, *, left_on: dt.date, by: User, at: dt.datetime) -> Trainer:
    """Out of the team from that day on; stays on the activities filed. Raises PermissionDenied,
    ValidationError."""
    _own_team_only(by, trainer.evaluator_id)
    trainer = Trainer.objects.select_for_update().get(pk=trainer.pk)
    if trainer.left_on is not None:
        raise ValidationError(f"已于{full_day(trainer.left_on)}退出团队。")
    _require_past(left_on, "left_on", "退出日期不能晚于今天。", at)
    if left_on < trainer.joined_on:
        raise ValidationError({"left_on": f"退出日期不能早于加入日期（{full_day(trainer.joined_on)}）。"})
    trainer.left_on = left_on
    trainer.save(update_fields=["left_on"])
    _record("trainer_left", trainer, by, at, {"退出日期": left_on.isoformat()})
    return trainer
