"""The national platform's list: what it covers, and what follows from it here.

One filing, not two: the national platform is the legal channel, so that what its list shows as filed
counts here, with its source. A list is taken in, and taken back, as a whole.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from accounts.models import Role, User
from core import attachments, clock, events, notices
from core.imports.services import CannotUndo
from core.models import Event
from obligations import permissions, services
from obligations.closing import people_of
from obligations.models import (
    Obligation,
    Outcome,
    Period,
    PlatformFiling,
    PlatformImport,
    Suspension,
)

events.register(
    platform_list_imported="导入国家平台名单",
    platform_list_undone="撤销国家平台名单",
    platform_filing_taken="国家平台已填报",
    platform_filing_undone="撤回国家平台填报记录",
)

PLATFORM = Obligation.Source.PLATFORM
_UNDONE = "撤销国家平台名单导入"


class ListedFiling(NamedTuple):
    """One row of a list: organisation and period by id, the instant of filing there."""

    organization_id: int
    period_id: int
    filed_at: dt.datetime


def covered(period_ids: set[int]) -> set[int]:
    """Those of the periods of which a list was imported that was taken after they had closed.

    Only such a list can show that somebody filed nothing: a school could still file after an earlier one.
    """
    listed = Period.objects.filter(
        pk__in=period_ids,
        platform_imports__undone_at=None,
        platform_imports__listed_at__gte=F("closes_at"),
    )
    return set(listed.values_list("pk", flat=True))


def excuses(obligation: Obligation, filed_at: dt.datetime) -> bool:
    """Closed as missed here, yet filed there before the close: the outcome is frozen, so it is excused."""
    in_time = obligation.closes_at is None or filed_at < obligation.closes_at
    return obligation.outcome == Outcome.MISSED and in_time


def arrival(obligation: Obligation, filed_at: dt.datetime) -> dict[str, Any]:
    """The fields that the filing there changes here; none when it is excused, or was received here before."""
    return {} if excuses(obligation, filed_at) else services.arrival(obligation, filed_at, PLATFORM)


@transaction.atomic
def take_list(
    *,
    periods: list[Period],
    listed_at: dt.datetime,
    filings: list[ListedFiling],
    file_name: str,
    content: bytes,
    by: User,
    at: dt.datetime,
) -> dict[str, Any]:
    """Keep a list that covers `periods` and carry out what follows; what `undo` needs.

    Pending becomes on time or late by the time of filing there. What was closed as missed is excused
    when it was filed there before the close, and filled later otherwise.
    """
    if not permissions.may_import_platform_list(by):
        raise PermissionDenied("国家平台名单由省推进办导入。")
    found = PlatformImport(listed_at=listed_at, file_name=file_name, imported_by=by, imported_at=at)
    found.save()
    found.periods.set(periods)
    kept = attachments.attach(target=found, upload=ContentFile(content, name=file_name), by=by, at=at)
    found.sha256 = kept.sha256
    found.save(update_fields=["sha256"])
    PlatformFiling.objects.bulk_create(
        [PlatformFiling(platform_import=found, **filing._asdict()) for filing in filings], batch_size=2000
    )
    obligations = _owed(periods, filings)
    pairs = [(o, f.filed_at) for f in filings if (o := obligations.get((f.organization_id, f.period_id)))]
    arrived = _arrive(found, pairs, at=at)
    excused = _excuse(found, pairs, by=by, at=at)
    events.record(
        "platform_list_imported",
        found,
        by=by,
        at=at,
        organization_id=by.organization_id,
        changes={
            "覆盖周次": "、".join(period.label for period in periods),
            "名单导出时间": _words(listed_at),
            "填报记录": len(filings),
            "据以记为已报": len(arrived),
            "据以谅解": len(excused),
            "SHA-256": found.sha256,
        },
    )
    return {"import": found.pk, "arrived": arrived, "excused": excused}


def _owed(periods: list[Period], filings: list[ListedFiling]) -> dict[tuple[int, int], Obligation]:
    """What the listed ones owed for those weeks, locked until the end of the transaction."""
    listed = {(filing.organization_id, filing.period_id) for filing in filings}
    rows = Obligation.objects.select_for_update(of=("self",)).filter(period__in=periods).order_by("pk")
    return {
        key: row
        for row in rows.select_related("organization", "period")
        if (key := (row.organization_id, row.period_id)) in listed
    }


def _arrive(
    found: PlatformImport, pairs: Iterable[tuple[Obligation, dt.datetime]], *, at: dt.datetime
) -> list[list[Any]]:
    """[obligation, its outcome before, the fields that changed] of those for which the filing is news."""
    done, changed, log = [], [], []
    for obligation, filed_at in pairs:
        fields = arrival(obligation, filed_at)
        if not fields:
            continue
        before, state = obligation.outcome, obligation.state
        for name, value in fields.items():
            setattr(obligation, name, value)
        changed.append(obligation)
        done.append([obligation.pk, before, sorted(fields)])
        log.append(_record_taken(found, obligation, filed_at, state, at=at))
    Obligation.objects.bulk_update(changed, ["outcome", "received_at", "filled_at", "source"], batch_size=500)
    events.record_many(log)
    return done


def _record_taken(
    found: PlatformImport, obligation: Obligation, filed_at: dt.datetime, before: str, *, at: dt.datetime
) -> Event:
    return events.build(
        "platform_filing_taken",
        obligation,
        by=found.imported_by,
        at=at,
        organization_id=obligation.organization_id,
        from_state=before,
        to_state=obligation.state,
        changes={"国家平台填报时间": _words(filed_at), "依据": _evidence(found)},
    )


def _excuse(
    found: PlatformImport,
    pairs: Iterable[tuple[Obligation, dt.datetime]],
    *,
    by: User,
    at: dt.datetime,
) -> list[int]:
    excused = [
        services.excuse(
            obligation,
            reason=f"国家平台已于{_words(filed_at)}填报",
            by=by,
            at=at,
            evidence={"证据": _evidence(found)},
        )
        for obligation, filed_at in pairs
        if excuses(obligation, filed_at) and obligation.excused_at is None
    ]
    people = people_of({o.organization_id for o in excused}, Role.SCHOOL_CONTACT)
    notices.tell(
        [
            notices.Message(
                user,
                f"platform:{found.pk}:{obligation.pk}",
                f"{obligation.title}：{obligation.excuse_reason}，未报已谅解，不计入连续未报。",
                reverse("reporting:report", args=[obligation.pk]),
            )
            for obligation in excused
            for user in people[obligation.organization_id]
        ],
        at=at,
    )
    return [obligation.pk for obligation in excused]


def _evidence(found: PlatformImport) -> str:
    return f"国家平台名单“{found.file_name}”，{_words(found.listed_at)}导出，SHA-256 {found.sha256}"


def _words(instant: dt.datetime) -> str:
    return f"{clock.local(instant):%Y年%-m月%-d日 %H:%M}"


# Taking back


@transaction.atomic
def undo(*, data: dict[str, Any], by: User, at: dt.datetime) -> None:
    """All that `take_list` did, or nothing; the list stays on record as undone. Raises CannotUndo."""
    found = PlatformImport.objects.select_for_update().get(pk=data["import"])
    before = {pk: (outcome, set(fields)) for pk, outcome, fields in data["arrived"]}
    locked = Obligation.objects.select_for_update(of=("self",)).filter(pk__in=before)
    rows = list(locked.select_related("organization", "period").order_by("pk"))
    if reasons := list(_depending(found, rows, before)):
        raise CannotUndo(reasons)
    log = [_take_back(row, *before[row.pk], by=by, at=at) for row in rows]
    Obligation.objects.bulk_update(rows, ["outcome", "received_at", "filled_at", "source"], batch_size=500)
    events.record_many(log)
    still = Obligation.objects.filter(pk__in=data["excused"], excused_at=found.imported_at)
    for obligation in still.order_by("pk"):
        services.withdraw_excuse(obligation, reason=_UNDONE, by=by, at=at)
    found.undone_at, found.undone_by = at, by
    found.save(update_fields=["undone_at", "undone_by"])
    events.record("platform_list_undone", found, by=by, at=at, organization_id=by.organization_id)


def _take_back(row: Obligation, outcome: str, fields: set[str], *, by: User, at: dt.datetime) -> Event:
    state = row.state
    if "outcome" in fields:
        row.outcome = outcome
    if "received_at" in fields:
        row.received_at = None
    if "filled_at" in fields:
        row.filled_at = None
    row.source = Obligation.Source.PORTAL
    return events.build(
        "platform_filing_undone",
        row,
        by=by,
        at=at,
        organization_id=row.organization_id,
        from_state=state,
        to_state=row.state,
        reason=_UNDONE,
    )


def _depending(
    found: PlatformImport, rows: list[Obligation], before: dict[int, tuple[str, set[str]]]
) -> Iterator[str]:
    """Why it cannot be taken back: outcomes are frozen at the close, and what came later built on it."""
    ids = {str(row.pk): row for row in rows}
    yield from _later_lists(found)
    later = Event.objects.filter(
        target_type=ContentType.objects.get_for_model(Obligation),
        target_id__in=ids,
        at__gt=found.imported_at,
    ).exclude(to_state="")
    touched = set(later.values_list("target_id", flat=True))
    paused = _paused_since(found, rows)
    for row in rows:
        frozen = "outcome" in before[row.pk][1] and row.closed_at is not None
        if frozen:
            yield f"{row}：已关闭，结果已固定，不能退回待报。"
        elif str(row.pk) in touched:
            yield f"{row}：导入后又有新的记录。"
        elif row.pk in paused:
            yield f"{row}：导入后登记了停报。"


def _later_lists(found: PlatformImport) -> Iterator[str]:
    """Lists taken in later that name the same schools and weeks: the last one in is the first one out."""
    same = PlatformFiling.objects.filter(
        platform_import=found,
        organization=OuterRef("filings__organization"),
        period=OuterRef("filings__period"),
    )
    later = PlatformImport.objects.standing().filter(Exists(same), pk__gt=found.pk).distinct()
    for other in later:
        yield f"{_words(other.imported_at)}导入的“{other.file_name}”也列有其中的院校和周次，请先撤销那一份。"


def _paused_since(found: PlatformImport, rows: list[Obligation]) -> set[int]:
    """What the import fulfilled, a suspension declared later passed over: pending again, it would be missed."""
    paused: set[int] = set()
    for suspension in Suspension.objects.filter(created_at__gt=found.imported_at):
        covered_now = Obligation.objects.covered_by(suspension).filter(pk__in=[row.pk for row in rows])
        paused |= set(covered_now.values_list("pk", flat=True))
    return paused
