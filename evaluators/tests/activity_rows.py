"""Activities, trainers, teachers and resources for the tests."""

import datetime as dt
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.tests.test_attachments import pdf
from evaluators.models import Activity, Qualification
from evaluators.services import activities, resources, signups, teachers, trainers

HOUR = dt.timedelta(hours=1)
# The world's clock stands on 2020-11-18 10:00.
STARTS = dt.datetime(2020, 11, 20, 1, tzinfo=dt.UTC)
ENDS = dt.datetime(2020, 11, 21, 9, tzinfo=dt.UTC)


def paper():
    return SimpleUploadedFile("活动方案.pdf", pdf())


def fields(world, **changes):
    given = {
        "certificate": world.certificate,
        "kind": Activity.Kind.TRAINING,
        "title": "演示运维师资培训",
        "plan": "两天，标准解读和实操。",
        "is_online": False,
        "place": "太原演示职业学校实训楼",
        "city": world.city,
        "starts_at": STARTS,
        "ends_at": ENDS,
        "places": None,
        "fee": Decimal(0),
        "fee_basis": "",
        "fee_reason": "",
        "cities": [],
        "schools": [],
        "trainers": [],
    }
    return {**given, **changes}


def file(world, *, at=None, by=None, extra_fee=False, files=None, **changes):
    return activities.file_activity(
        fields=fields(world, **changes),
        extra_fee=extra_fee,
        files=[paper()] if files is None else files,
        by=by or world.evaluator_officer,
        at=at or clock.now(),
    )


def rewrite(world, activity, verb=activities.change, **changes):
    given = fields(world, **changes)
    del given["certificate"]
    return verb(
        activity,
        fields=given,
        extra_fee=False,
        files=[],
        by=world.evaluator_officer,
        at=clock.now(),
    )


def trainer(world, name="演示专家", kind="industry", **changes):
    given = {
        "name": name,
        "employer": "演示企业",
        "employer_kind": kind,
        "title": "高级工程师",
        "phone": "13800001111",
        "joined_on": clock.today(),
    }
    return trainers.add_trainer(fields={**given, **changes}, by=world.evaluator_officer, at=clock.now())


def teacher(world, name="演示教师", number="T1", by=None, **changes):
    given = {"name": name, "staff_number": number, "majors": "计算机", "phone": "13900002222"}
    return teachers.add_teacher(fields={**given, **changes}, by=by or world.contact, at=clock.now())


def sign_up(activity, *people, by, at=None):
    return signups.sign_up(activity, teachers=people, by=by, at=at or clock.now())


def qualify(world, person, by=None, **changes):
    given = {
        "certificate_level": world.level,
        "kind": Qualification.Kind.TRAINER,
        "number": "演示001",
        "obtained_on": clock.today(),
        "valid_until": None,
    }
    return teachers.hold(teacher=person, fields={**given, **changes}, by=by or world.contact, at=clock.now())


def resource(world, level=None, **changes):
    given = {
        "exam_scheme": "理论和实操",
        "mock_exam": "样题一套",
        "textbook": "演示运维教程",
        "publisher": "演示出版社",
        "banks": "https://example.cn/题库",
        "updated_on": clock.today(),
    }
    return resources.keep(
        level or world.level,
        fields={**given, **changes},
        files=[],
        by=world.evaluator_officer,
        at=clock.now(),
    )


def addresses(world):
    """URL name → its values, for the walk over every address: all of `world.school` or of its evaluator."""
    person = trainer(world)
    activity = file(world, schools=[world.school], trainers=[person], starts_at=clock.now() + HOUR,
                    ends_at=clock.now() + 3 * HOUR)  # fmt: skip
    mine = teacher(world)
    [row] = sign_up(activity, mine, by=world.contact)
    held = qualify(world, mine)
    resource(world)
    rule = teachers.set_rule(
        fields={"effective_from": clock.today() + dt.timedelta(days=9), "students_per_trainer": 80},
        by=world.office,
        at=clock.now(),
    )
    names = ("detail", "change", "complete", "return", "cancel", "sign-up", "results")
    return {
        **{f"activities:{name}": activity.pk for name in names},
        "activities:sign-up-cancel": row.pk,
        "trainers:edit": person.pk,
        "trainers:leave": person.pk,
        **{f"teachers:{name}": mine.pk for name in ("detail", "edit", "leave", "qualify")},
        "teachers:qualification": held.pk,
        "teachers:qualification-remove": held.pk,
        "teachers:rule-remove": rule.pk,
        "resources:detail": world.level.pk,
        "resources:edit": world.level.pk,
    }
