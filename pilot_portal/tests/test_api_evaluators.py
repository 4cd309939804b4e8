"""Filings, activities and sites by the API: each under its reader's scope, and never a person's data."""

import json

from accounts.models import Role
from core import clock
from evaluators.models import EvaluatorFiling, EvaluatorFilingVersion
from pilot_portal.tests.calling import Api, token_of

ID_NUMBER = "110101199003074514"


def ids(user, path, key="id", **query):
    return [row[key] for row in Api(token_of(user)).get(path, **query).json()["results"]]


def test_filings_are_the_provinces_and_the_evaluators_own(filed):
    other = filed.add_user(Role.EVALUATOR, filed.other_bureau, "other-evaluator")
    assert ids(filed.evaluator_officer, "filings/", "certificate") == [filed.certificate.pk]
    assert ids(filed.office, "filings/", "certificate") == [filed.certificate.pk]
    assert ids(filed.contact, "filings/", "certificate") == []
    assert ids(other, "filings/", "certificate") == []


def test_no_personal_data_of_a_filing_leaves_by_the_api(filed):
    version = EvaluatorFilingVersion.objects.create(
        filing=filed.filing,
        number=9,
        receipt="PJ1",
        token="t",
        received_at=clock.now(),
        submitted_by=filed.evaluator_officer,
        content={"id_number": ID_NUMBER},
        content_hash="0" * 64,
    )
    EvaluatorFiling.objects.filter(pk=filed.filing.pk).update(current=version, accepted=version)
    told = Api(token_of(filed.office)).get(f"filings/{filed.filing.pk}/").json()
    assert (told["receipt"], told["accepted_receipt"]) == ("PJ1", "PJ1")
    assert ID_NUMBER not in json.dumps(told)


def test_activities_are_seen_by_whom_they_concern(filed):
    assert ids(filed.contact, "activities/") == ids(filed.evaluator_officer, "activities/")
    filed.activity.schools.set([filed.other_school])
    assert ids(filed.contact, "activities/") == []
    assert ids(filed.other_contact, "activities/") == [filed.activity.pk]
    assert ids(filed.office, "activities/", kind="meeting") == []


def test_a_site_under_way_is_seen_by_its_parties_only(filed):
    assert ids(filed.contact, "sites/") == ids(filed.evaluator_officer, "sites/") == [filed.site.pk]
    assert ids(filed.other_contact, "sites/") == []
    filed.site.state, filed.site.filed_at = "filed", clock.now()
    filed.site.save()
    assert ids(filed.other_contact, "sites/", state="filed") == [filed.site.pk]
