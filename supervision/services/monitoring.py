"""The verb on monitoring points: a new turn takes over from the one before. Instants are UTC, days local."""

import datetime as dt
from collections.abc import Collection

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Role, User
from certificates.models import Certificate
from core import clock, events, notices
from core.templatetags.portal import day as day_words
from core.templatetags.portal import full_day
from supervision import monitoring, permissions
from supervision.models import MonitoringPoint, MonitoringTurn

events.register(monitoring_chosen="选定监测点", monitoring_cut="监测点提前轮换")


@transaction.atomic
def choose_points(
    *,
    certificate: Certificate,
    schools: Collection[int],
    starts_on: dt.date,
    ends_on: dt.date,
    reason: str,
    by: User,
    at: dt.datetime,
) -> MonitoringTurn:
    """The schools (keys) watched from `starts_on` to `ends_on`, both included; the turn before ends the day
    before. Raises PermissionDenied, ValidationError by field."""
    if not permissions.may_choose_points(by):
        raise PermissionDenied(f"监测点由省推进办选定（{monitoring.CLAUSE}，各地可参照执行）。")
    # Two officers at once: the second waits, and meets the first one's turn.
    certificate = Certificate.objects.select_for_update().get(pk=certificate.pk)
    if wrong := faults(
        certificate, schools=schools, starts_on=starts_on, ends_on=ends_on, reason=reason, at=at
    ):
        raise ValidationError(wrong)
    known = {each.pk: each for each in monitoring.candidates(certificate)}
    last = _last(certificate)
    proposed = {each.pk for each in monitoring.propose(known.values())}
    if last and last.ends_on >= starts_on:
        _cut(last, starts_on - dt.timedelta(days=1), by=by, at=at)
    turn = MonitoringTurn.objects.create(
        certificate=certificate,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason.strip(),
        chosen_by=by,
        chosen_at=at,
    )
    MonitoringPoint.objects.bulk_create(
        MonitoringPoint(turn=turn, organization_id=pk, is_proposed=pk in proposed)
        for pk in sorted(set(schools))
    )
    names = [each.name for pk, each in known.items() if pk in set(schools)]
    events.record(
        "monitoring_chosen",
        turn,
        by=by,
        at=at,
        organization_id=certificate.owner_id,
        changes={"院校": names, "自": starts_on.isoformat(), "至": ends_on.isoformat()},
        reason=turn.reason,
    )
    _tell(turn, at=at)
    return turn


def faults(
    certificate: Certificate,
    *,
    schools: Collection[int] | None,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    reason: str | None,
    at: dt.datetime,
) -> dict[str, str]:
    """What keeps a turn from being chosen, by field; None is not known and not judged."""
    wrong = {}
    if schools is not None and not schools:
        wrong["schools"] = "请至少选一所院校。"
    elif set(schools or ()) - {each.pk for each in monitoring.candidates(certificate)}:
        wrong["schools"] = "选了不在开展这个证书试点的院校，请刷新页面后再选。"
    if starts_on and (text := _wrong_start(certificate, starts_on, at)):
        wrong["starts_on"] = text
    if starts_on and ends_on and ends_on < starts_on:
        wrong["ends_on"] = "结束日期不能早于开始日期。"
    if reason is not None and not reason.strip():
        wrong["reason"] = "请写明怎样选定、为何轮换。"
    return wrong


def _wrong_start(certificate: Certificate, starts_on: dt.date, at: dt.datetime) -> str:
    if starts_on < clock.local(at).date():
        return "开始日期不能早于今天。"
    last = _last(certificate)
    if last and starts_on <= last.starts_on:
        return f"这个证书已有自{full_day(last.starts_on)}起的监测点，新一轮须晚于这一天开始。"
    return ""


def _last(certificate: Certificate) -> MonitoringTurn | None:
    return MonitoringTurn.objects.filter(certificate=certificate).order_by("-starts_on").first()


def _cut(turn: MonitoringTurn, ends_on: dt.date, *, by: User, at: dt.datetime) -> None:
    changes = {"至": [turn.ends_on.isoformat(), ends_on.isoformat()]}
    MonitoringTurn.objects.filter(pk=turn.pk).update(ends_on=ends_on)
    events.record("monitoring_cut", turn, by=by, at=at, organization_id=turn.organization_id, changes=changes)


def _tell(turn: MonitoringTurn, *, at: dt.datetime) -> None:
    schools = turn.points.values("organization")
    concerned = User.objects.active().filter(
        role__in=[*Role.of_a_school(), Role.EVALUATOR],
        organization__in=[*schools.values_list("organization", flat=True), turn.organization_id],
    )
    text = f"{turn.certificate.short_name}的监测点已选定，自{day_words(turn.starts_on)}至{day_words(turn.ends_on)}。"
    link = reverse("supervision:monitoring-turn", args=[turn.pk])
    notices.tell([notices.Message(user.pk, f"monitoring:{turn.pk}", text, link) for user in concerned], at=at)
