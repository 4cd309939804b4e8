"""Caps, the province's rule, and how a level is examined: who sets them, and what cannot be taken back."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from certificates.models import CertificateLevel
from core import clock
from core.models import Event
from core.reference import touched
from funding import fees, services
from funding.models import CostElement, FeeCap, FeePolicy
from funding.reference import load_cost_elements
from funding.tests.fees import DAY, NEXT_MONTH, cap, policy, proposed, standard

NOT_KEEPERS = ["coordinator", "leading", "city_officer", "contact", "evaluator_officer", "auditor", "learner"]


def set_cap(world, by=None, **changes):
    fields = {
        "exam_form": "computer",
        "amount": Decimal("300"),
        "effective_from": NEXT_MONTH,
        "document": "演示文号〔2020〕1号",
    }
    return services.set_cap(fields=fields | changes, by=by or world.office, at=clock.now())


def set_rule(world, by=None, day=DAY, **fields):
    return services.set_policy(
        fields={"effective_from": day, "scope": "school", "over_cap": "reason"} | fields,
        by=by or world.office,
        at=clock.now(),
    )


@pytest.mark.parametrize("who", ["office", "finance"])
def test_office_and_finance_set_caps_with_their_document(world, who):
    found = set_cap(world, by=getattr(world, who))
    event = Event.objects.about(found).get()
    assert event.changes == {"上限": "300", "文号": "演示文号〔2020〕1号", "生效日期": "2020-12-18"}


@pytest.mark.parametrize("who", NOT_KEEPERS)
def test_nobody_else_sets_or_takes_back(world, who):
    by, found, rule = getattr(world, who), set_cap(world), set_rule(world, day=NEXT_MONTH)
    for call in (
        lambda: set_cap(world, by=by, effective_from=DAY),
        lambda: services.remove_cap(found, by=by, at=clock.now()),
        lambda: set_rule(world, by=by),
        lambda: services.remove_policy(rule, by=by, at=clock.now()),
        lambda: services.set_exam_form(world.level, exam_form="paper", by=by, at=clock.now()),
    ):
        with pytest.raises(PermissionDenied):
            call()
    assert FeeCap.objects.get() == found
    assert FeePolicy.objects.get() == rule


def test_of_one_form_and_level_one_cap_a_day(world):
    set_cap(world)
    set_cap(world, certificate_level=world.level)
    for level in (None, world.level):
        with pytest.raises(ValidationError, match="当日已有一条上限"):
            set_cap(world, certificate_level=level, amount=Decimal("1"))


@pytest.mark.parametrize("amount", ["0", "-0.01", "300.001"])
def test_a_cap_is_positive_and_to_the_cent(world, amount):
    with pytest.raises(ValidationError):
        set_cap(world, amount=Decimal(amount))


def test_a_cap_is_taken_back_until_the_day_it_begins_and_while_nothing_was_judged_by_it(world):
    found = set_cap(world)
    world.at("2020-12-18T00:00:00+08:00")
    with pytest.raises(ValidationError, match="已经生效"):
        services.remove_cap(found, by=world.office, at=clock.now())
    world.at("2020-12-17T23:59:59.999999+08:00")
    used = proposed(world, "280")
    with pytest.raises(ValidationError, match="已有考核费用标准按这条上限审核"):
        services.remove_cap(found, by=world.office, at=clock.now())
    used.cap = None
    used.save()
    services.remove_cap(found, by=world.office, at=clock.now())
    assert not FeeCap.objects.exists()
    assert Event.objects.get(action="cap_removed").changes["文号"] == "演示文号〔2020〕1号"


def test_rules_follow_each_other_and_the_past_is_not_rewritten(world):
    assert (fees.policy_on(DAY).scope, fees.policy_on(DAY).over_cap) == ("province", "refuse")
    set_rule(world, day=NEXT_MONTH)
    assert fees.policy_on(NEXT_MONTH - dt.timedelta(days=1)).scope == "province"
    assert fees.policy_on(NEXT_MONTH).over_cap == "reason"
    with pytest.raises(ValidationError, match="不能早于今天"):
        set_rule(world, day=DAY - dt.timedelta(days=1))
    with pytest.raises(ValidationError, match="当日已有一条规则"):
        set_rule(world, day=NEXT_MONTH)


def test_a_rule_is_taken_back_only_before_it_begins(world):
    begun, coming = policy(DAY), policy(NEXT_MONTH)
    with pytest.raises(ValidationError, match="已经生效"):
        services.remove_policy(begun, by=world.office, at=clock.now())
    services.remove_policy(coming, by=world.finance, at=clock.now())
    assert FeePolicy.objects.get() == begun


def test_the_form_of_a_level_is_the_offices_until_a_filed_standard_says_it(world):
    services.set_exam_form(world.level, exam_form="practical", by=world.office, at=clock.now())
    limit = cap(world, form="practical")
    assert fees.limit_on(CertificateLevel.objects.get(), DAY).cap == limit
    assert Event.objects.get(action="exam_form_set").changes == {"考核形式": ["", "一般实操"]}
    standard(world, exam_form="computer")
    with pytest.raises(ValidationError, match="以现行备案标准为准"):
        services.set_exam_form(world.level, exam_form="paper", by=world.office, at=clock.now())


def test_a_form_set_by_hand_does_not_keep_the_level_from_the_reference_files(world):
    services.set_exam_form(world.level, exam_form="practical", by=world.office, at=clock.now())
    assert touched(CertificateLevel) == {str(world.level.pk)}
    assert touched(CertificateLevel, beside=("exam_form_set",)) == set()


def test_cost_items_are_loaded_in_their_order_and_twice_is_once(world, settings):
    folder = settings.BASE_DIR / "reference" / "national"
    first, second = (load_cost_elements(folder)["考核成本项目"] for _ in range(2))
    assert (first.created, second.created, second.unchanged) == (9, 0, 9)
    assert CostElement.objects.first().name == "题库建设"
    assert all(element.source for element in CostElement.objects.all())
