"""Forms by which experts are asked, and by which they answer."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.functional import cached_property

from accounts.models import Organization, Role, User
from core import clock
from core.forms import DayInput, SearchSelect
from core.templatetags.portal import closing
from schools import conflicts
from schools.models import ApplicationItem, ExpertOpinion
from schools.services import opinions

END_OF_DAY = dt.time(18)
_LONG = {"rows": 5}


class ExpertsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name}（{obj.organization}，待答 {obj.waiting} 项）"


class AskForm(forms.Form):
    """`items` come with the page; `due_on` is a local day, answered until 18:00."""

    items = forms.ModelMultipleChoiceField(
        ApplicationItem.objects.none(),
        widget=forms.MultipleHiddenInput,
        error_messages={"required": "请先在申报项目列表中选择要征求意见的项目。"},
    )
    experts = ExpertsField(
        User.objects.none(),
        label="专家",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "请选择专家。"},
    )
    due_on = forms.DateField(
        label="答复期限",
        widget=DayInput,
        help_text="当日 18:00 前答复；逾期仍可答复，记为逾期。",
        error_messages={"required": "请选择答复期限。"},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].queryset = ApplicationItem.objects.visible_to(user).handed_in()
        self.fields["experts"].queryset = opinions.experts_with_load()

    def clean_due_on(self) -> dt.date:
        day: dt.date = self.cleaned_data["due_on"]
        if clock.at(day, END_OF_DAY) <= clock.now():
            raise forms.ValidationError("答复期限必须在现在以后。")
        return day

    @property
    def due_at(self) -> dt.datetime:
        return clock.at(self.cleaned_data["due_on"], END_OF_DAY)

    @cached_property
    def chosen(self) -> list[ApplicationItem]:
        return opinions.to_advise_on([item.pk for item in self.cleaned_data["items"]])

    def answers(self) -> list[tuple[str, str]]:
        experts = "、".join(expert.name for expert in self.cleaned_data["experts"])
        return [("专家", experts), ("答复期限", closing(self.due_at)), ("项目", f"{len(self.chosen)} 个")]


class GiveForm(forms.Form):
    advice = forms.ChoiceField(
        label="意见",
        choices=ExpertOpinion.Advice.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "请选择一种意见。"},
    )
    text = forms.CharField(
        label="理由",
        max_length=3000,
        widget=forms.Textarea(attrs=_LONG),
        error_messages={"required": "请写明理由。"},
    )


class DeclineForm(forms.Form):
    organization = forms.ModelChoiceField(
        Organization.objects.none(),
        label="与谁有关系",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "请选择与谁有关系。"},
    )
    note = forms.CharField(
        label="什么关系",
        max_length=120,
        help_text="如任职、兼职、近亲属任职、参与过该证书的开发。将登记为利益关系，以后不再就该单位征求您的意见。",
        error_messages={"required": "请写明是什么关系。"},
    )

    def __init__(self, *args: Any, item: ApplicationItem, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        concerned = Organization.objects.filter(pk__in=conflicts.concerned(item))
        self.fields["organization"].queryset = concerned.order_by("-kind", "code")


class WithdrawForm(forms.Form):
    comment = forms.CharField(
        label="撤回的原因", max_length=300, error_messages={"required": "请写明撤回的原因。"}
    )


class RemoveForm(forms.Form):
    reason = forms.CharField(
        label="取消的原因", max_length=300, error_messages={"required": "请写明取消的原因。"}
    )


class InterestForm(forms.Form):
    """`expert` only for the office; an expert declares his or her own."""

    expert = forms.ModelChoiceField(
        User.objects.none(), label="专家", error_messages={"required": "请选择专家。"}
    )
    organization = forms.ModelChoiceField(
        Organization.objects.filter(
            kind__in=[Organization.Kind.SCHOOL, Organization.Kind.EVALUATOR]
        ).order_by("kind", "code"),
        label="院校或培训评价组织",
        widget=SearchSelect,
        error_messages={"required": "请选择院校或培训评价组织。"},
    )
    note = forms.CharField(
        label="关系",
        max_length=120,
        help_text="如任职、兼职、近亲属任职、参与证书开发。",
        error_messages={"required": "请写明是什么关系。"},
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if user.role == Role.EXPERT:
            del self.fields["expert"]
        else:
            experts = User.objects.active().filter(role=Role.EXPERT)
            self.fields["expert"].queryset = experts.order_by("name", "username")
