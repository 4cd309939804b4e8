"""What a site must have, published by the evaluator per certificate (MOE 三(一)). Instants are aware (UTC)."""

import datetime as dt

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction

from accounts.models import User
from certificates.models import Certificate
from core import events
from evaluators.models import SiteCondition
from evaluators.permissions import may_publish_conditions, why_not_before_filing
from evaluators.workflow import SITE_CLAUSE

events.register(site_condition_published="公布考核站点条件")

NO_BRANDS = (
    "不得以培训、考核、授牌等任何名义直接或变相要求试点院校购置指定品牌的设备设施、软件系统、课程资源及"
    f"相关服务（{SITE_CLAUSE}）。"
)
BY_THE_EVALUATOR = f"考核站点条件由证书的培训评价组织提出并向社会公布（{SITE_CLAUSE}）。"


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
