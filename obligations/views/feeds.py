"""The calendar of deadlines: subscribed to by a secret address, or downloaded once."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock, events, exports
from obligations import ics, permissions, services
from obligations.models import CalendarFeed
from obligations.views.checked import require

NOT_YOURS = "截止事项供报送单位及其主管部门查看、订阅。"


def _allow(request: HttpRequest) -> None:
    require(permissions.may_see_deadlines(request.user), NOT_YOURS)


def _standing(request: HttpRequest) -> CalendarFeed | None:
    feed = CalendarFeed.objects.visible_to(request.user).standing().select_related("user").first()
    return feed if feed and feed.is_open else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def feed_page(request: HttpRequest) -> HttpResponse:
    """Whether there is an address; POST makes a new one and shows it, once, in the answer itself."""
    _allow(request)
    address = ""
    if request.method == "POST":
        secret = services.make_feed(user=request.user, by=request.user, at=clock.now())
        address = request.build_absolute_uri(reverse("obligations:feed", args=[secret]))
    context = {"feed": _standing(request), "address": address, "days_kept": ics.KEPT.days}
    return render(request, "obligations/feed.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def feed_revoke(request: HttpRequest) -> HttpResponse:
    _allow(request)
    if request.method == "POST":
        revoked = services.revoke_feed(user=request.user, by=request.user, at=clock.now())
        messages.success(request, "订阅地址已停用。" if revoked else "没有可停用的订阅地址。")
        return redirect("obligations:feed-page")
    context = {
        "heading": "停用订阅地址",
        "text": "停用现在的日历订阅地址？",
        "consequences": ["所有使用它的日历立即不能再更新。", "不能恢复；需要时另生成一个。"],
        "submit_label": "停用",
        "dangerous": True,
        "cancel_url": reverse("obligations:feed-page"),
    }
    return render(request, "core/confirm.html", context)


@require_POST
def feed_download(request: HttpRequest) -> HttpResponse:
    """The same file, once."""
    _allow(request)
    at, user = clock.now(), request.user
    events.record(
        "list_exported",
        user,
        by=user,
        at=at,
        organization_id=user.organization_id,
        target_label="截止事项日历",
    )
    return exports.download(
        ics.calendar(user, at), f"截止事项-{clock.local(at):%Y%m%d}.ics", content_type=ics.CONTENT_TYPE
    )


@login_not_required
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """What a calendar programme fetches; 404 unless the address stands. No session is looked at."""
    found = services.find_feed(secret)
    if found is None or not permissions.may_see_deadlines(found.user):
        raise Http404
    content = ics.calendar(found.user, clock.now())
    response = HttpResponse(content, content_type=ics.CONTENT_TYPE)
    response["ETag"] = ics.etag(content)
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
