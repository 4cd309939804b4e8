"""The end of an exam site: the school asks for it, the office ends or keeps it; what a school leaves behind that
is no longer in the pilot. Instants are aware (UTC), days local."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Organization, Role, User
from core import clock, events
from core.templatetags.portal import full_day
from core.workflow import NotNow
from evaluators.models import ExamSite
from evaluators.permissions import may_apply_for_sites, may_file_sites
from evaluators.services.sites.duties import answered, duties_of, owe, tell, tell_evaluator, tell_school
from evaluators.services.sites.steps import perform, required
from evaluators.workflow import site as lifecycle
from obligations.models import Outcome
from schools.services.duties import office
from schools.services.programmes import SCHOOL_LEFT

events.register(site_ending_asked="请求撤销考核站点", site_kept="不撤销考核站点")

ENDING_BY_THE_SCHOOL = "撤销站点的请求由设站学校的联系人提出。"
ANSWERED_BY_THE_OFFICE = "学校撤销站点的请求由省推进办答复。"
LEFT = "学校已退出试点，无需办理"


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
    comment = required(comment)
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
    comment = required(comment)
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
    comment = required(comment)
    if ended_on > clock.local(at).date():
        raise ValidationError({"ended_on": "撤销日期还没有到，请到当天再办理。"})
    if site.filed_at and ended_on < clock.local(site.filed_at).date():
        raise ValidationError({"ended_on": f"撤销日期早于备案日期（{full_day(site.filed_at)}）。"})
    values = {"ended_at": at, "ended_on": ended_on, "end_reason": comment}
    done = perform("site_end", site, by=by, at=at, comment=comment, values=values)
    answered(done, at)
    text = f"考核站点“{done}”（{done.certificate}）自{full_day(ended_on)}起撤销：{comment}"
    tell_school(done, text, at)
    tell_evaluator(done, text, at)
    return done


@lifecycle.verb("site_lapse")
@transaction.atomic
def lapse(site: ExamSite, *, comment: str, by: User, at: dt.datetime) -> ExamSite:
    """What is not filed yet of a school that has left the pilot. Raises NotNow, PermissionDenied,
    ValidationError."""
    comment = required(comment)
    values = {"ended_at": at, "ended_on": clock.local(at).date(), "end_reason": comment}
    done = perform("site_lapse", site, by=by, at=at, comment=comment, values=values)
    duties_of(done).pending().update(outcome=Outcome.EXEMPT, exempt_reason=LEFT)
    text = f"{done.school}的考核站点“{done}”（{done.certificate}），申报不再办理：{comment}"
    tell_school(done, text, at)
    tell_evaluator(done, text, at)
    return done


def standing_of(school_id: int) -> QuerySet[ExamSite]:
    """Its filed sites and open applications."""
    rows = ExamSite.objects.standing().filter(school=school_id)
    return rows.select_related("certificate").order_by("certificate", "pk")


@transaction.atomic
def end_all(*, organization: Organization, left_at: dt.datetime, by: User, at: dt.datetime) -> None:
    """Of a school that is out of the pilot from `left_at` on: its filed sites end that day, or when they were
    filed if that was later; its open applications go no further. Sites are seen by many: why the school left
    is not said there. Raises PermissionDenied."""
    for site in standing_of(organization.pk).select_for_update(of=("self",)):
        if site.state == ExamSite.State.FILED:
            last = max(left_at, site.filed_at or left_at)
            end(site, ended_on=clock.local(last).date(), comment=SCHOOL_LEFT, by=by, at=at)
        else:
            lapse(site, comment=SCHOOL_LEFT, by=by, at=at)


def ending_words(organization: Organization) -> list[str]:
    """What `end_all` would end now; of filed sites whether the city has another one for the certificate."""
    return [_ending_line(site) for site in standing_of(organization.pk).select_related("city")]


def _ending_line(site: ExamSite) -> str:
    if site.state != ExamSite.State.FILED:
        return f"考核站点申报：{site}（{site.certificate}），{site.get_state_display()}，不再办理"
    rest = ExamSite.objects.filed().filter(certificate=site.certificate_id, city=site.city_id)
    is_last = not rest.exclude(pk=site.pk).exists()
    return f"考核站点：{site}（{site.certificate}）" + (
        f"，撤销后{site.city}没有这个证书的站点" if is_last else ""
    )
