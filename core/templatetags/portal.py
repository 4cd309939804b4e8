"""How instants, states, histories and files are shown. Instants appear on the province's wall clock."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django import template
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core import clock
from core.models import Attachment, Event

register = template.Library()

WEEKDAYS = "一二三四五六日"
_ISO_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ISO_DAYS = re.compile(rf"{_ISO_DAY.pattern}(至{_ISO_DAY.pattern})?")

# state: (tone, letter, word). Colour never stands alone.
STATES: dict[str, tuple[str, str, str]] = {
    "pending": ("open", "待", "待报"),
    "on_time": ("good", "准", "按时"),
    "late": ("warn", "迟", "迟报"),
    "missed": ("bad", "缺", "未报"),
    "filled": ("kept", "补", "未报（已补报）"),
    "exempt": ("plain", "免", "免报"),
    "not_owed": ("plain", "止", "不再办理"),
    "excused": ("plain", "谅", "未报（已谅解）"),
    "flagged": ("bad", "案", "已触发"),
    "investigating": ("warn", "查", "调查核实"),
    "notified": ("warn", "告", "已告知"),
    "responded": ("open", "辩", "已陈述申辩"),
    "lapsed": ("warn", "逾", "逾期未陈述"),
    "rectifying": ("warn", "改", "限期整改"),
    "overdue": ("bad", "过", "整改逾期"),
    "decided": ("plain", "决", "已决定"),
    "coming": ("plain", "未", "尚未开始"),
    "open": ("open", "议", "待答复"),
    "upheld": ("good", "立", "成立"),
    "rejected": ("plain", "驳", "不成立"),
    "withdrawn": ("plain", "撤", "已撤回"),
    "draft": ("open", "稿", "草稿"),
    "submitted": ("good", "交", "已提交"),
    "first_reviewed": ("open", "审", "待审核"),
    "returned": ("warn", "退", "退回修改"),
    "approved": ("good", "批", "已批准"),
    "accepted": ("good", "备", "已备案"),
    "proposed": ("open", "商", "协商中"),
    "filed": ("good", "备", "已备案"),
    "refused": ("bad", "拒", "不予备案"),
    "applied": ("open", "申", "待评价组织同意"),
    "agreed": ("open", "同", "待省级备案"),
    "above_cap": ("bad", "高", "高于现行上限"),
    "asked": ("open", "询", "待提出意见"),
    "given": ("good", "复", "已提出意见"),
    "declined": ("plain", "避", "已回避"),
    "expiring": ("warn", "近", "即将到期"),
    "expired": ("bad", "过", "已到期"),
    "unconfirmed": ("open", "认", "待确认"),
    "valid": ("good", "效", "有效"),
    "terminated": ("plain", "终", "已终止"),
    "cancelled": ("plain", "取", "已取消"),
    "voided": ("plain", "废", "已作废"),
    "not_joined": ("plain", "否", "本校未参加"),
    "dormant": ("warn", "休", "休眠（无本年度计划）"),
    "active": ("good", "在", "在试点"),
    "ended": ("plain", "止", "已停止"),
    "queued": ("open", "排", "排队中"),
    "running": ("open", "行", "进行中"),
    "done": ("good", "完", "完成"),
    "failed": ("bad", "败", "失败"),
    "sent": ("good", "达", "已送达"),
    "given_up": ("bad", "弃", "未送达，已停止"),
    "dropped": ("plain", "免", "无需再发"),
}


def _day_words(day: dt.date) -> str:
    year = f"{day.year}年" if day.year != clock.today().year else ""
    return f"{year}{day.month}月{day.day}日（星期{WEEKDAYS[day.weekday()]}）"


@register.filter
def when(instant: dt.datetime | None) -> str:
    """`11月20日（星期五）18:00`, with the year if it is not the current one; nothing for nothing."""
    if not instant:
        return ""
    local = clock.local(instant)
    return f"{_day_words(local.date())}{local:%H:%M}"


@register.filter
def closing(instant: dt.datetime | None) -> str:
    """As `when`, of the instant at which something closes (half-open): midnight is the end of the day before,
    `5月24日（星期一）24:00`, which leaves nobody in doubt which night is meant; nothing for nothing."""
    if not instant:
        return ""
    local = clock.local(instant)
    if local.time() != dt.time():
        return when(instant)
    return f"{_day_words(local.date() - dt.timedelta(days=1))}24:00"


@register.filter
def exact(instant: dt.datetime | None) -> str:
    """`2020年11月20日 17:51:03`, as receipts say it; nothing for nothing."""
    return f"{clock.local(instant):%Y年%-m月%-d日 %H:%M:%S}" if instant else ""


@register.filter
def moment(instant: dt.datetime, beside: dt.datetime) -> str:
    """`18:00` on the day of `beside`, else `11月20日 18:00`."""
    local = clock.local(instant)
    return f"{local:%H:%M}" if local.date() == clock.local(beside).date() else f"{local:%-m月%-d日 %H:%M}"


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """`11月20日（星期五）` of a date, or of an instant in the province."""
    if not value:
        return ""
    return _day_words(clock.local(value).date() if isinstance(value, dt.datetime) else value)


@register.filter
def full_day(value: dt.date | dt.datetime | None) -> str:
    """`2020年11月20日` of a date, or of an instant in the province; nothing for nothing."""
    if not value:
        return ""
    local = clock.local(value) if isinstance(value, dt.datetime) else value
    return f"{local.year}年{local.month}月{local.day}日"


def _span(length: dt.timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    days, hours = minutes // 1440, minutes % 1440 // 60
    parts = [(days, "天"), (hours, "小时"), (minutes % 60, "分钟")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "不到1分钟"


@register.filter
def left(deadline: dt.datetime | None) -> str:
    """`还剩 2天3小时15分钟`, or `已过 …` from the deadline on."""
    if not deadline:
        return ""
    remaining = deadline - clock.now()
    if remaining > dt.timedelta():
        return f"还剩 {_span(remaining)}"
    return f"已过 {_span(-remaining)}"


@register.simple_tag
def state(value: str, label: str = "", short: bool = False) -> SafeString:
    """A badge of colour, letter and word. `label` replaces the word; `short` shows the letter, and keeps
    the word for screen readers and the pointer."""
    tone, letter, word = STATES.get(value, ("plain", "", value))
    word = label or word
    letter = letter or word[:1]
    if short:
        return format_html(
            '<span class="state state-short state-{}" title="{}"><b aria-hidden="true">{}</b>'
            '<span class="visually-hidden">{}</span></span>',
            tone,
            word,
            letter,
            word,
        )
    return format_html(
        '<span class="state state-{}"><b aria-hidden="true">{}</b>{}</span>', tone, letter, word
    )


@register.filter
def state_word(value: str) -> str:
    """The word for a state where its record is not at hand."""
    return STATES[value][2] if value in STATES else value


@register.filter
def told_state(event: Event, value: str) -> str:
    """The word for a state as `event` recorded it, in the words of the record that it is about: its
    `STATES_AFTER` ({action: word}) say it where the action tells more than the state."""
    model = ContentType.objects.get_for_id(event.target_type_id).model_class()
    after: dict[str, str] = getattr(model, "STATES_AFTER", {})
    if value == event.to_state and event.action in after:
        return after[event.action]
    states = getattr(model, "State", None)
    return str(states(value).label) if states and value in states.values else state_word(value)


@register.filter
def changed_fields(event: Event) -> list[tuple[str, str]]:
    """(label, `old → new`) of what an event changed; `changes` holds {field: [old, new]} or {field: value}."""
    model = event.target_type.model_class()
    labels = {field.name: str(field.verbose_name) for field in model._meta.fields} if model else {}
    return [
        (label, _change_words(change, closing if "截止" in label else when))
        for label, change in ((labels.get(name, name), change) for name, change in event.changes.items())
    ]


def _change_words(change: Any, told: Callable[[dt.datetime], str]) -> str:
    if isinstance(change, list) and len(change) == 2:
        return " → ".join("（空）" if value in (None, "") else _value_words(value, told) for value in change)
    if isinstance(change, list):
        return "、".join(_value_words(value, told) for value in change)
    return _value_words(change, told)


def _value_words(value: Any, told: Callable[[dt.datetime], str]) -> str:
    """Instants and days are kept as ISO 8601; instants are told on the province's wall clock, a day, or a
    first and a last one, as `full_day`."""
    text = str(value)
    if _ISO_INSTANT.fullmatch(text):
        return told(dt.datetime.fromisoformat(text))
    return _ISO_DAY.sub(_told_day, text) if _ISO_DAYS.fullmatch(text) else text


def _told_day(found: re.Match[str]) -> str:
    """What only looks like a day (a number typed as `2020-02-30`) stays as it is."""
    try:
        return full_day(dt.date.fromisoformat(found[0]))
    except ValueError:
        return found[0]


@register.inclusion_tag("core/timeline.html")
def timeline(obj: models.Model) -> dict[str, Any]:
    """Who did what when with `obj`, oldest first."""
    return {"events": Event.objects.about(obj).select_related("target_type")}


@register.inclusion_tag("core/files.html")
def files(obj: models.Model) -> dict[str, Any]:
    """The files of `obj`, each with its address."""
    return {"files": Attachment.objects.of(obj)}


@register.inclusion_tag("core/empty.html")
def empty(text: str, url: str = "", label: str = "") -> dict[str, str]:
    """What is shown where there is nothing yet, with the next step."""
    return {"text": text, "url": url, "label": label}
