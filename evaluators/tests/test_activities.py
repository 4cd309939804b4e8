"""The rules of activities: filed in advance, fees, places, deadlines, results. Edges to the microsecond."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from core import clock
from core.models import Event, Notice
from core.workflow import NotNow
from evaluators.models import Activity, Qualification, SignUp, TrainingRule
from evaluators.services import activities, signups, teachers
from evaluators.services import activity_rules as rules
from evaluators.services.activities import schools_concerned
from evaluators.services.signups import Grant, Mark
from evaluators.shares import Share, share_of, team_share
from evaluators.tests.activity_rows import (
    ENDS,
    HOUR,
    STARTS,
    file,
    paper,
    qualify,
    rewrite,
    sign_up,
    teacher,
    trainer,
)
from schools.models import Programme

MICROSECOND = dt.timedelta(microseconds=1)


def refused(error):
    return " ".join(error.value.messages)


# --- Filing


@pytest.mark.parametrize(("at", "late"), [(STARTS - MICROSECOND, False), (STARTS, True), (ENDS, True)])
def test_in_advance_is_before_the_start(world, at, late):
    activity = file(world, at=world.at(at))
    assert activity.was_filed_late is late
    assert Activity.objects.filed_late().exists() is late
    reason = Event.objects.get(action="activity_filed").reason
    assert ("不符合提前备案要求（晋教职成〔2020〕9号 三.8）" in reason) is late


def test_not_before_the_filing_of_the_certificate_is_accepted(world):
    type(world.filing).objects.filter(pk=world.filing.pk).update(accepted=None)
    with pytest.raises(ValidationError) as error:
        file(world)
    assert "晋教职成〔2020〕9号 三.8" in refused(error)
    assert not Activity.objects.exists()


def test_only_the_owner_of_the_certificate_files(world):
    for who in (world.office, world.contact, world.coordinator):
        with pytest.raises(PermissionDenied):
            file(world, by=who)


@pytest.mark.parametrize(
    ("fee", "basis", "fits"), [("0", "", True), ("0.01", " ", False), ("0.01", "晋演示〔2020〕1号", True)]
)
def test_a_fee_has_its_basis(world, fee, basis, fits):
    if fits:
        assert file(world, fee=Decimal(fee), fee_basis=basis).fee == Decimal(fee)
        return
    with pytest.raises(ValidationError) as error:
        file(world, fee=Decimal(fee), fee_basis=basis)
    assert "教职成厅函〔2019〕19号 二(二)" in refused(error)


def test_a_separate_fee_for_certifying_trainers_is_refused_also_in_a_change(world):
    with pytest.raises(ValidationError) as error:
        file(world, extra_fee=True)
    assert "教职成厅函〔2019〕19号 二(二)" in refused(error)
    activity = file(world)
    with pytest.raises(ValidationError):
        activities.change(
            activity,
            fields=_same(activity),
            extra_fee=True,
            files=[],
            by=world.evaluator_officer,
            at=clock.now(),
        )


def _same(activity, **changes):
    plain = {name: getattr(activity, name) for name in rules.PLAIN}
    many = {name: list(getattr(activity, name).all()) for name in rules.MANY}
    return plain | many | changes


def test_the_same_form_twice_is_one_activity_and_one_notice(world):
    assert file(world) == file(world)
    assert Activity.objects.count() == 1
    assert Notice.objects.filter(recipient=world.contact, key__startswith="activity:").count() == 1


def test_trainers_are_of_the_own_present_team(world):
    from evaluators.services.trainers import leave

    gone = trainer(world)
    kept = file(world, trainers=[gone])
    leave(gone, left_on=clock.today(), by=world.evaluator_officer, at=clock.now())
    gone.refresh_from_db()
    with pytest.raises(ValidationError):
        file(world, title="新的", trainers=[gone])
    changed = rewrite(world, kept, title="仍在这项活动上", trainers=[gone])
    assert list(changed.trainers.all()) == [gone]


def test_whom_it_concerns_and_who_is_told_once(world):
    world.add_programme(world.other_school, world.certificate.levels.create(level=3))
    both = file(world)
    one_city = file(world, title="太原", cities=[world.city])
    named = file(world, title="指定", schools=[world.other_school])
    now = clock.now()
    assert set(schools_concerned(both, now)) == {world.school, world.other_school}
    assert set(schools_concerned(one_city, now)) == {world.school}
    assert set(schools_concerned(named, now)) == {world.other_school}
    told = Notice.objects.filter(key__startswith="activity:")
    assert told.filter(recipient=world.contact).count() == 2
    assert told.filter(recipient=world.other_contact).count() == 2
    rewrite(world, named, title="指定", schools=[world.school, world.other_school])
    assert told.filter(recipient=world.contact).count() == 3
    assert told.filter(recipient=world.other_contact).count() == 2
    world.programme.ended_at = now
    world.programme.save()
    assert set(schools_concerned(both, now)) == {world.other_school}
    with pytest.raises(ValidationError, match="只填一项"):
        file(world, title="都填", cities=[world.city], schools=[world.school])


def test_a_school_whose_programme_has_ended_is_not_concerned_any_more(world):
    for_all, named = file(world), file(world, title="指定", schools=[world.school])
    world.programme.ended_at = clock.now()
    world.programme.save()
    assert set(Activity.objects.visible_to(world.contact)) == {named}
    assert set(Activity.objects.visible_to(world.city_officer)) == {for_all, named}  # held there
    assert for_all in Activity.objects.visible_to(world.other_contact)


def test_city_and_programme_are_of_one_school(world):
    # The bureau looks after a school that runs the certificate and one, of another city, that does not.
    elsewhere = world.other_school_org.city
    other = world.add_school("外市学校")
    Organization.objects.filter(pk=other.pk).update(city=elsewhere, supervisor=world.school_org.supervisor)
    Programme.objects.filter(school=other).delete()
    held = file(world, title="外市", cities=[elsewhere], city=elsewhere)
    assert held not in Activity.objects.visible_to(world.city_officer)
    assert held in Activity.objects.visible_to(world.other_contact)


def test_what_is_over_is_told_to_nobody(world):
    file(world, at=world.at(ENDS))
    assert not Notice.objects.filter(key__startswith="activity:").exists()


def test_a_training_fee_is_set_beside_the_provinces_rule(world):
    activity = file(world, fee=Decimal("600.01"), fee_basis="晋演示1号")
    assert rules.fee_reference(activity) == ""
    assert not rules.is_above_reference(activity)
    fee_rule(world)
    assert "2 天参考标准 600.00 元/人" in rules.fee_reference(activity)
    assert "收费高于参考标准" in rules.fee_reference(activity)
    assert rules.is_above_reference(activity)
    activity.fee = Decimal(600)
    assert "收费不高于参考标准" in rules.fee_reference(activity)
    assert not rules.is_above_reference(activity)
    activity.ends_at = clock.at(dt.date(2020, 11, 21))
    assert rules.days_of(activity) == 1


def fee_rule(world):
    TrainingRule.objects.create(
        effective_from=clock.local(STARTS).date(),
        fee_rule="演示培训费管理办法",
        fee_per_day=300,
        created_by=world.office,
        created_at=clock.now(),
    )


@pytest.mark.parametrize(
    ("fee", "kind", "asked"),
    [("600", "training", False), ("600.01", "training", True), ("600.01", "meeting", False)],
)
def test_a_training_dearer_than_the_reference_gives_its_reason(world, fee, kind, asked):
    fee_rule(world)
    paid = {"kind": kind, "fee": Decimal(fee), "fee_basis": "晋演示1号"}
    if asked:
        with pytest.raises(ValidationError) as error:
            file(world, **paid, fee_reason=" ")
        [text] = error.value.message_dict["fee_reason"]
        assert "2 天参考标准 600.00 元/人" in text
        assert "教职成厅函〔2019〕19号 二(二)" in text
    activity = file(world, **paid, fee_reason=" 含材料费 ")
    # Where nothing is to be explained, nothing is kept.
    assert activity.fee_reason == ("含材料费" if asked else "")
    told = Event.objects.get(action="activity_filed").changes
    assert ("高于参考标准的理由" in told) is asked


def test_a_change_asks_for_the_reason_too(world):
    activity = file(world, fee=Decimal("600.01"), fee_basis="晋演示1号")
    fee_rule(world)
    dear = {"fee": Decimal("600.01"), "fee_basis": "晋演示1号"}
    with pytest.raises(ValidationError, match="请说明理由"):
        rewrite(world, activity, place="新地点", **dear)
    assert rewrite(world, activity, **dear, fee_reason="含材料费").fee_reason == "含材料费"


# --- Afterwards


def test_a_change_keeps_the_earlier_words_and_tells_those_signed_up(world):
    activity = file(world, schools=[world.school])
    sign_up(activity, teacher(world), by=world.contact)
    rewrite(world, activity, place="新地点", schools=[world.school])
    event = Event.objects.get(action="activity_change")
    assert event.changes == {"地点或线上平台": ["太原演示职业学校实训楼", "新地点"]}
    assert Notice.objects.filter(recipient=world.contact, text__contains="有变动（地点或线上平台）").exists()
    rewrite(world, activity, place="新地点", schools=[world.school])
    assert Event.objects.filter(action="activity_change").count() == 1


def test_a_change_is_for_before_the_start(world):
    activity = file(world)
    world.at(STARTS - MICROSECOND)
    rewrite(world, activity, title="最后一刻")
    world.at(STARTS)
    with pytest.raises(NotNow) as error:
        rewrite(world, activity, title="太迟")
    assert "晋教职成〔2020〕9号 三.8" in str(error.value)


def test_nothing_is_moved_so_as_to_look_filed_in_advance(world):
    activity = file(world)
    with pytest.raises(ValidationError, match="改后的开始时间已过"):
        rewrite(world, activity, starts_at=clock.now(), ends_at=ENDS)
    late = file(world, title="晚", starts_at=clock.now() - HOUR)
    activities.send_back(late, comment="补充", by=world.office, at=clock.now())
    with pytest.raises(ValidationError, match="开始时间不能再改"):
        rewrite(world, late, activities.complete, starts_at=STARTS)
    done = rewrite(world, late, activities.complete, title="晚", starts_at=clock.now() - HOUR)
    assert (done.state, done.was_filed_late) == ("filed", True)


def test_a_returned_one_keeps_when_it_was_filed(world):
    activity = file(world)
    filed_at = activity.filed_at
    activities.send_back(activity, comment="补充日程", by=world.office, at=clock.now())
    assert Notice.objects.filter(recipient=world.evaluator_officer, text__contains="补充日程").exists()
    with pytest.raises(NotNow):
        rewrite(world, activity)
    world.at(STARTS)
    done = rewrite(world, activity, activities.complete, plan="写明日程")
    assert (done.filed_at, done.was_filed_late) == (filed_at, False)


def test_cancelling_tells_those_signed_up_with_the_reason_and_ends_before_its_end(world):
    activity = file(world)
    sign_up(activity, teacher(world), by=world.contact)
    with pytest.raises(ValidationError):
        activities.cancel(activity, comment=" ", by=world.evaluator_officer, at=clock.now())
    with pytest.raises(PermissionDenied):
        activities.cancel(activity, comment="场地", by=world.office, at=clock.now())
    with pytest.raises(NotNow):
        activities.cancel(activity, comment="场地", by=world.evaluator_officer, at=world.at(ENDS))
    activities.cancel(activity, comment="场地", by=world.evaluator_officer, at=world.at(ENDS - MICROSECOND))
    assert Notice.objects.filter(recipient=world.contact, text__contains="取消：场地").exists()
    assert not Notice.objects.filter(recipient=world.other_contact, text__contains="取消").exists()


# --- Signing up


def test_the_start_closes_signing_up_and_taking_back(world):
    activity, mine, late = file(world), teacher(world), teacher(world, number="T2")
    [row] = sign_up(activity, mine, by=world.contact, at=STARTS - MICROSECOND)
    with pytest.raises(ValidationError, match="已经截止"):
        sign_up(activity, late, by=world.contact, at=STARTS)
    with pytest.raises(ValidationError, match="不能再取消报名"):
        signups.cancel_sign_up(row, by=world.contact, at=STARTS)
    signups.cancel_sign_up(row, by=world.contact, at=STARTS - MICROSECOND)
    assert not SignUp.objects.active().exists()


def test_places_are_all_or_none_and_come_back(world):
    activity = file(world, places=2)
    people = [teacher(world, number=f"T{n}") for n in range(3)]
    with pytest.raises(ValidationError) as error:
        sign_up(activity, *people, by=world.contact)
    assert "只剩 2 个名额" in refused(error)
    assert not SignUp.objects.exists()
    rows = sign_up(activity, *people[:2], by=world.contact)
    assert sign_up(activity, *people[:2], by=world.contact) == []
    with pytest.raises(ValidationError, match="名额已满"):
        sign_up(activity, people[2], by=world.contact)
    with pytest.raises(ValidationError, match="名额不能少于它"):
        rewrite(world, activity, places=1)
    signups.cancel_sign_up(rows[0], by=world.contact, at=clock.now())
    sign_up(activity, people[2], by=world.contact)
    with pytest.raises(ValidationError, match="名额已满"):
        sign_up(activity, people[0], by=world.contact)
    rewrite(world, activity, places=3)
    sign_up(activity, people[0], by=world.contact)
    assert SignUp.objects.active().count() == 3


def test_who_is_not_concerned_or_not_ones_own_is_not_signed_up(world):
    activity = file(world, schools=[world.school])
    theirs = teacher(world, by=world.other_contact)
    with pytest.raises(ValidationError, match="不面向本校"):
        sign_up(activity, theirs, by=world.other_contact)
    with pytest.raises(PermissionDenied):
        sign_up(activity, theirs, by=world.contact)
    mine = teacher(world)
    for who in (world.leader, world.office, world.evaluator_officer):
        with pytest.raises(PermissionDenied):
            sign_up(activity, mine, by=who)
    teachers.leave(mine, left_on=clock.today(), by=world.contact, at=clock.now())
    mine.refresh_from_db()
    with pytest.raises(ValidationError, match="已离校"):
        sign_up(activity, mine, by=world.contact)


@pytest.mark.parametrize("step", ["cancelled", "returned"])
def test_what_does_not_stand_takes_nobody(world, step):
    activity = file(world)
    if step == "cancelled":
        activities.cancel(activity, comment="场地", by=world.evaluator_officer, at=clock.now())
    else:
        activities.send_back(activity, comment="补充", by=world.office, at=clock.now())
    with pytest.raises(ValidationError, match="现在不能报名"):
        sign_up(activity, teacher(world), by=world.contact)


# --- What came of it


@pytest.fixture
def held(world):
    """An activity at its start, with one teacher signed up."""
    activity = file(world)
    [row] = sign_up(activity, teacher(world), by=world.contact)
    world.at(STARTS)
    return activity, row


def record(world, activity, row, mark, grant=None, at=None):
    return signups.record_results(
        activity, marks={row.pk: mark}, grant=grant, by=world.evaluator_officer, at=at or clock.now()
    )


def test_results_begin_with_the_start(world, held):
    activity, row = held
    with pytest.raises(ValidationError, match="开始后再登记"):
        record(world, activity, row, Mark(True), at=STARTS - MICROSECOND)
    assert record(world, activity, row, Mark(True, "合格")) == 1
    assert record(world, activity, row, Mark(True, "合格")) == 0
    assert Notice.objects.filter(recipient=world.contact, text__contains="1 名教师的到会和结果").count() == 1
    with pytest.raises(PermissionDenied):
        signups.record_results(activity, marks={}, grant=None, by=world.office, at=clock.now())


def test_only_who_came_has_a_result_or_a_qualification(world, held):
    activity, row = held
    grant = Grant("trainer", world.level, clock.today())
    for mark in (Mark(False, "合格"), Mark(None, "合格"), Mark(False, qualifies=True)):
        with pytest.raises(ValidationError, match="没有记为到会的"):
            record(world, activity, row, mark, grant)
    with pytest.raises(ValidationError, match="请填写资格种类"):
        record(world, activity, row, Mark(True, qualifies=True))
    foreign = (
        type(world.certificate).objects.create(name="别的", owner=world.evaluator_org).levels.create(level=1)
    )
    with pytest.raises(ValidationError, match="应属于这项活动的证书"):
        record(world, activity, row, Mark(True, qualifies=True), Grant("trainer", foreign, clock.today()))
    assert not Qualification.objects.exists()


def test_what_the_activity_gave_takes_over_what_the_school_had_entered(world, held):
    activity, row = held
    mine = qualify(world, row.teacher, number="旧号", valid_until=clock.today())
    grant = Grant("trainer", world.level, clock.today())
    record(world, activity, row, Mark(True, "合格", qualifies=True, number="新号"), grant)
    now = Qualification.objects.get()
    assert (now.pk, now.number, now.valid_until, now.activity) == (mine.pk, "新号", None, activity)
    event = Event.objects.filter(action="qualification_held").order_by("-pk").first()
    assert event.changes["资格证号"] == ["旧号", "新号"]
    with pytest.raises(PermissionDenied):
        teachers.remove_qualification(now, by=world.contact, at=clock.now())


def test_the_activitys_own_record_names_no_teacher(world, held):
    activity, row = held
    record(world, activity, row, Mark(True, "合格"))
    assert all(str(row.teacher) not in str(event.changes) for event in Event.objects.about(activity))
    summed = Event.objects.about(activity).get(action="activity_results")
    assert summed.changes == {"到会": 1, "未到会": 0, "未登记": 0}


# --- The share of industry


@pytest.mark.parametrize(
    ("industry", "total", "short", "lacking"),
    [
        (2, 5, False, 0),
        (1, 3, True, 1),
        (0, 0, False, 0),
        (39, 100, True, 2),
        (40, 100, False, 0),
        (0, 3, True, 2),
    ],
)
def test_exactly_forty_per_cent_is_enough(industry, total, short, lacking):
    share = Share(industry, total)
    assert (share.is_short, share.lacking) == (short, lacking)


@given(st.integers(0, 500), st.integers(0, 500))
def test_adding_what_lacks_makes_the_team_whole_and_not_one_more(industry, others):
    share = Share(industry, industry + others)
    added = Share(industry + share.lacking, industry + others + share.lacking)
    assert not added.is_short
    if share.lacking:
        assert Share(added.industry - 1, added.total - 1).is_short
        assert "占 40" not in share.words


def test_the_team_counts_who_is_in_it(world):
    from evaluators.services.trainers import leave

    first = trainer(world)
    trainer(world, name="院校专家", kind="school")
    assert (team_share(world.evaluator_org.pk).words, share_of([]).words) == (
        "2 人中行业企业 1 人，占 50.0%",
        "还没有登记专家",
    )
    leave(first, left_on=clock.today(), by=world.evaluator_officer, at=clock.now())
    assert team_share(world.evaluator_org.pk).is_short


def test_the_plan_may_be_filed_without_pages_only_with_its_file(world):
    with pytest.raises(ValidationError, match="请上传活动方案材料"):
        file(world, files=[])
    assert file(world, files=[paper(), paper()])
