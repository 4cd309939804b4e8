"""What a submission writes: the facts of the items, and the immutable version of all of them."""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db.models import Case, F, Value, When

from accounts.models import User
from core import drafts, events
from schools import content as shape
from schools.eligibility import Standing
from schools.grounds import with_ground
from schools.models import Application, ApplicationItem, ApplicationVersion, ItemFile, ItemMajor

COLUMNS = (*shape.NUMBERS, *shape.TEXTS, *shape.TICKS)
State = ApplicationItem.State

events.register(application_submitted="提交申报")


def write(ready: Sequence[Standing]) -> None:
    """What was typed becomes what was handed in."""
    for standing in ready:
        item, facts = standing.item, standing.facts
        for name in COLUMNS:
            setattr(item, name, getattr(facts, name))
        item.agreement = standing.ground.agreement_of(item, facts)
    items = [standing.item for standing in ready]
    ApplicationItem.objects.bulk_update(items, [*COLUMNS, "agreement"])
    ItemMajor.objects.filter(item__in=items).delete()
    ItemMajor.objects.bulk_create(major for standing in ready for major in _majors(standing))
    files = ItemFile.objects.filter(item__in=items)
    files.update(is_handed_in=Case(When(removed_at=None, then=Value(True)), default=Value(False)))
    ApplicationItem.objects.filter(pk__in=[item.pk for item in items]).update(
        draft=None, draft_revision=F("draft_revision") + 1, draft_saved_at=None, draft_saved_by=None
    )


def _majors(standing: Standing) -> list[ItemMajor]:
    rows = {}
    for line in standing.facts.majors:
        major = standing.ground.major(line)
        named = standing.ground.named(line)
        rows[named] = ItemMajor(
            item=standing.item,
            major=major,
            code=named.code,
            name=named.name,
            catalogue=major.catalogue if major else "",
        )
    return list(rows.values())


def version(
    application: Application, sent: Collection[ApplicationItem], *, token: str, by: User, at: dt.datetime
) -> ApplicationVersion:
    """The whole application as it stands, with `sent` as what was handed in now."""
    content = _content(application, {item.pk for item in sent})
    content_hash = drafts.content_hash(content)
    if application.current and application.current.content_hash == content_hash:
        return application.current
    made = ApplicationVersion.objects.create(
        application=application,
        number=application.versions.count() + 1,
        receipt=drafts.new_receipt(ApplicationVersion, "SB", at),
        token=token,
        received_at=at,
        submitted_by=by,
        content=content,
        content_hash=content_hash,
    )
    application.current = made
    application.save(update_fields=["current"])
    events.record(
        "application_submitted",
        application,
        by=by,
        at=at,
        organization_id=application.school_id,
        changes={"回执": made.receipt, "版本": made.number, "内容摘要": content_hash},
    )
    return made


def _content(application: Application, sent: set[int]) -> shape.Content:
    """All that is handed in and not withdrawn, as it stands now; what was not sent now with its state."""
    rows = application.items.exclude(state__in=[State.DRAFT, State.WITHDRAWN])
    items = list(rows.select_related("agreement__evaluator").order_by("certificate_level"))
    with_ground(items, drafts=False)
    organization = application.school.organization
    return {
        "round": str(application.round),
        "school": organization.code,
        "name": organization.name,
        "items": [shape.content_of(item, shape.facts_of(item), item.agreement) for item in items],
        "others": {str(item.certificate_level_id): item.state for item in items if item.pk not in sent},
    }
