"""Claims, answers, and the filter of the list of disputes."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from accounts.models import Organization
from core import clock
from core.forms import EvidenceField
from obligations.filters import supervisors
from obligations.models import Dispute

MOST = 2000


class ClaimForm(forms.Form):
    claim = forms.CharField(
        label="异议理由",
        max_length=MOST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="写明当周实际怎样报送、为什么不应记为未报。",
        error_messages={"required": "请写明异议的理由。"},
    )
    evidence = EvidenceField(label="证据", help_text="如国家平台的填报截图、停电停网的证明。")


class AnswerForm(forms.Form):
    verdict = forms.ChoiceField(
        label="答复",
        widget=forms.RadioSelect,
        choices=[
            ("dispute_upheld", "异议成立：未报予以谅解，不计入连续未报"),
            ("dispute_rejected", "异议不成立：未报记录不变"),
        ],
        error_messages={"required": "请选择异议是否成立。"},
    )
    answer = forms.CharField(
        label="答复理由",
        max_length=MOST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="写明查证的经过和依据，院校可以看到。",
        error_messages={"required": "请写明答复的理由。"},
    )
    evidence = EvidenceField(label="依据材料", help_text="如国家平台的查询结果。院校可以看到。")


class DisputeFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="院校、理由", method="of_text")
    state = django_filters.ChoiceFilter(label="状态", choices=Dispute.State.choices, empty_label="全部")
    overdue = django_filters.BooleanFilter(
        label="只看超期未答复", method="of_overdue", widget=forms.CheckboxInput
    )
    city = django_filters.ModelChoiceFilter(
        label="市（主管部门）",
        field_name="obligation__organization__supervisor",
        queryset=supervisors,
        empty_label="全部",
    )

    class Meta:
        model = Dispute
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.request.user.sees_reporting:
            del self.filters["city"]

    def of_text(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(
            Q(obligation__organization__in=Organization.objects.matching(value))
            | Q(claim__icontains=value)
            | Q(answer__icontains=value)
        )

    def of_overdue(self, rows: Any, name: str, value: bool) -> Any:
        return rows.open().filter(answer_due_at__lte=clock.now()) if value else rows
