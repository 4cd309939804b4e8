app_name = "publications"
from typing import Any

urlpatterns: list[Any] = []
