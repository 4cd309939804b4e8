"""Agreements between real connections: two schools confirm at once, one form arrives twice at once."""

import pytest

from core import clock
from core.models import Event
from core.tests.races import together
from schools.models import Agreement, AgreementParty
from schools.services import agreements
from schools.tests.test_agreements import TODAY, registered

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_contacts_of_two_schools_confirm_at_once_and_both_count(transactional_db, world):
    third = world.add_school("第三演示学校")
    person = world.add_user("school_contact", third.organization, "third")
    agreement = registered(world, others=[world.other_school, third])
    at = clock.now()
    calls = [
        lambda by=by: agreements.confirm(agreement, by=by, at=at) for by in (world.other_contact, person)
    ]
    together(*calls, *calls)
    assert AgreementParty.objects.bound(TODAY).count() == 3
    assert Event.objects.about(agreement).filter(action="agreement_confirmed").count() == 2


def test_the_same_form_sent_at_once_gives_one_agreement(transactional_db, world):
    together(*[lambda: registered(world)] * 3)
    assert Agreement.objects.count() == 1
