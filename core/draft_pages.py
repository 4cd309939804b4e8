"""What the pages of every draft share: autosave's answers, and choosing between two versions."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.http import HttpRequest, JsonResponse

from core import clock
from core.drafts import Drafted


class Difference(NamedTuple):
    """One field that differs; `before` and `after` are texts."""

    name: str
    label: str
    before: str
    after: str


def revision_of(posted: Mapping[str, Any]) -> int:
    """The draft's revision on which the posted form was typed; 0 where it names none."""
    text = str(posted.get("revision", ""))
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def merged(request: HttpRequest, mine: Mapping[str, str], theirs: Mapping[str, str]) -> dict[str, str]:
    """Field by field what was chosen: `take-<field>` is "theirs" or (also when absent) "mine"."""
    whole = request.POST.get("whole")
    return {
        name: theirs.get(name, "") if (whole or request.POST.get(f"take-{name}")) == "theirs" else text
        for name, text in mine.items()
    }


def saved(record: Drafted, at: dt.datetime, **more: Any) -> JsonResponse:
    """Autosave's answer: {revision, saved_at} and whatever else the form shows."""
    return JsonResponse(
        {"revision": record.draft_revision, "saved_at": f"{clock.local(at):%H:%M:%S}", **more}
    )


def changed_elsewhere(record: Drafted, noun: str) -> JsonResponse:
    """Autosave's answer where another draft is stored: 409 {message}."""
    if record.draft is None:
        message = f"这份{noun}已在别处提交。"
    else:
        when = f"{clock.local(record.draft_saved_at):%H:%M:%S}" if record.draft_saved_at else ""
        message = f"{record.draft_saved_by} 在别处也修改了这份草稿（{when}）。"
    return JsonResponse({"message": message}, status=409)
