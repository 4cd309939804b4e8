"""The school's pages: who sees what, what is missing in words, nothing typed is lost, print and receipt."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from certificates.models import Certificate, CertificateLevel, Major
from core import clock
from core.templatetags.portal import closing
from schools.models import Agreement, Application, ApplicationItem, ApplicationVersion, ItemFile, RoundRoute
from schools.services import applications as services
from schools.services import filling_in
from schools.tests.applying import agreement_for, complete, filled, plan
from schools.tests.builders import make_application, make_item, make_round

State = ApplicationItem.State


def address(name, *args):
    return reverse(f"applications:{name}", args=args)


def text(response):
    return response.content.decode()


@pytest.fixture
def round(world):
    made = make_round(year=2021, document="演示〔2020〕1号")
    RoundRoute.objects.create(round=made, kind=world.school.kind, authority="city", through_city=True)
    return made


def new_level(world, name="网络", level=2):
    certificate, _ = Certificate.objects.get_or_create(
        name=f"演示{name}职业技能等级证书", owner=world.evaluator_org
    )
    return CertificateLevel.objects.create(certificate=certificate, level=level)


@pytest.fixture
def application(world, round):
    return services.start_application(round=round, school=world.school, by=world.contact, at=clock.now())


@pytest.fixture
def item(world, application):
    level = new_level(world)
    [added] = services.add_items(application=application, levels=[level], by=world.contact, at=clock.now())
    return ApplicationItem.objects.get(pk=added.pk)


def post_item(client, item, **changes):
    data = {"revision": ApplicationItem.objects.get(pk=item.pk).draft_revision, **changes}
    return client.post(address("item", item.pk), data)


def submit(client, application, **data):
    page = client.get(address("check", application.pk))
    token = page.context["token"]
    return client.post(address("check", application.pk), {"token": token, **data})


def fill(client, item, **changes):
    assert post_item(client, item, **filled(item, **changes), plan=plan()).status_code == 302


# --- The list and the door


def test_the_list_says_where_one_may_apply(world, round, client_for):
    client = client_for(world.contact)
    page = text(client.get(address("list")))
    assert "开始申报" in page
    assert "11月25日（星期三）10:00" in page
    client.post(address("start", round.pk))
    client.post(address("start", round.pk))
    application = Application.objects.get()
    assert address("detail", application.pk) in text(client.get(address("list")))


def test_a_school_that_may_not_apply_reads_why(world, round, client_for):
    client = client_for(world.contact)
    type(round).objects.update(kinds=["higher_vocational"])
    assert "贵校登记的办学类型" in text(client.get(address("list")))
    page = client.post(address("start", round.pk), follow=True)
    assert "不能申报" in text(page)
    assert not Application.objects.exists()


def test_the_leader_reads_and_cannot_begin(world, round, client_for):
    client = client_for(world.leader)
    assert "开始申报" not in text(client.get(address("list")))
    assert client.post(address("start", round.pk)).status_code == 403


# --- Who sees what


def test_before_submission_others_see_only_that_there_is_something(world, application, item, client_for):
    client_for(world.contact).post(address("item", item.pk), {"revision": 0, "equipment": "机密设备"})
    assert "机密设备" in text(client_for(world.leader).get(address("item", item.pk)))
    for user in (world.office, world.city_officer):
        client = client_for(user)
        page = text(client.get(address("detail", application.pk)))
        assert "该校另有 1 项尚未提交" in page
        assert "演示网络" not in page
        assert client.get(address("item", item.pk)).status_code == 404
        assert "机密设备" not in text(client.get(address("print", application.pk)))
    for user in (world.other_contact, world.other_city_officer, world.evaluator_officer, world.learner):
        assert client_for(user).get(address("detail", application.pk)).status_code == 404


def test_files_of_a_draft_are_the_schools_alone(world, item, client_for):
    fill(client_for(world.contact), item)
    file = reverse("core:attachment", args=[ItemFile.objects.get().attachment_id])
    answer = client_for(world.leader).get(file)
    assert b"".join(answer.streaming_content).startswith(b"%PDF")
    assert client_for(world.office).get(file).status_code == 404


@pytest.mark.parametrize("who", ["leader", "office", "city_officer"])
def test_readers_read_and_do_nothing(world, application, item, client_for, who):
    client = client_for(world.contact)
    fill(client, item)
    submit(client, application)
    reader = client_for(getattr(world, who))
    page = text(reader.get(address("item", item.pk)))
    assert "实训室两间" in page
    assert "撤回" not in page
    for name in ("item", "draft", "files", "remove", "withdraw"):
        assert reader.post(address(name, item.pk)).status_code == 403, name
    for name in ("add", "add-running", "check"):
        assert reader.post(address(name, application.pk)).status_code == 403, name
    assert reader.get(address("version", ApplicationVersion.objects.get().receipt)).status_code == 200


# --- The form


def test_the_form_says_what_is_missing_with_the_clause(world, item, client_for):
    page = text(client_for(world.contact).get(address("item", item.pk)))
    assert "还缺 9 项" in page
    assert "鄂教职成办函〔2021〕7号 三.6" in page
    assert "2020 年没有计划" in page


def test_what_cannot_be_read_is_kept(world, item, client_for):
    client = client_for(world.contact)
    post_item(client, item, planned_new="四十", majors="网络专业")
    page = text(client.get(address("item", item.pk)))
    assert 'value="四十"' in page
    assert "网络专业</textarea>" in page
    assert "请填写数字" in page


def test_files_go_with_the_form_and_a_wrong_one_keeps_what_was_typed(world, item, client_for):
    client = client_for(world.contact)
    response = post_item(
        client,
        item,
        equipment="保住的字",
        plan=plan("方案.pdf", b"nothing"),
        equipment_files=[plan("设备.pdf"), plan("师资.pdf")],
    )
    assert response.status_code == 422
    assert "内容不是 pdf 文件" in text(response)
    assert "保住的字" in text(response)
    assert list(ItemFile.objects.values_list("kind", flat=True)) == ["equipment", "equipment"]
    file = ItemFile.objects.first()
    post_item(client, item, equipment="保住的字", remove=str(file.pk))
    assert ItemFile.objects.filter(removed_at=None).count() == 1


def test_autosave_answers_with_what_is_still_missing(world, item, client_for):
    client = client_for(world.contact)
    typed = filled(item)
    answer = client.post(address("draft", item.pk), {"revision": 0, **typed}).json()
    assert answer["revision"] == 1
    assert "还缺 1 项" in answer["missing"]
    answer = client.post(address("files", item.pk), {"plan": plan()}).json()
    assert "可以提交" in answer["missing"]
    assert "试点工作方案.pdf" in answer["files"]
    wrong = client.post(address("files", item.pk), {"other": plan("a.exe", b"MZ")}).json()
    assert "不接受这种文件" in wrong["errors"][0]


def test_a_file_sent_with_the_form_while_its_script_uploads_it_is_taken_once(world, item, client_for):
    client = client_for(world.contact)
    for name in ("files", "item"):
        sent = {"plan": plan(), "equipment_files": plan("设备.pdf"), "revision": "0"}
        client.post(address(name, item.pk), sent)
    assert sorted(item.files.values_list("kind", "removed_at")) == [("equipment", None), ("plan", None)]
    client.post(address("files", item.pk), {"plan": plan("定稿.pdf")})
    assert item.files.kept().get(kind="plan").attachment.name == "定稿.pdf"


def test_two_tabs_choose_between_both_drafts(world, item, client_for):
    client = client_for(world.contact)
    client.post(address("draft", item.pk), {"revision": 0, "equipment": "第一处"})
    late = client.post(address("draft", item.pk), {"revision": 0, "equipment": "第二处"})
    assert late.status_code == 409
    page = client.post(address("item", item.pk), {"revision": 0, "equipment": "第二处"})
    assert page.status_code == 409
    assert "第一处" in text(page)
    merged = {"revision": 1, "action": "merge", "equipment": "第二处", "take-equipment": "theirs"}
    client.post(address("item", item.pk), merged)
    item.refresh_from_db()
    assert item.draft["equipment"] == "第一处"


def test_only_the_schools_own_agreements_are_offered(world, item, client_for):
    own = agreement_for(item.certificate_level, world.school)
    agreement_for(item.certificate_level, world.other_school, reference="别校的")
    page = client_for(world.contact).get(address("item", item.pk))
    choices = page.context["form"].fields["agreement"].choices
    assert [value for value, _ in choices] == ["", str(own.pk)]


def test_the_only_agreement_in_force_is_chosen_by_itself(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item, agreement="")
    page = client.get(address("item", item.pk))
    assert "请选择本校与评价组织签署的试点合作协议" in text(page)
    only = agreement_for(item.certificate_level, world.school)
    page = client.get(address("item", item.pk))
    assert f'<option value="{only.pk}" selected>' in text(page)
    assert "已填完整，可以提交" in text(page)
    receipt = submit(client, application)
    item.refresh_from_db()
    assert (receipt.status_code, item.agreement) == (302, only)


def test_of_several_agreements_none_is_chosen_unasked(world, item, client_for):
    client = client_for(world.contact)
    for reference in ("甲", "乙"):
        agreement_for(item.certificate_level, world.school, reference=reference)
    fill(client, item, agreement="")
    page = client.get(address("item", item.pk))
    assert '<option value="" selected>' in text(page)
    assert "请选择本校与评价组织签署的试点合作协议" in text(page)


def test_an_agreement_registered_from_the_items_page_is_chosen_there(world, item, client_for):
    client = client_for(world.contact)
    old = agreement_for(item.certificate_level, world.school)
    fill(client, item, agreement=str(old.pk), equipment="两间实训室")
    other = new_level(world, "别的")
    registered = {
        "certificate_level": item.certificate_level_id,
        "fee": "200",
        "signed_on": clock.today().isoformat(),
        "valid_until": (clock.today() + dt.timedelta(days=300)).isoformat(),
        "next": address("item", item.pk),
    }
    page = f"{reverse('agreements:new')}?level={item.certificate_level_id}&item={item.pk}"
    assert page.split("?")[1].replace("&", "&amp;") in text(client.get(address("item", item.pk)))
    answer = client.post(page, {**registered, "files": plan("协议.pdf")}, follow=True)
    assert "并已选用" in text(answer)
    new = Agreement.objects.exclude(pk=old.pk).get()
    item.refresh_from_db()
    assert (item.draft["agreement"], item.draft["equipment"]) == (str(new.pk), "两间实训室")
    # Of another level, or by another school: nothing is chosen.
    answer = client.post(
        page, {**registered, "certificate_level": other.pk, "files": plan("协议.pdf")}, follow=True
    )
    assert "并已选用" not in text(answer)
    stranger = client_for(world.other_contact)
    stranger.post(page, {**registered, "next": "", "files": plan("协议.pdf")})
    assert Agreement.objects.count() == 4
    item.refresh_from_db()
    assert item.draft["agreement"] == str(new.pk)


def test_another_schools_agreement_tells_nothing_of_itself(world, application, item, client_for):
    foreign = agreement_for(item.certificate_level, world.other_school, reference="别校的", fee="183.50")
    client = client_for(world.contact)
    fill(client, item, agreement=str(foreign.pk))
    for page in (
        client.get(address("item", item.pk)),
        client.get(address("check", application.pk)),
        client.get(address("detail", application.pk)),
        client.get(address("print", application.pk)),
    ):
        assert "183.50" not in text(page)
        assert "别校的" not in text(page)
        assert "长治演示职业学校" not in text(page)
    assert "本校不是所选协议的签约院校" in text(client.get(address("check", application.pk)))


@pytest.mark.parametrize("who", ["office", "city_officer", "auditor"])
def test_what_is_mended_is_read_only_once_it_is_sent(world, application, item, client_for, who):
    complete(item)
    filling_in.save_item_draft(
        item=item,
        typed={**filled(item), "equipment": "只是草稿"},
        revision=0,
        by=world.contact,
        at=clock.now(),
    )
    changes = {"state": "returned", "returned_from": "submitted", "review_comment": "人数偏多"}
    ApplicationItem.objects.filter(pk=item.pk).update(**changes)
    own, reader = client_for(world.contact), client_for(getattr(world, who))
    assert "只是草稿" in text(own.get(address("print", application.pk)))
    for page in (
        address("item", item.pk),
        address("print", application.pk),
        address("detail", application.pk),
    ):
        assert "只是草稿" not in text(reader.get(page))
        assert "已填完整" not in text(reader.get(page))
    assert "实训室两间" in text(reader.get(address("item", item.pk)))


def test_majors_are_searched_in_the_rounds_catalogue(world, round, client_for):
    type(round).objects.update(catalogue="2021年")
    Major.objects.create(code="710202", name="计算机网络技术", level="中职", catalogue="2021年")
    Major.objects.create(code="090500", name="计算机网络技术", level="中职", catalogue="2010年")
    client = client_for(world.contact)
    for query in ("7102", "网络"):
        found = client.get(address("majors", round.pk), {"q": query}).json()["majors"]
        assert [major["code"] for major in found] == ["710202"]
    assert client.get(address("majors", round.pk)).json() == {"majors": []}


def test_the_deadline_passes_while_the_form_is_open(world, round, item, client_for):
    world.at(round.school_closes_at - dt.timedelta(microseconds=1))
    client = client_for(world.contact)
    assert post_item(client, item, equipment="最后一刻").status_code == 302
    world.at(round.school_closes_at)
    client = client_for(world.contact)
    refused = client.post(address("draft", item.pk), {"revision": 1, "equipment": "迟了"})
    assert refused.status_code == 403
    assert "已于11月25日（星期三）10:00截止" in refused.json()["message"]
    kept = client.post(address("item", item.pk), {"revision": 0, "equipment": "一分钟以后写的"})
    assert kept.status_code == 409
    # Saved again from here after an extension, it does not pass over what a colleague wrote meanwhile.
    assert 'name="revision" value="0"' in text(kept)
    assert "没有保存" in text(kept)
    assert "一分钟以后写的" in text(kept)
    page = text(client.get(address("item", item.pk)))
    assert "单独延期" in page
    assert "最后一刻" in page


def test_four_reasons_for_a_locked_form_are_four_messages(world, round, application, item, client_for):
    client = client_for(world.contact)

    def reasons():
        return client_for(world.contact).get(address("item", item.pk)).context["reasons"]

    fill(client, item)
    submit(client, application)
    found = [reasons()[0]]
    ApplicationItem.objects.update(state="draft")
    world.at(round.school_closes_at)
    found += reasons()
    world.at(round.opens_at - dt.timedelta(days=1))
    found += reasons()
    world.at(round.opens_at)
    type(round).objects.update(kinds=["higher_vocational"])
    found += reasons()
    assert len(set(found)) == len(found) == 4


# --- Check, send, receipt


def test_check_send_and_print(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item)
    page = text(client.get(address("check", application.pk)))
    assert "尚未提交" in page
    assert "实训室两间" in page
    whole = ItemFile.objects.get().attachment.sha256
    assert f'<abbr class="hash" title="{whole}">{whole[:12]}…</abbr>' in page
    assert page.count(whole) == 1
    token = client.get(address("check", application.pk)).context["token"]
    first = client.post(address("check", application.pk), {"token": token})
    again = client.post(address("check", application.pk), {"token": token})
    assert first["Location"] == again["Location"]
    version = ApplicationVersion.objects.get()
    assert version.receipt in text(client.get(first["Location"]))
    printed = text(client.get(address("version", version.receipt)))
    assert version.content_hash in printed
    assert f"http://testserver{address('version', version.receipt)}" in printed
    assert 'src="data:image/svg+xml' in printed
    assert "data:image" not in text(client.get(address("print", application.pk)))
    assert ItemFile.objects.get().attachment.sha256 in printed


def test_changed_after_checking_is_checked_again(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item)
    token = client.get(address("check", application.pk)).context["token"]
    post_item(client, item, **filled(item, trainers="5"))
    page = client.post(address("check", application.pk), {"token": token}, follow=True)
    assert "又被修改过" in text(page)
    assert not ApplicationVersion.objects.exists()


def test_incomplete_items_are_left_out_only_by_a_tick(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item)
    level = new_level(world, "财务")
    services.add_items(application=application, levels=[level], by=world.contact, at=clock.now())
    refused = submit(client, application)
    assert refused.status_code == 422
    assert "演示财务（中级）：" in text(refused)
    assert "仅提交已填完整的 1 项" in text(refused)
    assert submit(client, application, only_complete="1").status_code == 302
    assert len(ApplicationVersion.objects.get().content["items"]) == 1


def test_a_second_version_shows_what_changed(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item)
    submit(client, application)
    ApplicationItem.objects.update(state="returned", returned_from="submitted", review_comment="人数偏多")
    page = text(client.get(address("item", item.pk)))
    assert "人数偏多" in page
    assert 'value="40"' in page
    agreement = str(ApplicationItem.objects.get().agreement_id)
    post_item(client, item, **filled(item, planned_new="30", agreement=agreement))
    submit(client, application)
    second = ApplicationVersion.objects.get(number=2)
    page = text(client.get(address("version", second.receipt)))
    assert "<del>40 人</del> <ins>30 人</ins>" in page


def test_a_draft_that_was_handed_in_is_withdrawn_and_not_removed(world, application, item, client_for):
    client = client_for(world.contact)
    buttons = {name: address(name, item.pk) for name in ("remove", "withdraw")}

    def shown():
        page = text(client.get(address("detail", application.pk)))
        return [name for name, button in buttons.items() if button in page]

    assert shown() == ["remove"]
    fill(client, item)
    submit(client, application)
    client.post(buttons["withdraw"])
    client.post(address("add", application.pk), {"levels": [item.certificate_level_id]})
    assert shown() == ["withdraw"]
    assert "不能移除" in text(client.post(buttons["remove"], follow=True))
    assert "已撤回" in text(client.post(buttons["withdraw"], follow=True))


def test_withdraw_and_remove(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item)
    submit(client, application)
    assert "不能移除" in text(client.post(address("remove", item.pk), follow=True))
    assert "已撤回" in text(client.post(address("withdraw", item.pk), follow=True))
    item.refresh_from_db()
    assert item.state == State.WITHDRAWN


def test_a_returned_item_tells_its_own_time_after_the_school_side_closed(
    world, round, application, item, client_for
):
    client = client_for(world.contact)
    fill(client, item)
    submit(client, application)
    ApplicationItem.objects.update(state="returned", returned_from="submitted", review_comment="人数偏多")
    world.at(round.school_closes_at)
    client = client_for(world.contact)
    assert f"修改后再次提交，{closing(round.city_closes_at)}截止" in text(
        client.get(address("detail", application.pk))
    )
    assert f"提交截止 {closing(round.city_closes_at)}" in text(client.get(address("check", application.pk)))


def test_going_back_after_sending_is_not_told_that_it_is_too_late(
    world, round, application, item, client_for
):
    client = client_for(world.contact)
    fill(client, item)
    submit(client, application)
    world.at(round.school_closes_at)
    client = client_for(world.contact)
    back = client.get(address("check", application.pk), follow=True)
    assert [str(message) for message in back.context["messages"]] == ["没有待提交的项目。"]
    late = client.post(address("check", application.pk), {"token": "其他"}, follow=True)
    assert ["院校填报已于" in str(message) for message in late.context["messages"]] == [True]


def test_a_returned_item_is_mended_or_given_up(world, application, item, client_for):
    client = client_for(world.contact)
    fill(client, item)
    submit(client, application)
    assert address("withdraw", item.pk) not in text(client.get(address("detail", application.pk)))
    ApplicationItem.objects.update(state="returned", returned_from="submitted", review_comment="人数偏多")
    assert address("withdraw", item.pk) in text(client.get(address("detail", application.pk)))
    leader = client_for(world.leader).get(address("detail", application.pk))
    assert address("withdraw", item.pk) not in text(leader)
    assert "已撤回" in text(client.post(address("withdraw", item.pk), follow=True))
    assert ApplicationItem.objects.get().state == State.WITHDRAWN


@pytest.mark.parametrize(
    ("returned_from", "step", "who"),
    [("submitted", "city_closes_at", "太原市教育局"), ("first_reviewed", "province_closes_at", "省推进办")],
)
def test_a_rejected_item_says_why_and_what_may_be_done_until_when(
    world, round, client_for, returned_from, step, who
):
    application = make_application(round, world.school, reviewer=world.bureau)
    item = complete(
        make_item(
            application,
            new_level(world),
            state="rejected",
            returned_from=returned_from,
            review_comment="师资不足",
        )
    )
    until, client = getattr(round, step), client_for(world.contact)
    printed = text(client.get(address("print", application.pk)))
    assert "未通过" in printed
    assert "不成立" not in printed
    card = text(client.get(address("detail", application.pk)))
    assert "2020年11月18日未通过：</strong>师资不足" in card
    assert f"请在{closing(until)}前与{who}联系" in card
    assert f"请在{closing(until)}前与{who}联系" in text(client.get(address("item", item.pk)))
    office = text(client_for(world.office).get(address("detail", application.pk)))
    assert "师资不足" in office
    assert "联系，由其撤回意见" not in office
    world.at(until)
    late = text(client_for(world.contact).get(address("detail", application.pk)))
    assert f"已于{closing(until)}截止，本批次不再重新审核" in late


def test_add_several_and_all_running(world, application, client_for):
    client = client_for(world.contact)
    levels = [new_level(world, name).pk for name in ("甲", "乙")]
    page = client.post(address("add", application.pk), {"levels": levels}, follow=True)
    assert "已添加 2 个证书等级" in text(page)
    page = client.post(address("add-running", application.pk), follow=True)
    assert "已添加 1 个在试点的证书等级" in text(page)
    assert application.items.filter(is_renewal=True).count() == 1
    assert client.post(address("add", application.pk), {}).status_code == 422


def offered(page):
    return set(page.context["form"].fields["levels"].queryset.values_list("pk", flat=True))


def test_only_levels_open_to_the_school_are_offered_and_the_page_says_how_many_are_closed(
    world, application, client_for
):
    client = client_for(world.contact)
    free, closed, begun, known = [new_level(world, name) for name in ("甲", "乙", "丙", "丁")]
    Certificate.objects.exclude(pk=free.certificate_id).update(batch="1")
    page = client.get(address("detail", application.pk))
    assert "没有列出" not in text(page)
    client.post(address("add", application.pk), {"levels": [begun.pk]})
    type(application.round).objects.update(closed_batches=["1", "2"])
    world.add_programme(world.school, known)
    other_level = CertificateLevel.objects.create(certificate=known.certificate, level=1)
    world.add_programme(world.other_school, closed)
    page = client.get(address("detail", application.pk))
    assert {free.pk, known.pk, other_level.pk} <= offered(page)
    assert not {closed.pk, begun.pk} & offered(page)
    assert (
        "另有 1 个证书等级没有列出：本批次不再新增第1、2批证书的试点单位（参照鄂教职成办函〔2021〕7号 四.4"
        in text(page)
    )
    refused = client.post(address("add", application.pk), {"levels": [closed.pk]})
    assert refused.status_code == 422
    assert "所选的证书等级不能添加" in text(refused)
    assert not application.items.filter(certificate_level=closed).exists()


# --- Size


def test_the_list_of_twelve_takes_no_more_queries_than_of_one(world, round, client_for):
    counts = []
    for school, number in ((world.school, 1), (world.other_school, 12)):
        application = make_application(round, school)
        for index in range(number):
            level = new_level(world, f"{school.pk}第{index}号")
            draft = complete(make_item(application, level, state="draft"))
            typed = filled(draft, agreement=str(draft.agreement_id))
            ApplicationItem.objects.filter(pk=draft.pk).update(draft=typed)
        client = client_for(world.contact if school == world.school else world.other_contact)
        client.get(address("list"))
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address("detail", application.pk))
        assert f"{number} / {number}" in text(page)
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            client.get(address("check", application.pk))
        counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 20, counts


def test_a_receipt_says_what_was_sent_now_and_marks_the_others(world, application, item, client_for):
    client = client_for(world.contact)
    levels = [new_level(world, name) for name in ("财务", "物流")]
    rejected, late = services.add_items(
        application=application, levels=levels, by=world.contact, at=clock.now()
    )
    for one in (item, rejected):
        fill(client, one)
    submit(client, application, only_complete="1")
    decided = {"decided_at": clock.now(), "decided_by": world.office}
    ApplicationItem.objects.filter(pk=item.pk).update(state="returned", returned_from="submitted")
    ApplicationItem.objects.filter(pk=rejected.pk).update(state="rejected", **decided)
    assert "内容与退回的第1版相同" in text(client.get(address("item", item.pk)))
    fill(client, late)
    submit(client, application, only_complete="1")
    version = ApplicationVersion.objects.get(number=2)
    receipt = text(client.get(address("receipt", version.receipt)))
    assert f"<dt>本次提交</dt><dd>{late}（1 个证书等级）</dd>" in receipt
    assert f"{item}（当时退回修改）" in receipt
    assert f"{rejected}（当时未通过）" in receipt
    printed = text(client.get(address("version", version.receipt)))
    assert printed.index(f"1. {late}") < printed.index(f". {item} ")
    assert printed.count("不在本次提交之内") == 2
    assert "内容与退回的第1版相同" in text(client.get(address("item", item.pk)))
    assert "本次申报共 2 项，拟考证 80 人" in text(client.get(address("detail", application.pk)))
    reviewed = text(client_for(world.office).get(reverse("reviews:application", args=[application.pk])))
    assert "3 项，拟考证 80 人（未通过、已撤回的不计人数）" in reviewed


def test_the_list_counts_as_the_page_behind_it(world, application, item, client_for):
    """Drafts and returned ones wait, as long as they may be handed in; what was withdrawn is still listed."""
    for number, state in enumerate(("returned", "withdrawn", "submitted")):
        returned_from = "first_reviewed" if state == "returned" else ""
        make_item(application, new_level(world, str(number)), state=state, returned_from=returned_from)
    client = client_for(world.contact)
    behind = client.get(address("detail", application.pk))
    assert len(behind.context["cards"]) == 4
    assert "待提交 2 项" in text(behind)
    assert "4 个证书等级，待提交 2 项" in text(client.get(address("list")))
    world.at(application.round.school_closes_at)
    assert "4 个证书等级，待提交 1 项" in text(client_for(world.contact).get(address("list")))
    assert len(client_for(world.contact).get(address("detail", application.pk)).context["waiting"]) == 1
