"""The pages of activities: who meets which, the forms, the lists and the calendar."""

import datetime as dt
import re
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Organization, Role
from certificates.models import Certificate
from core import clock
from core.models import Attachment, Event, Notice
from core.templatetags import portal
from evaluators.models import Activity, Qualification, SignUp, TrainingRule
from evaluators.services import activities as services
from evaluators.tests.activity_rows import ENDS, HOUR, STARTS, fields, file, paper, sign_up, teacher, trainer

SEERS = ["office", "finance", "leading", "auditor", "city_officer", "contact", "leader", "evaluator_officer"]
STRANGERS = ["other_contact", "other_city_officer", "coordinator"]
NOT_AT_ALL = ["expert", "third_party", "learner"]
MICROSECOND = dt.timedelta(microseconds=1)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def typed(world, **changes):
    given = fields(world)
    for name in ("cities", "schools", "trainers"):
        given[name] = [row.pk for row in given[name]]
    local = "%Y-%m-%dT%H:%M"
    given |= {
        "certificate": world.certificate.pk,
        "city": world.city.pk,
        "starts_at": clock.local(STARTS).strftime(local),
        "ends_at": clock.local(ENDS).strftime(local),
        "places": "",
        "extra_fee": "no",
        "files": paper(),
    }
    del given["is_online"]
    return {**given, **changes}


@pytest.fixture
def activity(world):
    return file(world, schools=[world.school])


# --- Who meets what


@pytest.mark.parametrize("who", SEERS + STRANGERS)
def test_whom_it_does_not_concern_meets_404_and_an_empty_list(world, activity, client_for, who):
    client, sees = client_for(getattr(world, who)), who in SEERS
    page = client.get(reverse("activities:detail", args=[activity.pk]))
    assert page.status_code == (200 if sees else 404)
    listing = client.get(reverse("activities:list"))
    assert (listing.status_code, listing.context["count"]) == (200, int(sees))
    month = client.get(reverse("activities:calendar"))
    assert (activity.title in text(month)) is sees
    plan = Attachment.objects.of(activity).get()
    served = client.get(reverse("core:attachment", args=[plan.pk]))
    served.close()
    assert served.status_code == (200 if sees else 404)


@pytest.mark.parametrize("who", NOT_AT_ALL)
def test_who_has_nothing_to_do_with_activities_is_refused(world, activity, client_for, who):
    client = client_for(getattr(world, who))
    for name in ("list", "calendar"):
        assert client.get(reverse(f"activities:{name}")).status_code == 403
    assert client.get(reverse("activities:detail", args=[activity.pk])).status_code == 404


@pytest.mark.parametrize("who", [*SEERS, *STRANGERS, *NOT_AT_ALL])
@pytest.mark.parametrize("action", ["change", "return", "cancel", "sign-up", "results"])
def test_each_step_asks_for_its_right(world, activity, client_for, who, action):
    response = client_for(getattr(world, who)).get(reverse(f"activities:{action}", args=[activity.pk]))
    may = {
        "office": {"return": 200},
        "contact": {"sign-up": 200},
        "evaluator_officer": {"change": 200, "cancel": 200, "results": 409},
    }.get(who, {})
    stranger = who in STRANGERS + NOT_AT_ALL
    assert response.status_code == (404 if stranger else may.get(action, 403))


@pytest.mark.parametrize("who", [*SEERS, *STRANGERS, *NOT_AT_ALL])
def test_the_form_is_for_evaluators(world, client_for, who):
    response = client_for(getattr(world, who)).get(reverse("activities:new"))
    assert response.status_code == (200 if who == "evaluator_officer" else 403)


def test_another_evaluator_is_a_stranger(world, activity, client_for):
    other = Organization.objects.create(kind="evaluator", name="另一评价组织", code="E2")
    client = client_for(world.add_user(Role.EVALUATOR, other, "other_evaluator"))
    assert client.get(reverse("activities:detail", args=[activity.pk])).status_code == 404
    assert client.post(reverse("activities:new"), typed(world)).status_code == 422
    assert Activity.objects.count() == 1


def test_a_coordinator_sees_those_in_his_charge(world, activity, client_for):
    world.evaluator.charges.create(coordinator=world.coordinator, given_by=world.office, given_at=clock.now())
    client = client_for(world.coordinator)
    assert client.get(reverse("activities:detail", args=[activity.pk])).status_code == 200
    world.evaluator.charges.update(ended_at=clock.now())
    assert client.get(reverse("activities:detail", args=[activity.pk])).status_code == 404


def test_a_school_is_not_told_which_others_it_is_for(world, client_for):
    found = file(world, schools=[world.school, world.other_school])
    page = reverse("activities:detail", args=[found.pk])
    assert str(world.other_school) not in text(client_for(world.contact).get(page))
    assert str(world.other_school) in text(client_for(world.office).get(page))


@pytest.mark.parametrize("who", ["coordinator", "other_city_officer"])
def test_who_may_not_read_the_names_is_not_told_that_there_are_none(world, client_for, who):
    world.evaluator.charges.create(coordinator=world.coordinator, given_by=world.office, given_at=clock.now())
    activity = file(world)
    page = reverse("activities:detail", args=[activity.pk])
    assert "还没有教师报名" in text(client_for(getattr(world, who)).get(page))
    sign_up(activity, teacher(world), by=world.contact)
    shown = text(client_for(getattr(world, who)).get(page))
    assert "报名（1 人）" in shown
    assert "名单只供报名院校" in shown
    assert "还没有教师报名" not in shown


def test_a_school_reads_no_other_schools_teachers(world, client_for):
    activity = file(world)
    theirs = teacher(world, name="外校张三", by=world.other_contact)
    sign_up(activity, theirs, by=world.other_contact)
    page = client_for(world.contact).get(reverse("activities:detail", args=[activity.pk]))
    assert "外校张三" not in text(page)
    assert "已报名 1 人" in text(page)
    assert "外校张三" in text(client_for(world.evaluator_officer).get(page.request["PATH_INFO"]))
    row = SignUp.objects.get()
    stranger = client_for(world.contact).post(reverse("activities:sign-up-cancel", args=[row.pk]))
    assert stranger.status_code == 404


# --- The forms


def test_filing_from_the_page_with_the_share_warned(world, client_for):
    team = [trainer(world, name=f"专家{n}", kind="school").pk for n in range(2)]
    client = client_for(world.evaluator_officer)
    assert "低于要求" in text(client.get(reverse("activities:new")))
    sent = client.post(reverse("activities:new"), typed(world, trainers=team), follow=True)
    assert sent.status_code == 200
    assert "授课专家2 人中行业企业 0 人，占 0.0%，低于要求（教职成厅函〔2019〕19号 二(二)" in text(sent)
    assert "开始后备案" not in text(sent)
    assert Activity.objects.get().starts_at == STARTS


def test_training_by_nobody_is_told_the_clause(world, client_for):
    client = client_for(world.evaluator_officer)
    sent = client.post(reverse("activities:new"), typed(world, kind="training"), follow=True)
    assert "没有列出授课专家，无法对照（教职成厅函〔2019〕19号 二(二)" in text(sent)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"extra_fee": "yes"}, "extra_fee", "不得另立名目额外收取培训师、考评员考核认证等其他费用"),
        ({"extra_fee": ""}, "extra_fee", "请回答"),
        ({"fee": "1"}, "fee_basis", "参考国家和地方关于教师培训的规定"),
        ({"city": ""}, "city", "请选择所在市"),
        ({"files": ""}, "files", "请上传活动方案材料"),
    ],
)
def test_what_is_refused_says_so_at_its_field_and_nothing_is_filed(world, client_for, changes, field, words):
    page = client_for(world.evaluator_officer).post(reverse("activities:new"), typed(world, **changes))
    assert page.status_code == 422
    assert words in page.context["form"].errors[field][0]
    assert "演示运维师资培训" in page.content.decode()
    assert not Activity.objects.exists()


def test_all_that_is_at_fault_is_told_at_once(world, client_for):
    person = trainer(world)
    TrainingRule.objects.create(
        effective_from=clock.today(), fee_per_day=300, created_by=world.office, created_at=clock.now()
    )
    type(world.filing).objects.filter(pk=world.filing.pk).update(accepted=None)
    changes = {
        "title": "",
        "places": "0",
        "city": "",
        "fee": "601",
        "extra_fee": "yes",
        "trainers": [person.pk],
    }
    sent = typed(world, **changes, cities=[world.city.pk], schools=[world.school.pk])
    page = client_for(world.evaluator_officer).post(reverse("activities:new"), sent)
    at_fault = {
        *("title", "places", "certificate", "city", "schools"),
        *("fee_basis", "fee_reason", "extra_fee"),
    }
    assert set(page.context["form"].errors) == at_fault
    assert "选过的文件没有保留，请重新选择（活动方案.pdf）" in text(page)


def test_what_could_not_be_read_is_not_judged(world, client_for):
    TrainingRule.objects.create(
        effective_from=clock.today(), fee_per_day=300, created_by=world.office, created_at=clock.now()
    )
    unread = {"certificate": "", "kind": "", "starts_at": "", "fee": "很多", "trainers": ["x"], "files": ""}
    page = client_for(world.evaluator_officer).post(reverse("activities:new"), typed(world, **unread))
    assert set(page.context["form"].errors) == set(unread)
    assert "选过的文件" not in text(page)


def test_a_change_tells_what_stands_against_it_with_the_rest(world, activity, client_for):
    sign_up(activity, teacher(world), teacher(world, number="T2"), by=world.contact)
    past = clock.local(clock.now() - HOUR).strftime("%Y-%m-%dT%H:%M")
    sent = typed(world, title="", places="1", starts_at=past, files="")
    page = client_for(world.evaluator_officer).post(reverse("activities:change", args=[activity.pk]), sent)
    errors = page.context["form"].errors
    assert set(errors) == {"title", "places", "starts_at"}
    assert "已有 2 人报名" in errors["places"][0]
    assert "改后的开始时间已过" in errors["starts_at"][0]


def test_without_a_reference_no_reason_is_asked_for(world, client_for):
    officer = client_for(world.evaluator_officer)
    assert "fee_reason" not in officer.get(reverse("activities:new")).context["form"].fields
    sent = typed(world, fee="601", fee_basis="晋演示1号", fee_reason="多余的")
    assert officer.post(reverse("activities:new"), sent).status_code == 302
    assert Activity.objects.get().fee_reason == ""


def test_the_reason_for_a_dear_training_is_read_beside_its_fee(world, client_for):
    TrainingRule.objects.create(
        effective_from=clock.today(), fee_per_day=300, created_by=world.office, created_at=clock.now()
    )
    officer = client_for(world.evaluator_officer)
    assert "fee_reason" in officer.get(reverse("activities:new")).context["form"].fields
    paid = typed(world, fee="601", fee_basis="晋演示1号")
    assert "高于它的须说明理由" in text(officer.get(reverse("activities:new")))
    assert "请说明理由" in text(officer.post(reverse("activities:new"), paid))
    paid = typed(world, fee="601", fee_basis="晋演示1号", fee_reason="含材料费")
    assert officer.post(reverse("activities:new"), paid).status_code == 302
    page = reverse("activities:detail", args=[Activity.objects.get().pk])
    assert "高于参考标准的理由：含材料费" in text(client_for(world.contact).get(page))
    Activity.objects.update(fee_reason="")
    assert "没有写明高于参考标准的理由" in text(client_for(world.contact).get(page))


def test_without_an_accepted_filing_the_form_names_the_clause(world, client_for):
    world.filing.__class__.objects.filter(pk=world.filing.pk).update(accepted=None)
    page = client_for(world.evaluator_officer).post(reverse("activities:new"), typed(world))
    assert page.status_code == 422
    assert "晋教职成〔2020〕9号 三.8" in page.context["form"].errors["certificate"][0]


def test_filed_after_the_start_is_marked_on_page_list_and_export(world, client_for):
    world.at(STARTS)
    client = client_for(world.evaluator_officer)
    page = client.post(reverse("activities:new"), typed(world), follow=True)
    assert services.LATE in text(page)
    listing = client_for(world.office).get(reverse("activities:list") + "?late=1")
    assert listing.context["count"] == 1
    assert "开始后备案" in text(listing)


def test_changing_shows_what_stands_and_keeps_the_file(world, activity, client_for):
    client = client_for(world.evaluator_officer)
    address = reverse("activities:change", args=[activity.pk])
    form = client.get(address).context["form"]
    assert form["schools"].value() == [world.school.pk]
    assert "certificate" not in form.fields
    sent = client.post(address, typed(world, title="改名", files="", schools=[world.school.pk]))
    assert sent.status_code == 302
    activity.refresh_from_db()
    assert activity.title == "改名"
    assert Attachment.objects.of(activity).count() == 1
    world.at(STARTS)
    late = client_for(world.evaluator_officer).post(address, typed(world, title="再改", files=""))
    assert (late.status_code, "活动已于" in text(late)) == (409, True)


def test_saving_what_stands_is_no_change(world, client_for):
    activity = file(world, plan="第一天标准。\n第二天实操。")
    sign_up(activity, teacher(world), by=world.contact)
    told, address = Notice.objects.count(), reverse("activities:change", args=[activity.pk])
    client = client_for(world.evaluator_officer)
    same = typed(world, plan="第一天标准。\r\n第二天实操。", files="")
    assert "没有改动" in text(client.post(address, same, follow=True))
    assert not Event.objects.filter(action="activity_change").exists()
    assert Notice.objects.count() == told
    assert "已保存" in text(client.post(address, same | {"place": "新地点"}, follow=True))
    assert Event.objects.get(action="activity_change").changes == {
        "地点或线上平台": ["太原演示职业学校实训楼", "新地点"]
    }
    world.at(clock.now() + HOUR / 60)
    assert "已保存" in text(client.post(address, same | {"place": "新地点", "files": paper()}, follow=True))
    assert Notice.objects.filter(recipient=world.contact, text__contains="有变动（方案材料）").exists()


def test_return_and_completion_from_the_pages(world, activity, client_for):
    office, officer = client_for(world.office), client_for(world.evaluator_officer)
    address = reverse("activities:return", args=[activity.pk])
    assert office.post(address, {"comment": ""}).status_code == 422
    assert office.post(address, {"comment": "缺日程"}).status_code == 302
    detail = reverse("activities:detail", args=[activity.pk])
    assert "退回补充：缺日程" in text(officer.get(detail))
    assert client_for(world.contact).get(detail).status_code == 404
    completed = officer.post(
        reverse("activities:complete", args=[activity.pk]),
        typed(world, plan="第一天标准，第二天实操", files="", schools=[world.school.pk]),
    )
    assert completed.status_code == 302
    assert client_for(world.contact).get(detail).status_code == 200
    assert "缺日程" in text(officer.get(detail))


def test_signing_up_and_taking_it_back(world, activity, client_for):
    mine = teacher(world)
    client = client_for(world.contact)
    address = reverse("activities:sign-up", args=[activity.pk])
    page = client.get(address)
    assert "不得以任何理由强制教师参加收费性培训" in text(page)
    assert client.post(address, {}).status_code == 422
    assert client.post(address, {"teachers": [str(mine.pk)]}).status_code == 302
    row = SignUp.objects.get()
    assert client.post(reverse("activities:sign-up-cancel", args=[row.pk])).status_code == 302
    assert not SignUp.objects.active().exists()
    world.at(STARTS)
    closed = client_for(world.contact).get(address)
    assert (closed.status_code, "已经截止" in text(closed)) == (409, True)


def test_results_for_many_at_once_and_a_qualification_in_the_same_step(world, activity, client_for):
    people = [teacher(world, name=f"教师{n}", number=f"T{n}") for n in range(3)]
    rows = sign_up(activity, *people, by=world.contact)
    world.at(STARTS)
    client = client_for(world.evaluator_officer)
    address = reverse("activities:results", args=[activity.pk])
    given = {
        "rest": "yes",
        f"attended-{rows[2].pk}": "no",
        f"result-{rows[0].pk}": "合格",
        f"qualifies-{rows[0].pk}": "on",
        f"number-{rows[0].pk}": "演示2020001",
        "kind": "trainer",
        "obtained_on": "2020-11-20",
    }
    refused = client.post(address, given)
    assert refused.status_code == 422
    assert "授予资格须填写证书等级" in text(refused)
    assert not Qualification.objects.exists()
    assert client.post(address, {**given, "certificate_level": world.level.pk}).status_code == 302
    said = dict(SignUp.objects.values_list("teacher__name", "attended"))
    assert said == {"教师0": True, "教师1": True, "教师2": False}
    held = Qualification.objects.get()
    assert (held.teacher, held.number, held.activity) == (people[0], "演示2020001", activity)
    page = client_for(world.contact).get(reverse("teachers:detail", args=[people[0].pk]))
    assert "演示2020001" in text(page)
    assert "由评价组织登记" in text(page)


def test_results_are_not_offered_where_nobody_signed_up(world, activity, client_for):
    detail, results = (reverse(f"activities:{name}", args=[activity.pk]) for name in ("detail", "results"))
    world.at(STARTS)
    client = client_for(world.evaluator_officer)
    page = client.get(detail)
    assert results not in page.content.decode()
    assert "没有教师报名，没有到会和结果可登记" in text(page)
    refused = client.get(results)
    assert (refused.status_code, "没有教师报名" in text(refused)) == (409, True)
    sign_up(activity, teacher(world), by=world.contact, at=STARTS - HOUR)
    assert results in client.get(detail).content.decode()
    assert client.get(results).status_code == 200


# --- Lists and calendar


def test_filters(world, client_for):
    certificate = Certificate.objects.create(name="另一证书", owner=world.evaluator_org)
    world.put_on_file(certificate)
    now = clock.now()
    coming = file(world)
    past = file(world, title="过去的", starts_at=now - 3 * HOUR, ends_at=now - 2 * HOUR, kind="meeting")
    paid = file(world, title="收费的", fee=100, fee_basis="晋演示1号", city=world.other_city)
    other = file(world, title="另一证书的", certificate=certificate)
    client = client_for(world.office)

    def found(**query):
        page = client.get(reverse("activities:list"), query)
        return {row.record for row in page.context["table"].rows}

    assert found(when="past") == {past} == found(late="1") == found(kind="meeting")
    assert found(when="coming") == {coming, paid, other}
    assert found(paid="1") == {paid} == found(city=world.other_city.pk) == found(q="收费")
    assert found(paid="0") == {coming, past, other}
    assert found(certificate=certificate.pk) == {other}
    assert found(evaluator=world.evaluator_org.pk, state="filed") == {coming, past, paid, other}
    assert found(state="cancelled") == set()
    assert client.post(reverse("activities:list")).headers["Content-Type"].startswith("application/vnd")


@pytest.mark.parametrize(("state", "words"), Activity.State.choices)
def test_the_list_and_its_export_say_the_state_as_the_record_does(world, client_for, state, words):
    Activity.objects.filter(pk=file(world).pk).update(state=state)
    client, address = client_for(world.office), reverse("activities:list") + f"?state={state}"
    [badge] = re.findall(r'class="state [^>]*>(.*?)</span>', client.get(address).content.decode())
    assert badge == f'<b aria-hidden="true">{portal.STATES[state][1]}</b>{words}'
    titles, *rows = load_workbook(BytesIO(client.post(address).content)).worksheets[0].values
    assert [dict(zip(titles, row, strict=True))["状态"] for row in rows] == [words]


def test_what_ends_at_this_instant_is_past(world):
    now = clock.now()
    file(world, title="刚结束", starts_at=now - HOUR, ends_at=now)
    assert list(Activity.objects.past(now).values_list("title", flat=True)) == ["刚结束"]
    assert Activity.objects.coming(now - MICROSECOND).count() == 1


def test_the_calendar_shows_local_days_half_open_and_only_what_stands(world, client_for):
    midnight = clock.at(dt.date(2020, 12, 1))
    file(world, title="到午夜", starts_at=midnight - HOUR, ends_at=midnight)
    file(world, title="自午夜", starts_at=midnight, ends_at=midnight + HOUR)
    gone = file(world, title="取消的", starts_at=midnight - 2 * HOUR, ends_at=midnight - HOUR)
    services.cancel(gone, comment="场地", by=world.evaluator_officer, at=clock.now())
    client = client_for(world.office)

    def shown(month):
        page = client.get(reverse("activities:calendar"), {"month": month})
        cells = [cell for week in page.context["month"].weeks for cell in week]
        return {cell.day.isoformat(): [a.title for a in cell.activities] for cell in cells if cell.activities}

    assert shown("2020-11") == {"2020-11-30": ["到午夜"]}
    assert shown("2020-12") == {"2020-12-01": ["自午夜"]}
    assert client.get(reverse("activities:calendar"), {"month": "x"}).context["month"].first == dt.date(
        2020, 11, 1
    )
    last = client.get(reverse("activities:calendar"), {"month": "2099-12"})
    assert last.context["month"].after == ""


def test_lists_ask_as_often_for_three_as_for_one(world, client_for):
    client = client_for(world.office)
    names = ["activities:list", "activities:calendar"]
    counts = {}
    file(world, cities=[world.city], trainers=[trainer(world)])
    for name in names:
        client.get(reverse(name))
    for rows in (1, 3):
        if rows == 3:
            for n in range(2):
                file(world, title=f"更多{n}", city=world.other_city, trainers=[trainer(world, name=f"又{n}")])
        for name in names:
            with CaptureQueriesContext(connection) as asked:
                client.get(reverse(name))
            counts.setdefault(name, set()).add(len(asked))
    assert all(len(numbers) == 1 and max(numbers) <= 20 for numbers in counts.values()), counts


@pytest.mark.parametrize("who", ["office", "contact", "evaluator_officer"])
def test_one_activity_asks_as_often_for_three_teachers_as_for_one(world, client_for, who):
    activity = file(world, trainers=[trainer(world)])
    sign_up(activity, teacher(world), by=world.contact)
    client, address = client_for(getattr(world, who)), reverse("activities:detail", args=[activity.pk])
    counts = set()
    client.get(address)
    for more in (0, 2):
        for n in range(more):
            sign_up(activity, teacher(world, number=f"M{n}"), by=world.contact)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        counts.add(len(asked))
    assert len(counts) == 1, counts
    assert max(counts) <= 20
