"""The procedure by its verbs: each step, each attempt to skip one, and the clock."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from core import clock
from core.models import Attachment, Event, Notice
from core.workflow import NotNow
from obligations import services as obligations
from obligations.models import CalendarDay, Dispute, Obligation, PlatformImport
from supervision import services
from supervision.evidence import standing_evidence
from supervision.models import Case, CaseDecision, Statement
from supervision.services.procedure import lapse, overdue
from supervision.services.statements import report_rectification, respond
from supervision.tests import cases
from supervision.workflow import procedure

DUE = dt.datetime.fromisoformat("2020-12-11T18:00:00+08:00")


def attempts(world, at):
    """Every act on a case, as whoever has the right to it."""
    return {
        "case_investigate": lambda c: services.investigate(c, by=world.office, at=at),
        "case_notify": lambda c: services.notify(c, by=world.office, at=at),
        "case_drop": lambda c: services.drop(c, reasons="查无", by=world.office, at=at),
        "case_respond": lambda c: respond(c, by=world.contact, at=at),
        "case_lapse": lambda c: lapse(c, at=at),
        "case_revoke": lambda c: services.revoke(c, reasons="x", by=world.office2, at=at),
        "case_rectify": lambda c: services.rectify(
            c, reasons="x", due_at=at + dt.timedelta(days=9), by=world.office2, at=at
        ),
        "case_dismiss": lambda c: services.dismiss(c, reasons="x", by=world.office2, at=at),
        "case_report": lambda c: report_rectification(c, by=world.contact, at=at),
        "case_accept": lambda c: services.accept(c, comment="x", by=world.office2, at=at),
        "case_fail": lambda c: services.fail(c, comment="x", by=world.office2, at=at),
        "case_overdue": lambda c: overdue(c, at=at),
        "case_reverse": lambda c: services.reverse(c, reasons="x", by=world.office2, at=at),
    }


FITTING = {
    "flagged": {"case_investigate"},
    "investigating": {"case_notify", "case_drop"},
    "notified": {"case_respond", "case_lapse"},
    "responded": {"case_revoke", "case_rectify", "case_dismiss"},
    "lapsed": {"case_revoke", "case_rectify", "case_dismiss"},
    "overdue": {"case_revoke", "case_rectify", "case_dismiss"},
    "rectifying": {"case_report", "case_accept", "case_fail", "case_overdue"},
    "decided": {"case_reverse"},
}


def at_stage(world, state):
    if state in {"rectifying", "overdue"}:
        case = cases.lapsed(world)
        services.rectify(case, reasons="限期整改", due_at=DUE, by=world.office2, at=clock.now())
        if state == "overdue":
            overdue(case, at=world.at(DUE))
    else:
        case = {
            "flagged": cases.flagged,
            "investigating": cases.certified,
            "notified": cases.notified,
            "responded": cases.responded,
            "lapsed": cases.lapsed,
            "decided": cases.revoked,
        }[state](world)
    case.refresh_from_db()
    assert case.state == state
    return case


@pytest.mark.parametrize("state", FITTING)
def test_no_step_is_skipped(world, state):
    case = at_stage(world, state)
    before = Case.objects.values().get()
    told = Notice.objects.count()
    for action, attempt in attempts(world, clock.now()).items():
        if action in FITTING[state]:
            continue
        with pytest.raises(NotNow) as refusal:
            attempt(Case.objects.get())
        assert case.get_state_display() in refusal.value.reasons[0]
    assert Case.objects.values().get() == before
    assert Notice.objects.count() == told
    assert {row.action for row in procedure.table} == set(attempts(world, clock.now()))
    assert {row.action for row in procedure.table if state in row.sources} == FITTING[state]


def test_the_database_refuses_a_skipped_notice(world):
    case = cases.investigating(world)
    for state in ["notified", "responded", "lapsed", "rectifying"]:
        with pytest.raises(IntegrityError), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(state=state)


def test_the_proposer_does_not_decide(world):
    case = cases.settled(world, cases.lapsed(world))
    at = clock.now()
    for attempt in [
        lambda: services.revoke(case, reasons="x", by=world.office, at=at),
        lambda: services.dismiss(case, reasons="x", by=world.office, at=at),
        lambda: services.rectify(case, reasons="x", due_at=DUE, by=world.office, at=at),
    ]:
        with pytest.raises(PermissionDenied, match="提出处理意见的人不作决定"):
            attempt()
    assert not CaseDecision.objects.exists()
    assert services.dismiss(case, reasons="情有可原", by=world.office2, at=at).kind == "dismissed"


@pytest.mark.parametrize("who", ["city_officer", "leading", "finance", "contact", "auditor"])
def test_only_the_office_acts(world, who):
    user = getattr(world, who)
    case = cases.flagged(world)
    with pytest.raises(PermissionDenied):
        services.investigate(case, by=user, at=clock.now())
    with pytest.raises(PermissionDenied):
        services.certify_platform(case, reason="x", by=user, at=clock.now())
    with pytest.raises(PermissionDenied):
        services.open_case(organization=world.school_org, ground="funds", facts="x", by=user, at=clock.now())


def test_the_notice_gives_seven_working_days_and_is_owed(world):
    case = cases.notified(world)
    term = Obligation.objects.get(kind="case_answer")
    assert case.answer_term == term
    assert term.due_at == cases.ANSWER_ENDS
    assert (term.outcome, term.organization, case.proposer) == ("pending", world.school_org, world.office)
    for user in [world.contact, world.leader, world.city_officer, world.office2]:
        assert Notice.objects.filter(recipient=user, key=f"case:{case.pk}:notified").exists()
    assert not Notice.objects.filter(recipient=world.other_contact).exists()


def test_holidays_and_make_up_days_count_as_they_are(world):
    """国庆 2020: 1–8 October free; Sunday 27 September and Saturday 10 October worked."""
    for day in range(1, 9):
        CalendarDay.objects.create(day=dt.date(2020, 10, day), kind="holiday", name="国庆节")
    CalendarDay.objects.create(day=dt.date(2020, 9, 27), kind="workday")
    CalendarDay.objects.create(day=dt.date(2020, 10, 10), kind="workday")
    at = world.at("2020-09-25T09:00:00+08:00")
    case = services.investigate(cases.by_hand(world), by=world.office, at=at)
    case = services.notify(case, by=world.office, at=at)
    # 27, 28, 29, 30 September; 9, 10, 12 October
    assert case.answer_term.due_at == dt.datetime.fromisoformat("2020-10-12T18:00:00+08:00")


def test_the_answer_is_in_time_until_the_instant_and_not_at_it(world):
    case = cases.notified(world)
    before = cases.ANSWER_ENDS - dt.timedelta(microseconds=1)
    services.save_statement(case, text="我校已补报", by=world.contact, at=clock.now())
    assert services.advance(at=before) == 0
    with pytest.raises(NotNow, match="届满"):
        services.send_statement(case, by=world.contact, at=cases.ANSWER_ENDS)
    assert services.advance(at=cases.ANSWER_ENDS) == 1
    assert services.advance(at=cases.ANSWER_ENDS) == 0
    case.refresh_from_db()
    assert case.state == "lapsed"
    assert Obligation.objects.get(kind="case_answer").outcome == "missed"
    with pytest.raises(NotNow):
        services.send_statement(case, by=world.contact, at=before)


def test_the_answer_just_in_time(world):
    case = cases.notified(world)
    before = cases.ANSWER_ENDS - dt.timedelta(microseconds=1)
    services.save_statement(case, text="我校已补报", by=world.leader, at=clock.now(), files=[cases.picture()])
    sent = services.send_statement(case, by=world.leader, at=before)
    assert services.send_statement(Case.objects.get(), by=world.leader, at=before) == sent
    assert sent.receipt.startswith("CS20201127-")
    assert len(sent.content_hash) == 64
    assert Obligation.objects.get(kind="case_answer").outcome == "on_time"
    assert Case.objects.get().state == "responded"
    assert services.advance(at=cases.ANSWER_ENDS) == 0
    for attempt in [
        lambda: services.save_statement(case, text="改", by=world.leader, at=before),
        lambda: services.discard_file(sent, Attachment.objects.of(sent).get(), by=world.leader, at=before),
    ]:
        with pytest.raises(NotNow):
            attempt()


def test_a_draft_is_the_schools_and_its_files_can_be_taken_out(world):
    case = cases.notified(world)
    draft = services.save_statement(
        case, text="草稿", by=world.contact, at=clock.now(), files=[cases.picture(), cases.picture("错.png")]
    )
    for user, seen in [(world.contact, True), (world.office, False), (world.city_officer, False)]:
        assert Statement.objects.visible_to(user).exists() == seen
    wrong = Attachment.objects.of(draft).get(name="错.png")
    services.discard_file(draft, wrong, by=world.contact, at=clock.now())
    assert [f.name for f in Attachment.objects.of(draft)] == ["证据.png"]
    with pytest.raises(PermissionDenied):
        services.save_statement(case, text="x", by=world.other_contact, at=clock.now())
    with pytest.raises(ValidationError):
        services.save_statement(case, text="  ", by=world.contact, at=clock.now())


# --- the evidence


def excuse(world, key):
    obligations.excuse(
        world.owed(world.school, key), reason="国家平台已填报", by=world.office, at=clock.now()
    )


def test_an_excuse_blocks_the_notice_and_says_so(world):
    case = cases.certified(world)
    excuse(world, "2020-W45")
    with pytest.raises(NotNow, match="只有 2 周，不足连续三周"):
        services.notify(case, by=world.office, at=clock.now())
    assert not Obligation.objects.filter(kind="case_answer").exists()
    decision = services.drop(case, reasons="一周已谅解", by=world.office, at=clock.now())
    assert decision.kind == "dismissed"


def test_while_the_evidence_stands_the_case_is_not_dropped(world):
    case = cases.certified(world)
    with pytest.raises(NotNow, match="证据仍然成立"):
        services.drop(case, reasons="算了", by=world.office, at=clock.now())


def test_an_excuse_after_the_notice_blocks_revocation(world):
    case = cases.settled(world, cases.lapsed(world))
    excuse(world, "2020-W46")
    for attempt in [
        lambda: services.revoke(case, reasons="x", by=world.office2, at=clock.now()),
        lambda: services.rectify(case, reasons="x", due_at=DUE, by=world.office2, at=clock.now()),
    ]:
        with pytest.raises(NotNow, match="不足连续三周"):
            attempt()
    services.dismiss(case, reasons="证据不足", by=world.office2, at=clock.now())
    assert Case.objects.get().state == "decided"


def test_a_filing_in_between_breaks_the_streak(world):
    """As an import of the national platform's list does it."""
    keys = ("2020-W43", *cases.WEEKS)
    case = cases.certified(world, keys=keys)
    assert standing_evidence(case).weeks == 4
    row = world.owed(world.school, "2020-W44")
    Obligation.objects.filter(pk=row.pk).update(
        outcome="on_time", received_at=row.opens_at, source="platform"
    )
    assert standing_evidence(case).weeks == 2
    with pytest.raises(NotNow, match="只有 2 周"):
        services.notify(case, by=world.office, at=clock.now())


def test_what_is_added_after_the_notice_is_no_ground(world):
    case = cases.lapsed(world)
    excuse(world, "2020-W44")
    later = world.add_week("2020-W48")
    row = world.owed(world.school, "2020-W48")
    Obligation.objects.filter(pk=row.pk).update(outcome="missed", closed_at=later.closes_at)
    row.refresh_from_db()
    finding = services.Finding(world.school_org, [row], False)
    services.flag([finding], ground="not_reporting", flagged_at=later.closes_at, at=later.closes_at)
    case.refresh_from_db()
    assert case.evidence.count() == 4
    assert standing_evidence(case).weeks == 2


def test_an_exempt_stretch_needs_an_officers_word(world):
    keys = ("2020-W43", *cases.WEEKS)
    case = cases.certified(world, keys=keys)
    with pytest.raises(ValidationError, match="不需要确认"):
        services.confirm_streak(case, reason="x", by=world.office, at=clock.now())
    excuse(world, "2020-W44")
    with pytest.raises(NotNow, match="须先由经办人确认"):
        services.notify(case, by=world.office, at=clock.now())
    with pytest.raises(ValidationError):
        services.confirm_streak(case, reason=" ", by=world.office, at=clock.now())
    confirmed = services.confirm_streak(
        case, reason="该周停电，其余三周相连", by=world.office, at=clock.now()
    )
    event = Event.objects.get(action="streak_confirmed")
    assert (event.actor, event.reason) == (world.office, "该周停电，其余三周相连")
    assert services.notify(confirmed, by=world.office, at=clock.now()).state == "notified"


def test_a_confirmation_does_not_cover_what_came_later(world):
    keys = ("2020-W42", "2020-W43", *cases.WEEKS)
    case = cases.certified(world, keys=keys)
    excuse(world, "2020-W43")
    case = services.confirm_streak(case, reason="相连", by=world.office, at=clock.now())
    world.at("2020-11-18T11:00:00+08:00")
    excuse(world, "2020-W44")
    with pytest.raises(NotNow, match="须先由经办人确认"):
        services.notify(case, by=world.office, at=clock.now())


def test_nothing_before_the_platforms_list_or_an_officers_word(world):
    case = cases.investigating(world)
    with pytest.raises(NotNow, match="国家平台2020年第44周、2020年第45周、2020年第46周"):
        services.notify(case, by=world.office, at=clock.now())
    listed = PlatformImport.objects.create(
        listed_at=clock.now(),
        file_name="名单.xlsx",
        sha256="0" * 64,
        imported_at=clock.now(),
        imported_by=world.office,
    )
    periods = {o.obligation.period for o in case.evidence.select_related("obligation__period")}
    listed.periods.set([p for p in periods if p.key != "2020-W45"])
    with pytest.raises(NotNow, match="国家平台2020年第45周关闭"):
        services.notify(case, by=world.office, at=clock.now())
    with pytest.raises(ValidationError):
        services.certify_platform(case, reason="", by=world.office, at=clock.now())
    listed.periods.set(periods)
    assert services.notify(case, by=world.office, at=clock.now()).state == "notified"


def test_an_open_dispute_stands_before_the_notice(world):
    case = cases.certified(world)
    Dispute.objects.create(
        obligation=world.owed(world.school, "2020-W45"),
        claim="已在国家平台填报",
        filed_by=world.contact,
        filed_at=clock.now(),
        answer_due_at=clock.now(),
    )
    with pytest.raises(NotNow, match="异议"):
        services.notify(case, by=world.office, at=clock.now())


# --- by hand


@pytest.mark.parametrize("ground", ["lax_management", "funds", "forcing", "other"])
def test_every_other_ground_is_opened_by_hand_with_evidence(world, ground):
    case = cases.by_hand(world, ground)
    assert Attachment.objects.of(case).count() == 1
    assert (case.state, case.opened_by) == ("flagged", world.office)
    case = services.investigate(case, by=world.office, at=clock.now())
    case = services.notify(case, by=world.office, at=clock.now())
    services.save_statement(case, text="属实", by=world.contact, at=clock.now())
    services.send_statement(case, by=world.contact, at=clock.now())
    case.refresh_from_db()
    services.rectify(case, reasons="限期归还", due_at=DUE, by=world.office2, at=clock.now())
    assert Case.objects.get().state == "rectifying"


def test_what_cannot_be_opened_by_hand(world):
    def open_on(ground="funds", facts="事实", school=world.school_org):
        services.open_case(organization=school, ground=ground, facts=facts, by=world.office, at=clock.now())

    for given in [{"ground": "not_reporting"}, {"facts": " "}, {"school": world.bureau}]:
        with pytest.raises(ValidationError):
            open_on(**given)
    open_on()
    with pytest.raises(ValidationError, match="未结案件"):
        open_on()
    open_on(ground="forcing")


def test_without_evidence_there_is_no_notice_and_none_is_added_after_it(world):
    case = services.open_case(
        organization=world.school_org, ground="funds", facts="挪用", by=world.office, at=clock.now()
    )
    services.investigate(case, by=world.office, at=clock.now())
    with pytest.raises(NotNow, match="证据材料"):
        services.notify(case, by=world.office, at=clock.now())
    services.add_evidence_files(case, files=[cases.picture()], by=world.office, at=clock.now())
    services.notify(case, by=world.office, at=clock.now())
    with pytest.raises(NotNow):
        services.add_evidence_files(case, files=[cases.picture()], by=world.office, at=clock.now())


# --- rectification


def test_a_rectification_in_time_is_accepted(world):
    case = at_stage(world, "rectifying")
    term = case.rectification_term
    assert (term.kind, term.due_at) == ("rectification", DUE)
    services.save_statement(case, text="已建立专人报送制度", by=world.contact, at=clock.now())
    sent = services.send_statement(case, by=world.contact, at=clock.now())
    assert services.send_statement(case, by=world.contact, at=clock.now()) == sent
    assert services.advance(at=DUE + dt.timedelta(days=3)) == 0
    services.accept(case, comment="连续四周按时", by=world.office2, at=clock.now())
    case.refresh_from_db()
    assert (case.state, case.current_decision.kind) == ("decided", "rectify")
    term.refresh_from_db()
    assert term.outcome == "on_time"


def test_a_missed_rectification_returns_to_decision(world):
    case = at_stage(world, "rectifying")
    assert services.advance(at=DUE - dt.timedelta(microseconds=1)) == 0
    assert services.advance(at=world.at(DUE)) == 1
    case.refresh_from_db()
    assert case.state == "overdue"
    cases.settled(world, case)
    services.revoke(case, reasons="逾期未整改", by=world.office2, at=clock.now())
    assert list(CaseDecision.objects.values_list("number", "kind")) == [(1, "rectify"), (2, "revoked")]


def test_what_was_mended_badly_returns_to_decision_and_may_be_given_another_term(world):
    case = at_stage(world, "rectifying")
    services.fail(case, comment="仍未报", by=world.office2, at=clock.now())
    case.refresh_from_db()
    services.rectify(
        case, reasons="再给一次", due_at=DUE + dt.timedelta(days=7), by=world.office2, at=clock.now()
    )
    assert Obligation.objects.filter(kind="rectification").count() == 2
    with pytest.raises(ValidationError):
        services.rectify(case, reasons="x", due_at=clock.now(), by=world.office2, at=clock.now())
