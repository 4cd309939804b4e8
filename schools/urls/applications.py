app_name = "applications"
from typing import Any

urlpatterns: list[Any] = []
