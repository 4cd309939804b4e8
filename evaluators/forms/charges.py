"""The form by which an evaluator is given to a coordinator."""

from typing import Any

from django import forms

from accounts.models import Role, User


class ChargeForm(forms.Form):
    coordinator = forms.ModelChoiceField(
        label="交由哪位专员对接",
        queryset=User.objects.none(),
        empty_label="请选择",
        error_messages={"required": "请选择对接专员。", "invalid_choice": "只能交给在用的对接专员账号。"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.active().filter(role=Role.COORDINATOR).order_by("name", "username")
        self.fields["coordinator"].queryset = people  # type: ignore[attr-defined]
        self.fields["coordinator"].label_from_instance = (  # type: ignore[attr-defined]
            lambda user: f"{user.name}（{user.username}）"
        )
