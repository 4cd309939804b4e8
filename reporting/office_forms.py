"""Forms of the office's pages: excuses, and the suspension of a certificate."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q

from accounts.models import Organization, OrganizationQuerySet
from certificates.models import Certificate
from core import clock
from core.forms import DayInput, EvidenceField, SearchSelect
from obligations.forms import AnswersMixin
from obligations.models import Suspension
from schools.models import Programme, ProgrammeQuerySet


class ReasonForm(forms.Form):
    reason = forms.CharField(label="理由", max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))


class ExcuseForm(ReasonForm):
    evidence = EvidenceField(label="证明材料")


def running_only(certificate: Certificate, at: dt.datetime) -> OrganizationQuerySet:
    """Schools whose programmes at `at` are all of `certificate`, whatever the level; and its owner, when those
    of its certificates are."""
    running = Programme.objects.running_at(at)
    of_school = running.filter(school=OuterRef("pk"))
    of_owner = running.filter(certificate_level__certificate__owner=OuterRef("pk"))
    return Organization.objects.filter(_all_of(certificate, of_school) | _all_of(certificate, of_owner))


def _all_of(certificate: Certificate, programmes: ProgrammeQuerySet) -> Q:
    of_it = {"certificate_level__certificate": certificate}
    return Q(Exists(programmes.filter(**of_it)), ~Exists(programmes.exclude(**of_it)))


class CertificateSuspensionForm(AnswersMixin, forms.Form):
    """Days are local, the last one included; `starts_at` and `ends_at` are half-open instants."""

    certificate = forms.ModelChoiceField(
        Certificate.objects.order_by("name"),
        label="证书",
        widget=SearchSelect,
        help_text="只停报目前仅开展这一种证书的院校和评价组织；还开展其他证书的照常报送。",
    )
    starts_on = forms.DateField(label="开始日期", widget=DayInput())
    ends_on = forms.DateField(label="结束日期（含当日）", widget=DayInput())
    reason = forms.CharField(label="原因", max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", "结束日期不能早于开始日期。")
        elif first and last and (last - first).days > 366:
            self.add_error("ends_on", "一次停报不超过一年；更长的请分次登记。")
        if data.get("certificate") and not self.organizations.exists():
            self.add_error("certificate", "目前没有院校、评价组织仅开展这一种证书，不需要停报。")
        return data

    @property
    def organizations(self) -> OrganizationQuerySet:
        return running_only(self.cleaned_data["certificate"], clock.now()).order_by("-kind", "code")

    def declaration(self) -> dict[str, Any]:
        """What `obligations.services.suspend` takes, but for who and when."""
        given = self.cleaned_data
        return {
            "kind": Suspension.Kind.EMERGENCY,
            "organizations": self.organizations,
            "scope_label": f"仅开展“{given['certificate'].short_name}”证书的单位"[:120],
            "starts_at": clock.at(given["starts_on"]),
            "ends_at": clock.at(given["ends_on"] + dt.timedelta(days=1)),
            "reason": given["reason"],
        }
