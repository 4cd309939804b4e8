"""Whom an expert may not advise on: ties to the item's school or to the certificate's owner (SH 二(一)3)."""

from collections.abc import Iterable, Sequence

from accounts.models import User
from schools.models import ApplicationItem, ExpertInterest, ExpertOpinion

S = ApplicationItem.State
# An opinion is asked for while the item is under review, and given until it is decided.
UNDER_REVIEW = frozenset({S.SUBMITTED, S.FIRST_REVIEWED})
DECIDED = frozenset({S.APPROVED, S.REJECTED, S.WITHDRAWN})


def concerned(item: ApplicationItem) -> set[int]:
    """The organisations that the item concerns: school, certificate's owner, the agreement's evaluator."""
    ids = {item.application.school_id, item.certificate_level.certificate.owner_id}
    return ids | ({item.agreement.evaluator_id} if item.agreement else set())


def ties(experts: Sequence[User], items: Iterable[ApplicationItem]) -> dict[tuple[object, int], str]:
    """{(expert id, item id): the tie in words}, of those pairs that have one; one query.

    An expert's own organisation is a tie as well as what is registered. Load with each item its
    `application`, `certificate_level__certificate` and `agreement`.
    """
    known: dict[tuple[object, int], str] = {
        (expert.pk, expert.organization_id): f"{expert.organization}：所在单位"
        for expert in experts
        if expert.organization_id
    }
    rows = ExpertInterest.objects.filter(expert__in=experts).select_related("organization")
    known |= {(row.expert_id, row.organization_id): f"{row.organization}：{row.note}" for row in rows}
    found: dict[tuple[object, int], str] = {}
    for item in items:
        for expert in experts:
            words = [known[expert.pk, pk] for pk in sorted(concerned(item)) if (expert.pk, pk) in known]
            if words:
                found[expert.pk, item.pk] = "；".join(words)
    return found


def tie_of(opinion: ExpertOpinion) -> str:
    """The asked expert's tie to the item in words; "" when there is none."""
    return ties([opinion.expert], [opinion.item]).get((opinion.expert_id, opinion.item_id), "")
