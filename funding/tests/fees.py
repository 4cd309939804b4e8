"""Caps, rules and standards for the tests."""

import datetime as dt
from decimal import Decimal

from core import clock
from funding import services
from funding.models import FeeCap, FeePolicy, FeeStandard, StandardConsent

DAY = dt.date(2020, 11, 18)
NEXT_MONTH = dt.date(2020, 12, 18)


def cap(world, amount="300", day=DAY, *, level=None, form="computer", document="演示文号〔2020〕1号"):
    return FeeCap.objects.create(
        exam_form=form,
        certificate_level=level,
        amount=Decimal(amount),
        effective_from=day,
        document=document,
        created_by=world.office,
        created_at=clock.now(),
    )


def standard(world, amount="280", day=DAY, *, state="filed", **changes):
    fields = {
        "certificate_level": world.level,
        "exam_form": "computer",
        "evaluator": world.evaluator_org,
        "amount": Decimal(amount),
        "effective_from": day,
        "document": "演示备案〔2020〕1号",
        "state": state,
        "proposed_by": world.evaluator_officer,
        "proposed_at": clock.now(),
    }
    if state == "filed":
        fields |= {"filed_by": world.office, "filed_at": clock.now()}
    return FeeStandard.objects.create(**fields | changes)


def policy(day=DAY, **fields):
    return FeePolicy.objects.create(effective_from=day, created_at=clock.now(), **fields)


def proposed(world, amount="280", day=NEXT_MONTH, *, costs=None, **changes):
    """As the evaluator proposes it."""
    fields = {
        "certificate_level": world.level,
        "exam_form": "computer",
        "organization": None,
        "amount": Decimal(amount),
        "effective_from": day,
    }
    return services.propose_standard(
        fields=fields | changes, costs=costs or {}, by=world.evaluator_officer, at=clock.now()
    )


def agreed(world, amount="280", day=NEXT_MONTH, **changes):
    found = proposed(world, amount, day, **changes)
    services.agree(found, by=world.contact, at=clock.now())
    return found


def filed(world, amount="280", day=NEXT_MONTH, *, document="演示备案〔2020〕2号", **changes):
    found = agreed(world, amount, day, **changes)
    return services.file_standard(found, document=document, by=world.office, at=clock.now())


def addresses(world):
    """URL name → the number of a record, for the walk over every URL."""
    policy(DAY, scope=FeePolicy.Scope.SCHOOL)
    own = standard(world, state="proposed", organization=world.school_org)
    StandardConsent.objects.create(
        standard=own, organization=world.school_org, agreed_by=world.leader, agreed_at=clock.now()
    )
    asked = standard(world, state="proposed", organization=world.school_org)
    returned = standard(world, state="returned", organization=world.school_org)
    return {
        "funding:standard": own.pk,
        "funding:standard-act": {"pk": own.pk, "action": "standard_file"},
        "funding:standard-agree": asked.pk,
        "funding:standard-decline": asked.pk,
        "funding:standard-edit": returned.pk,
        "funding:cap-remove": cap(world, day=NEXT_MONTH).pk,
        "funding:fee-policy-remove": policy(NEXT_MONTH).pk,
        "funding:exam-form": world.level.pk,
    }
