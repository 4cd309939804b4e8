"""Two officers at one standard, two schools at one consent, at once: real connections, on PostgreSQL."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from core import clock
from core.models import Event, Notice
from core.tests.races import together
from core.workflow import NotNow
from funding import services
from funding.models import FeeStandard, StandardConsent
from funding.tests.fees import NEXT_MONTH, agreed, proposed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def world(transactional_db, world):
    return world


def attempt(call):
    def job():
        try:
            call()
        except (NotNow, ValidationError):
            return "told"
        return "done"

    return job


def filing(standard, by, document):
    return attempt(
        lambda: services.file_standard(
            FeeStandard.objects.get(pk=standard.pk), document=document, by=by, at=clock.now()
        )
    )


def test_two_officers_file_the_same_standard_and_one_is_told(world):
    found = agreed(world)
    said = together(filing(found, world.office, "6号"), filing(found, world.office2, "7号"))
    assert sorted(said) == ["done", "told"]
    event = Event.objects.get(action="standard_file")
    found.refresh_from_db()
    assert event.changes["备案文号"] == found.document
    assert event.actor == found.filed_by
    assert Notice.objects.filter(text__contains="已备案（").count() == 2


def test_two_standards_of_one_level_and_day_are_not_both_filed(world):
    first = agreed(world)
    second = FeeStandard.objects.get(pk=first.pk)
    second.pk, second._state.adding = None, True
    second.save()
    services.agree(second, by=world.contact, at=clock.now())
    said = together(filing(first, world.office, "6号"), filing(second, world.office2, "7号"))
    assert sorted(said) == ["done", "told"]
    assert FeeStandard.objects.filed().filter(effective_from=NEXT_MONTH).count() == 1


def test_filing_and_withdrawing_at_once_only_one_stands(world):
    found = agreed(world)
    withdrawing = attempt(
        lambda: services.withdraw(
            FeeStandard.objects.get(pk=found.pk), by=world.evaluator_officer, at=clock.now()
        )
    )
    assert sorted(together(filing(found, world.office, "6号"), withdrawing)) == ["done", "told"]
    found.refresh_from_db()
    assert (found.state == "filed") == bool(found.document)


def test_one_school_agreeing_twice_at_once_agrees_once(world):
    found = proposed(world)
    agreeing = attempt(lambda: services.agree(found, by=world.contact, at=clock.now()))
    assert sorted(together(agreeing, agreeing, agreeing)) == ["done", "told", "told"]
    assert StandardConsent.objects.count() == 1


def test_the_same_proposal_sent_twice_at_once_is_one(world):
    sending = attempt(lambda: proposed(world))
    assert sorted(together(sending, sending)) == ["done", "told"]
    assert FeeStandard.objects.count() == 1


def test_two_officers_enter_the_same_cap_or_rule_at_once_and_one_is_told(world):
    fields = {
        "exam_form": "computer",
        "amount": Decimal("300"),
        "effective_from": NEXT_MONTH,
        "document": "演示文号",
    }
    rule = {"effective_from": NEXT_MONTH, "scope": "school", "over_cap": "reason"}
    for verb, given in ((services.set_cap, fields), (services.set_policy, rule)):
        both = [
            attempt(lambda verb=verb, given=given, by=by: verb(fields=given, by=by, at=clock.now()))
            for by in (world.office, world.finance)
        ]
        assert sorted(together(*both)) == ["done", "told"]
