"""The frame of the API's schema: how it refuses, and examples."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from core.problems import PROBLEM, TITLES

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "被拒绝的请求（RFC 9457）。code 供程序判断，detail 与 errors 供人阅读。",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
}
_EVERYWHERE = (400, 401, 403, 404, 405, 406, 429)
_WHERE_WRITTEN = (409, 415)


def document_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the schema: what any operation may answer when it refuses."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in result["paths"].values():
        for method, operation in methods.items():
            statuses = _EVERYWHERE + (_WHERE_WRITTEN if method == "post" else ())
            for status in statuses:
                operation["responses"].setdefault(
                    str(status), {"description": TITLES[status], "content": content}
                )
    return result


def sample(value: Any, name: str = "示例", *, request: bool = False, **kwargs: Any) -> OpenApiExample:
    """An example of an answer, or of what is sent."""
    return OpenApiExample(name, value=value, request_only=request, response_only=not request, **kwargs)
