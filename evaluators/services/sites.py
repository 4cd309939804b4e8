"""Verbs on exam sites (考核站点, MOE 三(一)): publish conditions, apply, agree, file, return, refuse, end.

Instants are aware (UTC), days local. The evaluator has five working days from an application, then the
province as many from the evaluator's consent.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse

from accounts.models import Organization, PilotMembership, Role, User
from certificates.models import Certificate
from core import clock, events, notices
from core.attachments import attach
from core.workflow import NotNow
from evaluators.models import ExamSite, SchoolPlace, SiteCondition, SiteRule
from evaluators.permissions import (
    may_apply_for_sites,
    may_file_sites,
    may_publish_conditions,
    may_set_site_rule,
    why_not_before_filing,
)
from evaluators.workflow import SITE_CLAUSE
from evaluators.workflow import site as lifecycle
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.closing import people_of
from obligations.models import Obligation, ObligationKind, Outcome
from schools.models import School
from schools.services.duties import office

events.register(
    site_condition_published="公布考核站点条件",
    site_applied="申报考核站点",
    site_ending_asked="请求撤销考核站点",
    site_kept="不撤销考核站点",
    school_place_set="登记学校位置",
    site_rule_set="制定站点使用率规则",
)

REVIEW_WORKING_DAYS = 5
REVIEW_TIME = dt.time(18)
NO_BRANDS = (
    "不得以培训、考核、授牌等任何名义直接或变相要求试点院校购置指定品牌的设备设施、软件系统、课程资源及"
    f"相关服务（{SITE_CLAUSE}）。"
)
BY_THE_EVALUATOR = f"考核站点条件由证书的培训评价组织提出并向社会公布（{SITE_CLAUSE}）。"
BY_THE_SCHOOL = f"考核站点由试点院校对照条件自主申报（{SITE_CLAUSE}），由本校联系人办理。"
NO_CONDITION = f"培训评价组织还没有公布这个证书的考核站点条件（{SITE_CLAUSE}）。公布以后才能对照条件申报。"
CHANGED_CONDITION = "培训评价组织刚刚公布了新的条件。请对照新条件重新填写说明。"
ENDING_BY_THE_SCHOOL = "撤销站点的请求由设站学校的联系人提出。"
ANSWERED_BY_THE_OFFICE = "学校撤销站点的请求由省推进办答复。"
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


# --- Conditions


@transaction.atomic
def publish_condition(
    certificate: Certificate, *, text: str, minimum_places: int, by: User, at: dt.datetime
) -> SiteCondition:
    """Publish what sites must have from now on; the same words again change nothing.

    Raises PermissionDenied, ValidationError.
    """
    if not may_publish_conditions(by, certificate):
        raise PermissionDenied(BY_THE_EVALUATOR)
    if refusal := why_not_before_filing(certificate):
        raise ValidationError(refusal)
    # One certificate's conditions are published one after the other.
    Certificate.objects.select_for_update().get(pk=certificate.pk)
    before = SiteCondition.objects.filter(certificate=certificate).first()
    made = SiteCondition(
        certificate=certificate,
        text="\n".join(line.strip() for line in text.splitlines() if line.strip()),
        minimum_places=minimum_places,
        published_by=by,
        published_at=at,
    )
    made.full_clean()
    if before and (before.text, before.minimum_places) == (made.text, made.minimum_places):
        return before
    made.save()
    events.record(
        "site_condition_published",
        made,
        by=by,
        at=at,
        organization_id=certificate.owner_id,
        changes={
            "考核站点条件": [before.text if before else "", made.text],
            "最少考位": [before.minimum_places if before else "", made.minimum_places],
        },
    )
    return made


def current_condition(certificate: Certificate) -> SiteCondition | None:
    return SiteCondition.objects.filter(certificate=certificate).first()


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
    if refusal := why_not_apply(by, certificate, at):
        raise ValidationError(refusal)
    # One school's applications wait for each other, so that the same form sent twice meets the first.
    school = School.objects.select_for_update(of=("self",)).get(pk=by.organization_id)
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
    _ask_evaluator(site, at)
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
    values = {name: getattr(fresh, name) for name in (*FIELDS, "condition")}
    done = _perform("site_reapply", fresh, by=by, at=at, changes=changes, values=values)
    _attach(done, files, by, at)
    _ask_evaluator(done, at)
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
def agree(site: ExamSite, *, by: User, at: dt.datetime, comment: str = "") -> ExamSite:
    """The evaluator consents; the province is asked next. Raises NotNow, PermissionDenied."""
    done = _perform("site_agree", site, by=by, at=at, comment=comment)
    _answered(done, at)
    province = office()
    _owe(done, province, f"考核站点备案：{done}", at)
    text = (
        f"{done.certificate.owner}已同意{done.school}申报的考核站点“{done}”（{done.certificate}），请备案。"
    )
    _tell(done, {province.pk}, Role.OFFICE, text, at)
    _tell_school(done, f"本校申报的考核站点“{done}”，培训评价组织已同意，待省级备案。", at)
    return done


@lifecycle.verb("site_file")
@transaction.atomic
def file(site: ExamSite, *, by: User, at: dt.datetime, comment: str = "") -> ExamSite:
    """The province takes it on file: it is a site from now on. Raises NotNow, PermissionDenied."""
    done = _perform("site_file", site, by=by, at=at, comment=comment, values={"filed_at": at})
    _answered(done, at)
    text = f"考核站点“{done}”（{done.certificate}）已予以备案。"
    _tell_school(done, text, at)
    _tell_evaluator(done, text, at)
    return done


@lifecycle.verb("site_return")
@transaction.atomic
def send_back(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """To be mended by the school. Raises NotNow, PermissionDenied, ValidationError."""
    return _turn_down("site_return", site, comment, "退回修改", by=by, at=at)


@lifecycle.verb("site_refuse")
@transaction.atomic
def refuse(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """Not agreed to; the school may apply anew. Raises NotNow, PermissionDenied, ValidationError."""
    return _turn_down("site_refuse", site, comment, "不同意设站", by=by, at=at)


def _turn_down(
    action: str, site: ExamSite, comment: str, word: str, *, by: User, at: dt.datetime
) -> ExamSite:
    comment = _reason(comment)
    waited_for = ExamSite.objects.select_for_update().get(pk=site.pk).state
    values = {"returned_from": waited_for if action == "site_return" else ""}
    done = _perform(action, site, by=by, at=at, comment=comment, values=values)
    _answered(done, at)
    _tell_school(done, f"本校申报的考核站点“{done}”：{word}。{comment}", at)
    if waited_for == ExamSite.State.AGREED:
        _tell_evaluator(done, f"{done.school}的考核站点“{done}”，省级：{word}。{comment}", at)
    return done


@lifecycle.verb("site_withdraw")
@transaction.atomic
def withdraw(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """The school takes back what is not filed yet. Raises NotNow, PermissionDenied, ValidationError."""
    comment = _reason(comment)
    values = {"ended_at": at, "ended_on": clock.local(at).date(), "end_reason": comment}
    done = _perform("site_withdraw", site, by=by, at=at, comment=comment, values=values)
    _duties(done).pending().update(outcome=Outcome.EXEMPT, exempt_reason=WITHDRAWN)
    _tell_evaluator(done, f"{done.school}撤回了考核站点“{done}”的申报：{comment}", at)
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
    _owe(fresh, province, f"学校请求撤销考核站点：{fresh}", at)
    text = f"{fresh.school}请求撤销考核站点“{fresh}”（{fresh.certificate}）：{comment}"
    _tell(fresh, {province.pk}, Role.OFFICE, text, at)
    _tell_evaluator(fresh, text, at)
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
    _answered(fresh, at)
    _tell_school(fresh, f"考核站点“{fresh}”不撤销：{comment}", at)
    return fresh


@lifecycle.verb("site_end")
@transaction.atomic
def end(site: ExamSite, *, ended_on: dt.date, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """No site from `ended_on` on, a day not after today. Raises NotNow, PermissionDenied, ValidationError."""
    comment = _reason(comment)
    if ended_on > clock.local(at).date():
        raise ValidationError({"ended_on": "撤销日期还没有到，请到当天再办理。"})
    if site.filed_at and ended_on < clock.local(site.filed_at).date():
        raise ValidationError({"ended_on": f"撤销日期早于备案日期（{clock.local(site.filed_at).date()}）。"})
    values = {"ended_at": at, "ended_on": ended_on, "end_reason": comment}
    done = _perform("site_end", site, by=by, at=at, comment=comment, values=values)
    _answered(done, at)
    text = f"考核站点“{done}”（{done.certificate}）自 {ended_on} 起撤销：{comment}"
    _tell_school(done, text, at)
    _tell_evaluator(done, text, at)
    return done


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


# --- What is owed and told


def _duties(site: ExamSite) -> Any:
    return Obligation.objects.filter(kind=ObligationKind.SITE_REVIEW, key__startswith=f"site-{site.pk}-")


def _owe(site: ExamSite, organization: Organization, title: str, at: dt.datetime) -> None:
    """One more review; the site's row is locked, so that two are never owed for one step."""
    due_on = add_working_days(clock.local(at).date(), REVIEW_WORKING_DAYS)
    obligations.owe(
        organization=organization,
        kind=ObligationKind.SITE_REVIEW,
        key=f"site-{site.pk}-{_duties(site).count() + 1}",
        title=title[:120],
        opens_at=at,
        due_at=clock.at(due_on, REVIEW_TIME),
        link=reverse("sites:detail", args=[site.pk]),
    )


def _answered(site: ExamSite, at: dt.datetime) -> None:
    for duty in _duties(site).pending():
        obligations.fulfil(duty, received_at=at)


def _ask_evaluator(site: ExamSite, at: dt.datetime) -> None:
    _owe(site, site.certificate.owner, f"考核站点申报：{site}", at)
    _tell_evaluator(
        site, f"{site.school}申报考核站点“{site}”（{site.certificate}），请在五个工作日内答复。", at
    )


def _tell_school(site: ExamSite, text: str, at: dt.datetime) -> None:
    _tell(site, {site.school_id}, Role.SCHOOL_CONTACT, text, at)


def _tell_evaluator(site: ExamSite, text: str, at: dt.datetime) -> None:
    _tell(site, {site.certificate.owner_id}, Role.EVALUATOR, text, at)


def _tell(site: ExamSite, organizations: set[int], role: Role, text: str, at: dt.datetime) -> None:
    people = people_of(organizations, role)
    link, key = reverse("sites:detail", args=[site.pk]), f"site:{site.pk}:{site.state}:{at.timestamp()}"
    told = [notices.Message(person, key, text, link) for pk in organizations for person in people.get(pk, [])]
    notices.tell(told, at=at)


# --- Where schools lie; what counts as little used


@transaction.atomic
def set_place(*, fields: dict[str, Any], by: User, at: dt.datetime) -> SchoolPlace:
    """Where the school of `by` lies: `county`, `latitude`, `longitude`. Raises PermissionDenied,
    ValidationError."""
    if not may_apply_for_sites(by):
        raise PermissionDenied("学校位置由本校联系人登记。")
    # The school's row holds back a second first entry.
    School.objects.select_for_update(no_key=True).get(pk=by.organization_id)
    place = SchoolPlace.objects.filter(pk=by.organization_id).first()
    before = [str(place.county or ""), _position(place)] if place else ["", ""]
    place = place or SchoolPlace(school_id=by.organization_id)
    for name in ("county", "latitude", "longitude"):
        setattr(place, name, fields[name])
    place.full_clean(validate_unique=False)
    place.save()
    after = [str(place.county or ""), _position(place)]
    if after != before:
        labels = ("所在县（市、区）", "纬度，经度")
        changes = {label: list(pair) for label, *pair in zip(labels, before, after, strict=True)}
        events.record(
            "school_place_set",
            School.objects.get(pk=place.pk),
            by=by,
            at=at,
            organization_id=by.organization_id,
            changes=changes,
        )
    return place


def _position(place: SchoolPlace) -> str:
    return f"{place.latitude:f}，{place.longitude:f}" if place.latitude is not None else ""


@transaction.atomic
def set_rule(*, candidates_per_place: Decimal, by: User, at: dt.datetime) -> SiteRule:
    """Raises PermissionDenied, ValidationError."""
    if not may_set_site_rule(by):
        raise PermissionDenied("站点使用率规则由省推进办制定。")
    rule = SiteRule(candidates_per_place=candidates_per_place, set_by=by, set_at=at)
    rule.full_clean()
    before = SiteRule.threshold()
    rule.save()
    changes = {"每个考位的计划人数低于": [str(before), str(candidates_per_place)]}
    events.record("site_rule_set", rule, by=by, at=at, organization_id=by.organization_id, changes=changes)
    return rule
