"""Who calls the API: a token in the header, within its scopes and its maker's role.

The framework reads this while its own views are being imported: nothing here may import those.
"""

from typing import Any

from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import permissions, services
from accounts.middleware import next_step
from accounts.models import ApiToken, Scope, User
from accounts.services.tokens import SECRET_PREFIX
from core import clock
from core.api import PortalThrottle


class FailureThrottle(PortalThrottle):
    """Wrong tokens by address; those in use at the same address go on."""

    scope = "failures"

    def is_spent(self, request: Request) -> bool:
        """Whether this address has used up its failures; asking costs none."""
        if self.rate is None:
            return False
        self.key, self.now = self.get_cache_key(request, None), self.timer()
        self.history = [then for then in self.cache.get(self.key, []) if then > self.now - self.duration]
        return len(self.history) >= self.num_requests


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer pp_…`."""

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        failures = FailureThrottle()
        secret = words[1].decode("ascii", "replace") if len(words) == 2 else ""
        token = services.find_token(secret) if secret.startswith(SECRET_PREFIX) else None
        if token is None:
            if failures.is_spent(request):
                raise exceptions.Throttled(failures.wait(), "无效令牌过多，请稍后再试。")
            failures.allow_request(request, None)
            raise exceptions.AuthenticationFailed(
                "令牌无效。请核对是否完整复制，或另建一个。", "token_unknown"
            )
        _refuse_ended(token)
        services.note_use(token)
        return token.user, token


def _refuse_ended(token: ApiToken) -> None:
    """Only who holds the secret hears why it no longer opens."""
    state = token.state_at(clock.real_now())
    if state == "revoked":
        raise exceptions.AuthenticationFailed("令牌已撤销。请另建一个。", "token_revoked")
    if state == "expired":
        raise exceptions.AuthenticationFailed("令牌已到期。请另建一个。", "token_expired")
    if not permissions.may_use_token(token, token.user):
        raise exceptions.AuthenticationFailed("账号已停用、须修改密码或角色已变更，令牌失效。", "token_void")


class PageSession(SessionAuthentication):
    """Signed in to the pages, all the way: enough to read the schema, never to use an endpoint."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        found = super().authenticate(request)
        return found if found and next_step(request._request, view_name="") is None else None


class TokenThrottle(PortalThrottle):
    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}

    def allow_request(self, request: Request, view: Any) -> bool:
        return request.auth is None or super().allow_request(request, view)


class HasScope(BasePermission):
    """Each view names its `scope`, or `scopes` by action; a token needs it and so does its maker's role."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.auth is None:
            return False
        scope = view.scopes.get(view.action) or view.scope
        if scope in request.auth.scopes and scope in permissions.scopes_of(request.user):
            return True
        raise exceptions.PermissionDenied(
            f"令牌没有“{Scope(scope).label}”（{scope}）的权限。请另建一个勾选此项的令牌。", "scope_missing"
        )
