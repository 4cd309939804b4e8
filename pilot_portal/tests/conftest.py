from typing import Any

import pytest
from django.core.cache import cache

from accounts.models import User
from pilot_portal.tests.calling import Api, token_of


@pytest.fixture(autouse=True)
def _throttles_forgotten() -> Any:
    """The clock stands still in tests, so that no minute of a throttle would ever pass."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def api() -> Any:
    def with_token_of(user: User, *scopes: str, days: int = 30) -> Api:
        return Api(token_of(user, *scopes, days=days))

    return with_token_of
