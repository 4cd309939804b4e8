import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import User
from core import clock
from evaluators.models import Activity, ExamSite, SiteCondition
from funding.models import FeeCap, FeeStandard
from pilot_portal.tests.calling import Api, token_of
from reporting.tests import summing
from schools.models import Application, ApplicationItem, ApplicationRound


@pytest.fixture
def api() -> Any:
    def with_token_of(user: User, *scopes: str, days: int = 30) -> Api:
        return Api(token_of(user, *scopes, days=days))

    return with_token_of


@pytest.fixture
def filed(world: Any) -> Any:
    """A round with an application of the school and one of the other school; caps and standards; the school's
    half-year summary (`summary` is the key of what it fulfils)."""
    now = clock.now()
    day = dt.timedelta(days=1)
    world.round = ApplicationRound.objects.create(
        year=2021,
        number=1,
        opens_at=now - day,
        school_closes_at=now + 7 * day,
        city_closes_at=now + 9 * day,
        province_closes_at=now + 12 * day,
        created_by=world.office,
        created_at=now,
    )
    world.application, world.other_application = (
        Application.objects.create(
            round=world.round, school=school, reviewer=bureau, started_by=contact, started_at=now
        )
        for school, bureau, contact in [
            (world.school, world.bureau, world.contact),
            (world.other_school, world.other_bureau, world.other_contact),
        ]
    )
    world.item = ApplicationItem.objects.create(
        application=world.application,
        certificate_level=world.level,
        state=ApplicationItem.State.SUBMITTED,
        planned_new=50,
        carried_over=10,
    )
    world.cap = FeeCap.objects.create(
        exam_form="computer",
        amount=Decimal("300.00"),
        effective_from=dt.date(2020, 1, 1),
        document="演示文号",
        created_by=world.office,
        created_at=now,
    )
    world.standard = FeeStandard.objects.create(
        certificate_level=world.level,
        exam_form="computer",
        evaluator=world.evaluator_org,
        amount=Decimal("280.00"),
        effective_from=dt.date(2020, 12, 1),
        proposed_by=world.evaluator_officer,
        proposed_at=now,
    )
    world.activity = Activity.objects.create(
        evaluator=world.evaluator_org,
        certificate=world.certificate,
        kind=Activity.Kind.TRAINING,
        title="师资培训",
        plan="两天",
        place="太原",
        starts_at=now + day,
        ends_at=now + 2 * day,
        filed_by=world.evaluator_officer,
        filed_at=now,
    )
    condition = SiteCondition.objects.create(
        certificate=world.certificate,
        text="机房一间",
        published_by=world.evaluator_officer,
        published_at=now,
    )
    world.site = ExamSite.objects.create(
        certificate=world.certificate,
        school=world.school,
        condition=condition,
        name="太原演示职业学校考核站点",
        city=world.city,
        address="演示路1号",
        places=40,
        equipment="计算机 40 台",
        applied_by=world.contact,
        applied_at=now,
    )
    world.summary = summing.addresses(world)["summaries:detail"]
    return world
