"""What a school does for an exam site (MOE 三(一)): apply, mend, withdraw. Instants are aware (UTC)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import PilotMembership, Role, User
from certificates.models import Certificate
from core import clock, events
from core.attachments import attach
from core.workflow import NotNow
from evaluators.models import ExamSite, SiteCondition
from evaluators.permissions import may_apply_for_sites, why_not_before_filing
from evaluators.services.site_conditions import current_condition
from evaluators.services.sites.duties import ask_evaluator, duties_of, tell, tell_evaluator
from evaluators.services.sites.steps import perform, required
from evaluators.workflow import SITE_CLAUSE
from evaluators.workflow import site as lifecycle
from obligations.models import Outcome
from schools.models import School
from schools.services.duties import office
from schools.services.schools import lock

events.register(site_applied="申报考核站点")

BY_THE_SCHOOL = f"考核站点由试点院校对照条件自主申报（{SITE_CLAUSE}），由本校联系人办理。"
NO_CONDITION = f"培训评价组织还没有公布这个证书的考核站点条件（{SITE_CLAUSE}）。公布以后才能对照条件申报。"
CHANGED_CONDITION = "培训评价组织刚刚公布了新的条件。请对照新条件重新填写说明。"
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
    done = perform("site_reapply", fresh, by=by, at=at, changes=changes, values=values)
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
    if "places" not in found and (text := too_few(site.places, condition)):
        found["places"] = [text]
    if len(site.statements) != len(condition.items) or not all(text.strip() for text in site.statements):
        found["statements"] = [f"请对照条件逐项说明（{SITE_CLAUSE}）。"]
    if found:
        raise ValidationError(found)


def too_few(places: int, condition: SiteCondition) -> str:
    """Why these are not enough; ""."""
    least = condition.minimum_places
    if places >= least:
        return ""
    return f"条件要求考位不少于 {least} 个，填的是 {places} 个。达到条件后再申报（{SITE_CLAUSE}）。"


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


@lifecycle.verb("site_withdraw")
@transaction.atomic
def withdraw(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """The school takes back what is not filed yet. Raises NotNow, PermissionDenied, ValidationError."""
    comment = required(comment)
    values = {"ended_at": at, "ended_on": clock.local(at).date(), "end_reason": comment}
    done = perform("site_withdraw", site, by=by, at=at, comment=comment, values=values)
    province, waiting = office(), duties_of(done).pending()
    is_asked = waiting.filter(organization=province).exists()
    waiting.update(outcome=Outcome.EXEMPT, exempt_reason=WITHDRAWN)
    text = f"{done.school}撤回了考核站点“{done}”（{done.certificate}）的申报，不用办理：{comment}"
    tell_evaluator(done, text, at)
    if is_asked:
        tell(done, {province.pk}, Role.OFFICE, text, at)
    return done
