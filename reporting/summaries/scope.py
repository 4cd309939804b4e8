"""Who owes monthly reports and half-year summaries, and who sees them."""

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import Organization, OrganizationQuerySet, PilotMembership
from obligations.models import Obligation, ObligationKind, ObligationQuerySet
from schools.models import Programme

KINDS = (ObligationKind.MONTHLY_REPORT, ObligationKind.HALF_YEAR_SUMMARY)


def summaries_visible_to(user: Any) -> ObligationQuerySet:
    """The office, the leading group and the auditor all; a city its schools'; a coordinator those of the
    evaluators in his or her charge; evaluator and school their own."""
    rows = Obligation.objects.filter(kind__in=KINDS)
    return rows & Obligation.objects.visible_to(user)


def _running(at: dt.datetime) -> Exists:
    running = Programme.objects.running_at(at).filter(certificate_level__certificate__owner=OuterRef("pk"))
    return Exists(running)


def evaluators_at(at: dt.datetime) -> OrganizationQuerySet:
    """Evaluators whose certificates run in the province at `at`: they owe a monthly report."""
    return Organization.objects.filter(_running(at), kind=Organization.Kind.EVALUATOR)


def both_at(at: dt.datetime) -> OrganizationQuerySet:
    """The schools in the pilot and the evaluators: they owe a half-year summary."""
    member = Exists(PilotMembership.objects.as_of(at).filter(organization=OuterRef("pk")))
    return Organization.objects.filter(
        Q(member, kind=Organization.Kind.SCHOOL) | Q(_running(at), kind=Organization.Kind.EVALUATOR)
    )
