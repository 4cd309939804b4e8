"""Answers to an application for an exam site (MOE 三(一)): the evaluator consents, the province files, either
returns or refuses. Instants are aware (UTC).

The evaluator has five working days from an application, then the province as many from the consent.
"""

import datetime as dt

from django.db import transaction

from accounts.models import Role, User
from core.workflow import NotNow
from evaluators.models import ExamSite
from evaluators.services.sites.duties import answered, owe, tell, tell_evaluator, tell_school
from evaluators.services.sites.steps import perform, required
from evaluators.workflow import site as lifecycle
from schools.services.duties import office


@lifecycle.verb("site_agree")
@transaction.atomic
def agree(
    site: ExamSite, *, by: User, at: dt.datetime, comment: str = "", version: int | None = None
) -> ExamSite:
    """The evaluator consents; the province is asked next. `version`, of this and the other answers, is that of
    the application that was read: another one is not answered. Raises NotNow, PermissionDenied."""
    _require_read(site, version)
    done = perform("site_agree", site, by=by, at=at, comment=comment)
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
    done = perform("site_file", site, by=by, at=at, comment=comment, values={"filed_at": at})
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
    comment = required(comment)
    waited_for = ExamSite.objects.select_for_update().get(pk=site.pk).state
    values = {"returned_from": waited_for}
    done = perform(action, site, by=by, at=at, comment=comment, values=values)
    answered(done, at)
    tell_school(done, f"本校申报的考核站点“{done}”：{word}。{comment}", at)
    if waited_for == ExamSite.State.AGREED:
        tell_evaluator(done, f"{done.school}的考核站点“{done}”，省级：{word}。{comment}", at)
    return done
