"""Who owes an answer to an application for an exam site, and who is told of it. Instants are aware (UTC)."""

import datetime as dt
from typing import Any

from django.urls import reverse

from accounts.models import Organization, Role
from core import clock, notices
from evaluators.models import ExamSite
from obligations import services as obligations
from obligations.calendar import add_working_days
from obligations.closing import people_of
from obligations.models import Obligation, ObligationKind

REVIEW_WORKING_DAYS = 5
REVIEW_TIME = dt.time(18)


def duties_of(site: ExamSite) -> Any:
    return Obligation.objects.filter(kind=ObligationKind.SITE_REVIEW, key__startswith=f"site-{site.pk}-")


def owe(site: ExamSite, organization: Organization, title: str, at: dt.datetime) -> None:
    """One more review; the site's row is locked, so that two are never owed for one step."""
    due_on = add_working_days(clock.local(at).date(), REVIEW_WORKING_DAYS)
    obligations.owe(
        organization=organization,
        kind=ObligationKind.SITE_REVIEW,
        key=f"site-{site.pk}-{duties_of(site).count() + 1}",
        title=title[:120],
        opens_at=at,
        due_at=clock.at(due_on, REVIEW_TIME),
        link=reverse("sites:detail", args=[site.pk]),
    )


def answered(site: ExamSite, at: dt.datetime) -> None:
    for duty in duties_of(site).pending():
        obligations.fulfil(duty, received_at=at)


def ask_evaluator(site: ExamSite, at: dt.datetime) -> None:
    owe(site, site.certificate.owner, f"考核站点申报：{site}", at)
    tell_evaluator(
        site, f"{site.school}申报考核站点“{site}”（{site.certificate}），请在五个工作日内答复。", at
    )


def tell_school(site: ExamSite, text: str, at: dt.datetime) -> None:
    tell(site, {site.school_id}, Role.SCHOOL_CONTACT, text, at)


def tell_evaluator(site: ExamSite, text: str, at: dt.datetime) -> None:
    tell(site, {site.certificate.owner_id}, Role.EVALUATOR, text, at)


def tell(site: ExamSite, organizations: set[int], role: Role, text: str, at: dt.datetime) -> None:
    people = people_of(organizations, role)
    link, key = reverse("sites:detail", args=[site.pk]), f"site:{site.pk}:{site.state}:{at.timestamp()}"
    told = [notices.Message(person, key, text, link) for pk in organizations for person in people.get(pk, [])]
    notices.tell(told, at=at)
