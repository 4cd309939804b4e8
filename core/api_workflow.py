"""A lifecycle as the API tells it: each step of the table, open or with its reasons."""

import datetime as dt
from typing import Any

from rest_framework import serializers

from core.workflow import Workflow


class StepSerializer(serializers.Serializer[Any]):
    action = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    open = serializers.BooleanField(help_text="令牌所有人现在能否在页面上办理")
    reasons = serializers.ListField(child=serializers.CharField(), help_text="不能办理的原因与依据")


def steps(workflow: Workflow, obj: Any, *, user: Any, at: dt.datetime) -> list[dict[str, Any]]:
    """Every step that people take, whether `user` could take it at `at`, and if not why not."""
    told = []
    for row in workflow.table:
        if row.by_job:
            continue
        forbidden = row.forbids(user, obj)
        reasons = [forbidden] if forbidden else workflow.missing(row, obj, at)
        told.append({"action": row.action, "label": row.label, "open": not reasons, "reasons": reasons})
    return told
