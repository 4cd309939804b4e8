"""Cases at each stage, for the tests: made by the same verbs as in life."""

import datetime as dt

from django.core.files.uploadedfile import SimpleUploadedFile

from core import clock
from core.models import Attachment
from core.tests.test_attachments import png
from obligations.closing import close_period
from obligations.models import Obligation
from supervision import services
from supervision.models import Case, FollowUp, Statement
from supervision.services.procedure import lapse

WEEKS = ("2020-W44", "2020-W45", "2020-W46")
ANSWER_ENDS = dt.datetime.fromisoformat("2020-11-27T18:00:00+08:00")


def picture(name="证据.png"):
    return SimpleUploadedFile(name, png())


def flagged(world, keys=WEEKS, spans_exempt=False):
    """The school missed those weeks; the case that the sweep opens."""
    for key in keys:
        close_period(world.add_week(key), at=clock.now())
    missed = Obligation.objects.counted_missed().filter(organization=world.school_org, key__in=keys)
    finding = services.Finding(
        world.school_org, list(missed.select_related("period").order_by("due_at")), spans_exempt
    )
    services.flag([finding], ground="not_reporting", flagged_at=clock.now(), at=clock.now())
    return Case.objects.get()


def investigating(world, **kwargs):
    return services.investigate(flagged(world, **kwargs), by=world.office, at=clock.now())


def certified(world, **kwargs):
    case = investigating(world, **kwargs)
    return services.certify_platform(case, reason="登录国家平台查询，无填报", by=world.office, at=clock.now())


def notified(world):
    return services.notify(certified(world), by=world.office, at=clock.now())


def lapsed(world):
    """Nothing came; the clock stands at the end of the term."""
    case = notified(world)
    lapse(case, at=world.at(ANSWER_ENDS))
    case.refresh_from_db()
    return case


def responded(world):
    case = notified(world)
    services.save_statement(
        case, text="停电三周", by=world.contact, at=clock.now(), files=[picture("停电.png")]
    )
    services.send_statement(case, by=world.contact, at=clock.now())
    case.refresh_from_db()
    return case


def settled(world, case):
    services.write_ways_out(
        case, texts={world.programme.pk: "转入邻校完成考核"}, by=world.office, at=clock.now()
    )
    return case


def revoked(world):
    case = settled(world, lapsed(world))
    services.revoke(case, reasons="三周未报，未作说明", by=world.office2, at=clock.now())
    case.refresh_from_db()
    return case


def by_hand(world, ground="funds"):
    return services.open_case(
        organization=world.school_org,
        ground=ground,
        facts="2020年9月将专项资金用于偿还债务",
        files=[picture()],
        by=world.office,
        at=clock.now(),
    )


def addresses(world):
    """URL name → its arguments, of one case with a draft and one with its papers."""
    drafted, decided = by_hand(world, "funds"), by_hand(world, "forcing")
    for case in (drafted, decided):
        services.investigate(case, by=world.office, at=clock.now())
        services.notify(case, by=world.office, at=clock.now())
        services.save_statement(case, text="属实", by=world.contact, at=clock.now(), files=[picture()])
    sent = services.send_statement(decided, by=world.contact, at=clock.now())
    decided.refresh_from_db()
    due_at = clock.now() + dt.timedelta(days=9)
    decision = services.rectify(decided, reasons="归还", due_at=due_at, by=world.office2, at=clock.now())
    task = FollowUp.objects.create(case=decided, decision=decision, kind="recovery", created_at=clock.now())
    draft = Statement.objects.get(case=drafted)
    file = Attachment.objects.of(draft).get()
    of_the_draft = {
        name: {"pk": drafted.pk}
        for name in [
            "case-detail",
            "case-record",
            "case-record-json",
            "confirm-streak",
            "certify-platform",
            "case-files",
            "case-students",
            "statement",
            "statement-check",
        ]
    }
    given = of_the_draft | {
        "act": {"pk": decided.pk, "action": "case_accept"},
        "follow-up-done": {"pk": task.pk},
        "document-scan": {"pk": decision.documents.get().pk},
        "statement-receipt": {"receipt": sent.receipt},
        "statement-file-discard": {"pk": drafted.pk, "file_pk": file.pk},
    }
    return {f"supervision:{name}": values for name, values in given.items()}
