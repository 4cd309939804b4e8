"""Verbs on experts' opinions and on their ties (SH 二(一)3: 专家论证).

What experts are asked and say is the province's until the decision: events name no school's
organisation, so that no city or school meets them in its record.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from accounts.models import Organization, Role, User
from core import events, notices
from core.templatetags.portal import closing
from schools import conflicts
from schools.models import ApplicationItem, ExpertInterest, ExpertOpinion
from schools.permissions import may_ask_experts
from schools.workflow import opinion as lifecycle

events.register(
    opinion_asked="征求专家意见",
    interest_registered="登记利益关系",
    interest_removed="取消利益关系",
)
OFFICE_ONLY = "专家意见由省推进办征求和撤回。"
State = ExpertOpinion.State
REMINDER = dt.timedelta(hours=24)


@dataclass
class Plan:
    """Who would be asked about what; what is left out, with its reason in words."""

    pairs: list[tuple[User, ApplicationItem]] = field(default_factory=list)
    conflicts: list[tuple[User, ApplicationItem, str]] = field(default_factory=list)
    already: list[tuple[User, ApplicationItem, str]] = field(default_factory=list)


def experts_with_load() -> QuerySet[User]:
    """Active experts with `waiting`, how many opinions they still owe."""
    waiting = Count("opinions", filter=Q(opinions__state=State.ASKED))
    rows = User.objects.active().filter(role=Role.EXPERT).select_related("organization")
    return rows.annotate(waiting=waiting).order_by("waiting", "name", "username")


def to_advise_on(pks: Sequence[int]) -> list[ApplicationItem]:
    """The items with what a plan looks at, in the order of school and certificate."""
    rows = ApplicationItem.objects.filter(pk__in=pks).select_related(
        "application__school__organization", "certificate_level__certificate", "agreement"
    )
    return list(rows.order_by("application__school", "certificate_level", "pk"))


def plan(items: Sequence[ApplicationItem], experts: Sequence[User]) -> Plan:
    """Raises ValidationError when an item is not under review any more, or not yet."""
    wrong = [item for item in items if item.state not in conflicts.UNDER_REVIEW]
    if wrong:
        named = "、".join(
            f"{item.application.school} {item}（{item.get_state_display()}）" for item in wrong[:5]
        )
        more = f"等 {len(wrong)} 项" if len(wrong) > 5 else ""
        raise ValidationError(f"只能就待初审、待审核的项目征求意见，请去掉：{named}{more}。")
    ties = conflicts.ties(experts, items)
    asked = {
        (row.expert_id, row.item_id): row
        for row in ExpertOpinion.objects.filter(item__in=items, expert__in=experts)
    }
    found = Plan()
    for expert in experts:
        for item in items:
            before = asked.get((expert.pk, item.pk))
            if tie := ties.get((expert.pk, item.pk)):
                found.conflicts.append((expert, item, tie))
            elif before and before.state != State.WITHDRAWN:
                found.already.append((expert, item, str(before.get_state_display())))
            else:
                found.pairs.append((expert, item))
    return found


@transaction.atomic
def ask(
    *,
    items: Sequence[ApplicationItem],
    experts: Sequence[User],
    due_at: dt.datetime,
    by: User,
    at: dt.datetime,
) -> Plan:
    """Ask each expert about each item, but where there is a tie or it was asked before; what was done.

    Raises PermissionDenied, ValidationError.
    """
    if not may_ask_experts(by):
        raise PermissionDenied(OFFICE_ONLY)
    if due_at <= at:
        raise ValidationError({"due_at": "答复期限必须在现在以后。"})
    if any(expert.role != Role.EXPERT or not expert.is_active for expert in experts):
        raise ValidationError({"experts": "只能向启用中的专家账号征求意见。"})
    pks = [item.pk for item in items]
    list(ApplicationItem.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))
    done = plan(to_advise_on(pks), experts)
    if not done.pairs:
        raise ValidationError("所选专家都应当回避或已经征求过，没有可以征求的。请另选专家。")
    _ask_pairs(done.pairs, due_at, by=by, at=at)
    _tell_experts(done.pairs, due_at, at=at)
    return done


def _ask_pairs(
    pairs: list[tuple[User, ApplicationItem]], due_at: dt.datetime, *, by: User, at: dt.datetime
) -> None:
    items = {item for _, item in pairs}
    withdrawn = ExpertOpinion.objects.filter(item__in=items, state=State.WITHDRAWN)
    old = {(row.expert_id, row.item_id): row for row in withdrawn}
    again = {"asked_by": by, "asked_at": at, "due_at": due_at}
    for row in (old[e.pk, i.pk] for e, i in pairs if (e.pk, i.pk) in old):
        lifecycle.perform("opinion_ask_again", row, by=by, at=at, values=again)
    new = ExpertOpinion.objects.bulk_create(
        ExpertOpinion(item=item, expert=expert, **again)
        for expert, item in pairs
        if (expert.pk, item.pk) not in old
    )
    events.record_many(
        events.build(
            "opinion_asked", row, by=by, at=at, to_state=State.ASKED, changes={"答复期限": closing(due_at)}
        )
        for row in new
    )


def _tell_experts(pairs: list[tuple[User, ApplicationItem]], due_at: dt.datetime, *, at: dt.datetime) -> None:
    counts: dict[User, int] = {}
    for expert, _ in pairs:
        counts[expert] = counts.get(expert, 0) + 1
    notices.tell(
        [
            notices.Message(
                expert.pk,
                f"opinions-asked:{at.isoformat()}",
                f"请对 {count} 个试点申报项目提出意见，{closing(due_at)}前答复。",
                reverse("opinions:list"),
            )
            for expert, count in counts.items()
        ],
        at=at,
    )


def remind(*, at: dt.datetime) -> int:
    """Tell experts of what is due within a day and not answered, once for each date; how many were told."""
    soon = ExpertOpinion.objects.waiting().filter(due_at__gt=at, due_at__lte=at + REMINDER)
    soon = soon.select_related(
        "item__certificate_level__certificate", "item__application__school__organization"
    )
    messages = [
        notices.Message(
            row.expert_id,
            f"opinion-due:{row.pk}:{row.due_at:%y%m%d%H%M}",
            f"“{row.item.application.school} {row.item}”的意见还没有提出，{closing(row.due_at)}前答复。",
            reverse("opinions:detail", args=[row.pk]),
        )
        for row in soon.order_by("due_at", "pk")
    ]
    notices.tell(messages, at=at)
    return len(messages)


@lifecycle.verb("opinion_give")
@transaction.atomic
def give(opinion: ExpertOpinion, *, advice: str, text: str, by: User, at: dt.datetime) -> ExpertOpinion:
    """At or after `due_at` it is accepted and marked late. Raises ValidationError, NotNow, PermissionDenied."""
    if advice not in ExpertOpinion.Advice.values:
        raise ValidationError({"advice": "请选择一种意见。"})
    if not (text := text.strip()):
        raise ValidationError({"text": "请写明理由。"})
    fresh: ExpertOpinion = lifecycle.perform(
        "opinion_give",
        opinion,
        by=by,
        at=at,
        values={"advice": advice, "text": text, "given_at": at},
        changes={"意见": str(ExpertOpinion.Advice(advice).label)}
        | ({"逾期": "是"} if at >= opinion.due_at else {}),
    )
    return fresh


@lifecycle.verb("opinion_decline")
@transaction.atomic
def decline(
    opinion: ExpertOpinion, *, organization: Organization, note: str, by: User, at: dt.datetime
) -> ExpertOpinion:
    """Stand aside for a tie, which is registered. Raises ValidationError, NotNow, PermissionDenied."""
    if organization.pk not in conflicts.concerned(opinion.item):
        raise ValidationError({"organization": "请选择本项目的学校或证书的评价组织。"})
    if not (note := note.strip()):
        raise ValidationError({"note": "请写明是什么关系。"})
    fresh: ExpertOpinion = lifecycle.perform("opinion_decline", opinion, by=by, at=at, comment=note)
    _register(by, organization, note, by=by, at=at)
    notices.tell(
        [
            notices.Message(
                opinion.asked_by_id,
                f"opinion-declined:{opinion.pk}:{at.isoformat()}",
                f"专家{by.name}对“{opinion.item.application.school} {opinion.item}”回避：{note}。请另请专家。",
                reverse("opinions:detail", args=[opinion.pk]),
            )
        ],
        at=at,
    )
    return fresh


@lifecycle.verb("opinion_withdraw")
@transaction.atomic
def withdraw(opinion: ExpertOpinion, *, comment: str, by: User, at: dt.datetime) -> ExpertOpinion:
    """The question is taken back; the expert sees the item no longer. Raises ValidationError, NotNow."""
    if may_ask_experts(by) and not comment.strip():
        raise ValidationError({"comment": "请写明撤回的原因。"})
    fresh: ExpertOpinion = lifecycle.perform(
        "opinion_withdraw", opinion, by=by, at=at, comment=comment.strip()
    )
    notices.tell(
        [
            notices.Message(
                opinion.expert_id,
                f"opinion-withdrawn:{opinion.pk}:{at.isoformat()}",
                "推进办已撤回向您征求的 1 项意见，不必再答复。",
                reverse("opinions:list"),
            )
        ],
        at=at,
    )
    return fresh


@transaction.atomic
def register_interest(
    *, expert: User, organization: Organization, note: str, by: User, at: dt.datetime
) -> ExpertInterest:
    """By the office, or by the expert of himself or herself. Raises ValidationError, PermissionDenied."""
    if not (may_ask_experts(by) or (by.role == Role.EXPERT and by.pk == expert.pk)):
        raise PermissionDenied("利益关系由专家本人申报，或由省推进办登记。")
    if not (note := note.strip()):
        raise ValidationError({"note": "请写明是什么关系。"})
    if not organization.takes_part or expert.role != Role.EXPERT:
        raise ValidationError({"organization": "请选择院校或培训评价组织。"})
    if ExpertInterest.objects.filter(expert=expert, organization=organization).exists():
        raise ValidationError({"organization": "这一关系已登记。"})
    return _register(expert, organization, note, by=by, at=at)


def _register(
    expert: User, organization: Organization, note: str, *, by: User, at: dt.datetime
) -> ExpertInterest:
    """The same row where the tie is known already."""
    row, created = ExpertInterest.objects.get_or_create(
        expert=expert,
        organization=organization,
        defaults={"note": note[:120], "declared_by": by, "declared_at": at},
    )
    if created:
        events.record("interest_registered", row, by=by, at=at, changes={"关系": row.note})
    return row


@transaction.atomic
def remove_interest(interest: ExpertInterest, *, reason: str, by: User, at: dt.datetime) -> None:
    """The tie holds no longer; only the office says so. Raises ValidationError, PermissionDenied."""
    if not may_ask_experts(by):
        raise PermissionDenied("取消登记由省推进办办理；情况变化的，请联系推进办。")
    if not reason.strip():
        raise ValidationError({"reason": "请写明取消的原因。"})
    events.record(
        "interest_removed", interest, by=by, at=at, changes={"关系": interest.note}, reason=reason.strip()
    )
    interest.delete()
