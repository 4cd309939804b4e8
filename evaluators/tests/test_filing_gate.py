"""No fee standard of a certificate whose filing was not accepted, by whichever door (SX 三.8)."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from core import clock
from evaluators.permissions import has_filing
from evaluators.services import filings
from evaluators.tests.filed import submit, unfiled
from funding import services as funding
from funding.models import FeeStandard


def propose(world, level):
    return funding.propose_standard(
        fields={
            "certificate_level": level,
            "exam_form": "computer",
            "organization": None,
            "amount": Decimal(100),
            "effective_from": dt.date(2021, 1, 1),
            "basis": "成本测算",
            "over_cap_reason": "",
        },
        costs={},
        by=world.evaluator_officer,
        at=clock.now(),
    )


def test_a_standard_waits_for_the_filing(world):
    certificate = unfiled(world)
    level = certificate.levels.create(level=1)
    for act in (None, filings.return_filing, filings.refuse_filing):
        if act:
            act(
                submit(world, certificate, introduction=act.__name__).filing,
                comment="改",
                by=world.office,
                at=clock.now(),
            )
        with pytest.raises(ValidationError) as refused:
            propose(world, level)
        assert "晋教职成〔2020〕9号 三.8" in str(refused.value.message_dict["certificate_level"])
    assert not FeeStandard.objects.exists()
    filings.accept_filing(submit(world, certificate).filing, by=world.office, at=clock.now())
    assert propose(world, level).state == "proposed"
    submit(world, certificate, name="新负责人")
    assert has_filing(certificate)


def test_one_certificates_filing_is_not_anothers(world):
    level = unfiled(world).levels.create(level=1)
    assert has_filing(world.certificate)
    with pytest.raises(ValidationError):
        propose(world, level)
