"""A running 公示 with an objection, for walks over every address."""

import datetime as dt

from core import clock
from schools.models import ApplicationItem
from schools.services.objections import receive_objection
from schools.services.publications import Heading, publish_proposed
from schools.tests.builders import make_application, make_item, make_round

PUBLIC = {
    "publications:lists",
    "publications:list",
    "publications:download",
    "publications:object",
    "publications:objected",
    "publications:follow",
}


def addresses(world) -> dict:
    """URL name → value of its key; the list names `world.school`, the objection is about it."""
    today = clock.today()
    round_ = make_round()
    make_item(make_application(round_, world.school), world.level, state=ApplicationItem.State.APPROVED)
    shown = publish_proposed(
        round=round_,
        heading=Heading("2020年试点结果公示", "", ""),
        starts_on=today,
        ends_on=today + dt.timedelta(days=6),
        by=world.office,
        at=clock.now(),
    )
    kept = receive_objection(
        result_list=shown,
        name="某某学会",
        contact="13812345678",
        text="太原演示职业学校没有实训场地",
        school_code=world.school_org.code,
        at=clock.now(),
    )
    of_round = {f"publications:{name}": round_.pk for name in ("round", "propose", "publish")}
    of_list = {
        f"publications:{name}": shown.pk
        for name in ("list", "download", "object", "objected", "paper", "take-down")
    }
    acts = ("objection", "objection-answer", "objection-keep", "objection-reveal")
    return of_round | of_list | {f"publications:{name}": kept.pk for name in acts}
