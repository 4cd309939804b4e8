"""What the tests of applications hand in: complete items, agreements, files."""

import datetime as dt

from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.attachments import attach
from core.tests.test_attachments import pdf
from schools.models import Agreement, AgreementParty, ApplicationItem, ItemFile, ItemMajor, School
from schools.tests.builders import office


def plan(name="试点工作方案.pdf", content=None):
    return SimpleUploadedFile(name, content or pdf())


def agreement_for(level, *schools: School, with_file=True, confirmed=True, **fields) -> Agreement:
    """Signed ten days ago for a year by the level's evaluator and these schools."""
    today, now, by = clock.today(), clock.now(), office()
    agreement = Agreement.objects.create(
        evaluator=level.certificate.owner,
        certificate_level=level,
        **{
            "fee": 200,
            "signed_on": today - dt.timedelta(days=10),
            "valid_until": today + dt.timedelta(days=365),
            "registered_by": by,
            "registered_at": now,
            **fields,
        },
    )
    said_yes = {"confirmed_at": now, "confirmed_by": by} if confirmed else {}
    for school in schools:
        AgreementParty.objects.create(agreement=agreement, school=school, **said_yes)
    if with_file:
        attach(target=agreement, upload=plan("协议.pdf"), by=by, at=now)
    return agreement


def add_plan(item: ApplicationItem) -> ItemFile:
    attachment = attach(target=item, upload=plan(), by=office(), at=clock.now())
    is_sent = item.state != ApplicationItem.State.DRAFT
    return ItemFile.objects.create(
        item=item, attachment=attachment, kind=ItemFile.Kind.PLAN, is_handed_in=is_sent
    )


def complete(item: ApplicationItem) -> ApplicationItem:
    """Give an item whatever the rules ask of its columns: nothing stands against its approval."""
    item.planned_new = item.planned_new or 40
    item.trainers, item.equipment, item.justification = 2, "实训室两间", "专业对口，师资具备"
    item.is_voluntary = item.is_no_condition = True
    if item.agreement_id is None:
        item.agreement = agreement_for(item.certificate_level, item.application.school)
    item.save()
    if not item.majors.exists():
        ItemMajor.objects.create(item=item, code="710202", name="计算机网络技术")
    if not item.files.filter(kind="plan", removed_at=None).exists():
        add_plan(item)
    return item


def filled(item: ApplicationItem, **changes: str) -> dict[str, str]:
    """The typed texts of a complete item."""
    agreement = changes.pop("agreement", None)
    if agreement is None:
        agreement = str(agreement_for(item.certificate_level, item.application.school).pk)
    return {
        "majors": "710202 计算机网络技术",
        "planned_new": "40",
        "carried_over": "",
        "trainers": "2",
        "equipment": "实训室两间",
        "justification": "专业对口，师资具备",
        "is_voluntary": "on",
        "is_no_condition": "on",
        "agreement": agreement,
        **changes,
    }
