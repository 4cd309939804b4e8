"""The examples of docs/api.md, run with curl against a real server; their answers have the documented shape."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from accounts.models import Scope
from pilot_portal.tests.calling import token_of
from reporting.models import ReportVersion

DOCS = (Path(settings.BASE_DIR) / "docs/api.md").read_text()
# Each example with what the page says it answers, where it says so.
EXAMPLES = re.findall(r"```bash\n(.*?)```(?:\n\n```json\n(.*?)```)?", DOCS, re.S)


def shape(value):
    """Names without values: lists by their first element."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else ""


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.django_db(transaction=True)
def test_the_examples_of_the_docs_work(world, live_server):
    environment = {
        "PATH": os.environ["PATH"],
        "PORTAL": live_server.url,
        "TOKEN": token_of(world.contact),
        "OFFICE_TOKEN": token_of(world.office),
        "OBLIGATION": str(world.obligation.pk),
        "PROGRAMME": str(world.programme.pk),
        "PERIOD": str(world.period.pk),
    }
    assert len(EXAMPLES) >= 7
    for command, documented in EXAMPLES:
        done = subprocess.run(
            ["sh", "-ec", command], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        if documented:
            assert shape(json.loads(done.stdout)) == shape(json.loads(documented)), command
    assert ReportVersion.objects.get().receipt


def test_every_scope_and_setting_is_documented():
    for scope in Scope:
        assert f"`{scope}`" in DOCS
    for name in ("API_TOKEN_RATE", "API_ADDRESS_RATE", "API_FAILURE_RATE"):
        assert name in DOCS
