"""What a case still stands on: the streak read again from the rows of its evidence.

An excuse, an upheld dispute or a filing on the national platform changes those rows; the frozen record
stays as it was, and what stands is counted from the rows every time.
"""

import datetime as dt
from dataclasses import dataclass, field

from core.models import Attachment
from obligations.models import Dispute, Obligation, Outcome
from obligations.platform import covered
from supervision.models import Case, CaseEvidence

FILED = {Outcome.ON_TIME, Outcome.LATE}


@dataclass
class Standing:
    """The longest run of missed weeks that no filed week breaks, in time order, and the exempt or excused
    weeks within it."""

    run: list[CaseEvidence] = field(default_factory=list)
    skipped: list[Obligation] = field(default_factory=list)

    @property
    def weeks(self) -> int:
        return sum(e.obligation.period.weeks for e in self.run if e.obligation.period)

    @property
    def suffices(self) -> bool:
        return self.weeks >= Case.WEEKS

    def is_confirmed(self, at: dt.datetime | None) -> bool:
        """Whether it spans nothing, or an officer confirmed it at `at`, knowing all that it spans."""
        if not self.skipped:
            return True
        return at is not None and all(o.excused_at is None or o.excused_at <= at for o in self.skipped)


def read_once(case: Case) -> Standing:
    """For a page, which asks several times: what stands and what is missing is kept on this very object.
    A verb reads a fresh row, which keeps nothing."""
    kept = vars(case)
    kept["kept_standing"] = standing_evidence(case)
    kept["kept_gaps"] = gaps(case)
    return kept["kept_standing"]


def standing_evidence(case: Case) -> Standing:
    """What was told to the school, or before that all there is. Two queries."""
    if "kept_standing" in vars(case):
        return vars(case)["kept_standing"]
    evidence = {
        e.obligation_id: e
        for e in case.evidence.before(case.notified_at).select_related("obligation__period")
    }
    if not evidence:
        return Standing()
    dues = [e.obligation.due_at for e in evidence.values()]
    weeks = Obligation.objects.weekly().filter(
        organization=case.organization_id, due_at__range=(min(dues), max(dues))
    )
    longest = current = Standing()
    waiting: list[Obligation] = []
    for week in weeks.order_by("due_at", "pk"):
        if week.outcome in FILED:
            current, waiting = Standing(), []
        elif week.outcome == Outcome.MISSED and week.excused_at is None:
            if week.pk in evidence:
                current.run.append(evidence[week.pk])
                current.skipped += waiting
                waiting = []
                longest = max(current, longest, key=lambda s: s.weeks)
        elif current.run:
            waiting.append(week)
    return longest


def gaps(case: Case) -> list[str]:
    """Why nothing may be put to the school, or taken from it, on this evidence; [] when it stands."""
    if "kept_gaps" in vars(case):
        return vars(case)["kept_gaps"]
    if not case.is_of_reporting:
        if Attachment.objects.of(case).exists():
            return []
        return ["还没有证据材料；请先在案件页上传（事实须有证据）。"]
    standing = standing_evidence(case)
    if not standing.suffices:
        return [
            f"证据中仍为未报且未获谅解、其间没有填报的只有 {standing.weeks} 周，不足连续三周"
            f"（{Case.CLAUSE}），不能告知或取消资格。请按现有证据作不予处理。"
        ]
    return [
        *_unconfirmed(case, standing),
        *_disputed(standing),
        *_not_seen_on_the_platform(case, standing),
    ]


def _unconfirmed(case: Case, standing: Standing) -> list[str]:
    if standing.is_confirmed(case.exempt_confirmed_at):
        return []
    return [f"这几周之间隔着免报或已谅解的周，须先由经办人确认仍属“连续三周”（{Case.CLAUSE}）。"]


def _disputed(standing: Standing) -> list[str]:
    open_ones = Dispute.objects.open().filter(obligation__in=[e.obligation_id for e in standing.run])
    return ["学校对其中的未报提出了异议，尚未答复；请先答复异议。"] if open_ones.exists() else []


def _not_seen_on_the_platform(case: Case, standing: Standing) -> list[str]:
    open_rows = [e for e in standing.run if not case.certified_at or e.added_at > case.certified_at]
    periods = {e.obligation.period_id for e in open_rows if e.obligation.period_id}
    missing = periods - covered(periods)
    labels = "、".join(e.frozen["period"] for e in open_rows if e.obligation.period_id in missing)
    if not labels:
        return []
    return [
        f"还没有导入国家平台{labels}关闭以后的填报名单，也没有核实国家平台上没有填报。周报的法定渠道是"
        "国家平台（晋教职成〔2020〕9号 四.3）；请先导入名单，或登记核实结果。"
    ]
