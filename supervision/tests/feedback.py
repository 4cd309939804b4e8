"""A feedback of the world's school, in the states that the tests need."""

import datetime as dt

from core import clock
from evaluators.models import Charge
from supervision.services import feedback as services
from supervision.services.monitoring import choose_points

TOKENS = iter(range(1_000_000))


def filed(world, by=None, **fields):
    given = {
        "evaluator": world.evaluator_org,
        "certificate": world.certificate,
        "ground": "bundling",
        "text": "要求购买指定品牌的实训软件，报价20万元",
        "token": f"t{next(TOKENS)}",
        "by": by or world.contact,
        "at": clock.now(),
    }
    return services.file_feedback(**(given | fields))


def charged(world, user=None):
    return Charge.objects.create(
        evaluator=world.evaluator,
        coordinator=user or world.coordinator,
        given_by=world.office,
        given_at=clock.now(),
    )


def asked(world, feedback=None):
    return services.ask_evaluator(
        feedback or filed(world), text="是否要求学校购买指定软件？", by=world.office, at=clock.now()
    )


def turn(world, schools=None, **fields):
    given = {
        "certificate": world.certificate,
        "schools": schools or [world.school_org.pk],
        "starts_on": clock.today(),
        "ends_on": clock.today() + dt.timedelta(days=180),
        "reason": "第一轮",
        "by": world.office,
        "at": clock.now(),
    }
    return choose_points(**(given | fields))


def addresses(world):
    """URL name → its arguments. The evaluator's question is no record of the school."""
    feedback = filed(world)
    return {
        "supervision:feedback": {"pk": feedback.pk},
        "supervision:feedback-act": {"pk": feedback.pk, "action": "feedback_answer"},
        "supervision:feedback-question": {"pk": asked(world, feedback).pk},
        "supervision:monitoring-turn": {"pk": turn(world).pk},
        "supervision:monitoring-new": {"certificate": world.certificate.pk},
    }
