"""The special fund: who registers, who sees, once, to the cent."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from core import clock
from core.models import Event
from funding import services
from funding.models import Allocation

LIST = reverse("funding:allocations")


def fields(world, **changes):
    return {
        "organization": world.school_org,
        "year": 2020,
        "source": "province",
        "document": "晋财教〔2020〕1号",
        "amount": "120000.50",
        "allocated_on": dt.date(2020, 11, 2),
    } | changes


def allocate(world, **changes):
    return services.allocate(fields=fields(world, **changes), by=world.finance, at=clock.now())


def form(world, **changes):
    typed = fields(world, organization=world.school_org.pk, **changes)
    return {name: str(value) for name, value in typed.items()}


@pytest.mark.parametrize("who", ["finance", "office"])
def test_finance_registers_in_the_browser(world, client_for, who):
    response = client_for(getattr(world, who)).post(reverse("funding:allocate"), form(world), follow=True)
    assert "120000.50" in response.content.decode()
    assert Event.objects.get(action="fund_allocated").organization == world.school_org


@pytest.mark.parametrize(
    "who", ["contact", "city_officer", "leading", "auditor", "evaluator_officer", "learner"]
)
def test_nobody_else_registers(world, client_for, who):
    assert client_for(getattr(world, who)).post(reverse("funding:allocate"), form(world)).status_code == 403
    with pytest.raises(PermissionDenied):
        services.allocate(fields=fields(world), by=getattr(world, who), at=clock.now())
    assert not Allocation.objects.exists()


@pytest.mark.parametrize(
    ("who", "sees"),
    [("contact", 1), ("leader", 1), ("city_officer", 1), ("other_contact", 0), ("other_city_officer", 0),
     ("finance", 1), ("auditor", 1), ("leading", 1), ("evaluator_officer", 0), ("expert", 0), ("learner", 0)],
)  # fmt: skip
def test_each_sees_the_money_of_their_scope(world, who, sees):
    allocate(world)
    assert Allocation.objects.visible_to(getattr(world, who)).count() == sees


def test_the_same_document_is_registered_once_and_what_was_typed_stays(world, client_for):
    allocate(world)
    page = client_for(world.finance).post(reverse("funding:allocate"), form(world)).content.decode()
    assert "已经登记" in page
    assert "晋财教〔2020〕1号" in page
    assert Allocation.objects.count() == 1


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", "钱", "1e30"])
def test_an_amount_is_positive_and_to_the_cent(world, client_for, amount):
    response = client_for(world.finance).post(reverse("funding:allocate"), form(world, amount=amount))
    assert response.status_code == 200
    assert not Allocation.objects.exists()


def test_the_school_says_that_it_arrived_once_and_not_in_the_future(world, client_for):
    allocation = allocate(world)
    address = reverse("funding:arrival", args=[allocation.pk])
    client = client_for(world.contact)
    assert "不能晚于今天" in client.post(address, {"arrived_on": "2020-11-19"}).content.decode()
    assert "不能早于下达" in client.post(address, {"arrived_on": "2020-11-01"}).content.decode()
    assert client.post(address, {"arrived_on": "2020-11-18"}).status_code == 302
    allocation.refresh_from_db()
    assert allocation.arrived_on == dt.date(2020, 11, 18)
    assert client.post(address, {"arrived_on": "2020-11-18"}).status_code == 403
    with pytest.raises(ValidationError, match="已经确认"):
        services.note_arrival(allocation, arrived_on=dt.date(2020, 11, 18), by=world.finance, at=clock.now())


@pytest.mark.parametrize(("who", "status"), [("other_contact", 404), ("city_officer", 403), ("leader", 403)])
def test_who_may_not_say_so(world, client_for, who, status):
    address = reverse("funding:arrival", args=[allocate(world).pk])
    assert client_for(getattr(world, who)).post(address, {"arrived_on": "2020-11-18"}).status_code == status


@settings(max_examples=10)
@given(cents=st.lists(st.integers(1, 10**10), min_size=1, max_size=5))
def test_the_sum_shown_is_the_sum_to_the_cent(world, client_for, cents):
    Allocation.objects.all().delete()
    for i, amount in enumerate(cents):
        allocate(world, document=f"{i}号", amount=f"{amount // 100}.{amount % 100:02d}")
    total = sum(cents)
    shown = client_for(world.finance).get(LIST).context["sum"]
    assert int(shown * 100) == total


def test_the_list_asks_the_same_for_one_and_for_three(world, client_for):
    client = client_for(world.office)
    allocate(world)

    def asked():
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        return len(queries)

    asked()  # the first request of a session also reads the clock's origin
    one = asked()
    for i in range(2):
        allocate(world, document=f"{i}号")
    assert asked() == one <= 20


def test_what_still_waits_is_found(world, client_for):
    waiting = allocate(world)
    arrived = allocate(world, document="2号")
    services.note_arrival(arrived, arrived_on=dt.date(2020, 11, 18), by=world.contact, at=clock.now())
    client = client_for(world.finance)

    def found(arrival):
        return [row.record for row in client.get(LIST, {"arrival": arrival}).context["table"].rows]

    assert (found("waiting"), found("arrived")) == ([waiting], [arrived])
