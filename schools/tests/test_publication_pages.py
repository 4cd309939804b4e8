"""Lists and objections on their pages: who sees what, without signing in and within."""

import datetime as dt
import io

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from core import clock
from core.models import ClockOrigin, Event
from schools.models import ApplicationItem, Objection, ResultList
from schools.services import objections, reviews
from schools.services import publications as services
from schools.services.publications import Heading
from schools.tests.builders import make_application, make_item, make_round
from schools.tests.reviewing import handed_in, new_level

State = ApplicationItem.State
OFFICIALS = ["finance", "leading", "auditor"]
OTHERS = [
    "coordinator",
    "expert",
    "third_party",
    "city_officer",
    "contact",
    "leader",
    "evaluator_officer",
    "learner",
]
GIVEN = {"school": "", "text": "该校没有实训场地", "name": "某某学会", "contact": "13812345678"}


@pytest.fixture
def shown(world):
    """A 公示 of two schools in its second day."""
    world.round = make_round()
    world.item = make_item(make_application(world.round, world.school), world.level, state=State.APPROVED)
    make_item(make_application(world.round, world.other_school), world.level, state=State.APPROVED)
    found = services.publish_proposed(
        round=world.round,
        heading=Heading("2020年试点结果公示", "演示〔2020〕1号", "现予公示。"),
        starts_on=dt.date(2020, 11, 19),
        ends_on=dt.date(2020, 11, 25),
        by=world.office,
        at=clock.now(),
    )
    world.at("2020-11-20T10:00:00+08:00")
    return found


def received(shown, **fields):
    given = {"name": "某某学会", "contact": "13812345678", "text": "该校没有实训场地", **fields}
    return objections.receive_objection(result_list=shown, at=clock.now(), **given)


def page(name, *args):
    return reverse(f"publications:{name}", args=args)


def text(response):
    return response.content.decode()


# --- without signing in


def test_a_stranger_reads_searches_and_takes_the_list(world, shown):
    stranger = Client()
    assert "2020年试点结果公示" in text(stranger.get(page("lists")))
    whole = text(stranger.get(page("list", shown.pk)))
    assert "太原演示职业学校" in whole
    assert "长治演示职业学校" in whole
    assert "11月19日（星期四）至11月25日（星期三）（含当日）" in whole
    table = '<table class="table table-cards">'
    for query in ({"q": "太原演示"}, {"city": "太原市"}, {"q": world.school_org.code, "city": "太原市"}):
        rows = text(stranger.get(page("list", shown.pk), query)).split(table)[1]
        assert "太原演示职业学校" in rows
        assert "长治演示职业学校" not in rows
    assert "没有符合条件" in text(stranger.get(page("list", shown.pk), {"q": "没有这所"}))
    sheet = load_workbook(io.BytesIO(stranger.get(page("download", shown.pk)).content))["名单"]
    assert sheet.max_row == 3
    assert not Event.objects.filter(action="list_exported").exists()


def test_before_the_first_day_there_is_nothing_to_read(world, shown):
    world.at("2020-11-18T23:59:59+08:00")
    stranger = Client()
    assert "2020年试点结果公示" not in text(stranger.get(page("lists")))
    for name in ("list", "download", "object", "objected"):
        assert stranger.get(page(name, shown.pk)).status_code in (302, 404), name
    assert stranger.get(page("list", shown.pk)).status_code == 404
    world.at("2020-11-19T00:00:00+08:00")
    assert stranger.get(page("list", shown.pk)).status_code == 200


def test_running_lists_stand_first_and_final_ones_before_those_that_are_over(world, shown):
    world.at("2020-11-26T00:00:00+08:00")
    final = services.publish_final(
        round=world.round, heading=Heading("2020年试点名单", "", ""), by=world.office, at=clock.now()
    )
    level = world.level.certificate.levels.create(level=1)
    make_item(world.item.application, level, state=State.APPROVED)
    world.add_programme(world.school, level)
    today = clock.today()
    services.publish_proposed(
        round=world.round,
        heading=Heading("第二次公示", "", ""),
        starts_on=today,
        ends_on=today,
        by=world.office,
        at=clock.now(),
    )
    shown_page = text(Client().get(page("lists")))
    places = [shown_page.index(t) for t in ("第二次公示", "2020年试点名单", "2020年试点结果公示")]
    assert places == sorted(places)
    over = text(Client().get(page("list", shown.pk)))
    assert page("list", final.pk) in over
    assert page("object", shown.pk) not in over


def test_long_lists_are_paged_and_shown_whole_for_print(world, shown):
    shown.rows = [shown.rows[0] | {"code": str(n), "school": f"第{n}学校"} for n in range(230)]
    shown.save()
    stranger = Client()
    first = text(stranger.get(page("list", shown.pk)))
    assert "第99学校" in first
    assert "第100学校" not in first
    assert 'href="?q=%E7%AC%AC&amp;page=3"' in text(stranger.get(page("list", shown.pk), {"q": "第"}))
    assert "第229学校" in text(stranger.get(page("list", shown.pk), {"page": 3}))
    assert "第229学校" in text(stranger.get(page("list", shown.pk), {"all": 1}))


def test_a_demonstration_says_so_to_strangers_and_in_the_file(world, shown):
    assert "演示数据" not in text(Client().get(page("lists")))
    ClockOrigin.objects.create(real_at=clock.real_now(), portal_at=clock.real_now())
    clock.forget_origin()
    assert "演示数据" in text(Client().get(page("lists")))
    notes = load_workbook(io.BytesIO(Client().get(page("download", shown.pk)).content))["说明"]
    assert "演示数据" in [row[1].value for row in notes]


def test_the_way_to_the_lists_stands_on_the_sign_in_page(world):
    assert page("lists") in text(Client().get(reverse("accounts:sign-in")))


def test_a_stranger_objects_and_follows_the_answer(world, shown):
    stranger = Client()
    form = text(stranger.get(page("object", shown.pk)))
    assert "不告知所涉院校" in form
    given = GIVEN | {"school": world.school_org.code}
    response = stranger.post(page("object", shown.pk), given)
    kept = Objection.objects.get()
    assert response["Location"] == page("objected", shown.pk)
    assert kept.receipt in text(stranger.get(response["Location"]))
    assert (kept.about, kept.taken_by) == (world.school_org, None)
    assert Client().get(page("objected", shown.pk))["Location"] == page("list", shown.pk)

    asked = {"receipt": kept.receipt, "contact": "13812345678"}
    before = text(Client().post(page("follow"), asked))
    assert "待答复" in before
    objections.answer_objection(kept, is_upheld=False, answer="实地核实属有", by=world.office, at=clock.now())
    after = text(Client().post(page("follow"), asked))
    assert "实地核实属有" in after
    assert "某某学会" not in after


def test_an_unknown_receipt_and_a_wrong_contact_get_one_answer(world, shown):
    kept = received(shown)
    answers = [
        Client().post(page("follow"), {"receipt": receipt, "contact": contact})
        for receipt, contact in [(kept.receipt, "13800000000"), ("YY20201120-000000", "13812345678")]
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    shapes = [text(answer).split("<main")[1].split("<form")[1] for answer in answers]
    for shape, typed in zip(shapes, (kept.receipt, "YY20201120-000000"), strict=True):
        assert "受理编号与联系方式不相符" in shape
        assert "该校没有实训场地" not in shape
        assert typed in shape
    plain = [
        shape.replace(kept.receipt, "#")
        .replace("YY20201120-000000", "#")
        .replace("13800000000", "*")
        .replace("13812345678", "*")
        for shape in shapes
    ]
    assert _without_token(plain[0]) == _without_token(plain[1])


def _without_token(html):
    head, _, rest = html.partition('name="csrfmiddlewaretoken" value="')
    return head + rest[64:]


@pytest.mark.parametrize(
    ("instant", "status"),
    [
        ("2020-11-19T00:00:00+08:00", 200),
        ("2020-11-25T23:59:59.999999+08:00", 200),
        ("2020-11-26T00:00:00+08:00", 403),
    ],
)
def test_the_form_is_open_on_the_days_only(world, shown, instant, status):
    world.at(instant)
    response = Client().get(page("object", shown.pk))
    assert response.status_code == status
    if status == 403:
        assert "已经结束" in text(response)
        assert Client().post(page("object", shown.pk), GIVEN).status_code == 403
        assert not Objection.objects.exists()


def test_what_is_missing_is_told_and_nothing_kept(world, shown):
    response = Client().post(page("object", shown.pk), {"name": "某某学会"})
    assert response.status_code == 422
    assert "请写明异议的内容" in text(response)
    assert "某某学会" in text(response)
    assert not Objection.objects.exists()


def test_it_needs_the_forms_token(world, shown):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(page("object", shown.pk), GIVEN).status_code == 403
    assert not Objection.objects.exists()


def test_five_an_hour_from_one_address(world, shown):
    for number in range(5):
        response = Client().post(page("object", shown.pk), GIVEN | {"text": f"第{number}件"})
        assert response.status_code == 302
    sixth = Client().post(page("object", shown.pk), GIVEN | {"text": "第6件"})
    assert sixth.status_code == 429
    assert "一小时内最多提交 5 件" in text(sixth)
    assert "第6件" in text(sixth)
    assert Objection.objects.count() == 5
    other = Client(REMOTE_ADDR="203.0.113.9").post(page("object", shown.pk), GIVEN)
    assert other.status_code == 302


def test_typing_errors_do_not_count(world, shown):
    for _ in range(8):
        Client().post(page("object", shown.pk), {})
    assert Client().post(page("object", shown.pk), GIVEN).status_code == 302


def test_receipts_cannot_be_tried_without_end(world, shown):
    kept = received(shown)
    guess = {"receipt": "YY20201120-000000", "contact": "13812345678"}
    for _ in range(20):
        assert Client().post(page("follow"), guess).status_code == 422
    refused = Client().post(page("follow"), {"receipt": kept.receipt, "contact": "13812345678"})
    assert refused.status_code == 429
    assert "该校没有实训场地" not in text(refused)


# --- within


@pytest.fixture
def addresses(world, shown):
    kept = received(shown, school_code=world.school_org.code)
    return {
        "manage": page("manage"),
        "round": page("round", world.round.pk),
        "propose": page("propose", world.round.pk),
        "publish": page("publish", world.round.pk),
        "paper": page("paper", shown.pk),
        "take-down": page("take-down", shown.pk),
        "objections": page("objections"),
        "objection": page("objection", kept.pk),
        "objection-answer": page("objection-answer", kept.pk),
        "objection-keep": page("objection-keep", kept.pk),
        "objection-reveal": page("objection-reveal", kept.pk),
    }


ACTS = {"propose", "publish", "take-down", "objection-answer", "objection-keep", "objection-reveal"}


def test_the_office_meets_every_page(world, addresses, client_for):
    client = client_for(world.office)
    for name, address in addresses.items():
        assert client.get(address).status_code == (405 if name == "objection-reveal" else 200), name


@pytest.mark.parametrize("role", OFFICIALS)
def test_the_provinces_other_roles_read(world, addresses, client_for, role):
    client = client_for(getattr(world, role))
    for name, address in addresses.items():
        if name in ACTS:
            assert client.post(address, {"reason": "看看"}).status_code == 403, name
        else:
            response = client.get(address)
            assert response.status_code == 200, name
            for secret in ("某某学会", "13812345678"):
                assert secret not in response.content.decode(errors="ignore"), name


@pytest.mark.parametrize("role", OTHERS)
def test_everybody_else_meets_none(world, addresses, client_for, role):
    client = client_for(getattr(world, role))
    for name, address in addresses.items():
        for method in ("get", "post"):
            response = getattr(client, method)(address)
            assert response.status_code in (403, 404, 405), (name, method)
            assert "该校没有实训场地" not in text(response), name
    for name in ("objection", "objection-answer", "objection-keep", "paper", "take-down"):
        assert client.get(addresses[name]).status_code == 404, name


def test_a_stranger_is_asked_to_sign_in(addresses):
    for name, address in addresses.items():
        assert Client().get(address)["Location"].startswith("/sign-in/"), name
        assert Client().post(address)["Location"].startswith("/sign-in/"), name


def test_the_objector_is_masked_until_revealed_with_a_reason(world, addresses, client_for):
    client = client_for(world.office)
    shown_page = text(client.get(addresses["objection"]))
    assert "某***" in shown_page
    assert "138****5678" in shown_page
    for secret in ("某某学会", "13812345678"):
        assert secret not in shown_page
    without = text(client.post(addresses["objection-reveal"], {"reason": ""}))
    assert "请写明原因" in without
    assert "13812345678" not in without
    response = client.post(addresses["objection-reveal"], {"reason": "电话核实"})
    assert "13812345678" in text(response)
    assert response["Cache-Control"] == "no-store"
    assert Event.objects.get(action="objector_revealed").reason == "电话核实"
    assert "13812345678" not in text(client.get(addresses["objection"]))


def test_the_office_answers(world, addresses, client_for):
    client = client_for(world.office)
    assert client.post(addresses["objection-answer"], {"answer": "x"}).status_code == 422
    given = {"verdict": "upheld", "answer": "属实"}
    assert client.post(addresses["objection-answer"], given)["Location"] == addresses["objection"]
    assert "二者有一，才能公布" in text(client.get(addresses["objection"]))
    assert client.post(addresses["objection-answer"], given).status_code == 422
    client.post(addresses["objection-keep"], {"reason": "已整改到位"})
    assert "已整改到位" in text(client.get(addresses["objection"]))


def test_one_by_phone_is_taken_down(world, addresses, client_for):
    client = client_for(world.office)
    given = GIVEN | {"text": "来电反映", "received_at": "2020-11-19T09:00"}
    response = client.post(addresses["take-down"], given)
    kept = Objection.objects.get(text="来电反映")
    assert response["Location"] == page("objection", kept.pk)
    assert kept.receipt in text(client.get(response["Location"]))
    late = client.post(addresses["take-down"], given | {"received_at": "2020-11-20T10:01"})
    assert late.status_code == 422
    assert "不能晚于现在" in text(late)


def test_the_portals_name_leads_a_visitor_to_a_public_page(world, client_for):
    lists = page("lists")
    assert f'class="topbar-name" href="{lists}"' in Client().get(lists).content.decode()
    assert 'class="topbar-name" href="/"' in client_for(world.contact).get(lists).content.decode()


def test_a_list_is_previewed_and_only_then_published(world, client_for):
    world.round = make_round()
    make_item(make_application(world.round, world.school), world.level, state=State.APPROVED)
    waiting = make_item(make_application(world.round, world.other_school), world.level)
    client, url = client_for(world.office), page("propose", world.round.pk)
    given = {"title": "公示", "starts_on": "2020-11-18", "ends_on": "2020-11-24", "text": "电话13812345678"}
    refused = client.post(url, given)
    assert "138****5678" in text(refused)
    refused = client.post(url, given | {"contact_confirmed": "on"})
    assert "还有 1 个项目没有审定" in text(refused)
    given |= {"contact_confirmed": "on", "despite_waiting": "on"}
    preview = text(client.post(url, given))
    assert "1 所院校，1 个试点项目" in preview
    assert "还有 1 个项目没有审定，不在这份名单里" in preview
    assert not ResultList.objects.exists()
    assert client.post(url, given | {"step": "confirm"})["Location"] == page("round", world.round.pk)
    assert waiting.pk not in {row["item"] for row in ResultList.objects.get().rows}


def test_all_that_is_wrong_with_a_list_is_told_at_once(world, client_for):
    world.round = make_round()
    make_item(make_application(world.round, world.school), world.level)
    client, url = client_for(world.office), page("propose", world.round.pk)
    wrong = {"title": "公示", "starts_on": "2020-11-17", "ends_on": "2020-11-16", "text": "电话13812345678"}
    days = ("已经过去的日期", "公示结束不能早于开始")
    answer = text(client.post(url, wrong))
    for words in (*days, "138****5678", "还有 1 个项目没有审定"):
        assert words in answer
    answer = text(client.post(url, wrong | {"title": ""}))
    for words in (*days, "请填写标题"):
        assert words in answer


def test_what_has_lapsed_is_named_apart(world, client_for):
    world.round = make_round()
    make_item(make_application(world.round, world.school), world.level, state=State.APPROVED)
    other = make_application(world.round, world.other_school, reviewer=world.other_bureau)
    make_item(other, world.level, state=State.SUBMITTED)
    world.at(world.round.province_closes_at)
    client, today = client_for(world.office), clock.today().isoformat()
    given = {"title": "公示", "starts_on": today, "ends_on": today}
    preview = text(client.post(page("propose", world.round.pk), given))
    assert "市级初审到期未办的 1 个，不在这份名单里" in preview
    assert "没有审定" not in preview
    listed = client.get(page("manage"))
    assert "另有市级初审到期未办的 1 个" in text(listed)
    assert [undecided.waiting for _, undecided, _ in listed.context["rounds"]] == [0]


def test_the_round_says_why_it_cannot_be_published_yet(world, shown, client_for):
    received(shown)
    told = text(client_for(world.office).get(page("round", world.round.pk)))
    assert "公示至11月25日（星期三）（含当日）" in told
    assert "1 件异议没有答复" in told
    assert page("publish", world.round.pk) not in told
    refused = client_for(world.office).post(page("publish", world.round.pk), {"title": "名单"})
    assert refused.status_code == 422 or "1 件异议没有答复" in text(refused)
    assert ResultList.objects.count() == 1


def test_objections_are_filtered(world, shown, client_for):
    open_one = received(shown)
    done = received(shown, text="别的事", school_code=world.school_org.code)
    objections.answer_objection(done, is_upheld=False, answer="不属实", by=world.office, at=clock.now())
    client = client_for(world.office)
    for query, found in [
        ({}, {open_one, done}),
        ({"state": "open"}, {open_one}),
        ({"state": "rejected"}, {done}),
        ({"state": "upheld"}, set()),
        ({"q": "别的事"}, {done}),
        ({"q": "太原演示"}, {done}),
        ({"result_list": shown.pk}, {open_one, done}),
    ]:
        listed = text(client.get(page("objections"), query))
        assert {o for o in (open_one, done) if o.receipt in listed} == found, query
    assert open_one.receipt not in text(client.get(page("objections"), {"overdue": "on"}))
    world.at("2020-11-27T18:00:00+08:00")
    client = client_for(world.office)
    overdue = text(client.get(page("objections"), {"overdue": "on"}))
    assert open_one.receipt in overdue
    assert done.receipt not in overdue
    export = client.post(page("objections"))
    rows = list(load_workbook(io.BytesIO(export.content)).active.values)
    assert len(rows) == 3
    assert "某某学会" not in str(rows)


def _queries(client, address):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_pages_ask_no_more_for_more_rows(world, shown, client_for):
    client = client_for(world.office)
    pages = [page("objections"), page("manage"), page("round", world.round.pk), page("lists")]
    received(shown)
    client.get(pages[0])  # the session's first page writes its time
    before = [_queries(client, address) for address in pages]
    for number in range(2):
        received(shown, text=f"第{number}件", school_code=world.school_org.code)
        make_round(year=2021)
    after = [_queries(client, address) for address in pages]
    assert before == after
    assert max(after) <= 20


def test_an_upheld_objection_follows_the_item_until_it_is_settled(world, client_for):
    """The approval taken back, and given again: who gives it is told, and that the programme had ended."""
    [item] = handed_in(make_round(year=2021), world.school, [new_level(world)])
    decide(world, "item_approve", item)
    today = clock.today()
    listed = services.publish_proposed(
        round=item.application.round,
        heading=Heading("2021年试点结果公示", "", ""),
        starts_on=today,
        ends_on=today + dt.timedelta(days=6),
        by=world.office,
        at=clock.now(),
    )
    kept = received(listed, school_code=world.school_org.code)
    objections.answer_objection(kept, is_upheld=True, answer="没有实训室", by=world.office, at=clock.now())
    world.at(clock.now() + dt.timedelta(minutes=1))
    decide(world, "item_reconsider", item)
    world.at(clock.now() + dt.timedelta(minutes=1))
    client = client_for(world.office)
    item_page = reverse("reviews:item", args=[item.pk])
    about = client.get(page("objection", kept.pk)).content.decode()
    assert item_page in about
    assert reverse("schools:detail", args=[world.school.pk]) in about
    asked = {"action": "item_approve", "item": item.pk}
    preview = text(client.post(reverse("reviews:decide"), asked))
    assert f"公示异议 {kept.receipt} 已答复成立（没有实训室）" in preview
    assert "重新开设试点项目（原项目已于" in preview
    told = client.get(item_page).content.decode()
    assert page("objection", kept.pk) in told
    objections.keep_listed(kept, reason="已整改", by=world.office, at=clock.now())
    assert kept.receipt not in text(client.post(reverse("reviews:decide"), asked))
    assert kept.receipt not in client.get(item_page).content.decode()


def decide(world, action, item):
    reviews.decide_many(action=action, items=[item.pk], by=world.office, at=clock.now(), comment="见附件")
