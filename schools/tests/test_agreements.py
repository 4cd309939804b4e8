"""Cooperation agreements: what may be registered, for whom it counts, on which days, how it ends."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from certificates.models import CertificateLevel
from core import clock
from core.models import Attachment, Event, Notice
from core.tests.test_attachments import pdf
from funding.tests.fees import cap, policy, standard
from schools import agreement_lists as lists
from schools import eligibility, standing
from schools.models import Agreement, AgreementParty, Programme
from schools.services import agreements
from schools.tests.builders import make_application, make_item, make_round

TODAY = dt.date(2020, 11, 18)
ONE = dt.timedelta(days=1)


def paper(name="合作协议.pdf"):
    return SimpleUploadedFile(name, pdf())


def registered(world, **changes):
    given = {
        "evaluator": world.evaluator_org,
        "certificate_level": world.level,
        "fee": Decimal(200),
        "signed_on": TODAY,
        "valid_until": TODAY + 365 * ONE,
        "files": [paper()],
        "by": world.contact,
        "at": clock.now(),
    }
    return agreements.register(**{**given, **changes})


def messages(world, **changes):
    with pytest.raises(ValidationError) as refusal:
        registered(world, **changes)
    assert not Agreement.objects.exists()
    return refusal.value.message_dict


def is_in_force(world, day):
    return Agreement.objects.of_school(world.school.pk, day).in_force(day).exists()


@pytest.fixture
def by_computer(world):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    world.level.refresh_from_db()
    return world


# --- Registering


def test_a_contact_registers_for_the_own_school_with_file_event_and_word_to_the_evaluator(world):
    agreement = registered(world, reference="演示1号")
    party = agreement.parties.get()
    assert (party.school, party.confirmed_by) == (world.school, world.contact)
    assert Attachment.objects.of(agreement).count() == 1
    event = Event.objects.about(agreement).get(action="agreement_registered")
    assert (event.organization_id, event.changes["考核费用（元/人）"]) == (world.school.pk, "200.00")
    assert Notice.objects.filter(recipient=world.evaluator_officer, text__contains="有不符的").exists()


@pytest.mark.parametrize(
    "who",
    ["office", "finance", "city_officer", "leader", "evaluator_officer", "auditor", "expert", "learner"],
)
def test_nobody_else_registers(world, who):
    with pytest.raises(PermissionDenied, match=r"鄂教职成办函〔2021〕7号 三\.6"):
        registered(world, by=getattr(world, who))


def test_without_a_file_it_is_refused_with_the_clause(world):
    assert (
        "签署试点合作协议前，不得开展试点（鄂教职成办函〔2021〕7号 三.6）"
        in messages(world, files=[])["files"][0]
    )


def test_the_evaluator_owns_the_certificate(world):
    stranger = Organization.objects.create(kind="evaluator", name="别的评价组织", code="E9")
    [text] = messages(world, evaluator=stranger)["certificate_level"]
    assert "请选择演示评价组织" in text


def test_days_are_in_order_and_not_ahead(world):
    assert "还没有到" in messages(world, signed_on=TODAY + ONE)["signed_on"][0]
    wrong = messages(world, valid_until=TODAY - ONE)["valid_until"]
    assert wrong == ["有效期不能早于签署日期。"]
    late = messages(world, signed_on=TODAY - 9 * ONE, valid_until=TODAY - ONE)["valid_until"]
    assert late == ["这份协议已经到期，请登记有效的协议。"]
    assert registered(world, valid_until=TODAY)


def test_what_is_wrong_with_the_amount_is_said_at_the_fee(world):
    assert messages(world, fee=Decimal("-0.01")).keys() == {"fee"}
    assert messages(world, fee=Decimal("1.001")).keys() == {"fee"}


def test_signed_just_before_midnight_in_the_province_is_signed_today(world):
    world.at("2020-11-18T23:59:59.999999+08:00")
    assert "signed_on" in messages(world, signed_on=TODAY + ONE)
    world.at("2020-11-19T00:00:00+08:00")
    assert registered(world, signed_on=TODAY + ONE)


def test_the_same_form_sent_twice_gives_one_agreement(world):
    one = registered(world, others=[world.other_school])
    assert registered(world, others=[world.other_school], files=[paper("再发一次.pdf")]) == one
    assert Agreement.objects.count() == Attachment.objects.count() == 1
    assert registered(world, others=[]) != one
    agreements.void(one, reason="写错了", by=world.contact, at=clock.now())
    assert registered(world, others=[world.other_school]) != one


def test_who_is_invited_does_not_register_the_same_paper_again(world):
    registered(world, others=[world.other_school])
    with pytest.raises(ValidationError, match="太原演示职业学校已登记这份协议"):
        registered(world, by=world.other_contact)
    assert registered(world, by=world.other_contact, fee=Decimal(180))


# --- The fee


def test_the_cap_is_accepted_and_a_cent_more_refused_with_amount_document_and_date(by_computer):
    limit = cap(by_computer, "300", TODAY)
    [text] = messages(by_computer, fee=Decimal("300.01"))["fee"]
    for told in ("300.01 元", "300.00 元/人", limit.document, "2020年11月18日"):
        assert told in text
    assert registered(by_computer, fee=Decimal(300)).cap == limit


def test_the_cap_of_the_day_of_signing_counts_not_that_of_today(by_computer):
    cap(by_computer, "300", TODAY - 30 * ONE)
    cap(by_computer, "200", TODAY + 12 * ONE, document="2号")
    by_computer.at("2020-12-01T09:00:00+08:00")
    day = TODAY + 12 * ONE
    assert "2号" in messages(by_computer, fee=Decimal(250), signed_on=day)["fee"][0]
    assert registered(by_computer, fee=Decimal(250), signed_on=day - ONE)


def test_a_standard_older_than_the_cap_does_not_lift_it(by_computer):
    standard(by_computer, "320", TODAY - 60 * ONE)
    cap(by_computer, "300", TODAY)
    assert len(messages(by_computer, fee=Decimal(310))["fee"]) == 1
    assert len(messages(by_computer, fee=Decimal(330))["fee"]) == 2
    assert registered(by_computer, fee=Decimal(310), signed_on=TODAY - ONE)


def test_above_the_cap_with_a_reason_where_the_province_lets_it(by_computer):
    cap(by_computer, "300", TODAY)
    policy(over_cap="reason")
    assert "fee" in messages(by_computer, fee=Decimal(310))
    agreement = registered(by_computer, fee=Decimal(310), over_cap_reason="耗材涨价")
    words = lists.fee_words(agreement, by_computer.school.pk)
    assert "高出 10.00 元，理由：耗材涨价" in words[0]


def test_without_a_cap_it_is_accepted_and_listed_as_such(by_computer):
    agreement = registered(by_computer, fee=Decimal(9999))
    assert agreement.cap is None
    assert lists.fee_words(agreement, by_computer.school.pk)[0] == "考核成本上限：未设上限。"


# --- Several schools, one price


def test_one_price_for_five_schools_is_one_agreement_each_counts_by_its_own_yes(world):
    schools = [world.other_school, *(world.add_school(f"联合演示学校{i}") for i in range(3))]
    contacts = [world.other_contact] + [
        world.add_user("school_contact", school.organization, f"joint{i}")
        for i, school in enumerate(schools[1:])
    ]
    agreement = registered(world, others=schools)
    assert Agreement.objects.count() == 1
    assert agreement.parties.count() == 5
    holds = lambda: {p.school_id for p in AgreementParty.objects.bound(TODAY)}  # noqa: E731
    assert holds() == {world.school.pk}
    for number, (school, person) in enumerate(zip(schools, contacts, strict=True), 2):
        assert Notice.objects.filter(recipient=person, text__contains="确认以前不作数").count() == 1
        agreements.confirm(agreement, by=person, at=clock.now())
        assert school.pk in holds()
        assert len(holds()) == number
    assert Agreement.objects.visible_to(world.contact).with_state(TODAY).get().state == "valid"


def test_confirming_again_changes_nothing_and_others_may_not(world):
    agreement = registered(world, others=[world.other_school])
    first = agreements.confirm(agreement, by=world.other_contact, at=clock.now())
    world.at("2020-11-18T11:00:00+08:00")
    assert (
        agreements.confirm(agreement, by=world.other_contact, at=clock.now()).confirmed_at
        == first.confirmed_at
    )
    assert Event.objects.about(agreement).filter(action="agreement_confirmed").count() == 1
    for who in (world.office, world.city_officer, world.leader, world.evaluator_officer):
        with pytest.raises(PermissionDenied):
            agreements.confirm(agreement, by=who, at=clock.now())


def test_who_says_no_is_not_bound_and_the_registrar_is_told_why(world):
    agreement = registered(world, others=[world.other_school])
    agreements.decline(agreement, reason="没有签过", by=world.other_contact, at=clock.now())
    assert not Agreement.objects.of_school(world.other_school.pk).exists()
    assert Notice.objects.filter(recipient=world.contact, text__contains="没有签过").exists()
    with pytest.raises(ValidationError, match="答复不参加"):
        agreements.confirm(agreement, by=world.other_contact, at=clock.now())
    assert is_in_force(world, TODAY)


def test_another_schools_agreement_binds_and_serves_nobody_else(world):
    registered(world)
    bare = Programme.objects.filter(pk__in=lists.missing(world.office, TODAY))
    assert [programme.school for programme in bare] == [world.other_school]
    assert not Agreement.objects.visible_to(world.other_contact).exists()


def test_the_fee_is_judged_again_for_the_school_that_confirms(by_computer):
    agreement = registered(by_computer, others=[by_computer.other_school])
    standard(by_computer, "150", TODAY)
    with pytest.raises(ValidationError, match=r"150\.00"):
        agreements.confirm(agreement, by=by_computer.other_contact, at=clock.now())


# --- Days


def test_the_edge_days(world):
    last = TODAY + 10 * ONE
    agreement = registered(world, valid_until=last)
    assert [is_in_force(world, day) for day in (TODAY - ONE, TODAY, last, last + ONE)] == [
        False,
        True,
        True,
        False,
    ]
    world.at("2020-11-20T10:00:00+08:00")
    end(world, agreement, ended_on=TODAY + 2 * ONE)
    assert [is_in_force(world, TODAY + n * ONE) for n in (1, 2)] == [True, False]


def end(world, agreement, by=None, **changes):
    given = {"ended_on": TODAY, "reason": "捆绑销售", "files": [paper("函.pdf")]}
    return agreements.end(agreement, **{**given, **changes}, by=by or world.contact, at=clock.now())


@settings(max_examples=40)
@given(
    signed=st.integers(-90, 0),
    length=st.integers(0, 120),
    ended=st.none() | st.integers(0, 120),
    left=st.none() | st.integers(0, 120),
    asked=st.integers(-100, 130),
)
def test_in_force_is_one_interval_cut_by_whatever_comes_first(world, signed, length, ended, left, asked):
    Agreement.objects.all().delete()
    first, day = TODAY + signed * ONE, TODAY + asked * ONE
    at = lambda n: None if n is None else first + n * ONE  # noqa: E731
    agreement = Agreement.objects.create(
        evaluator=world.evaluator_org,
        certificate_level=world.level,
        fee=1,
        signed_on=first,
        valid_until=at(length),
        ended_on=at(ended),
        ended_by=None if ended is None else world.office,
        registered_by=world.contact,
        registered_at=clock.now(),
    )
    party = AgreementParty.objects.create(
        agreement=agreement,
        school=world.school,
        confirmed_at=clock.now(),
        confirmed_by=world.contact,
        left_on=at(left),
        left_by=None if left is None else world.contact,
        left_reason="" if left is None else "不再合作",
    )
    stops = [at(length) + ONE, *(at(n) for n in (ended, left) if n is not None)]
    holds = first <= day < min(stops)
    assert is_in_force(world, day) == holds
    assert AgreementParty.objects.bound(day).filter(pk=party.pk).exists() == holds
    running = Programme.objects.filter(pk=world.programme.pk)
    assert standing.with_agreement(running, day).get().has_agreement == holds
    state = Agreement.objects.with_state(day, world.school.pk).get().state
    assert (state in {"valid", "expiring"}) == (day < min(stops))
    assert (state == "expiring") == (day < min(stops) and (at(length) - day).days <= 60)


# --- Ending, voiding


def test_ending_needs_a_day_a_reason_and_evidence(world):
    agreement = registered(world, signed_on=TODAY - 5 * ONE)
    for wrong in ({"ended_on": TODAY + ONE}, {"ended_on": TODAY - 6 * ONE}, {"reason": " "}, {"files": []}):
        with pytest.raises(ValidationError) as refusal:
            end(world, agreement, **wrong)
        assert refusal.value.message_dict.keys() == wrong.keys()
    end(world, agreement)
    assert not is_in_force(world, TODAY)
    assert [p.school for p in lists.missing(world.contact, TODAY)] == [world.school]
    with pytest.raises(ValidationError, match="已于2020年11月18日终止"):
        end(world, agreement)


def test_one_of_several_ends_it_for_itself_the_last_one_for_all(world):
    agreement = registered(world, others=[world.other_school])
    agreements.confirm(agreement, by=world.other_contact, at=clock.now())
    end(world, agreement)
    assert not is_in_force(world, TODAY)
    assert list(Agreement.objects.of_school(world.other_school.pk, TODAY).in_force(TODAY)) == [agreement]
    states = {
        who: lists.agreements(who, TODAY).get().state
        for who in (world.contact, world.other_contact, world.office)
    }
    assert list(states.values()) == ["terminated", "valid", "valid"]
    assert Notice.objects.filter(recipient=world.other_contact, text__contains="其他院校的协议不变").exists()
    end(world, agreement, by=world.other_contact)
    agreement.refresh_from_db()
    assert (agreement.ended_on, agreement.ended_by) == (TODAY, world.other_contact)


def test_the_office_ends_it_for_all(world):
    agreement = registered(world, others=[world.other_school])
    agreements.confirm(agreement, by=world.other_contact, at=clock.now())
    end(world, agreement, by=world.office)
    assert AgreementParty.objects.bound(TODAY).count() == 0
    for who in (world.contact, world.other_contact, world.evaluator_officer):
        assert Notice.objects.filter(recipient=who, text__contains="捆绑销售").exists()


@pytest.mark.parametrize("who", ["finance", "city_officer", "leader", "evaluator_officer", "other_contact"])
def test_nobody_else_ends_or_voids(world, who):
    agreement = registered(world)
    with pytest.raises(PermissionDenied):
        end(world, agreement, by=getattr(world, who))
    with pytest.raises(PermissionDenied):
        agreements.void(agreement, reason="写错了", by=getattr(world, who), at=clock.now())


def test_a_mistake_is_voided_and_was_in_force_on_no_day(world):
    agreement = registered(world, signed_on=TODAY - 5 * ONE)
    agreements.void(agreement, reason="费用写错", by=world.contact, at=clock.now())
    assert not any(is_in_force(world, TODAY + n * ONE) for n in range(-6, 7))
    assert lists.agreements(world.contact, TODAY).get().state == "voided"


def test_what_an_item_uses_is_not_voided(world):
    agreement = registered(world)
    item = make_item(make_application(make_round(), world.school), world.level, agreement=agreement)
    with pytest.raises(ValidationError, match="请终止协议"):
        agreements.void(agreement, reason="写错了", by=world.office, at=clock.now())
    item.delete()
    assert agreements.void(agreement, reason="写错了", by=world.office, at=clock.now()).is_void


def test_what_another_school_relies_on_only_the_office_voids(world):
    agreement = registered(world, others=[world.other_school])
    with pytest.raises(PermissionDenied):
        agreements.void(agreement, reason="写错了", by=world.other_contact, at=clock.now())
    agreements.confirm(agreement, by=world.other_contact, at=clock.now())
    with pytest.raises(ValidationError, match="1 所共同签署的院校确认"):
        agreements.void(agreement, reason="写错了", by=world.contact, at=clock.now())
    assert agreements.void(agreement, reason="写错了", by=world.office, at=clock.now()).is_void


def test_a_school_that_has_left_cannot_apply_with_it_and_the_others_can(world):
    agreement = registered(world, others=[world.other_school])
    agreements.confirm(agreement, by=world.other_contact, at=clock.now())
    end(world, agreement)
    round = make_round()
    own, others = (
        make_item(make_application(round, school), world.level, agreement=agreement)
        for school in (world.school, world.other_school)
    )
    told, not_told = (eligibility.obstacles(item, clock.now()) for item in (own, others))
    assert any("本校已于2020年11月18日终止所选协议" in text for text in told)
    assert not any("协议" in text for text in not_told)
