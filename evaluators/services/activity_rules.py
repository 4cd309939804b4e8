"""What an activity must keep to be filed (SX 三.8, MOE 一(二), 二(二)): asked by the services, and by the form, so
that all that is at fault is told at once. Instants are aware (UTC)."""

import datetime as dt
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from core import clock
from evaluators.models import Activity, Trainer, TrainingRule
from evaluators.permissions import why_not_before_filing

CLAUSE = "晋教职成〔2020〕9号 三.8；教职成厅函〔2019〕19号 一(二)"
NO_PLAN = f"请上传活动方案材料：活动方案须提前备案（{CLAUSE}）。"
FEE_CLAUSE = "教职成厅函〔2019〕19号 二(二)：有关收费标准参考国家和地方关于教师培训的规定，结合实际合理确定"
NO_EXTRA_FEE = (
    "不得另立名目额外收取培训师、考评员考核认证等其他费用（教职成厅函〔2019〕19号 二(二)），不能备案。"
    "请取消该项收费后再备案。"
)
PLAIN = (
    "kind",
    "title",
    "plan",
    "is_online",
    "place",
    "city",
    "starts_at",
    "ends_at",
    "places",
    "fee",
    "fee_basis",
    "fee_reason",
)
MANY = ("cities", "schools", "trainers")


def fill(activity: Activity, fields: dict[str, Any]) -> None:
    """Set PLAIN; a reason stays only where the fee is above the reference."""
    for name in PLAIN:
        setattr(activity, name, fields[name])
    activity.fee = activity.fee or Decimal(0)
    activity.fee_basis = (activity.fee_basis or "").strip()
    activity.fee_reason = (activity.fee_reason or "").strip() if is_above_reference(activity) else ""


def faults(
    activity: Activity,
    fields: dict[str, Any],
    *,
    extra_fee: bool,
    at: dt.datetime,
    begins: dt.datetime | None = None,
    unread: Collection[str] = (),
) -> dict[str, list[str]]:
    """What keeps `activity`, filled with `fields` (PLAIN and MANY), from being filed, by field.

    `extra_fee`: whether certifying trainers or examiners costs extra. `begins`: its start as it stands on file.
    `unread`: fields of which nothing is known, None among `fields`; they are not judged.
    """
    found: dict[str, list[str]] = {}
    try:
        activity.full_clean(exclude=unread)
    except ValidationError as error:
        found = {name: list(map(str, texts)) for name, texts in error.message_dict.items()}
    for name, text in _rules(activity, fields, extra_fee=extra_fee):
        found.setdefault(name, []).append(text)
    if begins is not None and (text := _moved(activity, begins, at)):
        found.setdefault("starts_at", []).append(text)
    return {name: texts for name, texts in found.items() if name not in unread}


def _rules(activity: Activity, fields: dict[str, Any], *, extra_fee: bool) -> Iterable[tuple[str, str]]:
    if activity.certificate_id and (refusal := why_not_before_filing(activity.certificate)):
        yield "certificate", refusal
    if extra_fee:
        yield "extra_fee", NO_EXTRA_FEE
    if activity.fee > 0 and not activity.fee_basis:
        yield (
            "fee_basis",
            f"收费的活动须写明收费依据（{FEE_CLAUSE}）。没有依据的不能收费，请补写依据，或把收费改为 0。",
        )
    if is_above_reference(activity) and not activity.fee_reason:
        yield "fee_reason", f"{fee_reference(activity)}请说明理由，或把收费降到参考标准以内（{FEE_CLAUSE}）。"
    if not activity.is_online and activity.city_id is None:
        yield "city", "线下举行的活动请选择所在市。"
    if fields["cities"] and fields["schools"]:
        yield "schools", "面向的市和面向的院校只填一项：指定了院校的，只面向这些院校。"
    for trainer in _strangers(activity, fields["trainers"] or []):
        yield "trainers", f"{trainer}不在本组织的培训专家团队中，请先登记。"
    taken = activity.sign_ups.active().count() if activity.pk else 0
    if activity.places is not None and activity.places < taken:
        yield "places", f"已有 {taken} 人报名，名额不能少于它。"


def _strangers(activity: Activity, trainers: Iterable[Trainer]) -> list[Trainer]:
    """Who is not of the own team; who has left stays on the activities on which he or she already stands."""
    kept = set(activity.trainers.values_list("pk", flat=True)) if activity.pk else set()
    return [
        trainer
        for trainer in trainers
        if trainer.evaluator_id != activity.evaluator_id
        or (trainer.left_on is not None and trainer.pk not in kept)
    ]


def _moved(activity: Activity, begins: dt.datetime, at: dt.datetime) -> str:
    """What has begun keeps its start, and nothing is moved to a time that has passed: either would hide that
    it was not filed in advance."""
    if activity.starts_at in (None, begins):
        return ""
    if at >= begins:
        return "活动已经开始，开始时间不能再改（晋教职成〔2020〕9号 三.8）。"
    if activity.starts_at <= at:
        return "改后的开始时间已过。活动须提前备案（晋教职成〔2020〕9号 三.8）。"
    return ""


# --- The fee of a training beside the province's rule: a reference (MOE 二(二)), not a cap


def days_of(activity: Activity) -> int:
    """Local days that it touches; one that ends at midnight does not touch the next."""
    last = clock.local(activity.ends_at - dt.timedelta(microseconds=1)).date()
    return (last - clock.local(activity.starts_at).date()).days + 1


def _rule_for(activity: Activity) -> TrainingRule:
    """The rule on the day of its start; an empty one for what is no training with a fee."""
    timed = activity.starts_at and activity.ends_at and activity.starts_at < activity.ends_at
    if activity.kind != Activity.Kind.TRAINING or not activity.fee or not timed:
        return TrainingRule()
    return TrainingRule.objects.on(clock.local(activity.starts_at).date())


def is_above_reference(activity: Activity) -> bool:
    """Dearer than the province's rule names for so many days: allowed, with a reason."""
    per_day = _rule_for(activity).fee_per_day
    return per_day is not None and activity.fee > per_day * days_of(activity)


def fee_reference(activity: Activity) -> str:
    """How the fee of a training stands to the province's rule on the day of its start, in words; "" where
    there is neither a fee nor a rule."""
    rule = _rule_for(activity)
    named = "，".join(filter(None, [rule.fee_rule, rule.document]))
    if rule.fee_per_day is None:
        return f"本省教师培训收费规定：{named}。" if named else ""
    days = days_of(activity)
    most = rule.fee_per_day * days
    return (
        f"{days} 天参考标准 {most:.2f} 元/人（{rule.fee_per_day:.2f} 元/人·天；{named or '本省师资培训规则'}），"
        f"收费{'高于' if activity.fee > most else '不高于'}参考标准。"
    )
