"""Verbs on the special fund."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from core import clock, events
from funding import permissions
from funding.models import Allocation

events.register(fund_allocated="登记专项资金下达", fund_arrived="确认专项资金到账")


@transaction.atomic
def allocate(*, fields: dict[str, Any], by: User, at: dt.datetime) -> Allocation:
    """Register what a document gives one school. Raises ValidationError, PermissionDenied."""
    if not permissions.may_allocate(by):
        raise PermissionDenied("专项资金由省级财务或推进办登记。")
    allocation = Allocation(**fields, created_by=by, created_at=at)
    allocation.full_clean()
    allocation.save()
    events.record(
        "fund_allocated",
        allocation,
        by=by,
        at=at,
        organization_id=allocation.organization_id,
        changes={"金额": str(allocation.amount), "文号": allocation.document},
    )
    return allocation


@transaction.atomic
def note_arrival(allocation: Allocation, *, arrived_on: dt.date, by: User, at: dt.datetime) -> Allocation:
    """Take note of the local day on which the money came (MOE 四: 及时拨付). Once.

    Raises ValidationError, PermissionDenied.
    """
    allocation = Allocation.objects.select_for_update().get(pk=allocation.pk)
    if allocation.arrived_on:
        raise ValidationError("这笔资金的到账已经确认。")
    if not permissions.may_note_arrival(by, allocation):
        raise PermissionDenied("到账由收款院校的联系人、省级财务或推进办确认。")
    if arrived_on > clock.local(at).date():
        raise ValidationError({"arrived_on": "到账日期不能晚于今天。"})
    allocation.arrived_on = arrived_on
    allocation.full_clean()
    allocation.save(update_fields=["arrived_on"])
    events.record(
        "fund_arrived",
        allocation,
        by=by,
        at=at,
        organization_id=allocation.organization_id,
        changes={"到账日期": arrived_on.isoformat()},
    )
    return allocation
