"""A dump of everything: what people typed into the forms stands nowhere in clear, in no table and no file."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from core.imports import services as imports
from core.models import Job
from core.tests.test_attachments import pdf
from evaluators import filing_content as shape
from evaluators.models import EvaluatorFilingVersion, Trainer
from evaluators.tests.filed import ADDRESS, ID_NUMBER, TYPED, unfiled
from schools.models import Objection, School, SchoolFilingVersion
from schools.tests import rosters
from schools.tests.published import addresses as published
from schools.tests.test_filings import TYPED as SCHOOL_TYPED
from schools.tests.test_filings import owe, picture

PRIVATE_PHONE = "13766668888"
SCHOOL_PHONE = "13799991111"
OBJECTOR_PHONE = "13722223333"
ROSTER_PHONE, TRAINER_PHONE = "13744445555", "13755557777"
PLANTED = [
    ID_NUMBER,
    ADDRESS,
    PRIVATE_PHONE,
    SCHOOL_PHONE,
    OBJECTOR_PHONE,
    ROSTER_PHONE,
    TRAINER_PHONE,
]


def forms_of(text):
    """The bytes by which the text would be found: plain, escaped, URL-encoded, UTF-16, and the inner part of
    its base64 at each of the three offsets."""
    raw = text.encode()
    found = {
        raw,
        json.dumps(text)[1:-1].encode(),
        quote(text).encode(),
        text.encode("utf-16-le"),
        raw.hex().encode(),
    }
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * shift + raw)
            found.add(coded[4 if shift else 0 : -4])
    return found


def dump():
    """(where, bytes) of every cell of every table and of every file that the portal keeps."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    yield (
                        table,
                        bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode(),
                    )
    queue = Path(settings.DATA_DIR) / "broker"
    for folder in (Path(settings.MEDIA_ROOT), queue):
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.name.encode() + path.read_bytes()


def found_in(kept, texts):
    needles = {text: forms_of(text) for text in texts}
    return [
        (text, where)
        for where, content in kept
        for text, forms in needles.items()
        if any(form in content for form in forms)
    ]


def the_evaluator_files(world, client):
    certificate = unfiled(world)
    edit = reverse("evaluator-filings:edit", args=[certificate.pk])
    typed = {**TYPED, "phone": PRIVATE_PHONE, "staff-0-phone": PRIVATE_PHONE}
    files = {
        f"upload_{kind}": SimpleUploadedFile(f"{kind}.pdf", pdf_saying(f"{ID_NUMBER} {ADDRESS}"))
        for kind in shape.FILES
    }
    draft = reverse("evaluator-filings:draft", args=[certificate.pk])
    revision = client.post(draft, {**typed, "revision": "0"}).json()["revision"]
    assert client.post(edit, {**typed, **files, "revision": revision, "action": "check"}).status_code == 302
    check = reverse("evaluator-filings:check", args=[certificate.pk])
    client.post(check, {"token": client.get(check).context["token"]})
    version = EvaluatorFilingVersion.objects.get(filing=certificate.pk)
    scan = reverse("evaluator-filings:scan", args=[version.receipt])
    client.post(scan, {"scan": SimpleUploadedFile("盖章.pdf", pdf_saying(ID_NUMBER))})
    reveal = reverse("evaluator-filings:reveal", args=[version.receipt])
    assert ID_NUMBER in client.post(reveal, {"reason": "打印盖章"}).content.decode()
    # A new draft waits beside the version that was sent.
    record = version.filing
    record.refresh_from_db()
    client.post(draft, {**typed, "address": ADDRESS + "新", "revision": record.draft_revision})
    return version


def pdf_saying(text):
    return pdf().replace(b"%%EOF", f"% {text}\n%%EOF".encode())


def the_school_files(world, client):
    owe(world)
    typed = {**SCHOOL_TYPED, "leader_phone": SCHOOL_PHONE, "member-0-phone": SCHOOL_PHONE}
    edit = reverse("filings:edit")
    response = client.post(edit, {**typed, "plan": picture(), "revision": "0", "action": "check"})
    assert response.status_code == 302
    check = reverse("filings:check")
    client.post(check, {"token": client.get(check).context["token"]})
    assert SchoolFilingVersion.objects.get().content["leader_phone"] == SCHOOL_PHONE


def the_public_objects(world):
    address = reverse("publications:object", args=[published(world)["publications:list"]])
    given = {
        "subject": "",
        "name": "异议人",
        "contact": OBJECTOR_PHONE,
        "text": "条件不符",
        "statement": "条件不符",
    }
    page = Client().get(address)
    fields = {name: "" for name in page.context["form"].fields} | given
    assert Client().post(address, fields).status_code == 302
    assert any(row.contact == OBJECTOR_PHONE for row in Objection.objects.all())


def the_office_imports(world, client):
    """One sheet that is written, one that is refused for its phone number."""
    upload = reverse("schools:roster")
    for phone in (ROSTER_PHONE, f"{ROSTER_PHONE}0"):
        sheet = rosters.upload(rosters.row(联系人手机=phone))
        assert client.post(upload, {"file": sheet}).status_code == 302
    checked, refused = Job.objects.order_by("created_at", "result__error_count")
    assert (checked.result["error_count"], refused.result["error_count"]) == (0, 1)
    imports.apply(job=checked)
    assert School.objects.filter(contact_name="演示甲").get().contact_mobile == ROSTER_PHONE


def a_trainer_joins(world, client):
    given = {
        "name": "专家己",
        "employer": "某企业",
        "employer_kind": "industry",
        "phone": TRAINER_PHONE,
        "joined_on": "2020-11-01",
    }
    assert client.post(reverse("trainers:new"), given).status_code == 302
    assert Trainer.objects.get().phone == TRAINER_PHONE


def a_session_is_lost(world, certificate):
    """The fields of a form posted without a session are kept until signing in."""
    edit = reverse("evaluator-filings:edit", args=[certificate.pk])
    visitor = Client(headers={"origin": "http://testserver"})
    assert visitor.post(edit, {**TYPED, "phone": PRIVATE_PHONE}).status_code == 302
    (kept,) = visitor.session["typed"].values()
    assert len(kept["body"]) > 500


def test_nothing_private_stands_in_clear_in_tables_jobs_queue_or_files(world, client_for):
    version = the_evaluator_files(world, client_for(world.evaluator_officer))
    the_school_files(world, client_for(world.contact))
    the_public_objects(world)
    the_office_imports(world, client_for(world.office))
    a_trainer_joins(world, client_for(world.evaluator_officer))
    a_session_is_lost(world, version.filing.certificate)
    kept = list(dump())
    assert sum(str(settings.MEDIA_ROOT) in where for where, _ in kept) >= 6
    assert found_in(kept, PLANTED) == []


def test_the_dump_reaches_tables_and_files(world):
    world.contact.name = f"电话{PRIVATE_PHONE}"
    world.contact.save()
    (Path(settings.MEDIA_ROOT) / "deep").mkdir()
    (Path(settings.MEDIA_ROOT) / "deep" / "x.bin").write_bytes(b"\0" + ID_NUMBER.encode())
    found = found_in(dump(), PLANTED)
    assert (PRIVATE_PHONE, "accounts_user") in found
    assert any(text == ID_NUMBER and where.endswith("x.bin") for text, where in found)


@pytest.mark.parametrize("text", PLANTED)
def test_the_search_would_find_it_however_it_stood(text):
    raw = text.encode()
    ways = [
        raw,
        quote(text).encode(),
        json.dumps({"a": text}).encode(),
        repr(text).encode(),
        raw.hex().encode(),
    ]
    ways += [base64.b64encode(b"x" * n + raw + b"yy") for n in range(6)]
    for way in ways:
        assert found_in([("x", b"before" + way)], [text])
    assert not found_in([("x", text[:-1].encode())], [text])
