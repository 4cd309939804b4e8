"""What an evaluator keeps up for a certificate level (MOE 二(四), 三(一)); its age is evidence."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from certificates.models import CertificateLevel
from core import clock, events
from core.attachments import attach
from core.models import Attachment
from core.templatetags.portal import full_day
from evaluators.models import Resource, levels_visible_to
from evaluators.permissions import may_keep_resources
from evaluators.services.teachers import told
from obligations.calendar import add_months

events.register(resource_updated="更新培训考核资源")

CLAUSE = "教职成厅函〔2019〕19号 二(四)、三(一)"
OWN_CERTIFICATES = "培训考核资源由证书的培训评价组织登记和更新。"
FIELDS = ("exam_scheme", "mock_exam", "textbook", "publisher", "banks", "updated_on")
# What clause 二(四) asks for.
CONTENTS = ("exam_scheme", "mock_exam", "textbook", "banks")
NOTHING = f"请至少填写考核方案、模拟考核、教材、免费题库或案例库中的一项，或上传资源文件；只有日期不算更新（{CLAUSE}）。"
OLD_AFTER_MONTHS = 12


def old_since(day: dt.date) -> dt.date:
    """What was last updated before this day is older than a year on `day`."""
    return add_months(day, -OLD_AFTER_MONTHS)


def age_state(updated_on: dt.date | None, day: dt.date) -> str:
    """`missing`, `old` (more than a year) or `fresh`."""
    if updated_on is None:
        return "missing"
    return "old" if updated_on < old_since(day) else "fresh"


def levels(user: User) -> QuerySet[CertificateLevel]:
    """The levels whose resources the user looks at, those without any too."""
    return levels_visible_to(user).select_related("certificate__owner", "resource")


@transaction.atomic
def keep(
    level: CertificateLevel, *, fields: dict[str, Any], files: Sequence[Any], by: User, at: dt.datetime
) -> Resource:
    """Enter or update; earlier words stay in the events. Raises PermissionDenied, ValidationError."""
    if not may_keep_resources(by, level.certificate):
        raise PermissionDenied(OWN_CERTIFICATES)
    # The level's row holds back a second first entry.
    CertificateLevel.objects.select_for_update().get(pk=level.pk)
    resource = Resource.objects.filter(pk=level.pk).first()
    last = resource and resource.updated_on
    before = {name: getattr(resource, name, "") for name in FIELDS}
    resource = resource or Resource(certificate_level=level)
    for name in FIELDS:
        setattr(resource, name, fields[name])
    resource.updated_by = by
    _require_valid(resource, last, at)
    _require_content(resource, files)
    resource.save()
    for upload in files:
        attach(target=resource, upload=upload, by=by, at=at)
    events.record(
        "resource_updated",
        resource,
        by=by,
        at=at,
        organization_id=level.certificate.owner_id,
        changes=told(resource, before, {name: fields[name] for name in FIELDS}),
    )
    return resource


def missing_of(resource: Resource) -> list[str]:
    """The labels of what is not entered for the level."""
    return [
        str(resource._meta.get_field(name).verbose_name) for name in CONTENTS if not getattr(resource, name)
    ]


def _require_content(resource: Resource, files: Sequence[Any]) -> None:
    if any(getattr(resource, name).strip() for name in CONTENTS) or files:
        return
    if resource._state.adding or not Attachment.objects.of(resource).exists():
        raise ValidationError(NOTHING)


def _require_valid(resource: Resource, before: dt.date | None, at: dt.datetime) -> None:
    resource.full_clean(validate_unique=False)
    if resource.updated_on > clock.local(at).date():
        raise ValidationError({"updated_on": "最近更新日期不能晚于今天。"})
    if before and resource.updated_on < before:
        raise ValidationError({"updated_on": f"不能早于已登记的最近更新日期（{full_day(before)}）。"})
    if resource.textbook and not resource.publisher:
        raise ValidationError(
            {"publisher": f"教材应由具备资质的出版单位正式出版（{CLAUSE}），请填写出版单位。"}
        )
