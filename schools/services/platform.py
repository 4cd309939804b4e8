"""The national platform's approvals, taken in as a list and taken back as a whole.

They stand beside ours and change nothing of it (SH 3: 以教育部平台系统结果为准 is the office's to follow up).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import Organization, User
from certificates.models import CertificateLevel
from core import events
from core.imports.services import CannotUndo
from core.templatetags.portal import full_day
from schools import permissions
from schools.models import PlatformApproval
from schools.services.schools import BATCH

events.register(
    platform_state_taken="登记国家平台审核结果",
    platform_state_undone="撤回国家平台审核结果",
)

OFFICE_IMPORTS = "国家平台审核结果由省推进办导入。发现错误请与推进办联系。"
# What a row of the list says.
SAID = ("is_approved", "state_words", "candidates", "as_of")


class Said(NamedTuple):
    organization: Organization
    level: CertificateLevel
    year: int
    is_approved: bool
    state_words: str
    candidates: int | None
    as_of: dt.date


@transaction.atomic
def take_states(*, rows: Sequence[Said], by: User, at: dt.datetime) -> dict[str, Any]:
    """Keep what the list says, each row in place of what was known; what `undo_states` needs."""
    if not permissions.may_import_platform_states(by):
        raise PermissionDenied(OFFICE_IMPORTS)
    kept = {
        (row.organization_id, row.certificate_level_id, row.year): row
        for row in PlatformApproval.objects.filter(organization__in={row.organization.pk for row in rows})
    }
    made, changed, before, written = [], [], {}, []
    for row in rows:
        found = kept.get((row.organization.pk, row.level.pk, row.year))
        was = _values(found) if found else None
        approval = found or PlatformApproval(
            organization=row.organization, certificate_level=row.level, year=row.year
        )
        for name in SAID:
            setattr(approval, name, getattr(row, name))
        approval.imported_at = at
        if was is None:
            made.append(approval)
        else:
            changed.append(approval)
            before[approval.pk] = was
        words = {f"{row.level} {row.year}年": [was and _words(was), _words(_values(approval))]}
        written.append(_event("platform_state_taken", row.organization, words, by, at))
    PlatformApproval.objects.bulk_create(made, batch_size=BATCH)
    PlatformApproval.objects.bulk_update(changed, [*SAID, "imported_at"], batch_size=BATCH)
    events.record_many(written)
    return {
        "made": [[row.pk, _values(row)] for row in made],
        "changed": [[row.pk, before[row.pk], _values(row)] for row in changed],
    }


@transaction.atomic
def undo_states(*, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """All that the list brought, or nothing. Raises CannotUndo where a later list has changed a row."""
    after = {pk: values for pk, values in data["made"]} | {pk: now for pk, _, now in data["changed"]}
    rows = PlatformApproval.objects.select_for_update().filter(pk__in=after).order_by("pk")
    found = list(rows.select_related("organization", "certificate_level__certificate"))
    if reasons := [f"{row}：导入后又改过。" for row in found if _values(row) != after[row.pk]]:
        raise CannotUndo(reasons)
    before = {pk: was for pk, was, _ in data["changed"]}
    changed, written = [], []
    for row in found:
        was = before.get(row.pk)
        words = {f"{row.certificate_level} {row.year}年": [_words(_values(row)), was and _words(was)]}
        written.append(_event("platform_state_undone", row.organization, words, by, at))
        if was:
            for name in SAID:
                setattr(row, name, dt.date.fromisoformat(was[name]) if name == "as_of" else was[name])
            changed.append(row)
    PlatformApproval.objects.bulk_update(changed, SAID, batch_size=BATCH)
    PlatformApproval.objects.filter(pk__in=[pk for pk, _ in data["made"]]).delete()
    events.record_many(written)


def _values(row: PlatformApproval) -> dict[str, Any]:
    """As JSON."""
    values = {name: getattr(row, name) for name in SAID}
    return values | {"as_of": row.as_of.isoformat()}


def _words(values: dict[str, Any]) -> str:
    heads = f"，{values['candidates']}人" if values["candidates"] is not None else ""
    return f"{values['state_words']}{heads}（{full_day(dt.date.fromisoformat(values['as_of']))}）"


def _event(action: str, organization: Organization, words: dict[str, Any], by: User, at: dt.datetime) -> Any:
    return events.build(
        action, organization, by=by, at=at, organization_id=organization.supervisor_id, changes=words
    )
