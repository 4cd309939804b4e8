"""Who owes an evaluator's filing (SX 三.8, 附件3), and who is told of it. Instants are aware (UTC).

No obligation or notice names a person, an ID number, an address or a phone.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.functions import Cast
from django.urls import reverse

from accounts.models import Organization, Role, User
from certificates.models import Certificate
from core import clock, events, notices
from core.events import JOB
from core.templatetags.portal import closing
from evaluators.models import EvaluatorFiling
from evaluators.permissions import FILING_CLAUSE
from obligations import services as obligations
from obligations.calendar import add_months
from obligations.closing import people_of
from obligations.models import NOT_OWED, Obligation, ObligationKind, ObligationQuerySet, Outcome
from obligations.periods import after_standing_outages
from schools.models import Programme

events.register(evaluator_filing_not_owed="备案任务免除")

NOT_RUNNING = "本省已没有院校开展这个证书的试点，无需备案"


def duties(certificate: Certificate) -> ObligationQuerySet:
    """What is owed or was owed of this filing: the first one (key: the certificate), one for each return."""
    mine = Q(key=str(certificate.pk)) | Q(key__startswith=f"{certificate.pk}-v")
    rows = Obligation.objects.filter(
        mine, organization=certificate.owner_id, kind=ObligationKind.EVALUATOR_FILING
    )
    return rows.order_by("opens_at", "pk")


def owe_filings(*, at: dt.datetime) -> int:
    """Whoever owns a certificate that runs in the province, and has filed nothing, owes the filing; how many
    are new.

    No clause sets a term: due at the end of the day one month after `at`, when the portal first saw that it
    is owed, so that no organisation is late for what nobody had asked of it. A demonstration asks nothing
    of real organisations. What does not run any more is not owed, and owed anew if it runs again.
    """
    _release(at=at)
    running = Programme.objects.running_at(at).filter(certificate_level__certificate=OuterRef("pk"))
    certificates = (
        Certificate.objects.filter(
            Exists(running),
            owner__is_demonstration=Exists(Organization.objects.filter(is_demonstration=True)),
        )
        .exclude(filing__current__isnull=False)
        .select_related("owner")
        .order_by("pk")
    )
    standing = Obligation.objects.filter(kind=ObligationKind.EVALUATOR_FILING).exclude(
        outcome=Outcome.EXEMPT, exempt_reason=NOT_RUNNING
    )
    owed = set(standing.values_list("organization", "key"))
    fresh = [c for c in certificates if (c.owner_id, str(c.pk)) not in owed]
    return sum(_owe(certificate, at=at) for certificate in fresh)


@transaction.atomic
def _release(*, at: dt.datetime) -> None:
    """First duties of certificates that no longer run in the province."""
    running = Programme.objects.running_at(at).alias(
        certificate=Cast("certificate_level__certificate", CharField())
    )
    rows = list(
        Obligation.objects.pending()
        .filter(~Exists(running.filter(certificate=OuterRef("key"))), kind=ObligationKind.EVALUATOR_FILING)
        .exclude(key__contains="-v")
        .select_for_update(of=("self",))
        .order_by("pk")
    )
    Obligation.objects.filter(pk__in=[row.pk for row in rows]).update(
        outcome=Outcome.EXEMPT, exempt_reason=NOT_RUNNING
    )
    events.record_many(
        events.build(
            "evaluator_filing_not_owed",
            row,
            by=JOB,
            at=at,
            organization_id=row.organization_id,
            target_label=row.title,
            from_state=Outcome.PENDING,
            to_state=NOT_OWED,
            reason=NOT_RUNNING,
        )
        for row in rows
    )


@transaction.atomic
def _owe(certificate: Certificate, *, at: dt.datetime) -> bool:
    """Whether it is owed: a filing may have come since the certificate was read."""
    lock(certificate)
    if EvaluatorFiling.objects.filter(pk=certificate.pk, current__isnull=False).exists():
        return False
    last_day = add_months(clock.local(at).date(), 1)
    due_at = clock.at(last_day + dt.timedelta(days=1))
    duty = obligations.owe(
        organization=certificate.owner,
        kind=ObligationKind.EVALUATOR_FILING,
        key=str(certificate.pk),
        title=f"评价组织备案：{certificate}"[:120],
        opens_at=at,
        due_at=due_at,
        link=reverse("evaluator-filings:edit", args=[certificate.pk]),
    )
    Obligation.objects.filter(pk=duty.pk, outcome=Outcome.EXEMPT, exempt_reason=NOT_RUNNING).update(
        outcome=Outcome.PENDING,
        exempt_reason="",
        opens_at=at,
        due_at=after_standing_outages(due_at),
        reminded_steps=0,
    )
    duty.refresh_from_db()
    text = f"“{certificate}”在本省有院校开展试点，请在{closing(duty.due_at)}前填报负责人备案表（附件3，{FILING_CLAUSE}）。"
    _tell_owner(certificate, f"owed:{certificate.pk}:{due_at:%y%m%d}", text, "edit", at=at)
    return True


def lock(certificate: Certificate) -> None:
    """Owing a filing and submitting one wait for each other; nobody who only refers to it waits."""
    Certificate.objects.select_for_update(of=("self",), no_key=True).get(pk=certificate.pk)


def officers(certificate: Certificate) -> set[uuid.UUID]:
    return set(people_of({certificate.owner_id}, Role.EVALUATOR)[certificate.owner_id])


def coordinators(certificate: Certificate) -> set[uuid.UUID]:
    charged = User.objects.active().filter(
        charges__evaluator=certificate.owner_id, charges__ended_at=None, role=Role.COORDINATOR
    )
    return set(charged.values_list("pk", flat=True))


def _tell_owner(certificate: Certificate, key: str, text: str, page: str, *, at: dt.datetime) -> None:
    link = reverse(f"evaluator-filings:{page}", args=[certificate.pk])
    people = officers(certificate)
    notices.tell([notices.Message(pk, f"evaluator-filing:{key}", text, link) for pk in people], at=at)


def tell(
    record: EvaluatorFiling, people: Iterable[uuid.UUID], step: str, text: str, *, at: dt.datetime
) -> None:
    link = reverse("evaluator-filings:detail", args=[record.pk])
    key = f"evaluator-filing:{record.pk}:{step}"
    notices.tell([notices.Message(pk, key, text, link) for pk in people], at=at)
