"""Two officers at once, on PostgreSQL: a list is published once, an objection answered once."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError

from core import clock
from core.models import Event
from core.tests.races import together
from core.workflow import NotNow
from obligations.models import Obligation
from schools.models import ApplicationItem, Objection, ResultList
from schools.services.objections import answer_objection, receive_objection
from schools.services.publications import Heading, publish_final, publish_proposed
from schools.tests.builders import make_application, make_item, make_round
from schools.workflow import review

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
HEADING = Heading("2020年试点结果", "", "")


@pytest.fixture
def item(world):
    world.round = make_round()
    application = make_application(world.round, world.school)
    return make_item(application, world.level, state=ApplicationItem.State.APPROVED)


def attempt(service, *args, **given):
    """The call as work for a thread; a refusal gives its words."""

    def work():
        try:
            return service(*args, **given, at=clock.now())
        except (ValidationError, NotNow) as refusal:
            return str(refusal)

    return work


def propose(world, by):
    today = clock.today()
    return attempt(
        publish_proposed, round=world.round, heading=HEADING, starts_on=today, ends_on=today, by=by
    )


def refusals(results):
    return [result for result in results if isinstance(result, str)]


def test_a_proposed_list_is_published_once(world, item):
    [refused] = refusals(together(*[propose(world, by) for by in (world.office, world.office2)]))
    assert "没有可以公示的项目" in refused
    assert ResultList.objects.count() == 1


def test_a_final_list_is_published_once_and_owes_once(world, item):
    propose(world, world.office)()
    world.at(clock.now() + dt.timedelta(days=1))
    officers = (world.office, world.office2)
    results = together(
        *[attempt(publish_final, round=world.round, heading=HEADING, by=by) for by in officers]
    )
    [refused] = refusals(results)
    assert "没有可以公布的项目" in refused
    assert Obligation.objects.filter(kind="school_filing").count() == 1


def test_an_objection_sent_twice_at_once_is_kept_once(world, item):
    shown = propose(world, world.office)()
    form = {"result_list": shown, "name": "某", "contact": "1", "text": "异议"}
    first, second = together(*[attempt(receive_objection, **form) for _ in range(2)])
    assert first.receipt == second.receipt
    assert Objection.objects.count() == Obligation.objects.filter(kind="objection").count() == 1


def test_an_objection_is_answered_once(world, item):
    shown = propose(world, world.office)()
    kept = receive_objection(result_list=shown, name="某", contact="1", text="异议", at=clock.now())
    results = together(
        attempt(answer_objection, kept, is_upheld=True, answer="属实", by=world.office),
        attempt(answer_objection, kept, is_upheld=False, answer="不属实", by=world.office2),
    )
    [refused] = refusals(results)
    assert "已经答复" in refused
    stands = Objection.objects.get()
    assert stands.answer == ("属实" if stands.is_upheld else "不属实")
    assert Event.objects.filter(action="objection_answered").count() == 1


def test_a_decision_taken_back_meanwhile_is_not_on_the_final_list(world, item):
    propose(world, world.office)()
    world.at(clock.now() + dt.timedelta(days=1))
    results = together(
        attempt(publish_final, round=world.round, heading=HEADING, by=world.office),
        attempt(review.run, "item_reconsider", item, by=world.office2, comment="复核"),
    )
    assert len(refusals(results)) == 1
    item.refresh_from_db()
    final = ResultList.objects.filter(kind="final").exists()
    assert final == (item.state == ApplicationItem.State.APPROVED)
