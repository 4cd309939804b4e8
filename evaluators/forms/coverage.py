"""What the coverage table is narrowed to."""

from django import forms

from accounts.models import City
from certificates.models import Certificate
from core.forms import SearchSelect


class CoverageForm(forms.Form):
    certificate = forms.ModelChoiceField(
        label="证书",
        queryset=Certificate.objects.order_by("name"),
        required=False,
        empty_label="全部",
        widget=SearchSelect,
    )
    city = forms.ModelChoiceField(label="市", queryset=City.objects.all(), required=False, empty_label="全部")
    only = forms.ChoiceField(label="范围", choices=[("", "全部"), ("gaps", "只看缺口")], required=False)
