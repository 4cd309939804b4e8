"""Filing by a program: a key makes a repeated request the same request."""

import datetime as dt
import hashlib

from django.db import transaction

from accounts.models import User
from obligations.models import Obligation
from reporting import content as shape
from reporting.models import FilingKey, ReportVersion, WeeklyReport
from reporting.services import submit_report

# No draft has it: what a person has typed meanwhile stays.
_NO_DRAFT = -1


class KeyReused(Exception):
    """The key came before, with other content."""


def filed_under(obligation: Obligation, *, key: str, fingerprint: str) -> ReportVersion | None:
    """What was filed under the key, None if nothing was. Raises KeyReused."""
    found = FilingKey.objects.filter(report=obligation.pk, key=key).select_related("version").first()
    if found is None:
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused
    return found.version


@transaction.atomic
def submit_with_key(
    *, obligation: Obligation, content: shape.Content, key: str, fingerprint: str, by: User, at: dt.datetime
) -> tuple[ReportVersion, bool]:
    """As `submit_report`, once for each key; and whether this call made the version.

    Requests with one key wait for each other at the report's row. Raises KeyReused, PermissionDenied.
    """
    token = f"key.{hashlib.sha256(key.encode()).hexdigest()[:48]}"
    WeeklyReport.objects.get_or_create(obligation=obligation)
    report = WeeklyReport.objects.select_for_update().get(pk=obligation.pk)
    if sent := filed_under(obligation, key=key, fingerprint=fingerprint):
        return sent, False
    version = submit_report(
        obligation=obligation, content=content, token=token, by=by, at=at, draft_revision=_NO_DRAFT
    )
    FilingKey.objects.create(report=report, key=key, fingerprint=fingerprint, version=version)
    return version, version.token == token
