"""公示, objections, 公布: the days, what is frozen, what stands in the way, what follows."""

import datetime as dt
import io

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from accounts.services import end_membership, join_pilot
from core import clock, personal
from core.models import Event, Notice
from obligations.calendar import add_months
from obligations.models import Obligation, ObligationKind, Outcome
from schools import result_lists, results
from schools.models import ApplicationItem, Closings, Objection, ResultList, SchoolFiling
from schools.services import end_programme, objections, start_programme
from schools.services import publications as services
from schools.services.extensions import extend
from schools.services.publications import Heading
from schools.tests.builders import make_application, make_item, make_round
from schools.workflow import review

State = ApplicationItem.State
FIRST, LAST = dt.date(2020, 11, 19), dt.date(2020, 11, 25)


@pytest.fixture
def round_(world):
    """Two schools with one approved item each."""
    world.round = make_round()
    world.item = make_item(
        make_application(world.round, world.school), world.level, state=State.APPROVED, carried_over=5
    )
    world.other_item = make_item(
        make_application(world.round, world.other_school), world.level, state=State.APPROVED
    )
    return world.round


def heading(**fields):
    return Heading(**{"title": "2020年试点结果公示", "document": "", "text": "", **fields})


def propose(world, **fields):
    given = {"starts_on": FIRST, "ends_on": LAST, "by": world.office, "at": clock.now()}
    given |= {name: fields.pop(name) for name in list(fields) if name in given}
    return services.publish_proposed(round=world.round, heading=heading(**fields), **given)


def publish(world, **fields):
    given = {"by": world.office, "at": clock.now()}
    given |= {name: fields.pop(name) for name in list(fields) if name in given}
    return services.publish_final(
        round=world.round, heading=heading(**{"title": "2020年试点名单"} | fields), **given
    )


def objection(shown, **fields):
    return objections.receive_objection(
        result_list=shown,
        **{
            "name": "某某学会",
            "contact": "0351-1234567",
            "text": "该校没有实训场地",
            "at": clock.now(),
            **fields,
        },
    )


def after(world):
    return world.at("2020-11-26T00:00:00+08:00")


# --- 公示


def test_the_rows_are_those_of_the_instant_and_hold_nothing_personal(world, round_):
    make_item(
        make_application(make_round(), world.school), world.level, state=State.APPROVED
    )  # of another round
    shown = propose(world)
    assert shown.rows == [
        {
            "school": "太原演示职业学校",
            "code": world.school_org.code,
            "city": "太原市",
            "kind": "中等职业学校",
            "certificate": "演示运维职业技能等级证书",
            "level": "中级",
            "planned": 45,
            "item": world.item.pk,
        },
        {
            "school": "长治演示职业学校",
            "code": world.other_school_org.code,
            "city": "长治市",
            "kind": "中等职业学校",
            "certificate": "演示运维职业技能等级证书",
            "level": "中级",
            "planned": 40,
            "item": world.other_item.pk,
        },
    ]
    world.school_org.name = "改名后的学校"
    world.school_org.save()
    ApplicationItem.objects.filter(pk=world.item.pk).update(planned_new=1)
    assert ResultList.objects.get().rows == shown.rows
    told = Notice.objects.get(recipient=world.contact)
    assert "11月19日（星期四）至11月25日（星期三）公示" in told.text
    assert Event.objects.get(action="result_proposed").changes["项目"] == 2


def test_while_items_wait_it_takes_a_tick(world, round_):
    level = world.level.certificate.levels.create(level=1)
    item = make_item(world.item.application, level, state=State.RETURNED)
    with pytest.raises(ValidationError, match="还有 1 个项目没有审定"):
        propose(world)
    shown = propose(world, despite_waiting=True)
    assert item.pk not in {row["item"] for row in shown.rows}


@pytest.mark.parametrize("state", [State.DRAFT, State.REJECTED, State.WITHDRAWN])
def test_what_is_not_waiting_does_not_hold_it_up(world, round_, state):
    level = world.level.certificate.levels.create(level=1)
    make_item(world.item.application, level, state=state)
    assert len(propose(world).rows) == 2


def lapsing(world, state, returned_from=""):
    application = make_application(world.round, world.add_school("第三学校"), reviewer=world.bureau)
    return make_item(application, world.level, state=state, returned_from=returned_from)


@pytest.mark.parametrize(
    ("state", "returned_from", "step", "words"),
    [
        (State.RETURNED, State.SUBMITTED, "city", "退回后到期未重新提交的 1 个"),
        (State.RETURNED, State.FIRST_REVIEWED, "province", "退回后到期未重新提交的 1 个"),
        (State.SUBMITTED, "", "city", "市级初审到期未办的 1 个"),
    ],
)
def test_what_only_an_extension_would_reopen_does_not_hold_it_up(
    world, round_, state, returned_from, step, words
):
    item = lapsing(world, state, returned_from)
    closing = getattr(round_.closings, step)
    assert results.undecided([round_], closing - dt.timedelta(microseconds=1))[round_.pk] == (1, 0, 0)
    world.at(closing - dt.timedelta(microseconds=1))
    today = clock.today() + dt.timedelta(days=1)
    with pytest.raises(ValidationError, match="还有 1 个项目没有审定"):
        propose(world, starts_on=today, ends_on=today)
    world.at(closing)
    found = results.undecided([round_], closing)[round_.pk]
    assert (found.waiting, found.lapsed_words) == (0, words)
    later = clock.now() + dt.timedelta(days=20)
    extend(
        round=round_,
        organization=item.application.school.organization,
        closings=Closings(later, later, later),
        reason="停电",
        by=world.office,
        at=clock.now(),
    )
    assert results.undecided([round_], closing)[round_.pk] == (1, 0, 0)
    world.at(later)
    today = clock.today()
    assert len(propose(world, starts_on=today, ends_on=today).rows) == 2


def test_what_the_province_itself_did_not_decide_still_holds_it_up(world, round_):
    lapsing(world, State.FIRST_REVIEWED)
    today = clock.local(world.at(round_.province_closes_at)).date()
    with pytest.raises(ValidationError, match="已过审核截止的，先延期"):
        propose(world, starts_on=today, ends_on=today)


def test_what_was_shown_is_not_shown_again_unless_it_changed(world, round_):
    propose(world)
    with pytest.raises(ValidationError, match="没有可以公示的项目"):
        propose(world)
    ApplicationItem.objects.filter(pk=world.item.pk).update(planned_new=60)
    assert [(row["item"], row["planned"]) for row in propose(world).rows] == [(world.item.pk, 65)]


def test_days_of_the_past_or_backwards_are_refused(world, round_):
    today = clock.today()
    with pytest.raises(ValidationError, match="已经过去的日期"):
        propose(world, starts_on=today - dt.timedelta(days=1))
    with pytest.raises(ValidationError, match="不能早于开始"):
        propose(world, starts_on=today, ends_on=today - dt.timedelta(days=1))
    assert propose(world, starts_on=today, ends_on=today).is_open(clock.now())


@pytest.mark.parametrize(
    "text", ["联系 13812345678", "联系：１３８ １２３４ ５６７８", "联系138-1234-5678。", "138\u200b12345678"]
)
def test_a_mobile_number_takes_a_tick(world, round_, text):
    with pytest.raises(ValidationError, match=r"138\*\*\*\*5678"):
        propose(world, text=text)
    assert propose(world, text=text, contact_confirmed=True).text == text


@pytest.mark.parametrize("field", ["title", "text", "document"])
def test_an_id_number_no_tick_lets_through(world, round_, field):
    number = "11010519491231002X"
    with pytest.raises(ValidationError, match="身份证号 110"):
        propose(world, **{field: f"负责人{number}"}, contact_confirmed=True)


def test_only_the_office_publishes(world, round_):
    for user in (world.city_officer, world.finance, world.leading, world.auditor, world.contact):
        with pytest.raises(PermissionDenied, match=r"三\.1"):
            propose(world, by=user)
        with pytest.raises(PermissionDenied, match=r"三\.1"):
            publish(world, by=user)


# --- the days


def test_the_days_are_whole_local_days(world, round_):
    shown = propose(world)
    microsecond = dt.timedelta(microseconds=1)
    first, end = clock.at(FIRST), clock.at(dt.date(2020, 11, 26))
    assert [shown.is_open(t) for t in (first - microsecond, first, end - microsecond, end)] == [
        False,
        True,
        True,
        False,
    ]
    public = ResultList.objects.public
    assert [public(t).exists() for t in (first - microsecond, first, end)] == [False, True, True]


@pytest.mark.parametrize(
    ("instant", "refusal"),
    [
        ("2020-11-18T23:59:59.999999+08:00", "此前不受理"),
        ("2020-11-19T00:00:00+08:00", ""),
        ("2020-11-25T23:59:59.999999+08:00", ""),
        ("2020-11-26T00:00:00+08:00", "不再受理"),
    ],
)
def test_an_objection_is_received_from_the_first_instant_to_the_last(world, round_, instant, refusal):
    shown = propose(world)
    world.at(instant)
    if refusal:
        with pytest.raises(ValidationError, match=refusal):
            objection(shown)
    else:
        assert objection(shown).receipt.startswith("YY202011")


def test_no_final_list_before_the_last_day_is_over(world, round_):
    with pytest.raises(ValidationError, match="请先公示"):
        publish(world)
    propose(world)
    at = after(world)
    with pytest.raises(ValidationError, match="公示至11月25日（星期三）"):
        publish(world, at=at - dt.timedelta(microseconds=1))
    assert len(publish(world, at=at).rows) == 2


def test_no_final_list_while_another_list_of_the_round_still_runs(world, round_):
    propose(world)
    ApplicationItem.objects.filter(pk=world.item.pk).update(planned_new=60)
    propose(world, ends_on=dt.date(2020, 11, 30))
    at = after(world)
    with pytest.raises(ValidationError, match="11月30日"):
        publish(world, at=at)


# --- objections


def test_an_objection_is_owed_an_answer_in_five_working_days(world, round_):
    shown = propose(world)
    world.at("2020-11-20T17:00:00+08:00")
    kept = objection(shown, school_code=world.school_org.code)
    owed = objections.owed_answer(kept)
    assert (owed.organization, clock.local(owed.due_at)) == (
        world.province,
        dt.datetime(2020, 11, 27, 18, tzinfo=clock.PROVINCE_ZONE),
    )
    answered = objections.answer_objection(
        kept, is_upheld=False, answer="已实地核实", by=world.office2, at=clock.now()
    )
    assert (answered.state, objections.owed_answer(kept).outcome) == ("rejected", Outcome.ON_TIME)
    with pytest.raises(ValidationError, match="已经答复"):
        objections.answer_objection(kept, is_upheld=True, answer="又", by=world.office, at=clock.now())


def test_who_objects_is_told_to_nobody(world, round_):
    shown = propose(world)
    world.at("2020-11-20T17:00:00+08:00")
    kept = objection(shown, name="匿名举报人", contact="13812345678", school_code=world.school_org.code)
    objections.answer_objection(kept, is_upheld=True, answer="属实", by=world.office, at=clock.now())
    assert not Notice.objects.filter(recipient__organization=world.school_org, key__startswith="objection")
    told = " ".join(Notice.objects.values_list("text", flat=True))
    recorded = "".join(
        f"{e.actor_label}{e.target_label}{e.changes}{e.reason}{e.organization_id}"
        for e in Event.objects.all()
    )
    for secret in ("匿名举报人", "13812345678"):
        assert secret not in told + recorded
    assert not Event.objects.filter(organization=world.school_org, action__startswith="objection").exists()
    for user in (world.contact, world.leader, world.city_officer, world.expert, world.evaluator_officer):
        assert not Objection.objects.visible_to(user).exists()


def test_name_and_contact_are_not_in_clear_in_the_database(world, round_):
    shown = propose(world)
    kept = objection(
        shown, name="匿名举报人", contact="13812345678", at=world.at("2020-11-20T17:00:00+08:00")
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM schools_objection")
        dump = str(cursor.fetchall())
    assert "该校没有实训场地" in dump
    assert "匿名举报人" not in dump
    assert "13812345678" not in dump
    again = Objection.objects.get(pk=kept.pk)
    assert (again.name, again.contact) == ("匿名举报人", "13812345678")


def test_the_same_form_sent_twice_is_one_objection(world, round_):
    shown = propose(world)
    at = world.at("2020-11-20T17:00:00+08:00")
    first = objection(shown)
    assert objection(shown) == first
    assert objection(shown, contact="另一人") != first
    assert objection(shown, at=at + dt.timedelta(minutes=10)) != first


def test_an_officer_takes_down_what_came_by_letter_in_time(world, round_):
    shown = propose(world)
    at = after(world)
    letter = {"by": world.office, "at": at}
    in_time = dt.datetime.fromisoformat("2020-11-25T23:00:00+08:00")
    assert objection(shown, received_at=in_time, **letter).taken_by == world.office
    with pytest.raises(ValidationError, match="不再受理"):
        objection(shown, received_at=at, **letter)
    with pytest.raises(ValidationError, match="不能晚于现在"):
        objection(shown, received_at=at + dt.timedelta(minutes=1), **letter)
    with pytest.raises(PermissionDenied):
        objection(shown, received_at=in_time, by=world.auditor, at=at)


def test_it_may_only_be_about_a_school_on_the_list(world, round_):
    absent = world.add_school("不在名单的学校")
    shown = propose(world)
    world.at("2020-11-20T17:00:00+08:00")
    with pytest.raises(ValidationError, match="不在名单上"):
        objection(shown, school_code=absent.organization.code)
    assert objection(shown, school_code=world.school_org.code).about == world.school_org


@pytest.mark.parametrize(
    ("receipt", "contact", "found"),
    [
        ("{}", "0351-1234567", True),
        (" {} ", "０３５１-１２３４５６７ ", True),
        ("{}", "0351-7654321", False),
        ("{}", "", False),
        ("YY20201120-000000", "0351-1234567", False),
        ("", "", False),
    ],
)
def test_it_is_found_by_receipt_and_contact_together(world, round_, receipt, contact, found):
    shown = propose(world)
    world.at("2020-11-20T17:00:00+08:00")
    kept = objection(shown)
    got = objections.find_objection(receipt=receipt.format(kept.receipt.lower()), contact=contact)
    assert got == (kept if found else None)


def test_a_reveal_needs_a_reason_and_goes_on_record(world, round_):
    shown = propose(world)
    world.at("2020-11-20T17:00:00+08:00")
    kept = objection(shown)
    with pytest.raises(ValidationError, match="原因"):
        objections.reveal_objector(kept, reason=" ", by=world.office, at=clock.now())
    with pytest.raises(PermissionDenied):
        objections.reveal_objector(kept, reason="看看", by=world.auditor, at=clock.now())
    assert not Event.objects.filter(action="objector_revealed").exists()
    got = objections.reveal_objector(kept, reason="核实", by=world.office, at=clock.now())
    assert got == ("某某学会", "0351-1234567")
    assert Event.objects.get(action="objector_revealed").reason == "核实"


# --- 公布


def upheld(world, code):
    world.at("2020-11-20T17:00:00+08:00")
    kept = objection(ResultList.objects.get(), school_code=code)
    return objections.answer_objection(kept, is_upheld=True, answer="属实", by=world.office, at=clock.now())


def test_an_objection_without_an_answer_holds_the_final_list_up(world, round_):
    shown = propose(world)
    world.at("2020-11-20T17:00:00+08:00")
    kept = objection(shown)
    after(world)
    with pytest.raises(ValidationError, match="1 件异议没有答复"):
        publish(world)
    objections.answer_objection(kept, is_upheld=False, answer="不属实", by=world.office, at=clock.now())
    assert publish(world)


def test_an_upheld_one_holds_it_up_until_the_item_is_rejected(world, round_):
    propose(world)
    kept = upheld(world, world.school_org.code)
    after(world)
    with pytest.raises(ValidationError, match=f"{kept.receipt} 成立"):
        publish(world)
    ApplicationItem.objects.filter(pk=world.other_item.pk).update(state=State.REJECTED)
    with pytest.raises(ValidationError, match=f"{kept.receipt} 成立"):
        publish(world)
    ApplicationItem.objects.filter(pk=world.other_item.pk).update(state=State.APPROVED)
    ApplicationItem.objects.filter(pk=world.item.pk).update(state=State.REJECTED)
    final = publish(world)
    assert [row["item"] for row in final.rows] == [world.other_item.pk]
    (change,) = results.changes_of(final)
    assert (change.before["item"], change.after) == (world.item.pk, None)


@pytest.mark.parametrize("about", [True, False])
def test_or_until_it_is_said_why_the_list_stands(world, round_, about):
    propose(world)
    kept = upheld(world, world.school_org.code if about else "")
    after(world)
    with pytest.raises(ValidationError, match="写明名单不变的理由"):
        publish(world)
    objections.keep_listed(kept, reason="已整改到位", by=world.office, at=clock.now())
    assert len(publish(world).rows) == 2


def test_a_reason_is_for_upheld_ones_only(world, round_):
    shown = propose(world)
    kept = objection(shown, at=world.at("2020-11-20T17:00:00+08:00"))
    with pytest.raises(ValidationError, match="只有成立的"):
        objections.keep_listed(kept, reason="理由", by=world.office, at=clock.now())


def leave(world):
    organization = world.school_org
    end_membership(organization=organization, at=clock.now(), by=world.office, reason="取消试点资格")


def stop(world):
    end_programme(programme=world.programme, reason="取消试点资格", by=world.office, at=clock.now())


@pytest.mark.parametrize("end", [leave, stop])
def test_what_has_ended_since_is_not_published_and_owes_no_filing(world, round_, end):
    """A school that is out of the pilot, or a programme that is over (domain: revocation)."""
    propose(world)
    upheld(world, world.school_org.code)
    end(world)
    after(world)
    assert results.unsettled(world.round, clock.now()) == []
    final = publish(world)
    assert [row["item"] for row in final.rows] == [world.other_item.pk]
    (change,) = results.changes_of(final)
    assert (change.before["item"], change.after) == (world.item.pk, None)
    owed = Obligation.objects.get(kind=ObligationKind.SCHOOL_FILING)
    assert owed.organization == world.other_school_org
    assert not Notice.objects.filter(recipient=world.contact, text__contains="已公布").exists()


@pytest.mark.parametrize("end", [leave, stop])
def test_what_has_ended_since_is_not_proposed_until_it_runs_again(world, round_, end):
    end(world)
    assert [row["item"] for row in propose(world).rows] == [world.other_item.pk]
    world.at(clock.now() + dt.timedelta(minutes=1))
    if end is leave:
        join_pilot(organization=world.school_org, at=clock.now(), by=world.office)
    start_programme(school=world.school, level=world.level, by=world.office, at=clock.now())
    assert [row["item"] for row in propose(world).rows] == [world.item.pk]


def test_what_was_never_shown_is_not_published(world, round_):
    propose(world)
    level = world.level.certificate.levels.create(level=1)
    late = make_item(world.item.application, level, state=State.APPROVED)
    world.add_programme(world.school, level)
    after(world)
    assert late.pk not in {row["item"] for row in publish(world).rows}
    assert results.rows_to_publish(world.round, clock.now()).unshown[0]["item"] == late.pk
    again = propose(world, starts_on=dt.date(2020, 11, 26), ends_on=dt.date(2020, 11, 27))
    assert [row["item"] for row in again.rows] == [late.pk]
    world.at("2020-11-28T00:00:00+08:00")
    second = publish(world)
    assert [row["item"] for row in second.rows] == [late.pk]
    assert results.changes_of(second) == []
    with pytest.raises(ValidationError, match="没有可以公布的"):
        publish(world)


def test_a_decision_is_not_taken_back_after_the_final_list(world, round_):
    propose(world)
    after(world)
    publish(world)
    (offer,) = review.offers(world.item, world.office, clock.now())
    assert "结果已经公布" in offer.reasons[0]


def test_a_later_batch_is_settled_as_the_first_was(world, round_):
    """An objection to the second batch, after the province's closing and the first batch's 公布, is upheld."""
    ApplicationItem.objects.filter(pk=world.other_item.pk).update(state=State.FIRST_REVIEWED)
    propose(world, despite_waiting=True)
    after(world)
    publish(world, despite_waiting=True)
    ApplicationItem.objects.filter(pk=world.other_item.pk).update(state=State.APPROVED)
    propose(world, starts_on=clock.today(), ends_on=dt.date(2020, 12, 2))
    shown = ResultList.objects.proposed().first()
    kept = objection(shown, school_code=world.other_school_org.code)
    objections.answer_objection(kept, is_upheld=True, answer="属实", by=world.office, at=clock.now())
    at = world.at("2020-12-03T00:00:00+08:00")
    assert any(kept.receipt in line for line in results.final_obstacles(world.round, at))
    closings = world.round.closings
    extend(
        round=world.round,
        organization=None,
        closings=closings._replace(province=at + dt.timedelta(days=2)),
        reason="异议成立，重新审定",
        by=world.office,
        at=at,
    )
    for action in ("item_reconsider", "item_reject"):
        review.run(action, world.other_item, by=world.office, at=at, comment="异议成立")
    assert results.final_obstacles(world.round, at) == []


@pytest.mark.parametrize(
    ("day", "ends", "published", "due"),
    [
        ("2020-11-19", "2020-11-25", "2020-11-26T09:00:00+08:00", "2020-12-27"),
        ("2021-01-20", "2021-01-30", "2021-01-31T23:59:00+08:00", "2021-03-01"),
        ("2021-01-20", "2021-01-30", "2021-02-01T00:00:00+08:00", "2021-03-02"),
    ],
)
def test_each_school_owes_its_filing_one_month_on(world, round_, day, ends, published, due):
    propose(world, starts_on=dt.date.fromisoformat(day), ends_on=dt.date.fromisoformat(ends))
    world.at(published)
    publish(world)
    owed = Obligation.objects.filter(kind=ObligationKind.SCHOOL_FILING)
    assert {o.organization for o in owed} == {world.school_org, world.other_school_org}
    assert {clock.local(o.due_at).isoformat() for o in owed} == {f"{due}T00:00:00+08:00"}
    told = Notice.objects.get(recipient=world.contact, key__startswith="result", text__contains="院校备案")
    assert "1个月内" in told.text
    assert Notice.objects.filter(recipient=world.contact, key=told.key).count() == 1


def test_who_has_filed_or_owes_already_is_not_asked_again(world, round_):
    filing = SchoolFiling.objects.create(school=world.school)
    filing.current = filing.versions.create(
        number=1,
        receipt="BA1",
        token="t",
        received_at=clock.now(),
        submitted_by=world.contact,
        content={},
        content_hash="0",
    )
    filing.save()
    propose(world)
    after(world)
    publish(world)
    owed = Obligation.objects.get(kind=ObligationKind.SCHOOL_FILING)
    assert owed.organization == world.other_school_org

    level = world.level.certificate.levels.create(level=1)
    make_item(world.other_item.application, level, state=State.APPROVED)
    world.add_programme(world.other_school, level)
    propose(world, starts_on=dt.date(2020, 11, 26), ends_on=dt.date(2020, 11, 27))
    world.at("2020-12-20T09:00:00+08:00")
    publish(world)
    assert Obligation.objects.get(kind=ObligationKind.SCHOOL_FILING).due_at == owed.due_at


# --- the files


def test_word_and_excel_hold_the_frozen_rows(world, round_):
    shown = propose(world, text="现予公示。", document="演示〔2020〕1号")
    ApplicationItem.objects.update(planned_new=1)
    sheet = load_workbook(io.BytesIO(result_lists.excel(shown)))["名单"]
    assert [cell.value for cell in sheet[2]] == [
        1,
        "太原市",
        "太原演示职业学校",
        "中等职业学校",
        "演示运维职业技能等级证书",
        "中级",
        45,
    ]
    paper = Document(io.BytesIO(result_lists.word(shown)))
    text = "\n".join(p.text for p in paper.paragraphs)
    assert "2 所院校、2 个证书等级试点项目" in text
    assert "11月19日（星期四）至11月25日（星期三）（含当日）" in text
    assert [cell.text for cell in paper.tables[0].rows[2].cells][2] == "长治演示职业学校"


# --- numbers in a text


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "：", "a", "（", " "]))
def test_a_mobile_is_found_alone_and_not_within_a_longer_number(mobile, before):
    assert personal.find(f"{before}{mobile}。").mobiles == [mobile]
    assert personal.find(f"{before}{mobile}0").mobiles == []
    assert personal.find(f"{before}0{mobile}").mobiles == []


@given(st.from_regex(r"[1-9][0-9]{16}", fullmatch=True), st.sampled_from("0123456789X"))
def test_an_id_number_is_found_by_its_check_digit(first, last):
    right = personal.check_digit(first)
    assert personal.find(f"证号{first}{right}号").id_numbers == [first + right]
    assert personal.find(f"证号{first}{right.lower()}").id_numbers == [first + right]
    assert personal.find(f"9{first}{right}").id_numbers == []
    if last != right:
        assert personal.find(f"证号{first}{last}").id_numbers == []


def test_the_check_digit_is_that_of_the_standard():
    assert personal.check_digit("11010519491231002") == "X"
    assert personal.check_digit("44052418800101001") == "4"


@given(st.text(alphabet="一二〔〕年号第-0123456789", max_size=10))
def test_short_numbers_are_nobodys(text):
    assert personal.find(text) == personal.Found([], [])


# --- months


@given(st.dates(dt.date(2019, 1, 1), dt.date(2100, 1, 1)), st.integers(1, 24))
def test_a_month_on_is_the_same_day_or_the_months_last(day, n):
    on = add_months(day, n)
    assert (on.year * 12 + on.month) - (day.year * 12 + day.month) == n
    if on.day != day.day:
        assert on.day < day.day
        assert (on + dt.timedelta(days=1)).day == 1


def test_a_month_from_the_end_of_january():
    assert add_months(dt.date(2021, 1, 31), 1) == dt.date(2021, 2, 28)
    assert add_months(dt.date(2020, 1, 31), 1) == dt.date(2020, 2, 29)
    assert add_months(dt.date(2020, 12, 15), 1) == dt.date(2021, 1, 15)
