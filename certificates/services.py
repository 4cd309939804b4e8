"""Verbs on the day a certificate was published and on the proposal that is owed from it (MOE 三(三)).

Instants are aware (UTC), days local.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from certificates import permissions
from certificates.models import Certificate, CreditProposal, CreditProposalVersion
from certificates.workflow import proposal as lifecycle
from core import clock, draft_files, drafts, events, notices
from core.templatetags.portal import closing
from obligations import services as obligations
from obligations.calendar import add_months, add_working_days
from obligations.models import Obligation, ObligationKind, ObligationQuerySet
from obligations.periods import after_standing_outages

events.register(certificate_published="登记证书公布日期")

MEND_WORKING_DAYS = 5
MEND_TIME = dt.time(18)
_DAY = dt.timedelta(days=1)


def proposal_due(published_on: dt.date) -> dt.datetime:
    """The end of the day one month on: proposed at `t` it is in time when `t < proposal_due`."""
    return clock.at(add_months(published_on, 1) + _DAY)


def duties(proposal: CreditProposal) -> ObligationQuerySet:
    """The first proposal's and one for each return, oldest first."""
    rows = Obligation.objects.filter(
        organization=proposal.organization_id, kind=ObligationKind.CREDIT_PROPOSAL
    )
    keys = [_key(proposal), *(f"{_key(proposal)}-v{n + 1}" for n in range(proposal.versions.count()))]
    found: ObligationQuerySet = rows.filter(key__in=keys).order_by("opens_at", "pk")
    return found


def _key(proposal: CreditProposal) -> str:
    return f"certificate-{proposal.pk}"


@transaction.atomic
def publish_certificate(
    *, certificate: Certificate, published_on: dt.date, source: str, by: User, at: dt.datetime
) -> CreditProposal:
    """Enter or correct the day; what is owed and not yet done moves with it. `source`: where the day stands.

    Raises PermissionDenied, ValidationError by field.
    """
    if not permissions.may_review(by):
        raise PermissionDenied("证书公布日期由省推进办登记。")
    if published_on > clock.local(at).date():
        raise ValidationError({"published_on": "公布日期不能晚于今天。"})
    if not source.strip():
        raise ValidationError({"source": "请写明依据（公布证书的文件或网页）。"})
    certificate = Certificate.objects.select_for_update(of=("self",)).get(pk=certificate.pk)
    before = certificate.published_on
    certificate.published_on = published_on
    certificate.save(update_fields=["published_on"])
    proposal, _ = CreditProposal.objects.get_or_create(certificate=certificate)
    opens_at = clock.at(published_on)
    duty = obligations.owe(
        organization=certificate.owner,
        kind=ObligationKind.CREDIT_PROPOSAL,
        key=_key(proposal),
        title=str(proposal)[:120],
        opens_at=opens_at,
        due_at=proposal_due(published_on),
        link=reverse("credit:detail", args=[proposal.pk]),
    )
    due_at = after_standing_outages(proposal_due(published_on))
    moved = Obligation.objects.pending().filter(pk=duty.pk).exclude(due_at=due_at)
    moved.update(opens_at=opens_at, due_at=due_at, reminded_steps=0)
    changes = {"公布日期": [before.isoformat() if before else "", published_on.isoformat()]}
    events.record(
        "certificate_published",
        proposal,
        by=by,
        at=at,
        organization_id=certificate.owner_id,
        changes=changes,
        reason=source.strip(),
    )
    text = f"请在{closing(due_at)}前提出{proposal}（证书公布后 1 个月内，{permissions.CLAUSE}）。"
    _tell(proposal, text, step=f"published:{published_on}", at=at)
    return proposal


@transaction.atomic
def save_draft(
    *,
    proposal: CreditProposal,
    typed: dict[str, str],
    revision: int,
    by: User,
    at: dt.datetime,
    uploads: Iterable[Any] = (),
) -> CreditProposal:
    """Keep what was typed and the files with it. Raises DraftConflict, PermissionDenied, ValidationError."""
    _require_owner(proposal, by)
    typed = draft_files.taken_in(proposal, typed, uploads, by=by, at=at)
    proposal.save_draft(typed=typed, revision=revision, by=by, at=at)
    draft_files.forget_loose(proposal, by=by, at=at)
    return proposal


def _require_owner(proposal: CreditProposal, by: User) -> None:
    if not permissions.may_propose(by, proposal):
        raise PermissionDenied(f"学分记录建议由该证书的评价组织提出（{permissions.CLAUSE}）。")


def content_of(proposal: CreditProposal) -> dict[str, Any]:
    """What would be sent of the draft."""
    typed = proposal.draft or {}
    files = draft_files.told(draft_files.files_of(proposal, typed))
    return {"text": typed.get("text", "").strip(), "files": files}


@lifecycle.verb("credit_submit")
@transaction.atomic
def submit_proposal(
    proposal: CreditProposal, *, token: str, by: User, at: dt.datetime
) -> CreditProposalVersion:
    """The draft becomes a version with its receipt (XF…) and meets what is owed. The same token, or the same
    content as the current version, gives the version that is there; what was returned has to be mended first.
    Raises PermissionDenied, ValidationError, ChangedSince where `token` (drafts.token_of) names another draft."""
    _require_owner(proposal, by)
    proposal = CreditProposal.objects.select_for_update(of=("self",)).get(pk=proposal.pk)
    if sent := proposal.versions.filter(token=token).first():
        return sent
    content = content_of(proposal)
    if token != drafts.token_of(proposal, content):
        raise drafts.ChangedSince
    if not content["text"]:
        raise ValidationError({"text": "请写明学分记录建议。"})
    if not content["files"]:
        raise ValidationError({"files": "请上传建议方案文件。"})
    content_hash = drafts.content_hash(content)
    if proposal.current and proposal.current.content_hash == content_hash:
        if proposal.state == CreditProposal.State.RETURNED:
            raise ValidationError(
                f"内容与退回的第{proposal.current.number}版相同，没有提交。请按退回意见修改后再提出。"
            )
        proposal.drop_draft()
        return proposal.current
    version: CreditProposalVersion = CreditProposalVersion.objects.create(
        proposal=proposal,
        number=proposal.versions.count() + 1,
        receipt=drafts.new_receipt(CreditProposalVersion, "XF", at),
        token=token,
        received_at=at,
        submitted_by=by,
        content=content,
        content_hash=content_hash,
    )
    for duty in duties(proposal).pending():
        obligations.fulfil(duty, received_at=at)
    lifecycle.perform(
        "credit_submit",
        proposal,
        by=by,
        at=at,
        organization_id=proposal.organization_id,
        changes={"回执": version.receipt, "版本": version.number, "内容摘要": content_hash},
        values={"current": version, "review_comment": "", "reviewed_at": None, "reviewed_by": None},
    )
    proposal.drop_draft()
    return version


@lifecycle.verb("credit_accept")
@transaction.atomic
def accept_proposal(
    proposal: CreditProposal, *, by: User, at: dt.datetime, comment: str = "", version: int | None = None
) -> CreditProposal:
    """`version` is the number of the one that was read, here and below: another one is not answered."""
    fresh = _review("credit_accept", proposal, comment, version, by=by, at=at)
    _tell(fresh, f"{fresh}已由省推进办接收。", step=f"accepted:{fresh.current_id}", at=at)
    return fresh


@lifecycle.verb("credit_return")
@transaction.atomic
def return_proposal(
    proposal: CreditProposal, *, comment: str, by: User, at: dt.datetime, version: int | None = None
) -> CreditProposal:
    """To be mended within MEND_WORKING_DAYS; what was on time stays so."""
    if permissions.may_review(by) and not comment.strip():
        raise ValidationError({"comment": "请写明要修改什么。"})
    fresh = _review("credit_return", proposal, comment, version, by=by, at=at)
    due_at = clock.at(add_working_days(clock.local(at).date(), MEND_WORKING_DAYS), MEND_TIME)
    duty = obligations.owe(
        organization=fresh.certificate.owner,
        kind=ObligationKind.CREDIT_PROPOSAL,
        key=f"{_key(fresh)}-v{fresh.versions.count()}",
        title=f"修改{fresh}"[:120],
        opens_at=at,
        due_at=due_at,
        link=reverse("credit:detail", args=[fresh.pk]),
    )
    text = f"{fresh}已退回，请在{closing(duty.due_at)}前修改后重新提出：{comment.strip()}"
    _tell(fresh, text, step=f"returned:{fresh.current_id}", at=at)
    return fresh


def _review(
    action: str, proposal: CreditProposal, comment: str, version: int | None, *, by: User, at: dt.datetime
) -> CreditProposal:
    locked = CreditProposal.objects.select_for_update(of=("self",)).get(pk=proposal.pk)
    drafts.require_read(locked, version, of="评价组织")
    values = {"review_comment": comment.strip(), "reviewed_at": at, "reviewed_by": by}
    fresh: CreditProposal = lifecycle.perform(
        action,
        proposal,
        by=by,
        at=at,
        comment=comment.strip(),
        organization_id=proposal.organization_id,
        values=values,
    )
    return fresh


def _tell(proposal: CreditProposal, text: str, *, step: str, at: dt.datetime) -> None:
    people = User.objects.active().filter(organization=proposal.organization_id, role=Role.EVALUATOR)
    link = reverse("credit:detail", args=[proposal.pk])
    notices.tell([notices.Message(u.pk, f"credit:{proposal.pk}:{step}", text, link) for u in people], at=at)
