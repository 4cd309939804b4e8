"""Signing in and out, the password, the second factor, lock-out and a lost session."""

from math import ceil
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import lockout, second_factor, services, typed
from accounts.forms import BackupCodeForm, CodeForm, PasswordForm, SignInForm
from accounts.middleware import ask_to_sign_in, wants_json
from core import clock
from core import views as core_views

_NEW_KEY = "second_factor_key"
_AFTER = "after_second_factor"


class SignInView(auth_views.LoginView):
    form_class = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        services.record_sign_in(user=form.get_user(), at=clock.now())
        if second_factor.is_required(form.get_user()):
            self.request.session[_AFTER] = self.get_success_url()
        return response


@method_decorator(login_not_required, name="dispatch")
class SignOutView(auth_views.LogoutView):
    """By POST only; safe to send twice."""

    next_page = settings.LOGIN_URL

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        messages.success(request, "您已退出登录。")
        return response


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, str] | None
) -> HttpResponse:
    """Says when to try again. Locks keep real time."""
    until = lockout.until((credentials or {}).get("username", "")) or clock.real_now()
    minutes = max(1, ceil((until - clock.real_now()).total_seconds() / 60))
    context = {"minutes": minutes, "until": clock.local(until), "failures": settings.AXES_FAILURE_LIMIT}
    return render(request, "accounts/locked_out.html", context, status=429)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """The page was older than the sign-in: what was typed comes back; nothing is sent on its behalf."""
    signed_in = request.user.is_authenticated
    if wants_json(request):
        return JsonResponse({"signed_in": signed_in}, status=403 if signed_in else 401)
    if not typed.is_kept(request):
        return core_views.csrf_failure(request, reason)
    if not signed_in:
        return ask_to_sign_in(request)
    if not typed.stash(request, owner_id=request.user.pk):
        return core_views.csrf_failure(request, reason)
    messages.warning(request, "页面已过期，内容尚未提交。已恢复您填写的内容，请核对后再次提交。")
    return redirect(request.path)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    forced = request.user.must_change_password
    form = PasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = request.user
        services.change_password(user=user, password=form.cleaned_data["new_password1"], at=clock.now())
        update_session_auth_hash(request, user)
        messages.success(request, "密码已修改。其他设备上的登录已全部退出。")
        return redirect("home")
    return render(request, "accounts/password.html", {"form": form, "forced": forced})


@never_cache
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """The second factor at sign-in."""
    if not second_factor.is_missing(request):
        return redirect("home")
    form = BackupCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if second_factor.verify(request, form.cleaned_data["code"]):
            return redirect(_address_after(request))
        form.add_error("code", "验证码不正确或已用过。请等验证器显示下一个验证码后再试；连续错误须多等几秒。")
    return render(request, "accounts/second_factor.html", {"form": form})


@never_cache
@require_http_methods(["GET", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Bind an authenticator: the secret waits in the session until a code proves that it was taken over."""
    if not second_factor.is_missing(request) or second_factor.is_enrolled(request.user):
        return redirect("home")
    key = request.session.setdefault(_NEW_KEY, second_factor.new_key())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        step = second_factor.accepted_step(key, form.cleaned_data["code"].replace(" ", ""))
        if step is not None:
            return _enrolled(request, key, step)
        form.add_error("code", "验证码不正确。请确认手机时间准确，并填写当前显示的 6 位数字。")
    context = {
        "form": form,
        "qr_code": second_factor.qr_code(request.user, key),
        "key": second_factor.readable(key),
    }
    return render(request, "accounts/enrol.html", context)


def _enrolled(request: HttpRequest, key: str, step: int) -> HttpResponse:
    device, codes = services.enrol_second_factor(user=request.user, key=key, step=step, at=clock.now())
    second_factor.otp_login(request, device)
    del request.session[_NEW_KEY]
    return render(request, "accounts/backup_codes.html", {"codes": codes, "next": _address_after(request)})


def _address_after(request: HttpRequest) -> str:
    address = request.session.pop(_AFTER, "")
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return "/"
