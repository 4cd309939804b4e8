"""What the tests of the API call with: a token of a user, and the client that carries it."""

import json
from typing import Any

from django.test import Client

from accounts import permissions
from accounts.models import User
from accounts.services import create_token
from core import clock


def token_of(user: User, *scopes: str, days: int = 30) -> str:
    """The secret of a new token; without scopes, with all that the role may give."""
    wanted = scopes or permissions.scopes_of(user)
    _, secret = create_token(user=user, name="教务系统", scopes=wanted, days=days, by=user, at=clock.now())
    return secret


class Api:
    """`get("periods/")` and `post(…, key=…, body=…)` below /api/v1/."""

    def __init__(self, secret: str = "") -> None:
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.client = Client(raise_request_exception=True)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path: str, *, key: str = "", body: Any) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        text = body if isinstance(body, str) else json.dumps(body)
        return self.client.post(
            f"/api/v1/{path}", data=text, content_type="application/json", headers=headers
        )
