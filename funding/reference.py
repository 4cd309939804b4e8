"""Cost items of examinations from reference files; no amounts."""

from pathlib import Path

from core.reference import Counts, rows, take
from funding.models import CostElement


def load_cost_elements(folder: Path) -> dict[str, Counts]:
    """`fee_cost_elements.csv`: into what a fee standard may be broken down, in the order of the file."""
    listed = rows(folder / "fee_cost_elements.csv", "name", "note", "source", optional=True)
    wanted = [
        (
            row,
            {
                "name": row.required("name"),
                "rank": rank,
                "note": row["note"],
                "source": row.required("source"),
            },
        )
        for rank, row in enumerate(listed, 1)
    ]
    return {"考核成本项目": take(CostElement.objects.all(), wanted, key=("name",))[0]}
