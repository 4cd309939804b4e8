"""The weekly pages through HTTP, as a browser without scripts uses them."""

import io
import re

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import PilotMembership
from certificates.models import CertificateLevel
from core import clock
from obligations.models import Obligation
from reporting import content as shape
from reporting.models import ReportVersion, WeeklyReport
from reporting.services import return_for_correction
from reporting.tests.weekly import file, typed


def url(name, obligation):
    return reverse(f"reporting:{name}", args=[obligation.pk])


def post_form(client, world, action, revision=0, **changes):
    data = typed(world, **changes) | {"action": action, "revision": revision}
    return client.post(url("edit", world.obligation), data)


def hidden(response, name):
    return re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())[1]


def send(client, world):
    page = client.get(url("check", world.obligation))
    return client.post(url("check", world.obligation), {"token": hidden(page, "token")})


def test_fill_check_send_receipt_without_scripts(world, client_for):
    client = client_for(world.contact)
    page = client.get(url("edit", world.obligation))
    assert "首次报送" in page.content.decode()
    assert post_form(client, world, "check").url == url("check", world.obligation)
    checked = client.get(url("check", world.obligation)).content.decode()
    assert "尚未报送" in checked
    assert "开展考前培训" in checked
    receipt = client.get(send(client, world).url).content.decode()
    version = ReportVersion.objects.get()
    assert version.receipt in receipt
    assert version.content_hash in receipt
    assert "2020年11月18日 10:00:00" in receipt
    assert WeeklyReport.objects.get().draft is None


def test_the_send_button_twice_and_a_stale_check_page(world, client_for):
    client = client_for(world.contact)
    post_form(client, world, "check")
    page = client.get(url("check", world.obligation))
    data = {"token": hidden(page, "token")}
    first = client.post(url("check", world.obligation), data)
    assert client.post(url("check", world.obligation), data).url == first.url
    post_form(client, world, "check", revision=2, in_training="44")
    stale = client.post(url("check", world.obligation), {"token": "2.other"}, follow=True)
    assert "请再检查一次" in stale.content.decode()
    assert ReportVersion.objects.count() == 1


def test_a_wrong_form_comes_back_with_everything_typed(world, client_for):
    client = client_for(world.contact)
    response = post_form(client, world, "check", in_training="-4", problems="问" * 100_000)
    page = response.content.decode()
    assert response.status_code == 422
    assert "问" * 100_000 in page
    assert 'value="-4"' in page
    assert "共 100000 字，最多 5000 字" in page
    assert "不能是负数" in page
    assert client.get(url("check", world.obligation)).status_code == 302
    again = client.get(url("edit", world.obligation)).content.decode()
    assert "问" * 100_000 in again


def test_an_empty_form_is_refused_and_the_tick_sends_a_zero_report(world, client_for):
    client = client_for(world.contact)
    blank = {name: "" for name in shape.field_names([world.programme.pk])} | {"action": "check"}
    assert "请填写，没有请填 0" in client.post(url("edit", world.obligation), blank).content.decode()
    client.post(url("edit", world.obligation), blank | {"is_zero": "on", "revision": 1})
    send(client, world)
    assert ReportVersion.objects.get().is_zero


def test_last_weeks_figures_stand_in_the_form_and_its_plan_beside(world, client_for):
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    page = client_for(world.contact).get(url("edit", world.obligation)).content.decode()
    assert 'data-before="36.5"' in page
    assert "上次 36.5" in page
    assert "组织模拟考核" in page
    assert "2020年第46周" in page


def test_saving_a_draft_without_scripts(world, client_for):
    client = client_for(world.contact)
    page = post_form(client, world, "save", in_training="七")
    assert page.url == url("edit", world.obligation)
    shown = client.get(page.url).content.decode()
    assert "草稿已保存 10:00:00" in shown
    assert 'value="七"' in shown


# --- autosave and two editors


def autosave(client, world, revision, **changes):
    return client.post(url("draft", world.obligation), typed(world, **changes) | {"revision": revision})


def test_autosave_says_when_and_a_second_editor_meets_a_conflict(world, client_for):
    colleague = world.add_user(
        "school_contact", world.school_org, "colleague", name="王代理", is_stand_in=True
    )
    first, second = client_for(world.contact), client_for(colleague)
    assert autosave(second, world, 0).json() == {"revision": 1, "saved_at": "10:00:00"}
    refused = autosave(first, world, 0, problems="缺教师")
    assert refused.status_code == 409
    assert "王代理" in refused.json()["message"]


def test_both_versions_are_shown_and_merged_field_by_field(world, client_for):
    client = client_for(world.contact)
    autosave(client, world, 0, problems="对方写的", in_training="41")
    page = post_form(client, world, "save", problems="我写的", in_training="42")
    assert page.status_code == 409
    shown = page.content.decode()
    assert "我写的" in shown
    assert "对方写的" in shown
    assert hidden(page, "revision") == "1"
    merged = typed(world, problems="我写的", in_training="42") | {
        "action": "merge",
        "revision": 1,
        "take-problems": "theirs",
    }
    client.post(url("edit", world.obligation), merged)
    draft = WeeklyReport.objects.get().draft
    assert draft["problems"] == "对方写的"
    assert draft[shape.field_name(world.programme.pk, "in_training")] == "42"


@pytest.mark.parametrize(("whole", "problems"), [("mine", "我写的"), ("theirs", "对方写的")])
def test_one_version_is_taken_whole(world, client_for, whole, problems):
    client = client_for(world.contact)
    autosave(client, world, 0, problems="对方写的")
    merge = typed(world, problems="我写的") | {"action": "merge", "revision": 1, "whole": whole}
    client.post(url("edit", world.obligation), merge)
    assert WeeklyReport.objects.get().draft["problems"] == problems


def test_a_tab_left_open_after_sending_does_not_write_over_it(world, client_for):
    client = client_for(world.contact)
    post_form(client, world, "check")
    send(client, world)
    refused = autosave(client, world, 1, problems="旧页面")
    assert refused.status_code == 409
    assert "已在别处提交" in refused.json()["message"]
    assert post_form(client, world, "save", revision=1, problems="旧页面").status_code == 409


def test_a_nonsense_revision_is_a_conflict_not_a_crash(world, client_for):
    client = client_for(world.contact)
    autosave(client, world, 0)
    assert autosave(client, world, "9" * 40, problems="新").status_code == 409
    assert autosave(client, world, "x", problems="新").status_code == 409


# --- the session has gone


def test_what_was_typed_survives_signing_in_again(world, client_for, client):
    address = url("edit", world.obligation)
    data = typed(world, problems="掉线前写的") | {"action": "save", "revision": 0}
    gone = client.post(address, data, headers={"origin": "http://testserver"})
    assert gone.status_code == 302
    client.force_login(world.contact, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(address).content.decode()
    assert "掉线前写的" in page
    assert "已恢复" in page


def test_autosave_without_a_session_is_turned_away(world, client):
    assert client.post(url("draft", world.obligation), typed(world)).status_code in {302, 401}
    assert not WeeklyReport.objects.exists()


# --- what filing means now


@pytest.mark.parametrize(
    ("instant", "words"),
    [
        ("2020-11-20T17:59:59+08:00", "截止时间之前收到的为按时"),
        ("2020-11-20T18:00:00+08:00", "现在报送记为迟报"),
        ("2020-11-23T18:00:00+08:00", "现在报送属于补报"),
    ],
)
def test_the_form_says_what_filing_means_now(world, client_for, instant, words):
    world.at(instant)
    page = client_for(world.contact).get(url("edit", world.obligation)).content.decode()
    assert words in page
    assert "11月20日（星期五）18:00" in page


def test_the_locked_and_the_voluntary_form_each_say_why(world, client_for):
    client = client_for(world.contact)
    week = world.add_week("2020-W48")
    early = client.get(url("edit", Obligation.objects.get(organization=world.school_org, period=week)))
    assert (early.status_code, "尚未开始填报" in early.content.decode()) == (403, True)
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="exempt", exempt_reason="防汛")
    assert "本期免报</strong>（防汛）" in client.get(url("edit", world.obligation)).content.decode()
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="pending")
    PilotMembership.objects.filter(organization=world.school_org).update(left_at=clock.now())
    world.at("2020-11-24T10:00:00+08:00")
    left = client_for(world.contact).get(url("edit", world.obligation))
    assert (left.status_code, "已退出试点" in left.content.decode()) == (403, True)


# --- the report to be read


def test_the_report_shows_versions_differences_and_receipts(world, client_for):
    first = file(world)
    second = file(world, token="t2", in_training="44")
    page = client_for(world.leader).get(url("report", world.obligation)).content.decode()
    assert first.receipt in page
    assert second.receipt in page
    assert "<del>40</del> → <ins>44</ins>" in page
    assert "单位盖章" in page
    assert "由本校联系人或其代理人填报" in page


def test_the_city_returns_and_the_school_sees_why(world, client_for):
    city = client_for(world.city_officer)
    assert "本期还没有收到周报" in city.get(url("report", world.obligation)).content.decode()
    file(world)
    assert city.get(url("return", world.obligation)).status_code == 200
    assert city.post(url("return", world.obligation), {"reason": ""}).status_code == 200
    sent = city.post(url("return", world.obligation), {"reason": "学时有误"})
    assert sent.url == url("report", world.obligation)
    assert "第1版已退回" in city.get(url("report", world.obligation)).content.decode()
    page = client_for(world.contact).get(url("edit", world.obligation)).content.decode()
    assert "退回理由：学时有误" in page
    home = client_for(world.contact).get("/").content.decode()
    assert f'href="{url("edit", world.obligation)}">更正</a>' in home
    assert "由联系人更正" in client_for(world.leader).get("/").content.decode()


def test_a_school_sees_its_history_with_its_sums(world, client_for):
    world.add_week("2020-W46")
    version = file(world)
    page = client_for(world.contact).get(reverse("reporting:history", args=[world.school_org.pk]))
    shown = page.content.decode()
    assert version.receipt in shown
    assert "2020年第46周" in shown
    only = client_for(world.office).get(
        reverse("reporting:history", args=[world.school_org.pk]), {"year": "2020"}
    )
    assert only.context["rate"].owed == 2
    exported = client_for(world.office).post(reverse("reporting:history", args=[world.school_org.pk]))
    assert exported["Content-Type"].endswith("sheet")


def test_the_history_says_why_a_week_was_exempt(world, client_for):
    Obligation.objects.filter(pk=world.obligation.pk).update(outcome="exempt", exempt_reason="防汛停课")
    client, address = client_for(world.contact), reverse("reporting:history", args=[world.school_org.pk])
    shown = client.get(address).content.decode()
    assert "防汛停课" in shown
    assert "<dt>填报率</dt><dd>—</dd>" in shown
    sheet = load_workbook(io.BytesIO(client.post(address).content)).active
    assert any("免报（防汛停课）" in row for row in sheet.values)


def test_the_receipt_carries_the_portals_name(world, client_for, settings):
    receipt = file(world).receipt
    page = client_for(world.contact).get(reverse("reporting:receipt", args=[receipt])).content.decode()
    assert f'<p class="receipt-portal">{settings.PORTAL_NAME}</p>' in page


def test_the_people_of_a_school_find_their_weeks_in_the_left_column(world, client_for):
    for user in (world.contact, world.leader):
        client = client_for(user)
        assert 'href="/reports/"' in client.get("/").content.decode()
        page = client.get(reverse("reporting:mine")).content.decode()
        assert f"{world.school_org} 历次周报" in page
        assert '<a href="/reports/" aria-current="page">我的周报</a>' in page
    assert 'href="/reports/"' not in client_for(world.office).get("/").content.decode()
    assert client_for(world.office).get(reverse("reporting:mine")).status_code == 404


# --- strangers


@pytest.mark.parametrize(
    "who", ["other_contact", "evaluator_officer", "other_city_officer", "expert", "learner"]
)
def test_strangers_find_nothing(world, client_for, who):
    version = file(world)
    client = client_for(getattr(world, who))
    for name in ("edit", "check", "report", "return"):
        assert client.get(url(name, world.obligation)).status_code == 404, name
    for name in ("edit", "draft", "check", "return"):
        assert client.post(url(name, world.obligation), typed(world)).status_code == 404, name
    assert client.get(reverse("reporting:receipt", args=[version.receipt])).status_code == 404
    assert client.get(reverse("reporting:history", args=[world.school_org.pk])).status_code == 404
    assert ReportVersion.objects.count() == 1


@pytest.mark.parametrize("who", ["leader", "office", "city_officer", "auditor", "leading"])
def test_those_who_may_only_read_are_refused_the_form(world, client_for, who):
    file(world)
    client = client_for(getattr(world, who))
    assert client.get(url("report", world.obligation)).status_code == 200
    assert client.get(reverse("reporting:history", args=[world.school_org.pk])).status_code == 200
    for name in ("edit", "check"):
        assert client.get(url(name, world.obligation)).status_code == 403
    assert client.post(url("draft", world.obligation), typed(world)).status_code == 403


def test_the_address_of_a_correction_is_no_weekly_form(world, client_for):
    file(world)
    correction = return_for_correction(
        obligation=world.obligation, reason="改", by=world.office, at=clock.now()
    )
    client = client_for(world.contact)
    assert client.get(url("edit", correction)).status_code == 404
    assert client.get(correction.link).status_code == 200


# --- queries


@pytest.mark.parametrize("programmes", [1, 3])
def test_no_page_asks_more_with_more_programmes(world, client_for, programmes, django_assert_max_num_queries):
    world.add_week("2020-W46")
    file(world, world.owed(world.school, "2020-W46"))
    for level in range(programmes - 1):
        name = CertificateLevel.objects.create(certificate=world.certificate, level=(1, 3)[level])
        world.add_programme(world.school, name)
    client = client_for(world.contact)
    pks = list(world.school.programmes.values_list("pk", flat=True))
    data = dict.fromkeys(shape.field_names(pks), "") | {"action": "check", "is_zero": "on"}
    client.get(url("report", world.obligation))
    with django_assert_max_num_queries(14):
        client.get(url("edit", world.obligation))
    with django_assert_max_num_queries(20):
        assert client.post(url("edit", world.obligation), data).status_code == 302
    with django_assert_max_num_queries(14):
        assert client.get(url("check", world.obligation)).status_code == 200
    version_url = send(client, world).url
    with django_assert_max_num_queries(10):
        assert client.get(version_url).status_code == 200
    with django_assert_max_num_queries(18):
        assert client.get(url("report", world.obligation)).status_code == 200
    with django_assert_max_num_queries(14):
        client.get(reverse("reporting:history", args=[world.school_org.pk]))
