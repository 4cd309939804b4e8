"""Files of the demonstration: one small page that says what it is."""

from django.core.files.uploadedfile import SimpleUploadedFile

from reporting.demo.names import LABEL

_FONT = (
    b"<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts"
    b"[<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 4>>/FontDescriptor"
    b"<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[-25 -254 1000 880]/ItalicAngle 0"
    b"/Ascent 880/Descent -120/CapHeight 880/StemV 93>>>>]>>"
)


def pdf(title: str) -> bytes:
    """A page of A4 with the title and the word that it is only shown; the reader's own Chinese font."""
    lines = [(22, 740, title), (12, 700, f"{LABEL}：内容从略")]
    text = "".join(
        f"BT /F1 {size} Tf 72 {y} Td <{line.encode('utf-16-be').hex()}> Tj ET\n" for size, y, line in lines
    ).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        _FONT,
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return out + end % (count, table, count, len(out))


def upload(title: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(f"{title}（演示）.pdf", pdf(title), "application/pdf")
