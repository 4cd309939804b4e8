"""What the schools report: figures cumulative for the year, and texts. Pure; no clock, no database."""

from bisect import bisect_right
from random import Random
from typing import Any

from reporting import content as shape
from reporting.demo.names import LABEL

# Share of the year's plan reached by ISO week: (week, share).
Curve = list[tuple[float, float]]
FULL_YEAR: dict[str, Curve] = {
    "in_training": [(9, 0), (20, 0.45), (27, 0.5), (36, 0.55), (43, 1)],
    "training_hours": [(9, 0), (24, 0.35), (36, 0.4), (52, 1)],
    "registered": [(18, 0), (23, 0.4), (38, 0.4), (47, 0.95)],
    "examined": [(24, 0), (27, 0.37), (43, 0.37), (51, 0.9)],
}
AUTUMN: dict[str, Curve] = {
    "in_training": [(36, 0), (44, 1)],
    "training_hours": [(36, 0), (52, 0.6)],
    "registered": [(41, 0), (48, 0.9)],
    "examined": [(46, 0), (52, 0.8)],
}
PASS_RATE = 0.86
HOURS = 120

WORK = [
    "组织{certificate}集中培训，按计划推进。", "召开试点工作例会，安排下阶段任务。", "完成{certificate}模拟考核一次。",
    "对照等级标准修订人才培养方案。", "组织教师参加{certificate}师资培训。", "检查实训设备，补充耗材。",
    "与评价组织对接考核安排。", "开展试点专业学生动员和自愿报名。",
]  # fmt: skip
PROBLEMS = ["实训工位不足，需分批培训。", "部分教师尚未取得培训师资格。", "考核时间与顶岗实习冲突。"]
SUGGESTIONS = ["建议相邻院校共用考核站点。", "建议提前公布考核计划。"]
NEXT = ["继续开展{certificate}培训。", "准备考核报名。", "组织校内测评。", "完善考核站点条件。"]
EXPLANATION = "按计划集中开班"

Row = dict[str, Any]


def share(curve: Curve, week: float) -> float:
    """Linear between the points, flat outside."""
    at = bisect_right(curve, (week, 2.0))
    if at == 0:
        return curve[0][1]
    if at == len(curve):
        return curve[-1][1]
    (w0, s0), (w1, s1) = curve[at - 1], curve[at]
    return s0 + (s1 - s0) * (week - w0) / (w1 - w0)


def row(plan: int, week: int, *, delay: int, autumn: bool) -> Row:
    """One programme's cumulative figures at the end of ISO week `week`; `delay` weeks behind the others."""
    curves, at = (AUTUMN if autumn else FULL_YEAR), week - delay
    examined = int(plan * share(curves["examined"], at))
    return {
        "in_training": int(plan * share(curves["in_training"], at)),
        "training_hours": f"{int(2 * HOURS * share(curves['training_hours'], at)) / 2:.1f}",
        "registered": int(plan * share(curves["registered"], at)),
        "examined": examined,
        "passed": int(PASS_RATE * plan * share(curves["examined"], at - 2)),
        "certified": int(PASS_RATE * plan * share(curves["examined"], at - 5)),
        "explanation": "",
    }


def explain(now: Row, before: Row | None) -> None:
    """Give a word of explanation where a figure jumped."""
    if before is None:
        return
    for figure in shape.FIGURES:
        value, was = float(now[figure.name]), float(before[figure.name])
        if value > shape.JUMP_FACTOR * was and value - was >= figure.jump:
            now["explanation"] = EXPLANATION
            return


def unchanged(rows: dict[str, Row], before: dict[str, Row]) -> bool:
    """True when no figure moved since the last report."""
    return rows.keys() == before.keys() and all(
        all(rows[pk][figure.name] == before[pk][figure.name] for figure in shape.FIGURES) for pk in rows
    )


def content(
    *, period: str, organization: str, rows: dict[str, Row], zero: bool, subject: str, rng: Random
) -> shape.Content:
    """A whole report in the shape that the form makes."""

    def say(texts: list[str], chance: float = 1.0) -> str:
        if zero or rng.random() > chance:
            return ""
        return f"（{LABEL}）{rng.choice(texts).format(certificate=subject)}"

    # Some yuan a week for each in training: over the year less than the special fund gives a head.
    heads = sum(row["in_training"] for row in rows.values())
    spent = 0 if zero else heads * rng.choice([0, 0, 0, 2, 4.5, 8, 15])
    return {
        "period": period,
        "organization": organization,
        "is_zero": zero,
        "programmes": rows,
        "teachers_trained": 0 if zero else rng.choice([0, 0, 0, 1, 2, 3, 5]),
        "money_spent": f"{spent:.2f}",
        "work_done": say(WORK),
        "problems": say(PROBLEMS, 0.2),
        "suggestions": say(SUGGESTIONS, 0.08),
        "next_week": say(NEXT),
    }
