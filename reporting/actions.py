"""What may be done with a filed or awaited report, and why not."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from obligations.models import Obligation, ObligationKind
from reporting import permissions
from reporting.services import FILED_BY
from reporting.sheet import Filing, corrections, filing


@dataclass(frozen=True)
class Action:
    """Something to do with a report; where it may not be done now, `why_not` says why."""

    label: str
    url: str
    why_not: str = ""


def why_not_fill(user: Any, obligation: Obligation, at: dt.datetime) -> str:
    if not permissions.may_fill(user, obligation):
        return FILED_BY[ObligationKind(obligation.kind)].rstrip("。")
    now = filing(obligation, at)
    if now == Filing.NOT_OPEN:
        return "本期尚未开始填报"
    return "学校已退出试点，本期已关闭" if now == Filing.LEFT else ""


def why_not_return(obligation: Obligation, current: Any) -> str:
    if current is None:
        return f"本期还没有收到{ObligationKind(obligation.kind).label}"
    if corrections(obligation).filter(key=f"{obligation.key}-v{current.number}").exists():
        return f"第{current.number}版已退回，等待更正"
    return ""
