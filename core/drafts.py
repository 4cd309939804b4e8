"""What people file: a draft that keeps whatever was typed, and immutable versions with their receipts.

A record that is filed is `Drafted` and has versions (related name `versions`); `current` is the one that
counts. A draft is not yet filed, so saving one (every few seconds) writes no event.
"""

import datetime as dt
import hashlib
import json
import secrets
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F

from core import clock
from core.models import AppendOnly
from core.workflow import NotNow

# Without I, L, O and U, which are misread on paper.
RECEIPT_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class DraftConflict(Exception):
    """Somebody, or another tab, saved this draft meanwhile; `record` holds what is stored now."""

    def __init__(self, record: "Drafted") -> None:
        super().__init__("draft changed")
        self.record = record


class ChangedSince(NotNow):
    """What would be handed in is no longer what was shown to whoever sends it."""

    def __init__(self) -> None:
        super().__init__(["您检查之后内容又被修改过，尚未提交。请再检查一次。"])


class Drafted(models.Model):
    """A record with one draft, {field name: text} as typed, valid or not; None: nothing waits to be sent.

    Where a draft holds personal data, override `draft` with an `EncryptedJSONField`.
    """

    draft = models.JSONField("草稿", null=True, blank=True)
    draft_revision = models.PositiveIntegerField("草稿修订号", default=0)
    draft_saved_at = models.DateTimeField("草稿保存时间", null=True, blank=True)
    draft_saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True

    def save_draft(self, *, typed: dict[str, Any], revision: int, by: Any, at: dt.datetime) -> None:
        """Keep what was typed, if the stored draft is still the one it was typed upon.

        Call it in a transaction. The same text again changes nothing. Raises DraftConflict.
        """
        self.refresh_from_db()
        if self.draft == typed:
            return
        # An update does not encrypt: the revision is claimed by one, the text then saved.
        claimed = type(self)._base_manager.filter(pk=self.pk, draft_revision=revision)
        if not claimed.update(draft_revision=F("draft_revision") + 1, draft_saved_at=at, draft_saved_by=by):
            self.refresh_from_db()
            if self.draft == typed:
                return
            raise DraftConflict(self)
        self.draft = typed
        self.save(update_fields=["draft"])
        self.refresh_from_db()

    def drop_draft(self, revision: int | None = None) -> None:
        """The draft goes, unless somebody has saved a newer one than `revision` (None: whichever it is).

        Any tab that still shows the old draft must meet a conflict, hence the new revision.
        """
        rows = type(self)._base_manager.filter(pk=self.pk)
        if revision is not None:
            rows = rows.filter(draft_revision=revision)
        rows.update(
            draft=None, draft_revision=F("draft_revision") + 1, draft_saved_at=None, draft_saved_by=None
        )
        self.refresh_from_db()


def require_read(record: Any, version: int | None, *, of: str) -> None:
    """Raises NotNow where `version`, the number of the one that was read, is not the current one; `of`: who
    hands in. Call it with the row locked."""
    if version is not None and record.current and record.current.number != version:
        raise NotNow(
            [f"您看的是第{version}版，{of}刚刚提交了第{record.current.number}版。请看过新版本再办理。"]
        )


class VersionQuerySet(models.QuerySet[Any]):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnly


class Version(models.Model):
    """One accepted submission, immutable, with its receipt.

    `content_hash` is the SHA-256 (hex) of the canonical JSON of `content`; `token` names the form that was
    sent, so that the same form sent twice finds the same version.
    """

    number = models.PositiveSmallIntegerField("版本")
    receipt = models.CharField("回执编号", max_length=32, unique=True)
    token = models.CharField("表单令牌", max_length=64)
    received_at = models.DateTimeField("收到时间")
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    content = models.JSONField("内容")
    content_hash = models.CharField("内容摘要", max_length=64)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.receipt

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)


def content_hash(content: dict[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON: keys sorted, no spaces, UTF-8."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def token_of(record: Drafted, content: dict[str, Any]) -> str:
    """Names draft and content of what is shown to be checked, so that sending it twice finds one receipt."""
    return f"{record.draft_revision}.{content_hash(content)[:48]}"


def new_receipt(model: type[models.Model], prefix: str, at: dt.datetime) -> str:
    """`ZB20201120-7F3K9Q`: the kind of filing, the province's day and thirty random bits."""
    while True:
        tail = "".join(secrets.choice(RECEIPT_LETTERS) for _ in range(6))
        receipt = f"{prefix}{clock.local(at):%Y%m%d}-{tail}"
        if not model._base_manager.filter(receipt=receipt).exists():
            return receipt
