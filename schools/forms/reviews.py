"""The decision on items, and which items it was shown for."""

from typing import Any

from django import forms

from core.workflow import Transition


class DecisionForm(forms.Form):
    comment = forms.CharField(
        label="审核意见",
        max_length=1000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text="学校会看到。",
    )
    # What the page has shown: `key:state:version:heads` of each item, and when (an ISO instant).
    marks = forms.CharField(widget=forms.HiddenInput)
    shown_at = forms.DateTimeField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, transition: Transition, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "comment" in transition.asks:
            self.fields["comment"].required = True
            self.fields["comment"].error_messages["required"] = (
                f"“{transition.label}”须写明理由，学校会看到。"
            )
