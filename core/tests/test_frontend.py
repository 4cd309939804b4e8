import json
from pathlib import Path

import pytest

from core.management import frontend


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose npm "installs" each file that is asked for."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "package.json").write_text("{}")
    (root / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3}))

    def install(command: list[str], *, cwd: Path) -> None:
        for source in {**frontend.VENDOR_FILES, **frontend.TEST_FILES}.values():
            path = cwd / "node_modules" / source
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("body\n//# sourceMappingURL=x.js.map\n")

    monkeypatch.setattr(frontend, "_npm", lambda root, work: ["npm"])
    monkeypatch.setattr(frontend, "_run", install)
    return root


def test_files_are_copied_without_their_source_maps(root):
    frontend.fetch_assets(root)

    vendor = root / "static/vendor"
    assert {path.name for path in vendor.iterdir()} == {*frontend.VENDOR_FILES, frontend.STAMP}
    assert (vendor / "echarts.min.js").read_text() == "body\n"
    assert not (root / "build").exists()


@pytest.mark.parametrize(
    "tail",
    [
        b"\n//# sourceMappingURL=a.js.map",
        b"\n/*# sourceMappingURL=a.css.map */\n",
        b"\n//@ sourceMappingURL=a\n",
    ],
)
def test_every_form_of_source_map_is_dropped(tail):
    assert frontend.SOURCE_MAP.sub(b"\n", b"a{}" + tail) == b"a{}\n"


def test_nothing_is_fetched_twice(root, monkeypatch):
    assert frontend.fetch_assets(root) == [root / "static/vendor"]
    monkeypatch.setattr(frontend, "_run", lambda *args, **options: pytest.fail("fetched again"))

    assert frontend.fetch_assets(root) == []


def test_a_changed_lock_brings_all_files_anew(root):
    frontend.fetch_assets(root)
    (root / "static/vendor/left-over.js").write_text("old")
    (root / "package-lock.json").write_text(json.dumps({"lockfileVersion": 4}))

    assert frontend.fetch_assets(root) == [root / "static/vendor"]
    assert not (root / "static/vendor/left-over.js").exists()


def test_what_only_tests_need_stays_out_of_static(root):
    frontend.fetch_assets(root, with_tests=True)

    assert (root / "build/axe/axe.min.js").exists()
    assert not (root / "static/vendor/axe.min.js").exists()


def test_a_failing_command_is_told_with_its_own_words(tmp_path):
    with pytest.raises(frontend.AssetsError, match="no such package"):
        frontend._run(["sh", "-c", "echo no such package >&2; exit 1"], cwd=tmp_path)
