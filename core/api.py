"""What every endpoint of the API shares: pages, the parser, throttles.

The framework reads these while its own views are being imported: nothing here may import those.
"""

from typing import Any

from django.conf import settings
from django.urls import register_converter
from django.urls.converters import IntConverter
from rest_framework import exceptions
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle


class IdConverter(IntConverter):
    """A number that fits a database's integer; a longer one is no address."""

    regex = "[0-9]{1,18}"


register_converter(IdConverter, "id")


class Pages(PageNumberPagination):
    """`?page=2&page_size=100`. Every list is ordered to its last tie."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"


class BoundedJSONParser(JSONParser):
    """Brackets within brackets a thousand deep are the sender's fault, not the server's."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("JSON 嵌套过深。") from error


class PortalThrottle(SimpleRateThrottle):
    """Rates are read from the settings at each request; an empty one lifts the limit."""

    scope: str
    num_requests: int
    duration: int

    def get_rate(self) -> str | None:
        return settings.API_RATES[self.scope] or None

    def get_cache_key(self, request: Request, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class AddressThrottle(PortalThrottle):
    scope = "address"
