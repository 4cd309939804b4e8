"""Filings of `world.certificate`, and the addresses of one, for tests."""

from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.models import Attachment
from core.tests.test_attachments import png
from evaluators import filing_content as shape
from evaluators.forms.filings import FilingForm
from evaluators.models import EvaluatorFiling
from evaluators.services import filings

# Invented: well made, of nobody.
ID_NUMBER = "140105198503171245"
ADDRESS = "太原市迎泽区演示路17号3单元402室"
PHONES = ["13911112222", "13955556666"]
TYPED = {
    "name": "负责人甲",
    "sex": "女",
    "birth_month": "1985-03",
    "phone": "13911112222",
    "email": "jia@example.cn",
    "id_number": ID_NUMBER,
    "address": ADDRESS,
    "introduction": "演示用的评价组织。",
    "promise": "on",
    "staff-0-name": "工作人员乙",
    "staff-0-phone": "13955556666",
    "staff-0-duty": "考务",
}


def picture(name="文件.png"):
    return SimpleUploadedFile(name, png())


def unfiled(world, name="另一演示职业技能等级证书"):
    """A certificate of the same evaluator for which nothing was filed."""
    return world.evaluator_org.certificates.create(name=name)


def draft(world, certificate=None, *, uploads=True, by=None, **changes):
    certificate = certificate or world.certificate
    record = EvaluatorFiling.objects.filter(pk=certificate.pk).first()
    stored = (
        (record.draft or (shape.typed_of(record.current.content) if record.current else {})) if record else {}
    )
    kept = {kind: stored.get(kind, "") for kind in shape.FILES}
    missing = [kind for kind in shape.REQUIRED_FILES if uploads and not kept[kind]]
    return filings.save_draft(
        certificate=certificate,
        typed={**shape.typed_from({**TYPED, **changes}), **kept},
        revision=record.draft_revision if record else 0,
        by=by or world.evaluator_officer,
        at=clock.now(),
        uploads={kind: [picture(f"{kind}.png")] for kind in missing},
    )


def submit(world, certificate=None, token="", **changes):
    certificate = certificate or world.certificate
    record = draft(world, certificate, **changes)
    files = {
        kind: list(Attachment.objects.filter(pk__in=shape.file_ids(record.draft, kind)))
        for kind in shape.FILES
    }
    form = FilingForm(record.draft, files=files, check=True)
    assert form.is_valid(), form.errors
    return filings.submit_filing(
        record,
        content=form.content(certificate),
        token=token or f"t{record.draft_revision}",
        by=world.evaluator_officer,
        at=clock.now(),
        draft_revision=record.draft_revision,
    )


def addresses(world):
    """URL name → its values."""
    receipt, pk = submit(world).receipt, world.certificate.pk
    charge = world.evaluator.charges.create(
        coordinator=world.coordinator, given_by=world.office, given_at=clock.now(), ended_at=clock.now()
    )
    of_the_certificate = ["detail", "edit", "draft", "staff-template", "check", "accept", "return", "refuse"]
    of_the_version = ["receipt", "version", "reveal", "scan"]
    return {
        **{f"evaluator-filings:{name}": pk for name in of_the_certificate},
        **{f"evaluator-filings:{name}": receipt for name in of_the_version},
        "evaluators:charge": world.evaluator.pk,
        "evaluators:charge-end": {"pk": world.evaluator.pk, "charge": charge.pk},
    }
