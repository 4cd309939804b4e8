"""Which cap and which standard hold on a day, and what an amount must satisfy (MOE 三(二), SX 三.8, HB 三.5)."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from certificates.models import CertificateLevel
from funding.models import FeeCap, FeeStandard


@dataclass(frozen=True)
class Limit:
    """What bounds a fee on a day: the cap in force and the filed standard in force; None where there is none."""

    cap: FeeCap | None
    standard: FeeStandard | None


def cap_on(level: CertificateLevel, exam_form: str, day: dt.date) -> FeeCap | None:
    """The cap of the level itself, else that of the form; the latest begun by `day` (a local day)."""
    raise NotImplementedError


def limit_on(level: CertificateLevel, day: dt.date, *, school_id: int | None = None) -> Limit:
    """Cap and standard for an agreement of that school signed on `day`."""
    raise NotImplementedError


def refusals(
    amount: Decimal, *, level: CertificateLevel, day: dt.date, school_id: int | None = None, reason: str = ""
) -> list[str]:
    """Why an agreement may not set this fee, each with the cap or standard, its document and its date; []."""
    raise NotImplementedError


def obstacles(standard: FeeStandard, at: dt.datetime) -> list[str]:
    """Why a proposed standard cannot be filed yet; []."""
    raise NotImplementedError
