app_name = "agreements"
from typing import Any

urlpatterns: list[Any] = []
