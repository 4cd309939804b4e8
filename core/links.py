"""Addresses of our own pages: for thousands of rows, and as a request names them."""

import segno
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

_NUMBER = 9_876_543_210


def pattern(url_name: str) -> str:
    """The address of a page named by a number, with `{}` in its place: `pattern(name).format(pk)`.

    Asking `reverse` for each of thousands of rows would take longer than writing them.
    """
    return reverse(url_name, args=[_NUMBER]).replace(str(_NUMBER), "{}")


def local_path(address: str) -> str:
    """The address if it leads to a page of ours, without host or scheme; else ""."""
    is_path = address.startswith("/") and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_path else ""


def qr(address: str) -> str:
    """The whole address as a picture (`data:` address), for paper that leads back to its page."""
    return str(segno.make(address, error="m").svg_data_uri(scale=3, border=1))
