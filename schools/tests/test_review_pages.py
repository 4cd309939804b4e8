"""The pages of the review: who sees what, the preview and its confirmation, the list of decisions."""

import datetime as dt
import io
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from docx import Document
from openpyxl import load_workbook

from accounts.models import Organization
from core import clock
from core.models import Attachment, Event, Notice
from obligations.models import Obligation
from schools import decision_list
from schools.models import (
    AnnualPlan,
    Application,
    ApplicationItem,
    ApplicationRound,
    Programme,
    RoundExtension,
)
from schools.services import applications, filling_in, reviews
from schools.tests import applying
from schools.tests.reviewing import handed_in, hubei_round, new_level

READERS = ["office", "finance", "leading", "auditor", "city_officer"]


@pytest.fixture
def round(world):
    world.at("2021-05-26T10:00:00+08:00")
    return hubei_round()


@pytest.fixture
def level(world):
    return new_level(world)


@pytest.fixture
def item(world, round, level):
    return handed_in(round, world.school, [level], reviewer=world.bureau)[0]


@pytest.fixture
def direct(world, round, level):
    return handed_in(round, world.school, [level])[0]


def address(name, *args):
    return reverse(f"reviews:{name}", args=args)


def text_of(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def field(response, name):
    return re.search(rf'name="{name}"[^>]*value="([^"]*)"', response.content.decode())[1]


def previewed(client, action, items, **more):
    data = {"action": action, "item": [i.pk for i in items], **more}
    return client.post(address("decide"), data)


def confirmed(client, action, preview, comment="", **more):
    data = {
        "step": "confirm",
        "action": action,
        "marks": field(preview, "marks"),
        "shown_at": field(preview, "shown_at"),
        "comment": comment,
        **more,
    }
    return client.post(address("decide"), data)


# --- The queue


@pytest.mark.parametrize(
    ("who", "shown"), [("city_officer", "太原演示"), ("office", "长治演示"), ("auditor", "太原演示")]
)
def test_the_queue_begins_with_what_waits_for_the_reader(world, round, level, client_for, who, shown):
    handed_in(round, world.school, [level], reviewer=world.bureau)
    handed_in(round, world.other_school, [level])
    page = client_for(getattr(world, who)).get(address("queue"))
    assert f"{shown}职业学校" in page.content.decode()
    expected = {"city_officer": 1, "office": 1, "auditor": 2}[who]
    assert page.context["count"] == expected


def test_the_queue_is_of_the_newest_open_round(world, round, level, client_for):
    handed_in(round, world.school, [level])
    newer = hubei_round(number=2)
    handed_in(newer, world.other_school, [level])
    client = client_for(world.office)
    assert client.get(address("queue")).context["count"] == 1
    assert client.get(address("queue") + "?round=&state=").context["count"] == 2


def test_the_round_that_closes_first_is_not_hidden_by_a_newer_one(world, round, level, client_for):
    handed_in(round, world.school, [level])
    newer = hubei_round(number=2)
    ApplicationRound.objects.filter(pk=newer.pk).update(
        province_closes_at=round.province_closes_at + dt.timedelta(days=9)
    )
    client = client_for(world.office)
    assert client.get(address("queue")).context["round"] == round
    handed_in(newer, world.other_school, [level])
    assert client.get(address("queue")).context["round"] == round


def test_the_queue_says_when_the_readers_step_has_closed(world, round, level, client_for):
    handed_in(round, world.school, [level], reviewer=world.bureau)
    asked = f"?round={round.pk}&state=submitted"
    assert client_for(world.city_officer).get(address("queue") + asked).context["closed_since"] is None
    world.at(round.city_closes_at)
    late = client_for(world.city_officer).get(address("queue") + asked)
    assert "除单独延期的学校外不能再办理" in text_of(late)
    assert client_for(world.office).get(address("queue") + asked).context["closed_since"] is None


def test_a_row_tells_the_facts_beside_each_other(world, round, client_for):
    handed_in(round, world.school, [world.level], planned_new=60, is_renewal=True)
    owed = Obligation.objects.filter(pk=world.obligation.pk)
    due = clock.now() - dt.timedelta(days=7)
    owed.update(due_at=due, closes_at=due + dt.timedelta(days=3), outcome="on_time", received_at=due)
    row = text_of(client_for(world.office).get(address("queue")))
    for told in ["太原演示职业学校", "演示运维（中级）", "计算机网络技术", "60", "100", "200.00", "100%"]:
        assert told in row
    assert "还剩 5天14小时" in row


def test_drafts_are_not_shown(world, round, level, client_for):
    handed_in(round, world.school, [level], state="draft")
    assert client_for(world.office).get(address("queue") + "?round=&state=").context["count"] == 0


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=first_reviewed", 2),
        ("kind=higher_vocational", 1),
        ("q=长治", 2),
        ("q=网络2", 1),
        ("opinion=1", 0),
        ("opinion=0", 3),
    ],
)
def test_the_filters(world, round, client_for, query, count):
    first, second = new_level(world, 1), new_level(world, 2)
    handed_in(round, world.school, [first], reviewer=world.bureau)
    handed_in(round, world.other_school, [first, second])
    type(world.school).objects.filter(pk=world.school.pk).update(kind="higher_vocational")
    name, value = query.split("=")
    found = client_for(world.office).get(address("queue"), {"round": "", "state": "", name: value})
    assert found.context["count"] == count


def test_certificates_are_offered_of_the_items_that_one_sees(world, round, client_for):
    levels = [new_level(world, n) for n in range(4)]
    handed_in(round, world.school, levels[:1], reviewer=world.bureau)
    handed_in(round, world.other_school, levels[1:2], reviewer=world.other_bureau)
    handed_in(round, world.other_school, levels[2:3], state="draft")

    def offered(user):
        return list(
            client_for(user).get(address("queue")).context["filter"].form.fields["certificate"].queryset
        )

    assert offered(world.office) == [level.certificate for level in levels[:2]]
    assert offered(world.city_officer) == [levels[0].certificate]


@pytest.mark.parametrize(("named", "count"), [(True, 1), (False, 0)])
def test_a_round_that_one_school_still_has_time_in_is_open_to_its_reviewers(
    world, round, level, client_for, named, count
):
    """A newer one is over; this one is, but for a school: its own, and not that of another city."""
    handed_in(round, world.school, [level], reviewer=world.bureau)
    handed_in(round, world.other_school, [level], reviewer=world.other_bureau)
    later = round.province_closes_at + dt.timedelta(days=9)
    RoundExtension.objects.create(
        round=round,
        organization=world.school_org if named else world.other_school_org,
        school_closes_at=round.school_closes_at,
        city_closes_at=later,
        province_closes_at=later,
        reason="停电",
        created_by=world.office,
        created_at=clock.now(),
    )
    hubei_round(number=2)
    world.at(later - dt.timedelta(minutes=1))
    assert client_for(world.city_officer).get(address("queue")).context["count"] == count


def test_the_queue_asks_as_much_for_three_rows_as_for_one(world, round, client_for):
    client = client_for(world.office)
    levels = [new_level(world, n) for n in range(3)]

    def queries():
        with CaptureQueriesContext(connection) as found:
            assert client.get(address("queue")).status_code == 200
        return len(found)

    handed_in(round, world.school, levels[:1])
    queries()
    one = queries()
    handed_in(round, world.other_school, levels)
    assert queries() == one <= 20


def test_the_queue_is_exported_with_codes_and_comments(world, round, level, client_for):
    handed_in(round, world.school, [level], review_comment="同意")
    response = client_for(world.office).post(address("queue"))
    rows = list(load_workbook(io.BytesIO(response.content)).active.values)
    row = dict(zip(rows[0], rows[1], strict=True))
    assert (row["院校"], row["代码"]) == ("太原演示职业学校", world.school_org.code)
    assert (row["证书等级、专业"], row["拟考证人数"]) == ("演示网络1（中级）", 40)
    assert (row["状态"], row["审核意见"], row["专业"]) == ("待审核", "同意", "710202 计算机网络技术")


# --- Who


@pytest.mark.parametrize("who", READERS)
def test_reviewers_and_the_province_read(world, item, client_for, who):
    client = client_for(getattr(world, who))
    for name, pk in [("item", item.pk), ("application", item.application_id)]:
        page = client.get(address(name, pk))
        assert page.status_code == 200
        assert "演示网络1（中级）" in page.content.decode()
    assert client.get(address("decisions", item.application.round_id)).status_code == 200


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("other_city_officer", 404),
        ("other_contact", 404),
        ("coordinator", 404),
        ("expert", 404),
        ("evaluator_officer", 404),
        ("learner", 404),
        ("contact", 403),
        ("leader", 403),
    ],
)
def test_others_do_not(world, item, client_for, who, status):
    client = client_for(getattr(world, who))
    assert client.get(address("item", item.pk)).status_code == status
    assert client.get(address("application", item.application_id)).status_code == status


@pytest.mark.parametrize("who", ["finance", "leading", "auditor", "contact", "learner"])
def test_readers_decide_nothing(world, direct, client_for, who):
    response = previewed(client_for(getattr(world, who)), "item_approve", [direct])
    assert response.status_code == 403


def test_another_citys_items_are_not_there_to_decide(world, item, client_for):
    assert previewed(client_for(world.other_city_officer), "item_recommend", [item]).status_code == 404


# --- One item


def test_the_item_stands_beside_last_year_and_the_record(world, round, client_for):
    item = handed_in(round, world.school, [world.level], is_renewal=True, planned_new=60)[0]
    page = text_of(client_for(world.office).get(address("item", item.pk)))
    for told in ["上年（2020 年）", "年度计划 100 人", "新增 60", "本年周报填报率", "没有备案标准", "200.00"]:
        assert told in page
    assert "省级审核截止 5月31日（星期一）24:00" in page


def test_an_action_that_is_not_open_tells_why(world, item, client_for):
    world.at("2021-05-28T00:00:00+08:00")
    page = text_of(client_for(world.city_officer).get(address("item", item.pk)))
    assert "现在不能，看原因 初审通过 市级初审已于5月27日（星期四）24:00截止" in page


def send(world, application, day):
    """The contact hands in what is open on that day of May 2021."""
    world.at(f"2021-05-{day}T10:00:00+08:00")
    fresh = Application.objects.get(pk=application.pk)
    token = applications.token_of(applications.waiting_items(fresh, clock.now()))
    return applications.submit_application(application=fresh, token=token, by=world.contact, at=clock.now())


def test_an_item_tells_the_version_it_was_handed_in_with_and_when_a_return_is_past(world, client_for):
    """One of two items is returned and handed in again: the other still stands as it was handed in first."""
    world.at("2021-05-20T10:00:00+08:00")
    round = hubei_round()
    first, second = handed_in(round, world.school, [new_level(world, n) for n in range(2)], state="draft")
    application = Application.objects.get(pk=first.application_id)
    Application.objects.filter(pk=application.pk).update(current=None)
    application.versions.all().delete()
    one = send(world, application, 20)
    decided = {"by": world.office, "at": clock.now(), "comment": "请改人数"}
    reviews.decide_many(action="item_return", items=[first.pk], **decided)
    client = client_for(world.office)
    assert "审核意见 请改人数" in text_of(client.get(address("item", first.pk)))
    changed = applying.filled(first, planned_new="33")
    fresh = ApplicationItem.objects.get(pk=first.pk)
    filling_in.save_item_draft(
        item=fresh, typed=changed, revision=fresh.draft_revision, by=world.contact, at=clock.now()
    )
    two = send(world, application, 22)
    assert one.receipt != two.receipt
    client = client_for(world.office)
    again, other = (text_of(client.get(address("item", item.pk))) for item in (first, second))
    receipts = [one.receipt, two.receipt]
    assert f"回执 {two.receipt}，第 2 版" in again
    assert f"与第1版相比 {one.receipt} 拟考证人数： 40 人 33 人" in again
    assert "相比" not in other
    assert [receipt in other for receipt in receipts] == [True, False]
    assert "上次退回意见（5月20日） 请改人数" in again
    assert "审核意见 请改人数" not in again
    listed = text_of(client.get(address("application", application.pk)))
    assert "上次退回意见（5月20日）：请改人数" in listed
    rows = {row[3]: row[7] for row in decision_list.rows(round, world.office)}
    assert rows == {str(first): "上次退回意见（5月20日）：请改人数", str(second): ""}
    exported = client.post(address("queue") + "?round=&state=")
    sheet = load_workbook(io.BytesIO(exported.content)).active
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert "上次退回意见（5月20日）：请改人数" in cells
    own = client_for(world.contact).get(reverse("applications:item", args=[first.pk]))
    assert "上次退回意见（5月20日）： 请改人数" in text_of(own)
    reviews.decide_many(action="item_reject", items=[first.pk], **decided | {"comment": "超规模"})
    assert "审核意见 超规模" in text_of(client.get(address("item", first.pk)))


@pytest.fixture
def routed(world, round, level):
    """Of a school that the province supervises, through the bureau of its place (SX 三.1)."""
    Organization.objects.filter(pk=world.school_org.pk).update(supervisor=world.province)
    return handed_in(round, world.school, [level], reviewer=world.bureau)[0]


def test_a_bureau_opens_all_that_belongs_to_what_it_reviews_and_is_offered_no_more(
    world, round, routed, client_for
):
    client = client_for(world.city_officer)
    agreement = reverse("agreements:detail", args=[routed.agreement_id])
    [signed] = Attachment.objects.of(routed.agreement)
    assert client.get(agreement).status_code == 200
    for page in (
        address("item", routed.pk),
        address("application", routed.application_id),
        address("queue"),
        reverse("rounds:progress", args=[round.pk]),
        agreement,
    ):
        body = client.get(page).content.decode()
        links = set(re.findall(r'href="(/(?!static/)[^"#?]*)', body))
        assert [link for link in links if client.get(link).status_code != 200] == []
        if page == address("item", routed.pk):
            assert reverse("core:attachment", args=[signed.pk]) in links
            assert "填报情况不在您的查看范围内" in body


def test_what_another_bureau_reviews_or_is_a_draft_shows_no_agreement(world, routed, client_for):
    agreement = reverse("agreements:detail", args=[routed.agreement_id])
    assert client_for(world.other_city_officer).get(agreement).status_code == 404
    ApplicationItem.objects.filter(pk=routed.pk).update(state="draft")
    assert client_for(world.city_officer).get(agreement).status_code == 404


def test_the_schools_of_ones_own_are_linked(world, round, item, client_for):
    client = client_for(world.city_officer)
    own = reverse("schools:detail", args=[world.school.pk])
    for page in (address("application", item.application_id), reverse("rounds:progress", args=[round.pk])):
        assert own in client.get(page).content.decode()
    history = reverse("reporting:history", args=[world.school.pk])
    assert history in client.get(address("item", item.pk)).content.decode()


def test_the_next_item_of_the_queue(world, round, client_for):
    items = handed_in(round, world.school, [new_level(world, n) for n in range(3)])
    items[1].state = "approved"
    ApplicationItem.objects.filter(pk=items[1].pk).update(state="withdrawn")
    context = client_for(world.office).get(address("item", items[0].pk)).context
    assert (context["before"], context["after"]) == (None, items[2].pk)


def test_an_item_takes_few_queries(world, direct, client_for):
    client = client_for(world.office)
    client.get(address("item", direct.pk))
    with CaptureQueriesContext(connection) as found:
        client.get(address("item", direct.pk))
    assert len(found) <= 21


# --- Preview and confirmation


def test_the_preview_names_every_item_its_consequence_and_what_cannot(world, round, client_for):
    levels = [new_level(world, n) for n in range(2)]
    can = handed_in(round, world.school, levels)
    lacking = handed_in(round, world.other_school, levels[:1])[0]
    ApplicationItem.objects.filter(pk=lacking.pk).update(agreement=None)
    page = previewed(client_for(world.office), "item_approve", [*can, lacking])
    words = text_of(page)
    assert "将对 1 所院校的 2 项办理“批准”，拟考证人数共 80 人" in words
    assert "开设试点项目；2021 年计划定为 40 人" in words
    assert "有 1 项不能“批准”" in words
    assert "鄂教职成办函〔2021〕7号 三.6" in words
    assert not Programme.objects.filter(origin__in=can).exists()


def test_all_by_the_filter(world, round, client_for):
    handed_in(round, world.school, [new_level(world, n) for n in range(3)])
    client = client_for(world.office)
    page = client.get(address("queue"))
    preview = previewed(
        client, "item_approve", [], everything="1", query=page.context["filter"].data.urlencode()
    )
    assert len(preview.context["will"]) == 3
    assert confirmed(client, "item_approve", preview).status_code == 302
    assert ApplicationItem.objects.filter(state="approved").count() == 3


def test_nothing_ticked_says_so(world, round, client_for):
    response = client_for(world.office).post(address("decide"), {"action": "item_approve"}, follow=True)
    assert "没有选择申报项目" in text_of(response)


@pytest.mark.parametrize("key", ["²", "9" * 30, "-1", "abc"])
def test_what_can_be_no_key_is_nothing_ticked(world, round, client_for, key):
    client = client_for(world.office)
    confirmed = {"step": "confirm", "marks": f"{key}:x", "shown_at": "2021-05-26T10:00:00+08:00"}
    for data in ({"item": [key]}, confirmed):
        response = client.post(address("decide"), {"action": "item_approve", **data}, follow=True)
        assert "没有选择申报项目" in text_of(response)


def test_the_same_form_again_decides_nothing_tells_nobody_and_says_so(world, direct, client_for):
    client = client_for(world.office)
    preview = previewed(client, "item_approve", [direct])
    first = confirmed(client, "item_approve", preview)
    assert "已办理：批准 1 项" in text_of(client.get(first["Location"]))
    notices = Notice.objects.count()
    assert notices
    second = confirmed(client, "item_approve", preview)
    assert (second.status_code, second["Location"]) == (302, first["Location"])
    page = text_of(client.get(second["Location"]))
    assert "这 1 项此前已办理，没有重复办理。" in page
    assert "已办理：" not in page
    assert Event.objects.filter(action="item_approve").count() == 1
    assert Notice.objects.count() == notices


def test_what_changed_meanwhile_is_said_and_left_out_only_after_another_look(world, round, client_for):
    first, second = handed_in(round, world.school, [new_level(world, n) for n in range(2)])
    client = client_for(world.office)
    preview = previewed(client, "item_approve", [first, second])
    reviews.decide_many(
        action="item_reject", items=[second.pk], by=world.office2, at=clock.now(), comment="超规模"
    )
    again = confirmed(client, "item_approve", preview)
    assert again.status_code == 409
    assert "有 1 项在您核对期间有了变化，还没有办理任何一项" in text_of(again)
    assert "现在是“未通过”" in text_of(again)
    first.refresh_from_db()
    assert first.state == "first_reviewed"
    assert confirmed(client, "item_approve", again).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("approved", "rejected")


def test_other_numbers_than_those_shown_are_not_approved(world, direct, client_for):
    client = client_for(world.office)
    preview = previewed(client, "item_approve", [direct])
    ApplicationItem.objects.filter(pk=direct.pk).update(planned_new=400)
    again = confirmed(client, "item_approve", preview)
    assert again.status_code == 409
    assert "学校重新提交了内容" in text_of(again)
    assert not Programme.objects.filter(origin=direct).exists()


def test_a_reason_that_is_missing_comes_back_with_the_list(world, direct, client_for):
    client = client_for(world.office)
    preview = previewed(client, "item_reject", [direct])
    again = confirmed(client, "item_reject", preview)
    assert again.status_code == 422
    assert "“不予批准”须写明理由" in text_of(again)
    assert confirmed(client, "item_reject", again, comment="超规模").status_code == 302
    direct.refresh_from_db()
    assert (direct.state, direct.review_comment) == ("rejected", "超规模")


def test_a_deadline_that_passes_between_preview_and_confirmation_stops_it(world, direct, client_for):
    client = client_for(world.office)
    preview = previewed(client, "item_approve", [direct])
    world.at("2021-06-01T00:00:00+08:00")
    # Signing in again is another matter: sessions keep real time.
    again = confirmed(client_for(world.office), "item_approve", preview)
    assert again.status_code == 409
    assert "省级审核已于5月31日（星期一）24:00截止" in text_of(again)


def test_leads_back_only_to_our_own_pages(world, direct, client_for):
    client = client_for(world.office)
    preview = previewed(client, "item_approve", [direct])
    response = confirmed(client, "item_approve", preview, back="https://example.org/")
    assert response["Location"] == address("queue")


def test_reconsidering_from_the_page_brings_the_plan_back(world, round, client_for):
    item = handed_in(round, world.school, [world.level], is_renewal=True, planned_new=60)[0]
    client = client_for(world.office)
    confirmed(client, "item_approve", previewed(client, "item_approve", [item]))
    world.at("2021-05-26T10:05:00+08:00")
    preview = previewed(client, "item_reconsider", [item])
    assert "2021 年计划取消" in text_of(preview)
    assert confirmed(client, "item_reconsider", preview, comment="名额核减").status_code == 302
    assert not AnnualPlan.objects.filter(programme=world.programme, year=2021).exists()


@pytest.mark.parametrize(("is_renewal", "shown", "kept"), [(True, "—", ""), (False, 2, 2)])
def test_a_renewal_tells_no_teachers_that_its_form_does_not_ask_for(
    world, round, client_for, is_renewal, shown, kept
):
    handed_in(round, world.school, [world.level], is_renewal=is_renewal, trainers=2)
    table = client_for(world.office).get(address("queue")).context["table"]
    [row] = table.rows
    assert row.get_cell("trainers") == shown
    assert row.get_cell_value("trainers") == kept


def test_what_is_decided_is_not_ticked_again(world, round, level, client_for):
    done, waits = handed_in(round, world.school, [world.level, level])
    client = client_for(world.office)
    listed = address("application", done.application_id)
    assert client.get(listed).content.decode().count('name="item"') == 2
    confirmed(client, "item_reject", previewed(client, "item_reject", [done]), comment="条件不足")
    page = client.get(listed).content.decode()
    assert page.count('name="item"') == 1
    assert f'value="{waits.pk}"' in page
    confirmed(client, "item_reject", previewed(client, "item_reject", [waits]), comment="条件不足")
    assert 'name="item"' not in client.get(listed).content.decode()
    assert 'action="/reviews/decide/"' not in client.get(listed).content.decode()


def test_the_history_of_an_item_says_the_states_as_its_badge_does(world, round, level, client_for):
    item = handed_in(round, world.school, [level], reviewer=world.bureau)[0]
    client = client_for(world.city_officer)
    confirmed(client, "item_recommend", previewed(client, "item_recommend", [item]))
    assert "待初审 → 待审核" in text_of(client.get(address("item", item.pk)))


# --- The list of decisions


def test_the_counts_of_the_authorities_add_up_to_all(world, round, client_for):
    levels = [new_level(world, n) for n in range(3)]
    handed_in(round, world.school, levels, state="approved")
    handed_in(round, world.other_school, levels[:2], state="rejected")
    Organization.objects.filter(pk=world.other_school_org.pk).update(supervisor=world.province)
    *groups, total = decision_list.counts(round, world.office)
    assert [line.name for line in groups] == ["山西省推进办", "太原市教育局"]
    assert total[1:] == tuple(map(sum, zip(*(line[1:] for line in groups), strict=True)))
    assert (total.items, total.approved, total.rejected, total.heads) == (5, 3, 2, 120)
    assert total.items == total.approved + total.rejected + total.returned + total.open + total.withdrawn


def test_the_page_of_decisions_reads_counts_and_no_items(world, round, client_for):
    """A round has 12,000 items: the database counts them, and only Word and Excel take them all."""
    handed_in(round, world.school, [new_level(world, n) for n in range(3)], state="approved")
    client = client_for(world.office)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address("decisions", round.pk)).status_code == 200
    of_items = [query["sql"] for query in asked if 'FROM "schools_applicationitem"' in query["sql"]]
    assert len(of_items) == 1
    assert "COUNT(" in of_items[0]
    assert "GROUP BY" in of_items[0]


def test_a_city_lists_its_own_schools_only(world, round, level):
    handed_in(round, world.school, [level], reviewer=world.bureau)
    handed_in(round, world.other_school, [level], reviewer=world.other_bureau)
    assert [row[1] for row in decision_list.rows(round, world.city_officer)] == ["太原演示职业学校"]


def test_word_and_excel_hold_the_list(world, round, level, client_for):
    handed_in(round, world.school, [level], state="approved", review_comment="同意")
    client = client_for(world.office)
    page = address("decisions", round.pk)
    word = Document(io.BytesIO(client.post(page, {"format": "docx"}).content))
    cells = [[cell.text for cell in row.cells] for row in word.tables[1].rows]
    assert cells[0] == decision_list.HEADINGS
    assert cells[1][1:] == [
        "太原演示职业学校",
        world.school_org.code,
        "演示网络1（中级）",
        "710202 计算机网络技术",
        "40",
        "已批准",
        "同意",
    ]
    sheet = load_workbook(io.BytesIO(client.post(page, {"format": "xlsx"}).content)).active
    assert [list(row) for row in sheet.values][1][5:7] == [40, "已批准"]
    assert Event.objects.filter(action="list_exported").count() == 2
