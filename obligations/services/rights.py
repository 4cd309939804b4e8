"""Refusals in words."""

from django.core.exceptions import PermissionDenied


def require(allowed: bool, message: str) -> None:
    """Raises PermissionDenied with `message` where it is not allowed."""
    if not allowed:
        raise PermissionDenied(message)
