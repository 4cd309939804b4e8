app_name = "rounds"
from typing import Any

urlpatterns: list[Any] = []
