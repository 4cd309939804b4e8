"""Sites between real connections: two officers file at once, one form arrives twice at once."""

import threading
import time

import pytest
from django.db import transaction

from accounts.services import end_membership
from core import clock
from core.imports.resource import NotApplied
from core.models import Event
from core.tests.races import together
from core.workflow import NotNow
from evaluators.models import ExamSite
from evaluators.services import sites
from evaluators.site_resources import SiteResource
from evaluators.tests.siting import agreed, applied, condition, fields
from evaluators.tests.test_site_import import row, workbook
from obligations.models import Obligation

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def test_two_officers_file_at_once_and_one_does(transactional_db, world):
    site, at = agreed(world), clock.now()

    def filing(by):
        try:
            return sites.file(site, by=by, at=at).state
        except NotNow as refusal:
            return str(refusal)

    first, second = together(lambda: filing(world.office), lambda: filing(world.office2))
    assert sorted([first == "filed", second == "filed"]) == [False, True]
    assert "已备案" in first + second
    assert Event.objects.about(site).filter(action="site_file").count() == 1
    assert not Obligation.objects.pending().filter(kind="site_review").exists()


def test_one_files_while_the_other_returns_and_one_stands(transactional_db, world):
    site, at = agreed(world), clock.now()

    def attempt(verb, **given):
        try:
            return verb(site, at=at, **given).state
        except NotNow:
            return None

    states = together(
        lambda: attempt(sites.file, by=world.office),
        lambda: attempt(sites.send_back, by=world.office2, comment="补"),
    )
    assert ExamSite.objects.get().state in states
    assert states.count(None) == 1


def test_the_same_application_at_once_is_one_site_and_one_duty(transactional_db, world):
    against, at = condition(world), clock.now()
    given = {"fields": fields(), "condition": against, "files": (), "by": world.contact, "at": at}
    found = together(*[lambda: sites.apply(world.certificate, **given)] * 3)
    assert len(set(found)) == ExamSite.objects.count() == 1
    assert Obligation.objects.filter(kind="site_review").count() == 1
    assert applied(world) == found[0]


def test_a_school_that_leaves_while_a_list_of_sites_is_written_keeps_none(transactional_db, world):
    held, at, given = threading.Event(), clock.now(), workbook(row(world))

    def leave():
        with transaction.atomic():
            end_membership(organization=world.school_org, at=at, by=world.office, reason="撤并")
            held.set()
            time.sleep(0.6)

    def take():
        held.wait(timeout=20)
        with pytest.raises(NotApplied):
            SiteResource(by=world.office, at=at).apply(given, "站点.xlsx")

    together(leave, take)
    assert not ExamSite.objects.exists()
