"""What a coordinator sees of the evaluators in his or her charge: deadlines and credit proposals, from the
moment it is given until it ends."""

import pytest
from django.urls import reverse

from accounts import in_charge
from accounts.models import Organization, Role
from accounts.services import people
from certificates.models import CreditProposal
from certificates.tests.test_credit import filed, published
from core import clock
from core.models import Event, Notice
from evaluators.models import Charge, Evaluator
from evaluators.services import charges
from evaluators.views.charges import with_standing
from obligations.models import Obligation

DEADLINES = "/deadlines/"


@pytest.fixture
def proposal(world):
    found = published(world)
    filed(world, found)
    return found


def given(world):
    return charges.give(
        evaluator=world.evaluator, coordinator=world.coordinator, by=world.office, at=clock.now()
    )


def test_it_is_seen_while_the_charge_lasts(world, proposal):
    def seen():
        rows = Obligation.objects.visible_to(world.coordinator)
        return set(rows.values_list("organization", flat=True)), list(
            CreditProposal.objects.visible_to(world.coordinator)
        )

    assert seen() == (set(), [])
    charge = given(world)
    assert seen() == ({world.evaluator_org.pk}, [proposal])
    charges.end(charge, by=world.office, at=clock.now())
    assert seen() == (set(), [])


def test_the_evaluators_page_tells_where_it_runs_and_opens_no_school(world, client_for):
    given(world)
    response = client_for(world.coordinator).get(reverse("evaluators:detail", args=[world.evaluator_org.pk]))
    assert [school["name"] for school in response.context["schools"]] == [
        world.school_org.name,
        world.other_school_org.name,
    ]
    assert reverse("schools:detail", args=[world.school_org.pk]) not in response.content.decode()


def test_nobody_else_has_organisations_in_charge(world):
    given(world)
    for who in (world.office, world.contact, world.evaluator_officer, world.city_officer):
        assert not in_charge.organizations(who).exists()
    world.coordinator.role = Role.EXPERT
    world.coordinator.save()
    assert not in_charge.organizations(world.coordinator).exists()
    assert not Obligation.objects.visible_to(world.coordinator).exists()


def test_the_page_of_deadlines_lists_them_with_their_organisation(world, proposal, client_for):
    client = client_for(world.coordinator)
    assert client.get(DEADLINES).context["count"] == 0
    given(world)
    answer = client.get(DEADLINES)
    page = answer.content.decode()
    assert answer.context["count"] == Obligation.objects.filter(organization=world.evaluator_org).count() > 0
    assert world.evaluator_org.name in page
    assert f"/credit-proposals/{proposal.pk}/" in page
    assert "太原演示职业学校" not in page
    assert client.get(f"{DEADLINES}?by=organization").status_code == 200
    assert client.get("/suspensions/").status_code in (403, 404)


def test_a_proposal_is_read_and_not_answered(world, proposal, client_for):
    client = client_for(world.coordinator)
    page = f"/credit-proposals/{proposal.pk}/"
    assert client.get(page).status_code == 404
    given(world)
    assert client.get(page).status_code == 200
    assert client.get("/credit-proposals/").context["count"] == 1
    assert client.get(f"{page}credit_accept/").status_code == 403
    assert client.get(f"{page}edit/").status_code == 403


def test_charges_go_on_with_the_successor(world):
    given(world)
    successor, _ = people.hand_over(
        user=world.coordinator, fields={"username": "next", "name": "接任"}, by=world.office, at=clock.now()
    )
    assert list(in_charge.organizations(successor)) == [world.evaluator_org]
    assert not in_charge.organizations(world.coordinator).exists()
    actions = Event.objects.filter(target_id=str(world.evaluator.pk)).order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["charge_given", "charge_ended", "charge_given"]
    assert Notice.objects.filter(recipient=successor, text__contains="交由您对接").exists()


def test_without_a_successor_charges_end_with_the_account(world):
    given(world)
    people.deactivate(user=world.coordinator, reason="离任", by=world.office, at=clock.now())
    assert not Charge.objects.filter(ended_at=None).exists()
    [row] = with_standing(Evaluator.objects.filter(pk=world.evaluator.pk))
    assert (row.is_charged, row.charges_now) == (False, [])


def test_the_list_begins_with_those_at_work_here_then_by_pinyin(world, client_for):
    for name, pinyin in (("中联演示", "zlys"), ("北京演示", "bjys"), ("成都演示", "cdys")):
        organization = Organization.objects.create(kind="evaluator", name=name, code=pinyin, pinyin=pinyin)
        Evaluator.objects.create(organization=organization)
    client, address = client_for(world.office), reverse("evaluators:list")

    def names(**query):
        return [str(row.record) for row in client.get(address, query).context["table"].rows]

    assert names() == ["演示评价组织", "北京演示", "成都演示", "中联演示"]
    assert names(sort="-organization")[:2] == ["中联演示", "成都演示"]
    assert names(q="bj") == names(q="北京") == ["北京演示"]
