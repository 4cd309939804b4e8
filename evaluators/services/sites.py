"""Verbs on exam sites (考核站点, MOE 三(一)): apply, agree, file, return, refuse, end.

Instants are aware (UTC), days local. The evaluator has five working days from an application, then the
province as many from the evaluator's consent.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organization, PilotMembership, Role, User
from certificates.models import Certificate
from core import clock, events
from core.attachments import attach
from core.templatetags.portal import full_day
from core.workflow import NotNow
from evaluators.models import ExamSite, SiteCondition
from evaluators.permissions import may_apply_for_sites, may_file_sites, why_not_before_filing
from evaluators.services.site_conditions import current_condition
from evaluators.services.site_duties import (
    answered,
    ask_evaluator,
    duties_of,
    owe,
    tell,
    tell_evaluator,
    tell_school,
)
from evaluators.workflow import SITE_CLAUSE
from evaluators.workflow import site as lifecycle
from obligations.models import Outcome
from schools.models import School
from schools.services.duties import office
from schools.services.schools import lock

events.register(
    site_applied="申报考核站点",
    site_ending_asked="请求撤销考核站点",
    site_kept="不撤销考核站点",
)

BY_THE_SCHOOL = f"考核站点由试点院校对照条件自主申报（{SITE_CLAUSE}），由本校联系人办理。"
NO_CONDITION = f"培训评价组织还没有公布这个证书的考核站点条件（{SITE_CLAUSE}）。公布以后才能对照条件申报。"
CHANGED_CONDITION = "培训评价组织刚刚公布了新的条件。请对照新条件重新填写说明。"
ENDING_BY_THE_SCHOOL = "撤销站点的请求由设站学校的联系人提出。"
ANSWERED_BY_THE_OFFICE = "学校撤销站点的请求由省推进办答复。"
LEFT = "学校已退出试点，无需办理"
WITHDRAWN = "学校已撤回申报，无需办理"
FIELDS = (
    "name",
    "city",
    "county",
    "address",
    "latitude",
    "longitude",
    "places",
    "equipment",
    "statements",
)  # fmt: skip


# --- Applying


def why_not_apply(user: User, certificate: Certificate, at: dt.datetime) -> str:
    """The reason why the user's school may not apply now; ""."""
    if not may_apply_for_sites(user):
        return BY_THE_SCHOOL
    if not PilotMembership.objects.as_of(at).filter(organization=user.organization_id).exists():
        return f"本校现在不在试点院校名单中；考核站点由试点院校申报（{SITE_CLAUSE}）。"
    if refusal := why_not_before_filing(certificate):
        return refusal
    return "" if current_condition(certificate) else NO_CONDITION


@transaction.atomic
def apply(
    certificate: Certificate,
    *,
    fields: dict[str, Any],
    condition: SiteCondition,
    files: Sequence[Any],
    by: User,
    at: dt.datetime,
) -> ExamSite:
    """Apply for the school of `by` against `condition`; the same form sent again gives the site that is there.

    `fields`: FIELDS but `city`, which follows from the county or the school. Raises PermissionDenied,
    ValidationError by field.
    """
    if not may_apply_for_sites(by):
        raise PermissionDenied(BY_THE_SCHOOL)
    # One school's applications wait for each other, so that the same form sent twice meets the first, and for
    # its leaving the pilot, which may come a moment after `at`.
    school = School.objects.get(pk=by.organization_id)
    lock([school.pk])
    if refusal := why_not_apply(by, certificate, max(at, clock.now())):
        raise ValidationError(refusal)
    site = ExamSite(certificate=certificate, school=school, applied_by=by, applied_at=at)
    _fill(site, fields, condition)
    if twin := _twin(site):
        return twin
    _require_valid(site)
    site.save()
    events.record(
        "site_applied",
        site,
        by=by,
        at=at,
        organization_id=school.pk,
        to_state=site.state,
        changes={name: word for name, word in words_of(site).items() if word},
    )
    _attach(site, files, by, at)
    ask_evaluator(site, at)
    return site


@lifecycle.verb("site_reapply")
@transaction.atomic
def reapply(
    site: ExamSite,
    *,
    fields: dict[str, Any],
    condition: SiteCondition,
    files: Sequence[Any],
    by: User,
    at: dt.datetime,
) -> ExamSite:
    """Mend a returned one and apply again, against the condition of now; the evaluator looks at it anew.

    Raises PermissionDenied, NotNow, ValidationError.
    """
    fresh = ExamSite.objects.select_for_update().get(pk=site.pk)
    row = lifecycle.transition("site_reapply")
    if reason := row.forbids(by, fresh):
        raise PermissionDenied(reason)
    if missing := lifecycle.missing(row, fresh, at):
        raise NotNow(missing)
    before = words_of(fresh)
    _fill(fresh, fields, condition)
    _require_valid(fresh)
    changes = {name: [before[name], word] for name, word in words_of(fresh).items() if before[name] != word}
    values = {name: getattr(fresh, name) for name in (*FIELDS, "condition")} | {"version": fresh.version + 1}
    done = _perform("site_reapply", fresh, by=by, at=at, changes=changes, values=values)
    _attach(done, files, by, at)
    ask_evaluator(done, at)
    return done


def _fill(site: ExamSite, fields: dict[str, Any], condition: SiteCondition) -> None:
    for name in FIELDS:
        if name != "city":
            setattr(site, name, fields[name])
    site.condition = condition
    city = site.county.city if site.county else site.school.organization.city
    if city is None:
        raise ValidationError({"county": "本校还没有登记所在市，请选择站点所在的县（市、区）。"})
    site.city = city


def _require_valid(site: ExamSite) -> None:
    found: dict[str, list[str]] = {}
    try:
        site.full_clean(exclude=["statements"])
    except ValidationError as error:
        found |= error.message_dict
    condition = current_condition(site.certificate)
    if condition is None:
        raise ValidationError(NO_CONDITION)
    if condition != site.condition:
        raise ValidationError(CHANGED_CONDITION)
    if site.places < condition.minimum_places and "places" not in found:
        found["places"] = [
            f"条件要求考位不少于 {condition.minimum_places} 个，填的是 {site.places} 个。达到条件后再申报"
            f"（{SITE_CLAUSE}）。"
        ]
    if len(site.statements) != len(condition.items) or not all(text.strip() for text in site.statements):
        found["statements"] = [f"请对照条件逐项说明（{SITE_CLAUSE}）。"]
    if found:
        raise ValidationError(found)


def _twin(site: ExamSite) -> ExamSite | None:
    """The same application, still waiting for its first answer."""
    same = {name: getattr(site, name) for name in FIELDS}
    waiting = ExamSite.objects.filter(
        certificate=site.certificate, school=site.school, state=ExamSite.State.APPLIED
    )
    return waiting.filter(**same).first()


def _attach(site: ExamSite, files: Iterable[Any], by: User, at: dt.datetime) -> None:
    for upload in files:
        attach(target=site, upload=upload, by=by, at=at)


def words_of(site: ExamSite) -> dict[str, str]:
    """What an event keeps of an application, field by field, as people read it."""
    position = f"{site.latitude:f}，{site.longitude:f}" if site.latitude is not None else ""
    return {
        "站点名称": site.name,
        "所在市": str(site.city),
        "所在县（市、区）": str(site.county or ""),
        "地址": site.address,
        "纬度，经度": position,
        "考位": str(site.places),
        "设备与场地": site.equipment,
        "对照条件说明": "\n".join(f"{answer.item}：{answer.text}" for answer in site.answers),
    }


# --- Reviews


@lifecycle.verb("site_agree")
@transaction.atomic
def agree(
    site: ExamSite, *, by: User, at: dt.datetime, comment: str = "", version: int | None = None
) -> ExamSite:
    """The evaluator consents; the province is asked next. `version`, of this and the other answers, is that of
    the application that was read: another one is not answered. Raises NotNow, PermissionDenied."""
    _require_read(site, version)
    done = _perform("site_agree", site, by=by, at=at, comment=comment)
    answered(done, at)
    province = office()
    owe(done, province, f"考核站点备案：{done}", at)
    text = (
        f"{done.certificate.owner}已同意{done.school}申报的考核站点“{done}”（{done.certificate}），请备案。"
    )
    tell(done, {province.pk}, Role.OFFICE, text, at)
    tell_school(done, f"本校申报的考核站点“{done}”，培训评价组织已同意，待省级备案。", at)
    return done


@lifecycle.verb("site_file")
@transaction.atomic
def file(
    site: ExamSite, *, by: User, at: dt.datetime, comment: str = "", version: int | None = None
) -> ExamSite:
    """The province takes it on file: it is a site from now on. Raises NotNow, PermissionDenied."""
    _require_read(site, version)
    done = _perform("site_file", site, by=by, at=at, comment=comment, values={"filed_at": at})
    answered(done, at)
    text = f"考核站点“{done}”（{done.certificate}）已予以备案。"
    tell_school(done, text, at)
    tell_evaluator(done, text, at)
    return done


@lifecycle.verb("site_return")
@transaction.atomic
def send_back(
    site: ExamSite, *, comment: str, by: User, at: dt.datetime, version: int | None = None
) -> ExamSite:
    """To be mended by the school. Raises NotNow, PermissionDenied, ValidationError."""
    _require_read(site, version)
    return _turn_down("site_return", site, comment, "退回修改", by=by, at=at)


@lifecycle.verb("site_refuse")
@transaction.atomic
def refuse(
    site: ExamSite, *, comment: str, by: User, at: dt.datetime, version: int | None = None
) -> ExamSite:
    """Not agreed to; the school may apply anew. Raises NotNow, PermissionDenied, ValidationError."""
    _require_read(site, version)
    return _turn_down("site_refuse", site, comment, "不同意设站", by=by, at=at)


def _require_read(site: ExamSite, version: int | None) -> None:
    """Locks the row. Raises NotNow where the school has applied anew since `version` was read."""
    fresh = ExamSite.objects.select_for_update().get(pk=site.pk)
    if version is not None and fresh.version != version:
        raise NotNow(["学校刚刚修改并重新申报，您看的是修改前的内容。请看过新的申报再办理。"])


def _turn_down(
    action: str, site: ExamSite, comment: str, word: str, *, by: User, at: dt.datetime
) -> ExamSite:
    comment = _reason(comment)
    waited_for = ExamSite.objects.select_for_update().get(pk=site.pk).state
    values = {"returned_from": waited_for if action == "site_return" else ""}
    done = _perform(action, site, by=by, at=at, comment=comment, values=values)
    answered(done, at)
    tell_school(done, f"本校申报的考核站点“{done}”：{word}。{comment}", at)
    if waited_for == ExamSite.State.AGREED:
        tell_evaluator(done, f"{done.school}的考核站点“{done}”，省级：{word}。{comment}", at)
    return done


@lifecycle.verb("site_withdraw")
@transaction.atomic
def withdraw(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """The school takes back what is not filed yet. Raises NotNow, PermissionDenied, ValidationError."""
    comment = _reason(comment)
    values = {"ended_at": at, "ended_on": clock.local(at).date(), "end_reason": comment}
    done = _perform("site_withdraw", site, by=by, at=at, comment=comment, values=values)
    duties_of(done).pending().update(outcome=Outcome.EXEMPT, exempt_reason=WITHDRAWN)
    tell_evaluator(done, f"{done.school}撤回了考核站点“{done}”的申报：{comment}", at)
    return done


@lifecycle.verb("site_lapse")
@transaction.atomic
def lapse(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """What is not filed yet of a school that has left the pilot. Raises NotNow, PermissionDenied,
    ValidationError."""
    comment = _reason(comment)
    values = {"ended_at": at, "ended_on": clock.local(at).date(), "end_reason": comment}
    done = _perform("site_lapse", site, by=by, at=at, comment=comment, values=values)
    duties_of(done).pending().update(outcome=Outcome.EXEMPT, exempt_reason=LEFT)
    text = f"{done.school}的考核站点“{done}”（{done.certificate}），申报不再办理：{comment}"
    tell_school(done, text, at)
    tell_evaluator(done, text, at)
    return done


def why_not_ask_to_end(site: ExamSite) -> list[str]:
    if site.state != ExamSite.State.FILED:
        return [f"现在是“{site.get_state_display()}”，只有已备案的站点可以请求撤销。"]
    return ["本校已经提出过请求，由省推进办办理。"] if site.ending_asked_at else []


def why_not_keep(site: ExamSite) -> list[str]:
    is_asked = site.state == ExamSite.State.FILED and site.ending_asked_at
    return [] if is_asked else ["这个站点没有待答复的撤销请求。"]


@transaction.atomic
def ask_to_end(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """The school asks the office to end its site, once. Raises NotNow, PermissionDenied, ValidationError."""
    if not (may_apply_for_sites(by) and by.organization_id == site.school_id):
        raise PermissionDenied(ENDING_BY_THE_SCHOOL)
    comment = _reason(comment)
    fresh = ExamSite.objects.select_for_update().get(pk=site.pk)
    if reasons := why_not_ask_to_end(fresh):
        raise NotNow(reasons)
    fresh.ending_asked_at, fresh.ending_asked_reason = at, comment
    fresh.save(update_fields=["ending_asked_at", "ending_asked_reason"])
    events.record("site_ending_asked", fresh, by=by, at=at, organization_id=fresh.school_id, reason=comment)
    province = office()
    owe(fresh, province, f"学校请求撤销考核站点：{fresh}", at)
    text = f"{fresh.school}请求撤销考核站点“{fresh}”（{fresh.certificate}）：{comment}"
    tell(fresh, {province.pk}, Role.OFFICE, text, at)
    tell_evaluator(fresh, text, at)
    return fresh


@transaction.atomic
def keep(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """The office does not follow the school's request to end it. Raises NotNow, PermissionDenied,
    ValidationError."""
    if not may_file_sites(by):
        raise PermissionDenied(ANSWERED_BY_THE_OFFICE)
    comment = _reason(comment)
    fresh = ExamSite.objects.select_for_update().get(pk=site.pk)
    if reasons := why_not_keep(fresh):
        raise NotNow(reasons)
    fresh.ending_asked_at, fresh.ending_asked_reason = None, ""
    fresh.save(update_fields=["ending_asked_at", "ending_asked_reason"])
    events.record("site_kept", fresh, by=by, at=at, organization_id=fresh.school_id, reason=comment)
    answered(fresh, at)
    tell_school(fresh, f"考核站点“{fresh}”不撤销：{comment}", at)
    return fresh


@lifecycle.verb("site_end")
@transaction.atomic
def end(site: ExamSite, *, ended_on: dt.date, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """No site from `ended_on` on, a day not after today. Raises NotNow, PermissionDenied, ValidationError."""
    comment = _reason(comment)
    if ended_on > clock.local(at).date():
        raise ValidationError({"ended_on": "撤销日期还没有到，请到当天再办理。"})
    if site.filed_at and ended_on < clock.local(site.filed_at).date():
        raise ValidationError({"ended_on": f"撤销日期早于备案日期（{full_day(site.filed_at)}）。"})
    values = {"ended_at": at, "ended_on": ended_on, "end_reason": comment}
    done = _perform("site_end", site, by=by, at=at, comment=comment, values=values)
    answered(done, at)
    text = f"考核站点“{done}”（{done.certificate}）自{full_day(ended_on)}起撤销：{comment}"
    tell_school(done, text, at)
    tell_evaluator(done, text, at)
    return done


def standing_of(school_id: int) -> QuerySet[ExamSite]:
    """Its filed sites and open applications."""
    over = [ExamSite.State.REFUSED, ExamSite.State.ENDED]
    rows = ExamSite.objects.filter(school=school_id).exclude(state__in=over)
    return rows.select_related("certificate").order_by("certificate", "pk")


@transaction.atomic
def end_all(
    *, organization: Organization, left_at: dt.datetime, reason: str, by: User, at: dt.datetime
) -> None:
    """Of a school that is out of the pilot from `left_at` on: its filed sites end that day, or when they were
    filed if that was later; its open applications go no further. Raises PermissionDenied."""
    for site in standing_of(organization.pk).select_for_update(of=("self",)):
        if site.state == ExamSite.State.FILED:
            last = max(left_at, site.filed_at or left_at)
            end(site, ended_on=clock.local(last).date(), comment=reason, by=by, at=at)
        else:
            lapse(site, comment=reason, by=by, at=at)


def _reason(comment: str) -> str:
    if not comment.strip():
        raise ValidationError({"comment": "请写明原因。"})
    return comment.strip()


def _perform(
    action: str,
    site: ExamSite,
    *,
    by: User,
    at: dt.datetime,
    comment: str = "",
    changes: dict[str, Any] | None = None,
    values: dict[str, Any] | None = None,
) -> ExamSite:
    comment = comment.strip()
    done: ExamSite = lifecycle.perform(
        action,
        site,
        by=by,
        at=at,
        comment=comment,
        changes=changes,
        values={"review_comment": comment, **(values or {})},
        organization_id=site.school_id,
    )
    return done
