"""The whole record of a case as data: who, what, when, by which clause, and the weeks to count again.

Instants are ISO text in UTC. It needs nothing beside it: the streak can be replayed from `weeks` alone.
"""

import datetime as dt
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from core.models import Attachment, Event
from obligations.models import Obligation
from obligations.platform import covered
from supervision.evidence import FILED, standing_evidence
from supervision.models import Case, Statement


def record(case: Case, weeks: list[Obligation]) -> dict[str, Any]:
    """`weeks` as `weeks_of` gives them. A fixed number of queries, whatever the length of the case."""
    statements = list(case.statements.filter(sent_at__isnull=False).select_related("term", "sent_by"))
    documents = list(case.documents.select_related("file", "issued_by"))
    files = files_of([case, *statements, *documents])
    seen = covered({week.period_id for week in weeks if week.period_id})
    standing = standing_evidence(case)
    return {
        "case": _facts(case),
        "standing": {
            "weeks": standing.weeks,
            "counted": [e.frozen["key"] for e in standing.run],
            "skipped": [o.key for o in standing.skipped],
        },
        "evidence": [{**e.frozen, "added_at": _iso(e.added_at)} for e in case.evidence.all()],
        "weeks": [{**_week(week), "platform_list_imported": week.period_id in seen} for week in weeks],
        "week_events": [_event(e) for e in _events(Obligation, [week.pk for week in weeks])],
        "terms": [_term(t) for t in (case.answer_term, case.rectification_term) if t],
        "files": files[file_key(case)],
        "statements": [{**_statement(s), "files": files[file_key(s)]} for s in statements],
        "ways_out": [
            {"programme": str(w.programme), "figures": w.figures, "text": w.text}
            for w in case.ways_out.select_related("programme__certificate_level__certificate")
        ],
        "decisions": [
            {
                "number": d.number,
                "kind": d.get_kind_display(),
                "reasons": d.reasons,
                "decided_at": _iso(d.decided_at),
                "decided_by": d.decided_by.name,
                "supersedes": d.supersedes.number if d.supersedes else None,
            }
            for d in case.decisions.select_related("decided_by", "supersedes")
        ],
        "documents": [
            {
                "number": d.number,
                "kind": d.get_kind_display(),
                "title": d.title,
                "issued_at": _iso(d.issued_at),
                "issued_by": d.issued_by.name,
                "sha256": d.file.sha256 if d.file else "",
                "files": files[file_key(d)],
            }
            for d in documents
        ],
        "events": [_event(e) for e in _events(Case, [case.pk])],
    }


def files_of(targets: list[Any]) -> dict[tuple[int, str], list[dict[str, Any]]]:
    """`file_key(target)` → its files, oldest first; one query for all targets."""
    keys = [file_key(target) for target in targets]
    found: dict[tuple[int, str], list[dict[str, Any]]] = {key: [] for key in keys}
    rows = Attachment.objects.filter(
        target_type__in={key[0] for key in keys}, target_id__in={key[1] for key in keys}
    )
    for row in rows.order_by("uploaded_at", "pk"):
        if (key := (row.target_type_id, row.target_id)) in found:
            found[key].append(
                {
                    "id": str(row.pk),
                    "name": row.name,
                    "size": row.size,
                    "sha256": row.sha256,
                    "uploaded_at": _iso(row.uploaded_at),
                }
            )
    return found


def file_key(target: Any) -> tuple[int, str]:
    return ContentType.objects.get_for_model(target).pk, str(target.pk)


def weeks_of(case: Case) -> QuerySet[Obligation]:
    """The school's weeks from the last that it filed before the evidence to the end of the evidence."""
    dues = [dt.datetime.fromisoformat(e.frozen["due_at"]) for e in case.evidence.all()]
    weekly = Obligation.objects.weekly().filter(organization=case.organization_id)
    if not dues:
        return weekly.none()
    filed = weekly.filter(due_at__lt=min(dues), outcome__in=FILED).order_by("-due_at").first()
    since = filed.due_at if filed else min(dues)
    return weekly.filter(due_at__range=(since, max(dues))).select_related("period").order_by("due_at")


def _events(model: Any, pks: list[int]) -> QuerySet[Event]:
    of_model = Event.objects.filter(target_type=ContentType.objects.get_for_model(model))
    return of_model.filter(target_id__in=[str(pk) for pk in pks]).order_by("at", "pk")


def _facts(case: Case) -> dict[str, Any]:
    organization = case.organization
    return {
        "id": case.pk,
        "organization": organization.name,
        "code": organization.code,
        "supervisor": str(organization.supervisor),
        "ground": case.get_ground_display(),
        "clause": case.CLAUSE,
        "facts": case.facts,
        "state": case.state,
        "state_label": case.get_state_display(),
        "flagged_at": _iso(case.flagged_at),
        "opened_by": case.opened_by.name if case.opened_by else "平台定时任务",
        "spans_exempt": case.spans_exempt,
        "exempt_confirmed_at": _iso(case.exempt_confirmed_at),
        "platform_certified_at": _iso(case.certified_at),
        "notified_at": _iso(case.notified_at),
        "proposer": case.proposer.name if case.proposer else "",
    }


def _week(week: Obligation) -> dict[str, Any]:
    return {
        "key": week.key,
        "weeks": week.period.weeks if week.period else 1,
        "opens_at": _iso(week.opens_at),
        "due_at": _iso(week.due_at),
        "closes_at": _iso(week.closes_at),
        "outcome": week.outcome,
        "received_at": _iso(week.received_at),
        "filled_at": _iso(week.filled_at),
        "source": week.get_source_display() if week.received_at else "",
        "exempt_reason": week.exempt_reason,
        "excused_at": _iso(week.excused_at),
        "excuse_reason": week.excuse_reason,
    }


def _term(term: Obligation) -> dict[str, Any]:
    return {
        "kind": term.get_kind_display(),
        "opens_at": _iso(term.opens_at),
        "due_at": _iso(term.due_at),
        "outcome": term.outcome,
        "received_at": _iso(term.received_at),
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "kind": statement.term.get_kind_display(),
        "text": statement.text,
        "sent_at": _iso(statement.sent_at),
        "sent_by": statement.sent_by.name if statement.sent_by else "",
        "receipt": statement.receipt,
        "sha256": statement.content_hash,
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "at": _iso(event.at),
        "by": event.actor_label,
        "action": event.action,
        "label": event.action_label,
        "about": event.target_label,
        "from": event.from_state,
        "to": event.to_state,
        "changes": event.changes,
        "reason": event.reason,
    }


def _iso(instant: dt.datetime | None) -> str:
    return instant.isoformat() if instant else ""
