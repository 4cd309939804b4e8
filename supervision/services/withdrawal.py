"""What a revocation ends and sets in motion, and how a reversal brings it back."""

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from accounts.services import end_membership, join_pilot
from core import events
from core.workflow import NotNow
from obligations import services as obligations
from schools import services as schools
from schools.models import Programme, School
from schools.services.schools import lock
from supervision import students
from supervision.models import Case, CaseDecision, FollowUp, WayOut
from supervision.permissions import may_handle

events.register(ways_out_written="写明学生安置", follow_up_done="办结后续事项")

REASON = "试点资格已取消"
AFTER_REVOCATION = (FollowUp.Kind.RECOVERY, FollowUp.Kind.ACCOUNTABILITY, FollowUp.Kind.CIRCULAR)


@transaction.atomic
def write_ways_out(case: Case, *, texts: dict[int, str], by: User, at: dt.datetime) -> None:
    """{programme id: what becomes of its students}, with the figures that stand now. Raises NotNow once
    the case is decided, ValidationError for an empty text."""
    if not may_handle(by):
        raise PermissionDenied("学生安置办法由省推进办登记。")
    fresh = Case.objects.select_for_update().get(pk=case.pk)
    if fresh.state == Case.State.DECIDED:
        raise NotNow(["案件已经决定，安置办法不再改动。"])
    lines = {line.programme.pk: line for line in students.concerned(case, at) if line.programme.pk in texts}
    for pk, line in lines.items():
        if not texts[pk].strip():
            raise ValidationError({f"way-{pk}": "请写明安置办法；没有学生的，也请写明。"})
        WayOut.objects.update_or_create(
            case=case,
            programme=line.programme,
            defaults={
                "figures": line.figures,
                "text": texts[pk].strip(),
                "written_by": by,
                "written_at": at,
            },
        )
    changes = {str(line.programme): texts[pk].strip() for pk, line in lines.items()}
    events.record(
        "ways_out_written", case, by=by, at=at, organization_id=case.organization_id, changes=changes
    )


def withdraw(case: Case, *, by: User, at: dt.datetime) -> dict[str, Any]:
    """End membership, and with it programmes and exam sites, and what is owed from `at` on; by id what a reversal
    brings back."""
    organization = case.organization
    lock([organization.pk])
    running = list(
        Programme.objects.running_at(at).filter(school=organization.pk).values_list("pk", flat=True)
    )
    membership = end_membership(organization=organization, at=at, by=by, reason=REASON)
    released = obligations.release(organization=organization, reason=REASON, by=by, at=at)
    return {"membership": membership.pk, "programmes": running, "released": released}


def open_follow_ups(decision: CaseDecision, *, at: dt.datetime) -> None:
    """SX 四.3: 收回专项资金、追究主要责任人责任、通报全省."""
    FollowUp.objects.bulk_create(
        FollowUp(case=decision.case, decision=decision, kind=kind, created_at=at) for kind in AFTER_REVOCATION
    )


def restore(case: Case, fallen: CaseDecision, decision: CaseDecision, *, by: User, at: dt.datetime) -> None:
    """In the pilot again from `at`, with the programmes that the fallen decision ended. Nothing is owed for
    the time between. Exam sites were filed against conditions that may have changed: they are applied for
    anew."""
    join_pilot(organization=case.organization, at=at, by=by)
    ended = Programme.objects.filter(pk__in=fallen.effects["programmes"])
    pairs = [(School.objects.get(pk=case.organization_id), p.certificate_level) for p in ended]
    schools.start_programmes(pairs=pairs, by=by, at=at)
    note = f"原决定已撤销（{decision}），不再办理。"
    rows = FollowUp.objects.filter(decision=fallen)
    if rows.filter(done_at__isnull=False).exists():
        kind = FollowUp.Kind.RESTORE
        FollowUp.objects.create(case=case, decision=decision, kind=kind, created_at=at)
    for row in rows.filter(done_at=None):
        finish_follow_up(row, note=note, by=by, at=at)


@transaction.atomic
def finish_follow_up(follow_up: FollowUp, *, note: str, by: User, at: dt.datetime) -> FollowUp:
    """Done, with how. Raises ValidationError when it was done already or nothing is said."""
    if not may_handle(by):
        raise PermissionDenied("案件后续事项由省推进办办理。")
    if not note.strip():
        raise ValidationError({"note": "请写明办理情况（时间、文号或金额）。"})
    done = FollowUp.objects.filter(pk=follow_up.pk, done_at=None).update(
        done_at=at, done_by=by, note=note.strip()
    )
    if not done:
        raise ValidationError("该事项已经办结；请刷新页面查看。")
    follow_up.refresh_from_db()
    events.record(
        "follow_up_done",
        follow_up.case,
        by=by,
        at=at,
        organization_id=follow_up.organization_id,
        changes={"事项": follow_up.get_kind_display()},
        reason=note.strip(),
    )
    return follow_up
