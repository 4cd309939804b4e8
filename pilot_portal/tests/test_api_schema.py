"""The schema keeps its word: schemathesis asks what it allows and what it forbids, as office and as school."""

import contextlib
import json
from collections import Counter

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core import clock
from pilot_portal.tests.calling import Api, token_of
from pilot_portal.wsgi import application
from reporting.tests.weekly import file
from supervision.models import Case

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def records(filed, settings):
    """Something to find behind every endpoint; no throttle stands between."""
    settings.API_RATES = {"token": "", "address": "", "failures": ""}
    file(filed)
    return Case.objects.create(organization=filed.school_org, ground="not_reporting", flagged_at=clock.now())


@contextlib.contextmanager
def one_connection():
    """As Django's own client does: no request closes the connection of the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def schema_of(secret):
    document = json.loads(
        Api(secret).client.get("/api/v1/schema/?format=json", headers=Api(secret).headers).content
    )
    schema = schemathesis.openapi.from_dict(document)
    schema.app = application
    return schema


def test_every_operation_has_an_example(world):
    document = schema_of(token_of(world.office)).raw_schema
    for methods in document["paths"].values():
        for operation in methods.values():
            answers = [
                operation["responses"][status]
                for status in ("200", "201")
                if status in operation["responses"]
            ]
            assert answers
            assert all(answer["content"]["application/json"]["examples"] for answer in answers), operation


# What a school is answered at best where it is not 200.
AS_A_SCHOOL = {"GET /api/v1/rates/{id}/": 403, "GET /api/v1/filings/{certificate}/": 404}


@pytest.mark.parametrize("who", ["office", "contact"])
def test_every_operation_keeps_to_its_schema(world, records, who):
    secret = token_of(getattr(world, who))
    known = {
        "organizations": world.school_org.pk,
        "periods": world.period.pk,
        "obligations": world.obligation.pk,
        "reports": world.obligation.pk,
        "summaries": world.summary,
        "rates": world.period.pk,
        "cases": records.pk,
        "rounds": world.round.pk,
        "applications": world.application.pk,
        "programmes": world.programme.pk,
        "plans": world.programme.plans.get().pk,
        "caps": world.cap.pk,
        "standards": world.standard.pk,
        "filings": world.filing.pk,
        "activities": world.activity.pk,
        "sites": world.site.pk,
    }
    seen = Counter()
    schema = schema_of(secret)
    with one_connection():
        for result in schema.get_all_operations():
            exercise(result.ok(), secret, known, seen)
    assert {status for _, status in seen} >= {200, 400, 401, 404}
    for label in {label for label, _ in seen if label.startswith("GET ")}:
        assert seen[label, 200 if who == "office" else AS_A_SCHOOL.get(label, 200)], label


def exercise(operation, secret, known, seen):
    """A few dozen requests, allowed and forbidden ones, half of them about a record that is there."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    here = known[operation.path.split("/")[3]]

    @hypothesis.settings(
        max_examples=15,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(
        case=st.one_of(operation.as_strategy(generation_mode=mode) for mode in modes), is_known=st.booleans()
    )
    def ask(case, is_known):
        for name in case.path_parameters if is_known else ():
            case.path_parameters[name] = here
        response = case.call(headers={"Authorization": f"Bearer {secret}"})
        case.validate_response(response, checks=CHECKS)
        seen[operation.label, response.status_code] += 1

    ask()
