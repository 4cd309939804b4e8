"""A file is what it says it is, or is refused with the reason."""

import hashlib
import io
import struct
import zipfile
import zlib

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from core import attachments, clock
from core.forms import EvidenceField
from core.models import Attachment, Event


def upload(name, content):
    return SimpleUploadedFile(name, content)


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        attachments.PNG
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


def jpeg():
    frame = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
    scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x00"
    return b"\xff\xd8" + b"\xff\xe0\x00\x10JFIF\0" + bytes(9) + frame + scan + b"\xff\xd9"


def pdf():
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\nxref\n0 1\ntrailer<<>>\nstartxref\n9\n%%EOF\n"


def xlsx():
    buffer = io.BytesIO()
    Workbook().save(buffer)
    return buffer.getvalue()


def archive(parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return buffer.getvalue()


def docx(main=b"<document/>", **parts):
    return archive({"word/document.xml": main, **parts})


def encrypted():
    content = bytearray(docx())
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", pdf()),
        ("a.PNG", png()),
        ("a.jpg", jpeg()),
        ("a.jpeg", jpeg()),
        ("a.xlsx", xlsx()),
        ("a.docx", docx()),
    ],
)
def test_sound_files_are_taken(name, content):
    assert attachments.check(upload(name, content)).content_type


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.exe", b"MZ", "不接受这种文件"),
        ("没有扩展名", b"%PDF-", "不接受这种文件"),
        ("a.pdf", b"", "文件是空的"),
        ("a.pdf", b"MZ" + pdf(), "可能改过扩展名"),
        ("a.pdf", pdf()[:40], "打不开"),
        ("a.png", png()[:-20], "打不开"),
        ("a.png", jpeg(), "可能改过扩展名"),
        ("a.jpg", jpeg()[:30], "打不开"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600), "可能改过扩展名"),
        ("a.xlsx", docx(), "可能改过扩展名"),
        ("a.docx", docx()[:60], "打不开"),
        ("a.docx", docx(b"<document>"), "打不开"),
        ("a.docx", docx(b"<!DOCTYPE d [<!ENTITY a 'b'>]><d>&a;</d>"), "打不开"),
        ("a.docx", docx(**{"word/vbaProject.bin": b"x"}), "带有宏"),
        ("a.docx", encrypted(), "设有密码"),
        ("a.docx", docx(b"<document>" + b" " * (attachments.MOST_UNPACKED_BYTES + 1)), "解压后过大"),
        ("a.docx", docx(**{f"word/{n}": b"" for n in range(attachments.MOST_ARCHIVE_ENTRIES)}), "解压后过大"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_fault_has_its_own_words(name, content, words):
    with pytest.raises(ValidationError, match=words) as refusal:
        attachments.check(upload(name, content))
    assert name in refusal.value.messages[0]


def test_too_large(settings):
    settings.UPLOAD_MAX_BYTES = 10
    with pytest.raises(ValidationError, match="文件过大"):
        attachments.check(upload("a.pdf", pdf()))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/周报.pdf", "周报.pdf"),
        ("C:\\桌面\\证明.pdf", "证明.pdf"),
        ("证明\u202efdp.exe\r\n.pdf", "证明fdp.exe.pdf"),
        ('a"b<c>.pdf', "a_b_c_.pdf"),
        ("长" * 300 + ".pdf", "长" * 110 + ".pdf"),
        ("140105198503171245身份证.png", "140_1245身份证.png"),
        ("甲１３８-１２３４-５６７８.png", "甲138_5678.png"),
        ("扫描（2020）20201118101112345.png", "扫描（2020）20201118101112345.png"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert attachments.safe_name(name) == safe


def test_attach_keeps_hash_random_name_and_event(world):
    content = pdf()
    kept = attachments.attach(
        target=world.obligation, upload=upload("../证明.pdf", content), by=world.contact, at=clock.now()
    )
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    assert kept.name == "证明.pdf"
    assert "证明" not in kept.file.name
    assert attachments.content_of(kept) == content
    assert list(Attachment.objects.of(world.obligation)) == [kept]
    event = Event.objects.get(action="file_attached")
    assert event.target_id == str(world.obligation.pk)
    assert event.organization_id == world.obligation.organization_id


def test_a_record_holds_no_more_than_twenty(world, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_FILES", 1)
    attachments.attach(
        target=world.obligation, upload=upload("a.pdf", pdf()), by=world.contact, at=clock.now()
    )
    with pytest.raises(ValidationError, match="最多 1 个附件"):
        attachments.attach(
            target=world.obligation, upload=upload("b.pdf", pdf()), by=world.contact, at=clock.now()
        )


def test_only_who_sees_the_record_gets_the_file(world, client_for):
    kept = attachments.attach(
        target=world.obligation, upload=upload("证明.pdf", pdf()), by=world.contact, at=clock.now()
    )
    address = f"/files/{kept.pk}/"
    for user in (world.contact, world.office, world.city_officer):
        response = client_for(user).get(address)
        assert response.status_code == 200
        assert b"".join(response.streaming_content) == pdf()
        assert response["Content-Disposition"].startswith("attachment")
        assert response["X-Content-Type-Options"] == "nosniff"
    for user in (world.other_contact, world.other_city_officer, world.learner):
        assert client_for(user).get(address).status_code == 404


def test_a_file_gone_from_the_disk_is_not_found(world, client_for):
    kept = attachments.attach(
        target=world.obligation, upload=upload("a.pdf", pdf()), by=world.contact, at=clock.now()
    )
    kept.file.storage.delete(kept.file.name)
    assert client_for(world.contact).get(f"/files/{kept.pk}/").status_code == 404


def test_evidence_names_every_faulty_file():
    field = EvidenceField()
    assert field.clean([]) == []
    assert len(field.clean([upload("a.pdf", pdf()), upload("b.png", png())])) == 2
    with pytest.raises(ValidationError) as refusal:
        field.clean([upload("a.exe", b"MZ"), upload("b.pdf", b"x"), upload("c.pdf", pdf())])
    assert len(refusal.value.messages) == 2
    with pytest.raises(ValidationError, match="最多上传 20"):
        field.clean([upload("a.pdf", pdf())] * 21)
    with pytest.raises(ValidationError):
        EvidenceField(required=True).clean([])
