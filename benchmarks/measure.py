"""Timing: A and B in turn, and the median of the ratios."""

import gc
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results.json"


@dataclass
class Claim:
    """One line of the table. `value` is compared with `goal` as `sense` says ("<=" or ">=")."""

    name: str
    value: float
    sense: str
    goal: float
    unit: str = "×"
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return self.value <= self.goal if self.sense == "<=" else self.value >= self.goal


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratios(
    a: Callable[[], object],
    b: Callable[[], object],
    *,
    rounds: int,
    around: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> dict[str, Any]:
    """A B A B …: the median of a/b over `rounds`, and the median milliseconds of each.

    `around` gives the context within which each single run happens, outside of its time.
    """
    times_a, times_b = [], []
    for _ in range(rounds):
        with around():
            times_a.append(seconds(a))
        with around():
            times_b.append(seconds(b))
    return {
        "ratio": round(median(x / y for x, y in zip(times_a, times_b, strict=True)), 3),
        "a_ms": round(median(times_a) * 1000, 1),
        "b_ms": round(median(times_b) * 1000, 1),
        "rounds": rounds,
    }


def percentile(values: list[float], share: float) -> float:
    """The smallest value that is not below `share` of all."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def report(claims: list[Claim], *, say: Callable[[str], object]) -> None:
    """The table, and the same as JSON; the claims of other benchmarks in the file stay."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    kept |= {claim.name: asdict(claim) | {"holds": claim.holds} for claim in claims}
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n")
    say("| 断言 | 实测 | 目标 | 达到 | 说明 |\n| --- | ---: | ---: | --- | --- |")
    for claim in claims:
        detail = "，".join(f"{key} {value}" for key, value in claim.detail.items())
        sign = {"<=": "≤", ">=": "≥"}[claim.sense]
        value, goal = f"{claim.value:g} {claim.unit}", f"{sign} {claim.goal:g} {claim.unit}"
        say(f"| {claim.name} | {value} | {goal} | {'是' if claim.holds else '否'} | {detail} |")
