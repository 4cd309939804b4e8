"""The floors that import-linter holds name every app: a new one cannot stand outside."""

import tomllib

from django.conf import settings


def test_every_package_is_held_by_the_floors():
    with (settings.BASE_DIR / "pyproject.toml").open("rb") as file:
        linter = tomllib.load(file)["tool"]["importlinter"]
    packages = {path.parent.name for path in settings.BASE_DIR.glob("*/apps.py")} | {"pilot_portal"}
    (floors,) = (contract for contract in linter["contracts"] if contract["id"] == "floors")

    assert set(linter["root_packages"]) == packages
    assert packages <= {layer.strip("()") for layer in floors["layers"]}
