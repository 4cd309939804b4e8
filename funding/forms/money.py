"""Forms of the special fund."""

from typing import Any

from django import forms

from accounts.models import Organization, User
from core import clock
from core.forms import DayInput, SearchSelect
from funding.models import Allocation


class AllocationForm(forms.ModelForm):
    class Meta:
        model = Allocation
        fields = ["organization", "year", "source", "document", "amount", "allocated_on"]
        widgets = {"organization": SearchSelect, "allocated_on": DayInput}
        help_texts = {"amount": "以元为单位，保留两位小数"}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        schools = Organization.objects.visible_to(user).schools().members_at(clock.now())
        self.fields["organization"].queryset = schools.order_by("name")
        self.initial.setdefault("year", clock.today().year)
        self.initial.setdefault("allocated_on", clock.today())


class ArrivalForm(forms.Form):
    arrived_on = forms.DateField(label="到账日期", widget=DayInput)
