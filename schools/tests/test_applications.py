"""Handing in: begun once, kept as typed, one version and one receipt, half-open at the closing."""

import datetime as dt
import threading
import time

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from certificates.models import Certificate, CertificateLevel
from core import attachments, clock
from core.drafts import ChangedSince, DraftConflict
from core.models import Attachment, Event
from core.tests.races import together
from core.workflow import NotNow
from obligations.models import Obligation, ObligationKind
from schools import content as shape
from schools.models import (
    Application,
    ApplicationItem,
    ApplicationVersion,
    ExpertOpinion,
    ItemFile,
    RoundRoute,
)
from schools.services import applications as services
from schools.services import end_programme, filling_in, opinions
from schools.tests.applying import filled, plan
from schools.tests.builders import make_round
from schools.workflow import review

MICROSECOND = dt.timedelta(microseconds=1)
State = ApplicationItem.State


@pytest.fixture
def round(world):
    made = make_round(year=2021, allows_carry_over=True, document="演示〔2020〕1号")
    RoundRoute.objects.create(round=made, kind=world.school.kind, authority="city", through_city=True)
    return made


@pytest.fixture
def levels(world):
    """Three that no school runs."""
    made = []
    for name in ("网络", "财务", "物流"):
        certificate = Certificate.objects.create(
            name=f"演示{name}职业技能等级证书", owner=world.evaluator_org
        )
        made.append(CertificateLevel.objects.create(certificate=certificate, level=2))
    return made


@pytest.fixture
def application(world, round):
    return begin(world, round)


def begin(world, round):
    return services.start_application(round=round, school=world.school, by=world.contact, at=clock.now())


def add(world, application, *levels):
    return services.add_items(application=application, levels=levels, by=world.contact, at=clock.now())


def fill(world, item, **changes):
    """Typed and with its plan."""
    item.refresh_from_db()
    filling_in.save_item_draft(
        item=item,
        typed=filled(item, **changes),
        revision=item.draft_revision,
        by=world.contact,
        at=clock.now(),
    )
    return upload(world, item)


def upload(world, item, kind="plan", name="方案.pdf"):
    return filling_in.attach_item_file(
        item=item, upload=plan(name), kind=kind, by=world.contact, at=clock.now()
    )


def send(world, application, at=None, **options):
    at = at or clock.now()
    options.setdefault("token", services.token_of(services.waiting_items(application, at)))
    return services.submit_application(application=application, by=world.contact, at=at, **options)


def states(application):
    return [item.state for item in application.items.order_by("pk")]


# --- Begin


def test_begun_once_and_owed_from_then_on(world, round):
    assert not Obligation.objects.filter(kind=ObligationKind.APPLICATION).exists()
    application = begin(world, round)
    assert begin(world, round) == application
    [duty] = Obligation.objects.filter(kind=ObligationKind.APPLICATION, organization=world.school_org)
    assert duty.due_at == round.school_closes_at
    assert Event.objects.about(application).filter(action="application_started").count() == 1


def test_the_door(world, round):
    with pytest.raises(PermissionDenied):
        services.start_application(round=round, school=world.school, by=world.leader, at=clock.now())
    with pytest.raises(ValidationError, match="截止"):
        services.start_application(
            round=round, school=world.school, by=world.contact, at=round.school_closes_at
        )
    type(round).objects.update(kinds=["higher_vocational"])
    round.refresh_from_db()
    with pytest.raises(ValidationError, match="不能申报"):
        begin(world, round)
    assert not Application.objects.exists()


def test_running_ones_are_renewals_with_last_years_number(world, application):
    [item], _ = services.add_running(application=application, by=world.contact, at=clock.now())
    assert item.is_renewal
    assert item.draft["planned_new"] == "100"
    assert services.add_running(application=application, by=world.contact, at=clock.now()) == ([], 0)
    version = send(world, application)
    [sent] = version.content["items"]
    assert (sent["planned_new"], sent["is_renewal"], sent["agreement"]) == (100, True, None)


# --- Fill in


def test_what_is_typed_is_kept_as_typed_and_a_second_tab_meets_a_conflict(world, application, levels):
    [item] = add(world, application, levels[0])
    typed = filled(item, planned_new="约四十")
    filling_in.save_item_draft(item=item, typed=typed, revision=0, by=world.contact, at=clock.now())
    assert ApplicationItem.objects.get().draft["planned_new"] == "约四十"
    other = typed | {"trainers": "3"}
    with pytest.raises(DraftConflict):
        filling_in.save_item_draft(item=item, typed=other, revision=0, by=world.contact, at=clock.now())
    with pytest.raises(PermissionDenied):
        filling_in.save_item_draft(item=item, typed=other, revision=1, by=world.leader, at=clock.now())


def test_a_new_plan_replaces_the_old_which_stays_on_record(world, application, levels):
    [item] = add(world, application, levels[0])
    first, second = upload(world, item), upload(world, item, name="方案2.pdf")
    upload(world, item, kind="equipment", name="设备.pdf")
    upload(world, item, kind="equipment", name="师资.pdf")
    assert item.files.filter(removed_at=None, kind="plan").get() == second
    first.refresh_from_db()
    assert first.removed_at == clock.now()
    assert item.files.filter(removed_at=None, kind="equipment").count() == 2
    filling_in.remove_item_file(file=second, by=world.contact, at=clock.now())
    assert not item.files.filter(removed_at=None, kind="plan").exists()
    assert Attachment.objects.of(item).count() == 4


def test_plans_that_were_replaced_take_no_room(world, application, levels, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_FILES", 3)
    [item] = add(world, application, levels[0])
    for number in range(4):
        upload(world, item, name=f"方案{number}.pdf")
    for number in range(2):
        upload(world, item, kind="equipment", name=f"设备{number}.pdf")
    with pytest.raises(ValidationError, match="最多 3 个附件"):
        upload(world, item, kind="equipment")
    last = upload(world, item, name="定稿.pdf")
    assert item.files.kept().count() == 3
    assert item.files.kept().get(kind="plan") == last


def test_a_plan_that_is_refused_leaves_the_old_one_in_place(world, application, levels):
    [item] = add(world, application, levels[0])
    kept = upload(world, item)
    with pytest.raises(ValidationError):
        filling_in.attach_item_file(
            item=item, upload=plan("新.pdf", b"text"), kind="plan", by=world.contact, at=clock.now()
        )
    assert item.files.kept().get() == kept
    assert not Event.objects.filter(action="item_file_removed").exists()


def test_a_file_that_is_not_what_it_says_is_refused(world, application, levels):
    [item] = add(world, application, levels[0])
    with pytest.raises(ValidationError, match="内容不是 pdf 文件"):
        filling_in.attach_item_file(
            item=item, upload=plan("方案.pdf", b"text"), kind="plan", by=world.contact, at=clock.now()
        )
    assert not ItemFile.objects.exists()


def test_a_draft_can_be_thrown_away_but_not_what_was_sent(world, application, levels):
    item, other = add(world, application, *levels[:2])
    fill(world, other)
    upload(world, item)
    filling_in.remove_item(item=item, by=world.contact, at=clock.now())
    assert application.items.get() == other
    assert Attachment.objects.filter(name="方案.pdf").count() == 1
    send(world, application)
    with pytest.raises(NotNow, match="不能移除"):
        filling_in.remove_item(item=other, by=world.contact, at=clock.now())


def test_what_was_once_handed_in_is_not_thrown_away_though_it_is_a_draft_again(world, application, levels):
    """Neither with the opinion on it nor under the programme that it began; without a file too."""
    [item] = add(world, application, levels[0])
    with pytest.raises(NotNow, match="还没有提交过"):
        services.withdraw_item(item, by=world.contact, at=clock.now())
    fill(world, item)
    send(world, application)
    due_at = clock.now() + dt.timedelta(days=2)
    opinions.ask(items=[item], experts=[world.expert], due_at=due_at, by=world.office, at=clock.now())
    again(world, application, item)
    ItemFile.objects.update(is_handed_in=False)
    with pytest.raises(NotNow, match="不能移除；不再申报的，请撤回"):
        filling_in.remove_item(item=item, by=world.contact, at=clock.now())
    assert ExpertOpinion.objects.filter(item=item).exists()
    services.withdraw_item(item, by=world.contact, at=clock.now())
    assert states(application) == [State.WITHDRAWN]


def again(world, application, item):
    """Withdrawn and begun again."""
    services.withdraw_item(item, by=world.contact, at=clock.now())
    add(world, application, item.certificate_level)
    item.refresh_from_db()
    assert item.state == State.DRAFT


def test_begun_again_it_is_a_renewal_only_while_the_school_runs_it(world, application):
    [item], _ = services.add_running(application=application, by=world.contact, at=clock.now())
    send(world, application)
    world.at(clock.now() + dt.timedelta(minutes=5))
    end_programme(programme=world.programme, reason="停办", by=world.office, at=clock.now())
    item.refresh_from_db()
    again(world, application, item)
    assert not item.is_renewal
    [waiting] = services.waiting_items(application, clock.now())
    assert not any("续报" in problem.text for problem in waiting.problems)
    assert any(problem.field == "majors" for problem in waiting.problems)


# --- Hand in


def test_one_version_with_everything_in_it(world, application, levels):
    items = add(world, application, *levels)
    for item in items:
        fill(world, item)
    version = send(world, application)
    application.refresh_from_db()
    assert version.receipt.startswith("SB20201118-")
    assert application.current == version
    assert application.reviewer == world.bureau
    assert states(application) == [State.SUBMITTED] * 3
    sent = version.content["items"][0]
    item = application.items.order_by("certificate_level").first()
    assert sent["majors"] == [{"code": "710202", "name": "计算机网络技术", "catalogue": ""}]
    assert sent["files"][0]["sha256"] == item.files.get().attachment.sha256
    assert sent["agreement"]["id"] == item.agreement_id
    assert item.draft is None
    assert (item.planned_new, item.trainers, item.is_voluntary) == (40, 2, True)
    assert Event.objects.about(item).filter(action="item_submit", to_state="submitted").exists()


def test_what_goes_straight_to_the_province_waits_for_it(world, application, levels):
    RoundRoute.objects.update(through_city=False)
    [item] = add(world, application, levels[0])
    fill(world, item)
    send(world, application)
    assert states(application) == [State.FIRST_REVIEWED]


def test_the_same_form_or_the_same_content_gives_the_same_receipt(world, application, levels):
    [item] = add(world, application, levels[0])
    fill(world, item)
    token = services.token_of(services.waiting_items(application, clock.now()))
    version = send(world, application, token=token)
    assert send(world, application, token=token) == version
    assert send(world, application, token="another") == version
    assert ApplicationVersion.objects.count() == 1


def test_incomplete_items_block_unless_left_out_knowingly(world, application, levels):
    complete, incomplete = add(world, application, *levels[:2])
    fill(world, complete)
    fill(world, incomplete, trainers="")
    with pytest.raises(NotNow) as refusal:
        send(world, application)
    [reason] = refusal.value.reasons
    assert reason.startswith("演示财务（中级）：")
    assert "三.4" in reason
    version = send(world, application, only_complete=True)
    assert [item["title"] for item in version.content["items"]] == ["演示网络（中级）"]
    assert states(application) == [State.SUBMITTED, State.DRAFT]
    fill(world, incomplete)
    second = send(world, application).content
    assert len(second["items"]) == 2
    assert [item["title"] for item in shape.sent_in(second)] == ["演示财务（中级）"]
    assert second["others"] == {str(complete.certificate_level_id): "submitted"}
    assert version.content["items"] != []


def test_nothing_is_sent_where_nothing_is_ready(world, application, levels):
    with pytest.raises(NotNow, match="先添加证书等级"):
        send(world, application)
    add(world, application, levels[0])
    with pytest.raises(NotNow):
        send(world, application, only_complete=True)


def test_received_at_the_closing_is_too_late(world, round, application, levels):
    [item] = add(world, application, levels[0])
    fill(world, item)
    closing = round.school_closes_at
    with pytest.raises(NotNow, match="截止"):
        send(world, application, at=closing, token="late")
    assert states(application) == [State.DRAFT]
    assert send(world, application, at=closing - MICROSECOND).received_at == closing - MICROSECOND


def test_a_returned_item_goes_back_to_who_returned_it(world, round, application, levels):
    by_city, by_province = add(world, application, *levels[:2])
    fill(world, by_city)
    fill(world, by_province)
    first = send(world, application)
    ApplicationItem.objects.filter(pk=by_city.pk).update(state="returned", returned_from="submitted")
    ApplicationItem.objects.filter(pk=by_province.pk).update(state="returned", returned_from="first_reviewed")
    for item in (by_city, by_province):
        mend(world, item, planned_new="41")
    after_closing = world.at(round.school_closes_at)
    second = send(world, application, at=after_closing)
    assert states(application) == [State.SUBMITTED, State.FIRST_REVIEWED]
    assert second.number == first.number + 1


def mend(world, item, **changes):
    """Typed again as it was handed in, with these changes."""
    item.refresh_from_db()
    who = {"by": world.contact, "at": clock.now()}
    typed = shape.typed_of(item) | changes
    filling_in.save_item_draft(item=item, typed=typed, revision=item.draft_revision, **who)


def test_what_was_returned_is_not_sent_again_as_it_was(world, round, application, levels):
    """Nor typed again to the same effect; what is beside it may go, and a file more is a change."""
    item, beside = add(world, application, *levels[:2])
    for one in (item, beside):
        fill(world, one, majors="710202 计算机网络技术\n510201 电子信息")
    first = send(world, application)
    for one in (item, beside):
        review.run("item_return_first", one, by=world.city_officer, at=clock.now(), comment="请补充")
    [review_duty] = Obligation.objects.filter(kind=ObligationKind.FIRST_REVIEW)
    mend(world, beside, planned_new="41")
    for majors in ("710202 计算机网络技术\n510201 电子信息", "510201 电子信息\n710202 计算机网络技术"):
        mend(world, item, majors=majors)
        with pytest.raises(NotNow, match=f"内容与退回的第{first.number}版相同.*修改.*撤回"):
            send(world, application)
        with pytest.raises(NotNow, match="内容与退回的第1版相同"):
            review.run("item_submit", item, by=world.contact, at=clock.now())
    review_duty.refresh_from_db()
    assert review_duty.outcome == "on_time"
    send(world, application, only_complete=True)
    assert states(application) == [State.RETURNED, State.SUBMITTED]
    with pytest.raises(NotNow, match="内容与退回的第1版相同"):
        send(world, application)
    upload(world, ApplicationItem.objects.get(pk=item.pk), kind="other", name="说明.pdf")
    assert send(world, application).number == 3
    assert states(application) == [State.SUBMITTED, State.SUBMITTED]


def test_one_item_is_sent_alone_or_refused_and_nothing_beside_it(world, application, levels):
    named, beside = add(world, application, *levels[:2])
    fill(world, beside)
    who = {"by": world.contact, "at": clock.now()}
    with pytest.raises(NotNow, match="至少填写一个对应专业"):
        review.run("item_submit", named, **who)
    assert states(application) == [State.DRAFT, State.DRAFT]
    fill(world, named)
    review.run("item_submit", named, **who)
    assert states(application) == [State.SUBMITTED, State.DRAFT]
    [content] = ApplicationVersion.objects.get().content["items"]
    assert content["level"] == named.certificate_level_id
    with pytest.raises(NotNow, match="待初审"):
        review.run("item_submit", named, **who)


def test_what_a_colleague_typed_meanwhile_is_not_sent_unseen(world, application, levels):
    [item] = add(world, application, levels[0])
    fill(world, item)
    token = services.token_of(services.waiting_items(application, clock.now()))
    fill(world, item, planned_new="9999")
    with pytest.raises(ChangedSince, match="又被修改过"):
        send(world, application, token=token)
    assert states(application) == [State.DRAFT]
    assert send(world, application).content["items"][0]["planned_new"] == 9999


def test_only_the_contact_sends(world, application, levels):
    [item] = add(world, application, levels[0])
    fill(world, item)
    for user in (world.leader, world.other_contact, world.city_officer, world.office):
        with pytest.raises(PermissionDenied):
            services.submit_application(application=application, token="t", by=user, at=clock.now())


def test_withdrawn_and_begun_again(world, application, levels):
    [item] = add(world, application, levels[0])
    fill(world, item)
    send(world, application)
    services.withdraw_item(item, by=world.contact, at=clock.now())
    assert states(application) == [State.WITHDRAWN]
    add(world, application, levels[0])
    assert states(application) == [State.DRAFT]
    assert send(world, application).number == 1
    assert states(application) == [State.SUBMITTED]


@settings(max_examples=15)
@given(text=st.dictionaries(st.sampled_from(["majors", "planned_new", "equipment"]), st.text(max_size=40)))
def test_whatever_is_typed_comes_back_as_typed(world, round, levels, text):
    application = begin(world, round)
    add(world, application, levels[0])
    item = application.items.get()
    typed = shape.typed_from(text, item)
    filling_in.save_item_draft(
        item=item, typed=typed, revision=item.draft_revision, by=world.contact, at=clock.now()
    )
    item.refresh_from_db()
    assert shape.typed_of(item) == typed
    shape.facts_typed(typed)


def test_a_file_that_comes_as_the_item_is_handed_in_stays_out(world, application, levels):
    add(world, application, levels[0])
    fill(world, application.items.get())
    stale = application.items.get()
    kept = stale.files.get()
    send(world, application)
    who = {"by": world.contact, "at": clock.now()}
    with pytest.raises(PermissionDenied, match="不能再改"):
        filling_in.attach_item_file(item=stale, upload=plan("晚到.pdf"), kind="plan", **who)
    with pytest.raises(PermissionDenied, match="不能再改"):
        filling_in.remove_item_file(file=kept, **who)
    kept.refresh_from_db()
    assert (ItemFile.objects.count(), kept.removed_at) == (1, None)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_same_level_added_twice_at_once_is_there_once(world, round, levels):
    application = begin(world, round)
    first, second = together(*[lambda: add(world, application, levels[0])] * 2)
    assert sorted([len(first), len(second)]) == [0, 1]
    assert application.items.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_version(world, round, levels):
    application = begin(world, round)
    [item] = add(world, application, levels[0])
    fill(world, item)
    token = services.token_of(services.waiting_items(application, clock.now()))
    at, receipts, barrier = clock.now(), [], threading.Barrier(2)

    def click():
        try:
            barrier.wait()
            receipts.append(send(world, application, at=at, token=token).receipt)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receipts) == 2
    assert len(set(receipts)) == 1
    assert ApplicationVersion.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["withdraw", "remove"])
def test_nobody_waits_for_one_who_waits_for_him(world, round, levels, other, monkeypatch):
    """Handing in locks the application and then its items; so does whatever else moves an item: where each
    holds what the other wants next, PostgreSQL ends one of them by force."""
    application = begin(world, round)
    moved, kept = add(world, application, *levels[:2])
    for item in (moved, kept):
        fill(world, item)
    if other == "withdraw":
        send(world, application)
        both = ApplicationItem.objects.filter(pk__in=[moved.pk, kept.pk])
        both.update(state="returned", returned_from="submitted")
        mend(world, kept, planned_new="41")
        mend(world, moved, planned_new="41")
    at = clock.now()
    token = services.token_of(services.waiting_items(application, at))
    held, settle = threading.Event(), services.duties.withdrawn

    def slowly(*args, **kwargs):
        held.set()
        time.sleep(0.4)
        settle(*args, **kwargs)

    monkeypatch.setattr(services.duties, "withdrawn", slowly)
    verb = services.withdraw_item if other == "withdraw" else filling_in.remove_item
    who = {"by": world.contact, "at": at}
    calls = {"withdraw": lambda: verb(moved, **who), "remove": lambda: verb(item=moved, **who)}

    def submit():
        held.wait(timeout=20)
        # Of the two that were shown one is gone by now: what is left is checked again.
        with pytest.raises(ChangedSince):
            services.submit_application(application=application, token=token, **who)
        return send(world, application, at=at)

    together(calls[other], submit)
    assert ApplicationItem.objects.get(pk=kept.pk).state == State.SUBMITTED
