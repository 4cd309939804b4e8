"""What a school puts into one item of its application until it is handed in: what is typed, files. Instants are
aware (UTC)."""

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.core.files import File
from django.db import transaction

from accounts.models import User
from core import attachments, events
from core.models import Attachment
from core.workflow import NotNow
from schools import content as shape
from schools import eligibility
from schools.models import Agreement, ApplicationItem, ItemFile
from schools.permissions import NOT_THE_APPLICANT, may_apply
from schools.rules import of_kind
from schools.services import duties

State = ApplicationItem.State

events.register(item_removed="移除申报项目", item_file_removed="移除申报材料")


@transaction.atomic
def save_item_draft(
    *, item: ApplicationItem, typed: shape.Typed, revision: int, by: User, at: dt.datetime
) -> ApplicationItem:
    """Keep what was typed, valid or not. Raises DraftConflict, PermissionDenied."""
    _may_fill_now(item, by, at)
    item.save_draft(typed=typed, revision=revision, by=by, at=at)
    return item


@transaction.atomic
def choose_agreement(*, item: ApplicationItem, agreement: Agreement, by: User, at: dt.datetime) -> None:
    """In the item's form, whatever was chosen there. Raises PermissionDenied."""
    item = _locked(item)
    typed = {**shape.typed_of(item), "agreement": str(agreement.pk)}
    save_item_draft(item=item, typed=typed, revision=item.draft_revision, by=by, at=at)


@transaction.atomic
def attach_item_file(
    *, item: ApplicationItem, upload: "File[bytes]", kind: str, by: User, at: dt.datetime
) -> ItemFile:
    """Keep a file with the item. There is one plan at a time: a new one replaces it, and the old stays on
    record (一证一方案); one that is there already is kept as it is: the form sends again what its script still
    uploads. Raises PermissionDenied, ValidationError."""
    item = _locked(item)
    _may_fill_now(item, by, at)
    alike = {
        file.attachment: file for file in item.files.kept().filter(kind=kind).select_related("attachment")
    }
    if there := attachments.same(upload, alike):
        return alike[there]
    if kind == ItemFile.Kind.PLAN:
        for old in alike.values():
            _take_off(old, by=by, at=at)
    # What was replaced or taken off stays on record, and must not use up the room of what counts.
    kept = item.files.kept().count()
    attachment = attachments.attach(target=item, upload=upload, by=by, at=at, counted=kept)
    return ItemFile.objects.create(item=item, attachment=attachment, kind=ItemFile.Kind(kind))


@transaction.atomic
def remove_item_file(*, file: ItemFile, by: User, at: dt.datetime) -> None:
    """Raises PermissionDenied."""
    _may_fill_now(_locked(file.item), by, at)
    file.refresh_from_db()
    if file.removed_at is None:
        _take_off(file, by=by, at=at)


def _locked(item: ApplicationItem) -> ApplicationItem:
    """The row as it is now: a file comes before the item is handed in, with its version, or not at all."""
    return ApplicationItem.objects.select_for_update(of=("self",)).get(pk=item.pk)


def _take_off(file: ItemFile, *, by: User, at: dt.datetime) -> None:
    file.removed_at = at
    file.save(update_fields=["removed_at"])
    events.record(
        "item_file_removed",
        file.item,
        by=by,
        at=at,
        organization_id=file.item.organization_id,
        changes={"文件": file.attachment.name, "SHA-256": file.attachment.sha256},
    )


@transaction.atomic
def remove_item(*, item: ApplicationItem, by: User, at: dt.datetime) -> None:
    """Throw a draft away, with its files. What was ever handed in stays on record, as do the opinions on it:
    it can only be withdrawn. Raises PermissionDenied, NotNow."""
    application = item.application
    if not may_apply(by, application.school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    duties.lock([application.pk])
    item = ApplicationItem.objects.select_for_update().get(pk=item.pk)
    if item.state != State.DRAFT or item.was_handed_in:
        raise NotNow([f"“{item}”已经提交过，不能移除；不再申报的，请撤回申报。"])
    events.record("item_removed", item, by=by, at=at, organization_id=application.school_id)
    files = list(Attachment.objects.of(item))
    item.delete()
    for file in files:
        attachments.discard(file)
    duties.withdrawn(application, by=by, at=at)


def _may_fill_now(item: ApplicationItem, by: User, at: dt.datetime) -> None:
    if not may_apply(by, item.application.school):
        raise PermissionDenied(NOT_THE_APPLICANT)
    if reasons := locked(item, at):
        raise PermissionDenied("；".join(reasons))


def locked(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why the item's form takes nothing now, each reason with what can be done; []."""
    if not eligibility.is_open(item):
        return [f"本项{_handed_in(item)}，不能再改。{_what_then(item, at)}"]
    of_the_school = of_kind(item.application.round, item.application.school)
    return [*of_the_school, *eligibility.closed(item, at)]


def _handed_in(item: ApplicationItem) -> str:
    if item.state in {State.SUBMITTED, State.FIRST_REVIEWED}:
        return f"已提交，{item.get_state_display()}"
    return f"是“{item.get_state_display()}”"


def _what_then(item: ApplicationItem, at: dt.datetime) -> str:
    if item.state in {State.SUBMITTED, State.FIRST_REVIEWED}:
        return "确需修改的，请联系审核部门退回，或撤回申报。"
    if item.state == State.WITHDRAWN:
        return "截止前要再申报的，在申报页面重新添加这个证书等级。"
    if item.state == State.REJECTED:
        return eligibility.after_rejection(item, at)
    return "有疑问的，请联系省推进办。"
