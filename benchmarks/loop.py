"""The week's close as a loop over the schools, one row at a time: what the sweep is compared with."""

import datetime as dt
import uuid
from collections import defaultdict

from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from core import events
from core.events import JOB
from core.models import Notice
from obligations.models import Obligation, Outcome, Period
from reporting.models import StreakWarning
from supervision.models import Case, CaseEvidence
from supervision.services.flagging import frozen

MOST = 5


class Told:
    """What each person is told of one matter; more than MOST become one."""

    def __init__(self, *, key: str, summary: str, link: str, at: dt.datetime) -> None:
        self.key, self.summary, self.link, self.at = key, summary, link, at
        self.messages: dict[uuid.UUID, list[tuple[str, str, str]]] = defaultdict(list)

    def add(self, organization_id: int, supervisor_id: int | None, message: tuple[str, str, str]) -> None:
        for user in User.objects.filter(is_active=True, organization_id=organization_id):
            if user.role in Role.of_a_school():
                self.messages[user.pk].append(message)
        bureau = User.objects.filter(is_active=True, role=Role.CITY_BUREAU)
        for user in bureau.filter(organization_id=supervisor_id) if supervisor_id else []:
            self.messages[user.pk].append(message)
        for user in User.objects.filter(is_active=True, role=Role.OFFICE):
            self.messages[user.pk].append(message)

    def send(self) -> None:
        for user_id, mine in self.messages.items():
            if len(mine) > MOST:
                mine = [(self.key, self.summary.format(count=len(mine)), self.link)]
            for key, text, link in mine:
                fields = {"text": text, "link": link, "created_at": self.at, "important": True}
                Notice.objects.get_or_create(recipient_id=user_id, key=key, defaults=fields)


@transaction.atomic
def close_in_a_loop(period: Period, *, at: dt.datetime) -> None:
    period = Period.objects.select_related("policy").get(pk=period.pk)
    warned = Told(
        key=f"warnings:{period.pk}",
        summary=f"{period.label}已关闭：{{count}} 所院校未报，已预警。",
        link=reverse("reporting:non-reporters") + f"?period={period.key}",
        at=at,
    )
    flagged = Told(
        key=f"cases:{at:%Y%m%d%H%M}",
        summary=f"{{count}} 所院校连续三周未报周报，已自动触发案件（{Case.CLAUSE}）。",
        link=reverse("supervision:case-list"),
        at=at,
    )
    counts = {"按时": 0, "迟报": 0, "未报": 0}
    labels = {Outcome.ON_TIME: "按时", Outcome.LATE: "迟报", Outcome.MISSED: "未报"}
    for obligation in Obligation.objects.filter(period=period, closed_at=None, closes_at__lte=at):
        missing = obligation.outcome == Outcome.PENDING
        if missing:
            obligation.outcome = Outcome.MISSED
        obligation.closed_at = obligation.closes_at
        obligation.save(update_fields=["outcome", "closed_at"])
        if label := labels.get(Outcome(obligation.outcome)):
            counts[label] += 1
        if missing:
            _record(obligation, period, at=at)
            _follow_up(obligation, period, warned, flagged, at=at)
    period.closed_at = period.closes_at
    period.save(update_fields=["closed_at"])
    events.record("period_closed", period, by=JOB, at=at, changes=counts)
    warned.send()
    flagged.send()


def _record(obligation: Obligation, period: Period, *, at: dt.datetime) -> None:
    events.record(
        "obligation_missed",
        obligation,
        by=JOB,
        at=at,
        organization_id=obligation.organization_id,
        from_state=Outcome.PENDING,
        to_state=Outcome.MISSED,
        changes={"截止": obligation.due_at.isoformat(), "关闭": period.closes_at.isoformat()},
    )


def _streak(obligation: Obligation) -> tuple[list[Obligation], bool]:
    """Missed ones since the last that was filed, oldest first, and whether one between was skipped."""
    earlier = Obligation.objects.filter(
        organization_id=obligation.organization_id, kind=obligation.kind, closed_at__lte=obligation.closed_at
    )
    missed: list[Obligation] = []
    skipped = spans = False
    for row in earlier.select_related("period").order_by("-due_at"):
        if row.outcome in (Outcome.ON_TIME, Outcome.LATE):
            break
        if row.outcome == Outcome.MISSED and row.excused_at is None:
            if row.evidence.filter(case__state=Case.State.DECIDED).exists():
                continue
            missed.insert(0, row)
            spans = spans or skipped
        else:
            skipped = bool(missed)
    return missed, spans


def _follow_up(
    obligation: Obligation, period: Period, warned: Told, flagged: Told, *, at: dt.datetime
) -> None:
    streak, spans = _streak(obligation)
    weeks = sum(o.period.weeks for o in streak if o.period)
    school = obligation.organization
    if weeks < period.policy.flag_weeks:
        fields = {"weeks": weeks, "warned_at": period.closes_at}
        StreakWarning.objects.get_or_create(obligation=obligation, defaults=fields)
        text = (
            f"预警：{school}{obligation.title}已关闭，未收到，连续 {weeks} 周未报；"
            f"连续三周不填报周报的，可取消试点资格（{Case.CLAUSE}）。仍可补报。"
        )
        link = reverse("reporting:report", args=[obligation.pk])
        warned.add(school.pk, school.supervisor_id, (f"obligation:{obligation.pk}:closed", text, link))
        return
    case, fresh = Case.objects.undecided().get_or_create(
        organization=school,
        ground=Case.Ground.NOT_REPORTING,
        defaults={"flagged_at": period.closes_at, "spans_exempt": spans},
    )
    for row in streak:
        fields = {"frozen": frozen(row), "added_at": at}
        CaseEvidence.objects.get_or_create(case=case, obligation=row, defaults=fields)
    if fresh:
        events.record(
            "case_flagged",
            case,
            by=JOB,
            at=at,
            organization_id=school.pk,
            to_state=case.state,
            reason=Case.CLAUSE,
        )
        text = f"{school}连续三周未报周报，已自动触发案件（{Case.CLAUSE}）。"
        link = reverse("supervision:case-detail", args=[case.pk])
        flagged.add(school.pk, school.supervisor_id, (f"case:{case.pk}:flagged", text, link))
