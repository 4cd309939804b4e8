"""Forms of signing in, of accounts and of organisations."""

import re
import unicodedata
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from accounts.models import City, Organization, Role, Scope, User
from core.forms import DayInput

USERNAME = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{2,59}$", "账号为 3–60 位字母、数字、点、横线或下划线。"
)


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": (
            f"账号或密码不正确，请检查大小写后重试。连续错误 {settings.AXES_FAILURE_LIMIT} 次将暂时锁定。"
        ),
        "inactive": "该账号已停用，请与开通账号的单位联系。",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "账号"


class PasswordForm(PasswordChangeForm):
    error_messages = {
        **PasswordChangeForm.error_messages,
        "same": "新密码不能与现在的密码相同，请另设一个。",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = "现在的密码"
        self.fields[
            "new_password1"
        ].help_text = "至少 10 位，不能全是数字，不能是常见密码或与账号、姓名相近。"
        self.fields["new_password2"].label = "再输一次新密码"
        self.fields["new_password2"].help_text = ""

    def clean_new_password1(self) -> str:
        new = self.cleaned_data["new_password1"]
        if new and new == self.cleaned_data.get("old_password"):
            raise ValidationError(self.error_messages["same"], code="same")
        return new


class CodeForm(forms.Form):
    code = forms.CharField(
        label="验证码",
        max_length=12,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class BackupCodeForm(CodeForm):
    code = forms.CharField(
        label="验证码",
        max_length=12,
        help_text="验证器应用显示的 6 位数字；手机不在身边时，可填一个未用过的备用码。",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )


class MobileField(forms.CharField):
    """A mobile number of mainland China; spaces, hyphens, full-width digits and +86 are put right."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", "手机号")
        kwargs.setdefault("required", False)
        super().__init__(widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}), **kwargs)

    def to_python(self, value: Any) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value))
        return re.sub(r"^\+?86(?=1)", "", re.sub(r"[\s-]", "", text))

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not re.fullmatch(r"1[3-9]\d{9}", value):
            raise ValidationError("手机号应为 11 位数字，以 1 开头。")


class PersonForm(forms.Form):
    """Who gets a new account."""

    username = forms.CharField(
        label="账号",
        validators=[USERNAME],
        help_text="登录时使用，开通后不能修改。字母、数字、点、横线或下划线，3–60 位。",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    name = forms.CharField(label="姓名", max_length=60)
    email = forms.EmailField(label="电子邮箱", required=False, help_text="用于接收提醒邮件。")
    mobile = MobileField(help_text="加密保存，页面上只显示首尾几位。")


class AccountForm(PersonForm):
    role = forms.ChoiceField(label="角色")
    field_order = ["role"]

    def __init__(self, *args: Any, roles: frozenset[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role.value, role.label) for role in Role if role in roles]
        if Role.SCHOOL_CONTACT in roles:
            self.fields["role"].initial = Role.SCHOOL_CONTACT


class EditForm(forms.ModelForm):
    """Who one is, and how to be reached; a manager may also put the name right."""

    mobile = MobileField()

    class Meta:
        model = User
        fields = ["name", "email", "mobile", "mail_notices"]

    def __init__(self, *args: Any, may_rename: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_rename:
            del self.fields["name"]
        # The number in use is not written into the page: it is masked on screen.
        self.initial["mobile"] = ""
        if self.instance.mobile:
            self.fields["mobile"].help_text = f"现为 {self.instance.masked_mobile}。不修改请留空。"

    def changed(self) -> dict[str, Any]:
        fields = dict(self.cleaned_data)
        if not fields["mobile"]:
            del fields["mobile"]
        return fields

    def _post_clean(self) -> None:
        """The service changes the row, not the form."""


class TokenForm(forms.Form):
    name = forms.CharField(label="名称", max_length=60, help_text="写明给哪个系统用，如“教务系统”。")
    scopes = forms.MultipleChoiceField(
        label="权限",
        widget=forms.CheckboxSelectMultiple,
        help_text="只勾选用得到的。不会超出您本人的权限。",
        error_messages={"required": "请至少勾选一项。"},
    )
    days = forms.TypedChoiceField(
        label="有效期",
        coerce=int,
        initial=90,
        choices=[(30, "30 天"), (90, "90 天"), (180, "180 天"), (366, "一年（366 天）")],
    )

    def __init__(self, *args: Any, scopes: frozenset[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [
            (scope.value, f"{scope.label}（{scope}）") for scope in Scope if scope in scopes
        ]


class ReasonForm(forms.Form):
    reason = forms.CharField(label="原因", max_length=200)


class OptionalReasonForm(forms.Form):
    reason = forms.CharField(label="原因", max_length=200, required=False)


class AliasForm(forms.Form):
    name = forms.CharField(label="别名或其他代码", max_length=120)
    source = forms.CharField(label="来源", max_length=200, required=False, help_text="文件或平台的名称。")


class JoinForm(forms.Form):
    day = forms.DateField(label="加入日期", widget=DayInput, help_text="自当日零时起参加试点。")


class LeaveForm(forms.Form):
    day = forms.DateField(
        label="退出日期",
        widget=DayInput,
        help_text="自当日零时起不再参加试点；此前应报未报的仍须补报。",
    )
    reason = forms.CharField(label="退出原因", max_length=200)


class OrganizationForm(forms.Form):
    supervisor = forms.ModelChoiceField(
        label="主管部门",
        queryset=Organization.objects.authorities(),
        required=False,
        help_text="决定由谁审核、由谁督促，与所在地无关。",
    )
    city = forms.ModelChoiceField(label="所在市", queryset=City.objects.all(), required=False)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["supervisor"].required = organization.kind == Organization.Kind.SCHOOL


def refuse(form: forms.BaseForm, error: ValidationError) -> None:
    """Show a service's refusal at its field, or above the form."""
    by_field = getattr(error, "error_dict", None)
    if by_field and set(by_field) <= set(form.fields):
        form.add_error(None, error)
    else:
        form.add_error(None, ValidationError(error.messages))
