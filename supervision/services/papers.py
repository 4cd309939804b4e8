"""Papers of a case: numbered, written as Word, frozen at the moment of the act."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import Max

from accounts.models import Organization, User
from core import clock, events
from core.attachments import attach
from core.documents import year_number
from core.models import Attachment
from supervision import wording
from supervision.models import Case, CaseDecision, CaseDocument
from supervision.permissions import may_handle

events.register(document_issued="制发文书")

PREFIXES = {
    CaseDocument.Kind.NOTICE: "推进办告",
    CaseDocument.Kind.DECISION: "推进办决",
    CaseDocument.Kind.CIRCULAR: "推进办通",
}


def issue(
    case: Case,
    kind: CaseDocument.Kind,
    *,
    by: User,
    at: dt.datetime,
    decision: CaseDecision | None = None,
    days: int = 0,
) -> CaseDocument:
    """Number it, write it, keep it. Call it in the transaction of the act that it states."""
    issuer = _issuer()
    year = clock.local(at).year
    same = CaseDocument.objects.filter(kind=kind, year=year)
    sequence = (same.aggregate(last=Max("sequence"))["last"] or 0) + 1
    document = CaseDocument(
        case=case,
        kind=kind,
        year=year,
        sequence=sequence,
        number=year_number(PREFIXES[kind], year, sequence),
        title=wording.title(case, kind, decision),
        decision=decision,
        issued_at=at,
        issued_by=by,
    )
    document.save()
    content = wording.write(document, issuer=issuer, days=days)
    upload = ContentFile(content, name=f"{document.number}{document.get_kind_display()}.docx")
    document.file = attach(target=document, upload=upload, by=by, at=at)
    document.save(update_fields=["file"])
    events.record(
        "document_issued",
        case,
        by=by,
        at=at,
        organization_id=case.organization_id,
        changes={
            "文书": document.get_kind_display(),
            "文号": document.number,
            "SHA-256": document.file.sha256,
        },
    )
    return document


def _issuer() -> Organization:
    """The office that signs. Its locked row lets one paper at a time take a number, and holds up nobody who
    only refers to it."""
    provinces = Organization.objects.select_for_update(no_key=True)
    return provinces.filter(kind=Organization.Kind.PROVINCE).order_by("-is_demonstration", "pk")[:1].get()


@transaction.atomic
def attach_scan(document: CaseDocument, *, upload: Any, by: User, at: dt.datetime) -> Attachment:
    """The paper as it was stamped, beside the frozen file. Raises ValidationError."""
    if not may_handle(by):
        raise PermissionDenied("盖章件由省推进办上传。")
    return attach(target=document, upload=upload, by=by, at=at)
