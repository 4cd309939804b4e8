"""A city officer's pages against the office's: looking at fewer schools may not cost more."""

from functools import partial

from django.test import Client
from django.urls import reverse

from accounts.models import Organization, User
from benchmarks import data
from benchmarks.measure import Claim, ratios

SCHOOLS = 2000
PAGES = {
    "首页": "home",
    "填报矩阵": "reporting:matrix",
    "未报名单": "reporting:non-reporters",
    "截止日期": "obligations:deadlines",
}


def run() -> list[Claim]:
    data.make_province(schools=SCHOOLS)
    office, city = _client("office1"), _client("city")
    claims = []
    for label, name in PAGES.items():
        path = reverse(name)
        _shows_its_own(city, path)
        found = ratios(partial(city.get, path), partial(office.get, path), rounds=7)
        claims.append(Claim(f"市局 ÷ 推进办：{label}", found.pop("ratio"), "<=", 1.3, detail=found))
    return claims


def _client(username: str) -> Client:
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
    return client


def _shows_its_own(city: Client, path: str) -> None:
    """The page is there, and names no school of another city."""
    user = User.objects.get(username="city")
    others = Organization.objects.schools().exclude(supervisor=user.organization_id)
    response = city.get(path)
    text = response.content.decode()
    if response.status_code != 200 or any(other.name in text for other in others[:200]):
        raise AssertionError(f"{path}: {response.status_code}, or a school of another city")
