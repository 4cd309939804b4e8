"""The form of an authority's robot, and the filter of deliveries."""

from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from core.models import Delivery, Robot


class RobotForm(forms.Form):
    """What is kept is not shown again: an empty address or secret keeps it."""

    format = forms.ChoiceField(label="平台", choices=Robot.Format.choices)
    address = forms.CharField(
        label="Webhook 地址",
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    secret = forms.CharField(
        label="加签密钥（钉钉）",
        max_length=200,
        required=False,
        help_text="钉钉机器人的安全设置选“加签”时，填 SEC 开头的密钥；企业微信不填。",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    on = forms.BooleanField(label="启用", required=False, initial=True)

    def __init__(self, *args: Any, robot: Robot | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        help_text = "在群里添加机器人后，整行复制它的 Webhook 地址。加密保存，保存后不再显示。"
        if robot:
            self.initial = {"format": robot.format, "on": bool(robot.on_since)}
            help_text += "不更换请留空；更换地址时，加签密钥一并重填。"
        self.fields["address"].required = robot is None
        self.fields["address"].help_text = help_text


class DeliveryFilter(django_filters.FilterSet):
    q = django_filters.CharFilter(label="内容、收件人、机构", method="search")
    channel = django_filters.ChoiceFilter(
        label="渠道",
        choices=[("mail", "邮件"), ("robot", "群机器人")],
        empty_label="全部",
        method="by_channel",
    )
    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[*Delivery.State.choices, ("all", "全部")],
        empty_label="未送达",
        method="by_state",
    )

    class Meta:
        model = Delivery
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(notice__text__icontains=value)
            | Q(notice__recipient__name__icontains=value)
            | Q(notice__recipient__organization__name__icontains=value)
        )

    def by_channel(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(robot__isnull=value == "mail")

    def by_state(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows if value == "all" else rows.filter(state=value)
