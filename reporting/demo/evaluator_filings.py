"""The demonstration's filings of evaluators (附件3): all but two certificates are on file; three change the
person, of one there is but a draft, of one nothing."""

import datetime as dt
from typing import Any

from accounts.models import User
from certificates.models import Certificate
from core import clock
from core.models import Attachment
from core.personal import check_digit
from evaluators import filing_content as shape
from evaluators.forms.filings import FilingForm
from evaluators.models import EvaluatorFiling
from evaluators.services import filings as services
from reporting.demo import papers
from reporting.demo.coordination import certificate_of
from reporting.demo.fees import OFFERS
from reporting.demo.province import DemoProvince

# A county code that was never given out: the number is nobody's.
FIRST_DIGITS = "14019919850317124"
PHONE = "0351-7000000"
FILED_ON = dt.date(2019, 12, 24)
LATER = dt.datetime(2020, 11, 12, 2, tzinfo=dt.UTC)
CHANGED = {"机器人运维": "submitted", "网店运营": "returned", "物流管理": "refused"}
OWED_ON = dt.date(2019, 12, 5)
DRAFTED = "文物数字化"
COMMENT = "新负责人的授权函未写明授权期限，请核对。（演示）"


def _typed(person: str) -> shape.Typed:
    return {
        "name": person,
        "sex": "女",
        "birth_month": "1985-03",
        "phone": PHONE,
        "email": "yanshi@example.com",
        "id_number": FIRST_DIGITS + check_digit(FIRST_DIGITS),
        "address": "演示市演示路1号（虚构）",
        "introduction": "虚构的评价组织，仅作演示。",
        "promise": "on",
        "staff-0-name": "演示工作人员",
        "staff-0-phone": PHONE,
        "staff-0-duty": "考务",
    }


def play(province: DemoProvince) -> None:
    """Filed and accepted before the first fee standard is proposed; three change the person this autumn."""
    office = province.users["office1"]
    services.owe_filings(at=clock.at(OWED_ON, dt.time(9)))
    first = clock.at(FILED_ON, dt.time(10))
    for subject in OFFERS:
        certificate = certificate_of(subject)
        officer = province.evaluators[certificate.owner_id]
        record = _file(certificate, "演示负责人", first, officer)
        services.accept_filing(record, by=office, at=first + dt.timedelta(days=2))
        stand = CHANGED.get(subject)
        if stand:
            record = _file(certificate, "演示新负责人", LATER, officer)
        at = LATER + dt.timedelta(days=4)
        if stand == "returned":
            services.return_filing(record, comment=COMMENT, by=office, at=at)
        elif stand == "refused":
            services.refuse_filing(record, comment=COMMENT, by=office, at=at)
    _draft(province)


def _draft(province: DemoProvince) -> None:
    certificate = certificate_of(DRAFTED)
    services.save_draft(
        certificate=certificate,
        typed=_typed("演示负责人"),
        revision=0,
        by=province.evaluators[certificate.owner_id],
        at=LATER,
    )


def _file(certificate: Certificate, person: str, at: dt.datetime, officer: User) -> EvaluatorFiling:
    record = EvaluatorFiling.objects.filter(pk=certificate.pk).first()
    content: Any = record.current.content if record and record.current else None
    stored = shape.typed_of(content) if content else {}
    record = services.save_draft(
        certificate=certificate,
        typed=_typed(person) | {kind: stored.get(kind, "") for kind in shape.FILES},
        revision=record.draft_revision if record else 0,
        by=officer,
        at=at,
        uploads={
            kind: [papers.upload(shape.FILES[kind])] for kind in shape.REQUIRED_FILES if not stored.get(kind)
        },
    )
    draft: Any = record.draft
    known = {str(file.pk): file for file in Attachment.objects.of(record)}
    files = {kind: [known[pk] for pk in shape.file_ids(draft, kind)] for kind in shape.FILES}
    form = FilingForm(draft, files=files, check=True)
    if not form.is_valid():
        raise ValueError(form.errors.as_text())
    version = services.submit_filing(
        record,
        content=form.content(certificate),
        token=f"demo-{clock.local(at):%Y%m%d%H%M}",
        by=officer,
        at=at + dt.timedelta(hours=1),
        draft_revision=record.draft_revision,
    )
    return version.filing
