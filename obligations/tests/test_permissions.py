"""Who may suspend whom, excuse, govern: role by role."""

import pytest

from core import clock
from obligations import permissions, services
from obligations.models import Suspension

VACATION, EMERGENCY = Suspension.Kind.VACATION, Suspension.Kind.EMERGENCY


def test_only_the_office_governs_and_excuses(world):
    others = [world.finance, world.leading, world.auditor, world.city_officer, world.contact, world.learner]
    assert permissions.may_govern(world.office)
    assert permissions.may_excuse(world.office, world.obligation)
    for user in others:
        assert not permissions.may_govern(user)
        assert not permissions.may_excuse(user, world.obligation)


@pytest.mark.parametrize(
    ("who", "whom", "kind", "allowed"),
    [
        ("office", "province", EMERGENCY, True),
        ("office", "bureau", EMERGENCY, True),
        ("office", "school_org", VACATION, True),
        ("office", "evaluator_org", EMERGENCY, True),
        ("office", "evaluator_org", VACATION, False),
        ("city_officer", "evaluator_org", EMERGENCY, False),
        ("city_officer", "school_org", EMERGENCY, True),
        ("city_officer", "bureau", EMERGENCY, True),
        ("city_officer", "other_school_org", EMERGENCY, False),
        ("city_officer", "other_bureau", EMERGENCY, False),
        ("city_officer", "province", EMERGENCY, False),
        ("contact", "school_org", VACATION, True),
        ("contact", "school_org", EMERGENCY, False),
        ("contact", "other_school_org", VACATION, False),
        ("contact", "bureau", VACATION, False),
        ("leader", "school_org", VACATION, False),
        ("auditor", "province", EMERGENCY, False),
        ("evaluator_officer", "evaluator_org", VACATION, False),
        ("learner", "school_org", VACATION, False),
    ],
)
def test_who_may_suspend_whom(world, who, whom, kind, allowed):
    assert permissions.may_suspend(getattr(world, who), getattr(world, whom), kind) is allowed


def test_a_school_ends_its_own_vacation_but_not_what_stands_over_it(world):
    def declared(organization, kind, by):
        return services.suspend(
            kind=kind,
            organizations=[organization],
            scope_label=organization.name,
            starts_at=clock.now(),
            ends_at=clock.now().replace(year=2021),
            reason="演练",
            by=by,
            at=clock.now(),
        )

    own = declared(world.school_org, VACATION, world.contact)
    over = declared(world.bureau, EMERGENCY, world.city_officer)
    assert permissions.may_lift(world.contact, own)
    assert permissions.may_lift(world.city_officer, own)
    assert not permissions.may_lift(world.contact, over)
    assert not permissions.may_lift(world.other_city_officer, over)
    services.lift_suspension(own, by=world.contact, at=clock.now())
    own.refresh_from_db()
    assert not permissions.may_lift(world.contact, own)


def test_who_sees_which_suspension(world):
    for organization in (world.province, world.bureau, world.school_org):
        services.suspend(
            kind=EMERGENCY,
            organizations=[organization],
            scope_label=organization.name,
            starts_at=clock.now(),
            ends_at=clock.now().replace(year=2021),
            reason="演练",
            by=world.office,
            at=clock.now(),
        )

    def seen(user):
        return set(Suspension.objects.visible_to(user).values_list("scope_label", flat=True))

    everything = {world.province.name, world.bureau.name, world.school_org.name}
    assert (
        seen(world.office)
        == seen(world.auditor)
        == seen(world.city_officer)
        == seen(world.contact)
        == everything
    )
    assert seen(world.other_contact) == seen(world.other_city_officer) == {world.province.name}
    assert seen(world.learner) == seen(world.expert) == set()


def test_who_sees_rules_and_deadlines(world):
    assert not permissions.may_see_rules(world.learner)
    assert permissions.may_see_rules(world.expert)
    assert permissions.may_see_deadlines(world.leader)
    assert permissions.may_see_deadlines(world.auditor)
    assert not permissions.may_see_deadlines(world.finance)
