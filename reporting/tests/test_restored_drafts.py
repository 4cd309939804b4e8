"""What came back after signing in again is shown until its draft is saved: by the form or by autosave."""

import pytest
from django.test import Client

from certificates.models import CertificateLevel
from core import clock
from reporting.tests.summing import half_of
from schools.models import RoundRoute
from schools.services import applications
from schools.tests.builders import make_round
from schools.tests.test_agreement_pages import typed as agreed

TYPED = "登录失效前写的"


def weekly(world):
    return f"/reports/{world.obligation.pk}/edit/", "work_done", "contact"


def summary(world):
    return f"/summaries/{half_of(world).pk}/edit/", "progress", "contact"


def school_filing(world):
    return "/filings/mine/", "mechanism", "contact"


def evaluator_filing(world):
    return f"/evaluator-filings/{world.certificate.pk}/edit/", "address", "evaluator_officer"


def item(world):
    round = make_round(year=2021)
    RoundRoute.objects.create(round=round, kind=world.school.kind, authority="city", through_city=True)
    who = {"by": world.contact, "at": clock.now()}
    application = applications.start_application(round=round, school=world.school, **who)
    level = CertificateLevel.objects.create(certificate=world.certificate, level=3)
    [added] = applications.add_items(application=application, levels=[level], **who)
    return f"/applications/items/{added.pk}/", "equipment", "contact"


@pytest.mark.parametrize("form", [weekly, summary, school_filing, evaluator_filing, item])
@pytest.mark.parametrize("by_script", [False, True])
def test_it_is_there_again_until_it_is_saved(world, form, by_script):
    address, field, username = form(world)
    client, sent = Client(), {field: TYPED, "revision": "0"}
    client.post(address, sent, HTTP_ORIGIN="http://testserver")
    who = {"username": username, "password": "pilot-pass-2020", "next": address}
    assert client.post("/sign-in/", who).url == address
    for _ in range(2):
        page = client.get(address).content.decode()
        assert TYPED in page
        assert "已恢复登录失效前填写的内容" in page
    draft = f"{address.removesuffix('edit/')}draft/"
    assert client.post(draft if by_script else address, sent).status_code in (200, 302)
    page = client.get(address).content.decode()
    assert TYPED in page
    assert "已恢复登录失效前填写的内容" not in page


def test_it_is_gone_with_an_agreement_chosen_meanwhile(world):
    """Else the item would meet its own draft, and the agreement just registered would be lost in the answer."""
    address, field, username = item(world)
    client, sent = Client(), {field: TYPED, "revision": "0"}
    client.post(address, sent, HTTP_ORIGIN="http://testserver")
    client.post("/sign-in/", {"username": username, "password": "pilot-pass-2020", "next": address})
    assert TYPED in client.get(address).content.decode()
    level = CertificateLevel.objects.get(certificate=world.certificate, level=3)
    pk = address.rstrip("/").rsplit("/", 1)[-1]
    answer = client.post(f"/agreements/new/?item={pk}", agreed(world, certificate_level=level.pk))
    assert answer.status_code == 302, answer.content.decode()
    assert "已恢复登录失效前填写的内容" not in client.get(address).content.decode()
