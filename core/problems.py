"""How the API refuses: problems (RFC 9457) in Chinese."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied as Forbidden
from django.core.exceptions import ValidationError as Invalid
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from core import events

PROBLEM = "application/problem+json"
TITLES = {
    400: "请求有误",
    401: "需要令牌",
    403: "没有权限",
    404: "没有找到",
    405: "不支持这个方法",
    406: "只提供 JSON",
    409: "冲突",
    415: "只接受 JSON",
    429: "请求过于频繁",
}


class Conflict(exceptions.APIException):
    status_code = 409
    default_detail = "与现有记录冲突。"
    default_code = "conflict"


def problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to a refused request, as `application/problem+json`; None lets the server's own 500 stand.

    {"type", "title", "status", "code", "detail", "errors": [{"field", "message"}], "request_id"}
    """
    if isinstance(error, Invalid):
        error = exceptions.ValidationError(getattr(error, "message_dict", None) or error.messages)
    elif isinstance(error, Forbidden) and error.args:
        error = exceptions.PermissionDenied(str(error))
    response = exception_handler(error, context)
    if response is None:
        return None
    errors = list(_flat(response.data)) if isinstance(error, exceptions.ValidationError) else []
    status = response.status_code
    response.data = {
        "type": "about:blank",
        "title": TITLES.get(status, "请求未完成"),
        "status": status,
        "code": "invalid" if errors else _code(error, status),
        "detail": "请更正 errors 中各项后重试。" if errors else str(response.data["detail"]),
        "errors": errors,
        "request_id": events.request_id.get(),
    }
    response.content_type = PROBLEM
    return response


def _code(error: Exception, status: int) -> str:
    """For programs: a word that does not change with the text."""
    detail = getattr(error, "detail", None)
    return getattr(detail, "code", None) or {403: "permission_denied", 404: "not_found"}.get(status, "error")


def _flat(data: Any, path: str = "") -> Iterator[dict[str, str]]:
    """`{"programmes": [{}, {"passed": ["…"]}]}` → `programmes.1.passed`; "" is about the whole."""
    if isinstance(data, dict):
        for name, inner in data.items():
            yield from _flat(inner, path if name == "non_field_errors" else f"{path}.{name}".strip("."))
    elif isinstance(data, list):
        for index, inner in enumerate(data):
            yield from _flat(inner, path if isinstance(inner, str) else f"{path}.{index}".strip("."))
    else:
        yield {"field": path, "message": str(data)}


class Nothing(APIView):
    """Every other address below the API: 404 in the API's own words."""

    schema = None
    permission_classes: list[Any] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise exceptions.NotFound("没有这个地址。地址以 / 结尾，各项见 /api/v1/docs/。")
