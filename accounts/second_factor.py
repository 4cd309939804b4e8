"""The second factor: a code from an authenticator app (TOTP), or one of ten one-time backup codes.

Asked of the office and the city bureaux where SECOND_FACTOR_REQUIRED is set. Codes follow real time.
"""

import base64
from typing import Any

import segno
from django.conf import settings
from django.http import HttpRequest
from django_otp import devices_for_user, match_token, user_has_device
from django_otp import login as otp_login
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from accounts.models import Role, User
from core import clock

ROLES = {Role.OFFICE, Role.CITY_BUREAU}


def is_required(user: User) -> bool:
    return settings.SECOND_FACTOR_REQUIRED and user.role in ROLES


def is_missing(request: HttpRequest) -> bool:
    """Required of this user and not given in this session."""
    user: Any = request.user  # the middleware adds is_verified
    return is_required(user) and not user.is_verified()


def is_enrolled(user: User) -> bool:
    return user_has_device(user)


def new_key() -> str:
    """A secret of 160 bits, in hex."""
    return random_hex(20)


def readable(key: str) -> str:
    """The secret as one types it into an app: base32 in groups of four."""
    text = base64.b32encode(bytes.fromhex(key)).decode()
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def qr_code(user: User, key: str) -> str:
    """The secret as a picture (`data:` address) for an app to scan."""
    address = TOTPDevice(user=user, key=key).config_url
    return segno.make(address, error="l").png_data_uri(scale=4, border=2)


def accepted_step(key: str, code: str) -> int | None:
    """The time step whose code this is (one step early or late allows for clocks), else None."""
    totp = TOTP(bytes.fromhex(key))
    totp.time = clock.real_now().timestamp()
    if code.isdecimal() and len(code) == 6 and totp.verify(int(code), tolerance=1):
        return totp.t()
    return None


def verify(request: HttpRequest, code: str) -> bool:
    """Whether the code is right and unused; wrong ones slow down the next try."""
    device = match_token(request.user, code.strip().replace(" ", "").lower())
    if device is None:
        return False
    otp_login(request, device)
    return True


def forget(user: User) -> int:
    """Remove all devices; how many there were."""
    devices = list(devices_for_user(user, confirmed=None))
    for device in devices:
        device.delete()
    return len(devices)
