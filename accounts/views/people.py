"""Accounts: list, page, and what may be done with one."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import lockout, permissions, second_factor, services
from accounts.filters import UserFilter
from accounts.forms import AccountForm, EditForm, OptionalReasonForm, PersonForm, ReasonForm, refuse
from accounts.models import Organization, User
from accounts.tables import UserTable
from core import clock
from core.lists import ListPage

get_and_post = require_http_methods(["GET", "HEAD", "POST"])


class UserList(ListPage):
    model = User
    table_class = UserTable
    filterset_class = UserFilter
    template_name = "accounts/user_list.html"
    heading = "账号"
    empty_text = "这里还没有账号。"
    export_name = "账号"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not permissions.may_see_accounts(request.user):
            raise PermissionDenied("账号由推进办、市教育局和院校管理。您可以在右上角修改自己的密码。")
        return super().dispatch(request, *args, **kwargs)

    def queryset(self) -> QuerySet[User]:
        return super().queryset().select_related("organization")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(new_url=self.new_url(), **kwargs)

    def new_url(self) -> str:
        """An account is made from its organisation's page; a school has just its own."""
        user = self.request.user
        if not permissions.may_make_accounts(user):
            return ""
        if permissions.may_see_organizations(user):
            return reverse("accounts:organization-list")
        return reverse("accounts:user-new", args=[user.organization_id])


def _account(request: HttpRequest, pk: Any) -> User:
    accounts = User.objects.visible_to(request.user).select_related("organization", "successor")
    return get_object_or_404(accounts, pk=pk)


def _allow(allowed: bool, reason: str) -> None:
    if not allowed:
        raise PermissionDenied(reason)


def _show(request: HttpRequest, account: User, **more: Any) -> HttpResponse:
    user = request.user
    manages = permissions.may_manage(user, account)
    context = {
        "account": account,
        "is_self": user.pk == account.pk,
        "may_make_tokens": user.pk == account.pk and permissions.may_make_tokens(user),
        "manages": manages,
        "may_edit": permissions.may_edit(user, account),
        "may_reveal": bool(account.mobile) and permissions.may_reveal_mobile(user, account),
        "may_hand_over": permissions.may_hand_over(user, account),
        "may_unlock": permissions.may_unlock(user, account) and lockout.is_locked(account),
        "may_reset_factor": permissions.may_reset_second_factor(user, account)
        and second_factor.is_enrolled(account),
        "mobile": "",
        "reason_form": OptionalReasonForm(),
        **more,
    }
    return render(request, "accounts/user_detail.html", context)


@require_safe
def detail(request: HttpRequest, pk: Any) -> HttpResponse:
    return _show(request, _account(request, pk))


@never_cache
@get_and_post
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """An account for one organisation; its one-time password is shown once, in the answer itself."""
    organization = get_object_or_404(Organization.objects.visible_to(request.user), pk=pk)
    roles = permissions.assignable_roles(request.user, organization)
    _allow(bool(roles), "您不能为该机构开通账号。账号由推进办、主管的市教育局开通，院校可开通一名代理人。")
    form = AccountForm(request.POST or None, roles=roles)
    if request.method == "POST" and form.is_valid():
        try:
            account, password = services.create_account(
                **form.cleaned_data, organization=organization, by=request.user, at=clock.now()
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            return _one_time(request, account, password, "账号已开通")
    stands_in = permissions.only_stand_in(request.user, organization)
    context = {
        "heading": "开通代理人账号" if stands_in else "开通账号",
        "intro": f"机构：{organization}。"
        + ("代理人与联系人一样填报；每校一名，不能再指定他人。" if stands_in else "")
        + "初始密码由系统生成，只显示一次，首次登录必须修改。",
        "form": form,
        "submit_label": "开通账号",
        "cancel_url": reverse("accounts:organization-detail", args=[organization.pk]),
    }
    return render(request, "core/form_page.html", context)


def _one_time(request: HttpRequest, account: User, password: str, heading: str) -> HttpResponse:
    context = {"account": account, "password": password, "heading": heading}
    response = render(request, "accounts/one_time_password.html", context)
    response["Cache-Control"] = "no-store"
    return response


@get_and_post
def edit(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    _allow(permissions.may_edit(request.user, account), "您不能修改这个账号。")
    form = EditForm(
        request.POST or None,
        instance=account,
        may_rename=permissions.may_manage(request.user, account),
    )
    if request.method == "POST" and form.is_valid():
        services.edit_account(user=account, fields=form.changed(), by=request.user, at=clock.now())
        messages.success(request, "资料已保存。")
        return redirect("accounts:user-detail", pk=account.pk)
    context = {
        "heading": f"修改资料：{account.name}",
        "intro": "",
        "form": form,
        "submit_label": "保存",
        "cancel_url": reverse("accounts:user-detail", args=[account.pk]),
    }
    return render(request, "core/form_page.html", context)


@require_POST
def reveal(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    form = OptionalReasonForm(request.POST)
    if not form.is_valid():
        return _show(request, account, reason_form=form)
    mobile = services.reveal_mobile(
        user=account, reason=form.cleaned_data["reason"], by=request.user, at=clock.now()
    )
    response = _show(request, account, mobile=mobile)
    response["Cache-Control"] = "no-store"
    return response


def _confirm(
    request: HttpRequest, account: User, *, heading: str, text: str, consequences: list[str], form: Any = None
) -> HttpResponse:
    context = {
        "heading": f"{heading}：{account.name}",
        "text": text,
        "consequences": consequences,
        "form": form,
        "submit_label": heading,
        "dangerous": True,
        "cancel_url": reverse("accounts:user-detail", args=[account.pk]),
    }
    return render(request, "core/confirm.html", context)


@get_and_post
def deactivate(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    _allow(permissions.may_manage(request.user, account), "您不能停用这个账号。")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        services.deactivate(user=account, reason=reason, by=request.user, at=clock.now())
        messages.success(request, f"{account.name} 的账号已停用。")
        return redirect("accounts:user-detail", pk=account.pk)
    consequences = [
        "立即退出所有登录，不能再登录。",
        "其办过的事项仍记在其名下。",
        "以后可以恢复，恢复时另发初始密码。",
    ]
    return _confirm(
        request, account, heading="停用账号", text=account.label, consequences=consequences, form=form
    )


@never_cache
@get_and_post
def reactivate(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    _allow(permissions.may_manage(request.user, account), "您不能恢复这个账号。")
    if request.method == "POST":
        try:
            password = services.reactivate(user=account, by=request.user, at=clock.now())
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("accounts:user-detail", pk=account.pk)
        return _one_time(request, account, password, "账号已恢复")
    consequences = ["系统生成新的初始密码，首次登录必须修改。"]
    return _confirm(request, account, heading="恢复账号", text=account.label, consequences=consequences)


@never_cache
@get_and_post
def reset_password(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    _allow(permissions.may_manage(request.user, account), "您不能重置这个账号的密码。")
    if request.method == "POST":
        try:
            password = services.reset_password(user=account, by=request.user, at=clock.now())
        except ValidationError as error:
            messages.error(request, error.messages[0])
            return redirect("accounts:user-detail", pk=account.pk)
        return _one_time(request, account, password, "密码已重置")
    consequences = ["现有密码作废，所有登录立即退出。", "新的初始密码只显示一次，首次登录必须修改。"]
    return _confirm(request, account, heading="重置密码", text=account.label, consequences=consequences)


@require_POST
def unlock(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    services.unlock(user=account, by=request.user, at=clock.now())
    messages.success(request, "已解除锁定，可以立即登录。")
    return redirect("accounts:user-detail", pk=account.pk)


@get_and_post
def reset_factor(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    _allow(permissions.may_reset_second_factor(request.user, account), "只有推进办可以重置他人的第二因素。")
    if request.method == "POST":
        services.reset_second_factor(user=account, by=request.user, at=clock.now())
        messages.success(request, "第二因素已重置，下次访问须重新绑定。")
        return redirect("accounts:user-detail", pk=account.pk)
    consequences = ["原验证器与备用码全部作废。", "请先核实对方身份：冒充者可借此绑定自己的手机。"]
    return _confirm(request, account, heading="重置第二因素", text=account.label, consequences=consequences)


@never_cache
@get_and_post
def hand_over(request: HttpRequest, pk: Any) -> HttpResponse:
    account = _account(request, pk)
    _allow(permissions.may_hand_over(request.user, account), "这个账号不能由您移交，请与主管部门联系。")
    stand_in = _stand_in_for(account)
    to_stand_in = "stand_in" in request.POST
    may_make = permissions.may_manage(request.user, account)
    form = PersonForm(request.POST if request.POST and not to_stand_in else None)
    if request.method == "POST" and ((to_stand_in and stand_in) or form.is_valid()):
        whom = {"stand_in": stand_in} if to_stand_in else {"fields": form.cleaned_data}
        try:
            successor, password = services.hand_over(user=account, by=request.user, at=clock.now(), **whom)
        except ValidationError as error:
            refuse(form, error)
        else:
            return _handed_over(request, account, successor, password)
    context = {"account": account, "stand_in": stand_in, "form": form, "may_make": may_make}
    return render(request, "accounts/hand_over.html", context)


def _stand_in_for(account: User) -> User | None:
    return (
        User.objects.active()
        .filter(organization=account.organization, is_stand_in=True, role=account.role)
        .first()
    )


def _handed_over(request: HttpRequest, account: User, successor: User, password: str | None) -> HttpResponse:
    if password:
        return _one_time(request, successor, password, f"{account.name} 的工作已移交")
    messages.success(request, f"{account.name} 的工作已移交给 {successor.name}。")
    if account.pk == request.user.pk:
        return redirect("accounts:sign-in")
    return redirect("accounts:user-detail", pk=successor.pk)
