"""Which schools a certificate level concerns: who may agree to what its examination costs (SX 三.8)."""

from functools import partial

import pytest
from django.core.exceptions import ValidationError

from core import clock
from funding import services
from funding.tests.fees import proposed
from schools.tests.builders import make_application, make_item, make_round

ONLY = "只有开展或申报了这个证书等级的院校"


@pytest.mark.parametrize(
    ("state", "may"), [("draft", True), ("submitted", True), ("withdrawn", False), ("rejected", False)]
)
def test_a_school_without_the_level_has_a_say_once_it_applies(world, state, may):
    found = proposed(world)
    agree = partial(services.agree, found, by=world.other_contact, at=clock.now())
    world.other_school.programmes.update(ended_at=clock.now())
    with pytest.raises(ValidationError, match=ONLY):
        agree()
    make_item(make_application(make_round(), world.other_school), world.level, state=state)
    if may:
        assert agree().organization == world.other_school_org
    else:
        with pytest.raises(ValidationError, match=ONLY):
            agree()
