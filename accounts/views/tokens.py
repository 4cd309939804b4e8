"""One's own tokens of the API: list, make, shown once, revoke."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import permissions, services
from accounts.forms import TokenForm
from accounts.models import ApiToken
from accounts.tables import TokenTable
from core import clock
from core.lists import ListPage

get_and_post = require_http_methods(["GET", "HEAD", "POST"])


def _allow(request: HttpRequest) -> None:
    if not permissions.may_make_tokens(request.user):
        raise PermissionDenied("您的角色没有可供接口使用的权限，不能生成令牌。")


class TokenList(ListPage):
    model = ApiToken
    table_class = TokenTable
    template_name = "accounts/token_list.html"
    heading = "接口令牌"
    subtitle = "让本单位的系统代您读取数据、提交周报"
    empty_text = "还没有令牌。"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _allow(request)
        return super().dispatch(request, *args, **kwargs)


@never_cache
@get_and_post
def new(request: HttpRequest) -> HttpResponse:
    """The secret is shown once, in the answer itself."""
    _allow(request)
    form = TokenForm(request.POST or None, scopes=permissions.scopes_of(request.user))
    if request.method == "POST" and form.is_valid():
        token, secret = services.create_token(
            user=request.user, **form.cleaned_data, by=request.user, at=clock.now()
        )
        return render(request, "accounts/token_shown.html", {"token": token, "secret": secret})
    context = {
        "heading": "生成接口令牌",
        "intro": "持有令牌的程序以您的名义办事，所办事项记在您名下。令牌只显示一次，到期失效，可随时撤销。",
        "form": form,
        "submit_label": "生成令牌",
        "cancel_url": reverse("accounts:token-list"),
    }
    return render(request, "core/form_page.html", context)


@get_and_post
def revoke(request: HttpRequest, pk: Any) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.visible_to(request.user), pk=pk)
    if request.method == "POST":
        services.revoke_token(token=token, by=request.user, at=clock.now())
        messages.success(request, f"令牌“{token.name}”已撤销。")
        return redirect("accounts:token-list")
    context = {
        "heading": f"撤销令牌：{token.name}",
        "text": f"{token.prefix}…",
        "consequences": ["使用它的程序立即不能再访问。", "不能恢复；需要时另建一个。"],
        "submit_label": "撤销",
        "dangerous": True,
        "cancel_url": reverse("accounts:token-list"),
    }
    return render(request, "core/confirm.html", context)
