"""What the coverage table asks to be told: where schools lie, and when a site counts as little used.

Instants are aware (UTC).
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from core import events
from evaluators.models import SchoolPlace, SiteRule
from evaluators.permissions import may_apply_for_sites, may_set_site_rule
from schools.models import School

events.register(school_place_set="登记学校位置", site_rule_set="制定站点使用率规则")


@transaction.atomic
def set_place(*, fields: dict[str, Any], by: User, at: dt.datetime) -> SchoolPlace:
    """Where the school of `by` lies: `county`, `latitude`, `longitude`. Raises PermissionDenied,
    ValidationError."""
    if not may_apply_for_sites(by):
        raise PermissionDenied("学校位置由本校联系人登记。")
    # The school's row holds back a second first entry.
    School.objects.select_for_update(no_key=True).get(pk=by.organization_id)
    place = SchoolPlace.objects.filter(pk=by.organization_id).first()
    before = [str(place.county or ""), _position(place)] if place else ["", ""]
    place = place or SchoolPlace(school_id=by.organization_id)
    for name in ("county", "latitude", "longitude"):
        setattr(place, name, fields[name])
    place.full_clean(validate_unique=False)
    place.save()
    after = [str(place.county or ""), _position(place)]
    if after != before:
        labels = ("所在县（市、区）", "纬度，经度")
        changes = {label: list(pair) for label, *pair in zip(labels, before, after, strict=True)}
        events.record(
            "school_place_set",
            School.objects.get(pk=place.pk),
            by=by,
            at=at,
            organization_id=by.organization_id,
            changes=changes,
        )
    return place


def _position(place: SchoolPlace) -> str:
    return f"{place.latitude:f}，{place.longitude:f}" if place.latitude is not None else ""


@transaction.atomic
def set_rule(*, candidates_per_place: Decimal, by: User, at: dt.datetime) -> SiteRule:
    """Raises PermissionDenied, ValidationError."""
    if not may_set_site_rule(by):
        raise PermissionDenied("站点使用率规则由省推进办制定。")
    rule = SiteRule(candidates_per_place=candidates_per_place, set_by=by, set_at=at)
    rule.full_clean()
    before = SiteRule.threshold()
    rule.save()
    changes = {"每个考位的计划人数低于": [str(before), str(candidates_per_place)]}
    events.record("site_rule_set", rule, by=by, at=at, organization_id=by.organization_id, changes=changes)
    return rule
