"""Exam sites taken in as a list by the office, and taken back as a whole."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import City, County, User
from core import events
from core.imports.services import CannotUndo
from evaluators.models import ExamSite
from evaluators.permissions import may_import_sites

events.register(site_taken_in="导入考核站点", site_undone="撤回导入的考核站点")

OFFICE_IMPORTS = "平台启用前已备案的考核站点由省推进办导入。"
LABELS = {
    "name": "站点名称",
    "city_id": "所在市",
    "county_id": "县(市、区)",
    "address": "地址",
    "places": "考位",
    "equipment": "设备与场地",
    "latitude": "纬度",
    "longitude": "经度",
}
_DECIMALS = {"latitude", "longitude"}
_PLACES = {"city_id", "county_id"}


def counties_by_name() -> dict[str, list[County]]:
    """By name and by code."""
    found: dict[str, list[County]] = defaultdict(list)
    for county in County.objects.select_related("city"):
        found[county.name].append(county)
        found[county.code].append(county)
    return found


def open_sites() -> dict[tuple[int, int], ExamSite]:
    """Those that stand or are applied for, by school and certificate."""
    over = [ExamSite.State.REFUSED, ExamSite.State.ENDED]
    rows = ExamSite.objects.exclude(state__in=over).select_related("condition", "city", "county")
    return {(site.school_id, site.certificate_id): site for site in rows}


def values_of(site: ExamSite) -> dict[str, Any]:
    """As JSON."""
    values = {name: getattr(site, name) for name in LABELS}
    for name in _DECIMALS:
        if values[name] is not None:
            values[name] = str(Decimal(values[name]).quantize(Decimal("0.00001")))
    return values


def place_names() -> dict[str, str]:
    """Of cities and counties, by code."""
    return {place.pk: place.name for model in (City, County) for place in model.objects.all()}


def differences(
    before: dict[str, Any] | None, after: dict[str, Any], named: dict[str, str]
) -> dict[str, list[Any]]:
    """{label: [was, is]} of what differs between two `values_of`, as people read it; `named`: `place_names`."""
    pairs = {name: ((before or {}).get(name), after[name]) for name in LABELS}
    return {
        LABELS[name]: [named.get(str(value), value) if name in _PLACES else value for value in pair]
        for name, pair in pairs.items()
        if pair[0] != pair[1]
    }


def change_words(before: dict[str, Any] | None, after: dict[str, Any], named: dict[str, str]) -> list[str]:
    return [
        f"{label}：{now}" if before is None else f"{label}：{was or '（空）'} → {now}"
        for label, (was, now) in differences(before, after, named).items()
    ]


@transaction.atomic
def take_in(
    rows: Sequence[tuple[ExamSite, dict[str, Any] | None]], *, by: User, at: dt.datetime
) -> dict[str, Any]:
    """Keep the sites, filed; `rows` gives each with its values of before (None: new). What `undo` needs."""
    if not may_import_sites(by):
        raise PermissionDenied(OFFICE_IMPORTS)
    made = [site for site, before in rows if before is None]
    changed = [site for site, before in rows if before is not None]
    ExamSite.objects.bulk_create(made, batch_size=500)
    ExamSite.objects.bulk_update(changed, list(LABELS), batch_size=500)
    named = place_names()
    events.record_many(
        events.build(
            "site_taken_in",
            site,
            by=by,
            at=at,
            organization_id=site.school_id,
            to_state=site.state,
            changes=differences(before, values_of(site), named),
        )
        for site, before in rows
    )
    return {"rows": [[site.pk, before, values_of(site)] for site, before in rows]}


@transaction.atomic
def undo(*, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """All that the list brought, or nothing. Raises CannotUndo where a site was changed or ended since."""
    rows = {pk: (before, after) for pk, before, after in data["rows"]}
    found = ExamSite.objects.select_for_update().filter(pk__in=rows).order_by("pk")
    sites = {site.pk: site for site in found}
    reasons = [
        f"{site}：导入后又有变动。"
        for pk, site in sites.items()
        if site.state != ExamSite.State.FILED or site.ending_asked_at or values_of(site) != rows[pk][1]
    ]
    if reasons:
        raise CannotUndo(reasons)
    events.record_many(
        events.build("site_undone", site, by=by, at=at, organization_id=site.school_id)
        for site in sites.values()
    )
    restored = [site for site in sites.values() if rows[site.pk][0] is not None]
    for site in restored:
        for name, value in rows[site.pk][0].items():
            setattr(site, name, Decimal(value) if value is not None and name in _DECIMALS else value)
    ExamSite.objects.bulk_update(restored, list(LABELS), batch_size=500)
    ExamSite.objects.filter(pk__in=[pk for pk, (before, _) in rows.items() if before is None]).delete()
