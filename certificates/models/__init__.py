"""The catalogue: certificates, their levels, majors; and proposals of credit records for certificates."""

from certificates.models.catalogue import Certificate, CertificateLevel, ExamForm, Major
from certificates.models.credit import CreditProposal, CreditProposalQuerySet, CreditProposalVersion

__all__ = [
    "Certificate",
    "CertificateLevel",
    "CreditProposal",
    "CreditProposalQuerySet",
    "CreditProposalVersion",
    "ExamForm",
    "Major",
]
