"""Verbs on charges: which coordinator looks after which evaluator (MOE 一(一))."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from core import events, notices
from core.saving import save_valid
from core.workflow import NotNow
from evaluators.models import Charge, Evaluator
from evaluators.permissions import may_keep_charges

events.register(charge_given="交由专员对接", charge_ended="结束对接")
CHARGE_CLAUSE = "教职成厅函〔2019〕19号 一(一)"
ONLY_OFFICE = f"对接分工由省推进办安排（{CHARGE_CLAUSE}：明确专人与各职业教育培训评价组织对接）。"


@transaction.atomic
def give(*, evaluator: Evaluator, coordinator: User, by: User, at: dt.datetime) -> Charge:
    """From now on the coordinator sees the evaluator. Raises PermissionDenied, ValidationError: given already,
    or not an active coordinator."""
    if not may_keep_charges(by):
        raise PermissionDenied(ONLY_OFFICE)
    if coordinator.role != Role.COORDINATOR or not coordinator.is_active:
        raise ValidationError({"coordinator": "只能交给在用的对接专员账号。"})
    return _give(evaluator, coordinator, by=by, at=at)


def _give(evaluator: Evaluator, coordinator: User, *, by: User, at: dt.datetime) -> Charge:
    charge = Charge(evaluator=evaluator, coordinator=coordinator, given_by=by, given_at=at)
    save_valid(charge)
    _record("charge_given", charge, by=by, at=at)
    _tell(charge, "given", f"已将“{evaluator}”交由您对接。", at=at)
    return charge


@transaction.atomic
def end(charge: Charge, *, by: User, at: dt.datetime) -> Charge:
    """From now on the coordinator sees it no more. Raises PermissionDenied, NotNow."""
    if not may_keep_charges(by):
        raise PermissionDenied(ONLY_OFFICE)
    fresh = Charge.objects.select_for_update().get(pk=charge.pk)
    if fresh.ended_at is not None:
        raise NotNow(["这项对接已经结束。"])
    _end(fresh, by=by, at=at)
    _tell(fresh, "ended", f"不再由您对接“{fresh.evaluator}”。", at=at)
    return fresh


def _end(charge: Charge, *, by: User, at: dt.datetime) -> None:
    charge.ended_at = at
    charge.save(update_fields=["ended_at"])
    _record("charge_ended", charge, by=by, at=at)


def pass_on(*, user: User, by: User, at: dt.datetime) -> None:
    """With the account: its charges end, and go on with its successor. In the transaction that ends it."""
    charges = Charge.objects.select_for_update(of=("self",)).filter(coordinator=user, ended_at=None)
    for charge in charges.select_related("evaluator__organization", "coordinator"):
        _end(charge, by=by, at=at)
        if user.successor:
            _give(charge.evaluator, user.successor, by=by, at=at)


def _record(action: str, charge: Charge, *, by: User, at: dt.datetime) -> None:
    events.record(
        action,
        charge.evaluator,
        by=by,
        at=at,
        organization_id=charge.evaluator_id,
        changes={"对接专员": charge.coordinator.name},
    )


def _tell(charge: Charge, step: str, text: str, *, at: dt.datetime) -> None:
    key = f"charge:{charge.pk}:{step}"
    message = notices.Message(charge.coordinator_id, key, text, reverse("evaluators:list"))
    notices.tell([message], at=at)
