"""Evaluators' filings: versions and receipts, review and renewal, the duty and its edges, personal data unseen."""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Organization
from core import clock
from core.drafts import DraftConflict
from core.models import Attachment, Event, Notice
from core.personal import check_digit
from core.tests.test_attachments import docx
from core.workflow import NotNow
from evaluators import filing_content as shape
from evaluators.forms.filings import FilingForm
from evaluators.models import EvaluatorFiling, EvaluatorFilingVersion
from evaluators.permissions import has_filing
from evaluators.services import charges, filings
from evaluators.services.filings import owing
from evaluators.tests.filed import ADDRESS, ID_NUMBER, PHONES, TYPED, draft, picture, submit, unfiled
from obligations.models import Obligation


def problems(**changes: str):
    files = {kind: [object()] for kind in shape.REQUIRED_FILES}
    form = FilingForm(shape.typed_from({**TYPED, **changes}), files=files, check=True)
    return {} if form.is_valid() else form.errors


def test_a_submission_is_a_version_with_its_receipt(world):
    certificate = unfiled(world)
    version = submit(world, certificate, token="one")
    assert re.fullmatch(r"PJ20201118-[0-9A-Z]{6}", version.receipt)
    content = version.content
    assert (version.number, content["id_number"], content["address"]) == (1, ID_NUMBER, ADDRESS)
    assert (content["certificate"], content["organization"]) == (certificate.name, "演示评价组织")
    assert content["staff"] == [{"name": "工作人员乙", "phone": "13955556666", "duty": "考务"}]
    assert content["promise"] == shape.PROMISE_TEXT
    assert [content[kind][0]["name"] for kind in shape.REQUIRED_FILES] == [
        "letter.png",
        "plan.png",
        "agreement.png",
    ]
    record = EvaluatorFiling.objects.get(pk=certificate.pk)
    assert (record.state, record.current, record.accepted, record.draft) == ("submitted", version, None, None)
    for token in ("one", "other"):
        again = filings.submit_filing(
            record, content=content, token=token, by=world.evaluator_officer, at=clock.now()
        )
        assert again == version
    assert record.versions.count() == 1


def test_what_was_accepted_stays_on_file_while_the_new_person_is_under_review(world):
    certificate = unfiled(world)
    first = submit(world, certificate)
    record = first.filing
    assert not has_filing(certificate)
    filings.accept_filing(record, by=world.office, at=clock.now())
    assert has_filing(certificate)
    second = submit(world, certificate, name="负责人丁")
    for answer in (filings.return_filing, filings.refuse_filing):
        record.refresh_from_db()
        assert (record.current, record.accepted, record.state) == (second, first, "submitted")
        answer(record, comment="授权函不清楚", by=world.office, at=clock.now())
        record.refresh_from_db()
        assert record.accepted == first
        assert has_filing(certificate)
        second = submit(world, certificate, introduction=f"改过：{answer.__name__}", name="负责人丁")
    filings.accept_filing(record, by=world.office, at=clock.now())
    record.refresh_from_db()
    assert (record.state, record.accepted) == ("accepted", second)
    with pytest.raises(NotNow):
        filings.refuse_filing(record, comment="迟了", by=world.office, at=clock.now())


def test_a_refused_first_filing_is_no_filing(world):
    certificate = unfiled(world)
    record = submit(world, certificate).filing
    with pytest.raises(ValidationError):
        filings.refuse_filing(record, comment=" ", by=world.office, at=clock.now())
    filings.refuse_filing(record, comment="未获总部授权", by=world.office, at=clock.now())
    assert not has_filing(certificate)
    assert submit(world, certificate, introduction="补了授权").number == 2


def test_only_the_owner_files_and_only_the_office_decides(world):
    other = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    stranger = world.add_user("evaluator", other, "stranger")
    for who in (stranger, world.office, world.coordinator, world.contact, world.learner):
        with pytest.raises(PermissionDenied, match=r"三\.8"):
            draft(world, by=who)
    record = submit(world).filing
    for who in (world.evaluator_officer, world.coordinator, world.finance, world.auditor, world.city_officer):
        for answer in (filings.accept_filing, filings.return_filing, filings.refuse_filing):
            with pytest.raises(PermissionDenied):
                answer(record, comment="x", by=who, at=clock.now())


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id_number": "140105850317124"}, "id_number", "15 位"),
        ({"id_number": ID_NUMBER[:-1] + "3"}, "id_number", "校验位"),
        ({"sex": "男"}, "sex", "不一致"),
        ({"birth_month": "1985-04"}, "birth_month", "不一致"),
        ({"birth_month": "1985年3月"}, "birth_month", "1985-03"),
        ({"address": ""}, "address", "现住址"),
        ({"promise": ""}, "promise", "承诺"),
        ({"staff-0-name": ""}, "staff-0-name", "第 1 位"),
        ({"staff-0-phone": "123"}, "staff-0-phone", "手机号"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(world, changes, field, words):
    found = problems(**changes)
    assert list(found) == [field]
    assert words in str(found[field])


def test_the_number_is_taken_as_typed_with_spaces_and_a_small_x(world):
    number = next(
        first + "X"
        for first in (f"14010519850317{n:03d}" for n in range(0, 999, 2))
        if check_digit(first) == "X"
    )
    assert problems(id_number=f" {number[:6]} {number[6:14]} {number[14:].lower()}") == {}


def test_files_that_were_not_filed_go_and_those_of_versions_stay(world):
    first = submit(world)
    letter = first.content["letter"][0]["id"]
    record = draft(world)
    stored = Attachment.objects.get(pk=letter).file
    typed = {**record.draft, "letter": ""}
    record = filings.save_draft(
        certificate=world.certificate,
        typed=typed,
        revision=record.draft_revision,
        by=world.evaluator_officer,
        at=clock.now(),
        uploads={"letter": [picture("新授权函.png")]},
    )
    fresh = record.draft["letter"]
    filings.save_draft(
        certificate=world.certificate,
        typed={**record.draft, "letter": ""},
        revision=record.draft_revision,
        by=world.evaluator_officer,
        at=clock.now(),
    )
    assert not Attachment.objects.filter(pk=fresh).exists()
    assert Attachment.objects.filter(pk=letter).exists()
    assert stored.storage.exists(stored.name)


def test_a_file_that_the_draft_names_already_is_taken_once(world):
    record = draft(world)
    again = filings.save_draft(
        certificate=world.certificate,
        typed=record.draft,
        revision=record.draft_revision,
        by=world.evaluator_officer,
        at=clock.now(),
        uploads={"letter": [picture("letter.png")]},
    )
    assert again.draft == record.draft
    assert Attachment.objects.of(record).filter(name="letter.png").count() == 1


def test_two_tabs_do_not_overwrite_each_other(world):
    draft(world)
    with pytest.raises(DraftConflict):
        filings.save_draft(
            certificate=world.certificate,
            typed={"name": "另一份"},
            revision=0,
            by=world.evaluator_officer,
            at=clock.now(),
        )


# --- The duty


def owed(certificate):
    return filings.duties(certificate)


def test_it_is_owed_one_month_after_the_portal_saw_that_it_runs(world):
    """Seen on 31 October, which November has not: due until the end of the 30th."""
    certificate = unfiled(world)
    world.add_programme(world.school, certificate.levels.create(level=1))
    world.at("2020-10-31T10:00:00+08:00")
    assert filings.owe_filings(at=clock.now()) == 1
    world.at("2020-11-18T10:00:00+08:00")
    assert filings.owe_filings(at=clock.now()) == 0
    duty = owed(certificate).get()
    assert duty.key == str(certificate.pk)
    assert duty.due_at == dt.datetime.fromisoformat("2020-12-01T00:00:00+08:00")
    assert {n.recipient for n in Notice.objects.filter(text__contains="附件3")} == {world.evaluator_officer}


@pytest.mark.parametrize(
    ("early_by", "outcome"), [(dt.timedelta(microseconds=1), "on_time"), (dt.timedelta(), "late")]
)
def test_late_is_accepted_and_marked_from_the_due_instant_on(world, early_by, outcome):
    certificate = unfiled(world)
    world.add_programme(world.school, certificate.levels.create(level=1))
    filings.owe_filings(at=clock.now())
    duty = owed(certificate).get()
    assert duty.due_at == dt.datetime.fromisoformat("2020-12-19T00:00:00+08:00")
    world.at(duty.due_at - early_by)
    submit(world, certificate)
    duty.refresh_from_db()
    assert duty.outcome == outcome


def test_nobody_owes_for_what_does_not_run_here_or_was_filed(world):
    certificate = unfiled(world)
    assert filings.owe_filings(at=clock.now()) == 0
    programme = world.add_programme(world.school, certificate.levels.create(level=1))
    programme.ended_at = clock.now()
    programme.save()
    assert filings.owe_filings(at=clock.now()) == 0
    assert not Obligation.objects.filter(kind="evaluator_filing").exists()


def test_what_was_filed_between_the_sweeps_reading_and_its_writing_is_not_owed(world, monkeypatch):
    certificate = unfiled(world)
    world.add_programme(world.school, certificate.levels.create(level=1))
    owe = owing._owe

    def late(read, *, at):
        submit(world, certificate)
        return owe(read, at=at)

    monkeypatch.setattr(owing, "_owe", late)
    assert filings.owe_filings(at=clock.now()) == 0
    assert not owed(certificate).exists()


def test_what_runs_no_more_is_not_owed_and_owed_anew_when_it_runs_again(world):
    certificate = unfiled(world)
    programme = world.add_programme(world.school, certificate.levels.create(level=1))
    filings.owe_filings(at=clock.now())
    programme.ended_at = clock.now()
    programme.save()
    assert filings.owe_filings(at=clock.now()) == 0
    duty = owed(certificate).get()
    assert (duty.outcome, duty.exempt_reason) == ("exempt", filings.NOT_RUNNING)
    assert Event.objects.filter(action="evaluator_filing_not_owed").count() == 1
    world.at("2021-01-20T10:00:00+08:00")
    world.add_programme(world.other_school, certificate.levels.get())
    assert [filings.owe_filings(at=clock.now()) for _ in range(2)] == [1, 0]
    duty = owed(certificate).get()
    assert (duty.outcome, duty.due_at) == ("pending", dt.datetime.fromisoformat("2021-02-21T00:00:00+08:00"))
    assert Notice.objects.filter(text__contains="附件3").count() == 2


def test_a_long_name_is_cut_in_the_titles_of_duties(world):
    certificate = unfiled(world, name="长" * 115)
    world.add_programme(world.school, certificate.levels.create(level=1))
    filings.owe_filings(at=clock.now())
    filings.return_filing(submit(world, certificate).filing, comment="改", by=world.office, at=clock.now())
    assert [len(duty.title) for duty in owed(certificate)] == [120, 120]


def test_a_scan_of_another_kind_leaves_no_file(world):
    version = submit(world)
    kept = set(Path(settings.MEDIA_ROOT).rglob("*.bin"))
    with pytest.raises(ValidationError, match="扫描件请用"):
        filings.attach_scan(
            version, upload=SimpleUploadedFile("表.docx", docx()), by=world.office, at=clock.now()
        )
    assert set(Path(settings.MEDIA_ROOT).rglob("*.bin")) == kept


def test_a_number_in_the_name_of_a_file_is_kept_nowhere(world):
    filings.attach_scan(submit(world), upload=picture(f"{ID_NUMBER}.png"), by=world.office, at=clock.now())
    assert Attachment.objects.filter(name="140_1245.png").exists()
    recorded = Event.objects.filter(action="file_attached").values_list("changes", flat=True)
    assert ID_NUMBER not in str(list(recorded))


def test_a_demonstration_asks_nothing_of_real_organisations(world):
    world.add_programme(world.school, unfiled(world).levels.create(level=1))
    invented = Organization.objects.create(kind="evaluator", name="虚构", code="E9", is_demonstration=True)
    theirs = invented.certificates.create(name="虚构证书")
    world.add_programme(world.other_school, theirs.levels.create(level=1))
    assert filings.owe_filings(at=clock.now()) == 1
    assert owed(theirs).exists()


def test_a_return_opens_a_duty_of_five_working_days(world):
    certificate = unfiled(world)
    version = submit(world, certificate)
    filings.return_filing(version.filing, comment="方案缺日期", by=world.office, at=clock.now())
    mending = owed(certificate).get(key=f"{certificate.pk}-v1")
    assert mending.due_at == dt.datetime.fromisoformat("2020-11-25T18:00:00+08:00")
    submit(world, certificate, introduction="补了")
    mending.refresh_from_db()
    assert mending.outcome == "on_time"


@pytest.mark.parametrize("answer", [filings.return_filing, filings.refuse_filing])
def test_what_was_turned_down_cannot_be_sent_again_unmended(world, answer):
    certificate = unfiled(world)
    answer(submit(world, certificate).filing, comment="方案缺日期", by=world.office, at=clock.now())
    with pytest.raises(ValidationError, match="内容与第1版相同，没有提交"):
        submit(world, certificate, token="again")
    record = EvaluatorFiling.objects.get(pk=certificate.pk)
    assert record.draft is not None
    submit(world, certificate, introduction="补了")


def test_a_version_that_came_while_another_was_read_is_not_answered(world):
    first = submit(world)
    second = submit(world, introduction="换了一版")
    acts = (filings.accept_filing, filings.return_filing, filings.refuse_filing)
    for answer in acts:
        with pytest.raises(NotNow, match="第2版"):
            answer(first.filing, comment="看过", version=first.number, by=world.office, at=clock.now())
    assert EvaluatorFiling.objects.get(pk=world.certificate.pk).accepted != second
    filings.accept_filing(first.filing, version=second.number, by=world.office, at=clock.now())
    assert EvaluatorFiling.objects.get(pk=world.certificate.pk).accepted == second


def test_the_duties_of_certificate_1_are_not_those_of_11(world):
    version = submit(world)
    filings.return_filing(version.filing, comment="改", by=world.office, at=clock.now())
    other = world.evaluator_org.certificates.create(pk=int(f"{world.certificate.pk}1"), name="另一证书")
    assert owed(world.certificate).count() == 1
    assert not owed(other).exists()


# --- Personal data


def test_looking_is_recorded_with_its_reason_and_no_digit(world):
    version = submit(world)
    for who in (world.coordinator, world.finance, world.auditor, world.leading, world.contact):
        with pytest.raises(PermissionDenied):
            filings.reveal(version, reason="看看", by=who, at=clock.now())
    with pytest.raises(ValidationError):
        filings.reveal(version, reason=" ", by=world.office, at=clock.now())
    assert not Event.objects.filter(action="evaluator_filing_revealed").exists()
    content = filings.reveal(version, reason="核对授权函", by=world.office, at=clock.now())
    assert content["id_number"] == ID_NUMBER
    event = Event.objects.get(action="evaluator_filing_revealed")
    assert (event.actor, event.reason, event.changes) == (
        world.office,
        "核对授权函",
        {"回执": version.receipt},
    )
    assert event.organization_id == world.evaluator_org.pk


def test_whoever_reads_sees_only_the_last_four(world):
    content = submit(world).content
    told = shape.shown(content, phones=False)
    assert told["id_number"] == "**************1245"
    assert not any(text in repr(told) for text in [ID_NUMBER, ADDRESS, *PHONES])
    assert shape.shown(content, phones=True, secrets=True) == content
    before = shape.typed_of(content)
    after = {**before, "id_number": "140105199001011234", "address": "别处", "phone": "13900000000"}
    words = repr(shape.differences(before, after, {}, phones=False))
    assert not any(text in words for text in [ID_NUMBER, "140105199001011234", ADDRESS, *PHONES])
    assert words.count("Difference(") == 3


# --- Charges


def test_a_coordinator_sees_what_is_in_charge_from_the_instant_it_was_given_until_it_ended(world):
    version = submit(world)
    seen = EvaluatorFilingVersion.objects
    assert not seen.visible_to(world.coordinator).exists()
    charge = charges.give(
        evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now()
    )
    assert version in seen.visible_to(world.coordinator)
    assert not seen.all().files_visible_to(world.coordinator, Attachment()).exists()
    with pytest.raises(ValidationError):
        charges.give(
            evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now()
        )
    filings.accept_filing(version.filing, by=world.office, at=clock.now())
    assert Notice.objects.filter(recipient=world.coordinator, text__contains="已予以备案").exists()
    charges.end(charge, by=world.office, at=clock.now())
    with pytest.raises(NotNow):
        charges.end(charge, by=world.office, at=clock.now())
    assert not seen.visible_to(world.coordinator).exists()


def test_only_the_office_gives_charges_and_only_to_coordinators(world):
    for who in (world.coordinator, world.finance, world.evaluator_officer):
        with pytest.raises(PermissionDenied, match=r"一\(一\)"):
            charges.give(evaluator=world.evaluator, coordinator=world.coordinator, by=who, at=clock.now())
    with pytest.raises(ValidationError):
        charges.give(evaluator=world.evaluator, coordinator=world.expert, by=world.office, at=clock.now())
