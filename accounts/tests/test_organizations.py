"""Organisations: found by name, alias, code and initials; their membership is dated."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from accounts import services
from accounts.models import Organization, User
from accounts.pinyin import initials
from core import clock
from core.models import Event


def page(name, organization, *more):
    return reverse(f"accounts:{name}", args=[organization.pk, *more])


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("长治市", "czs"),
        ("长子县", "zzx"),
        ("洪洞县", "htx"),
        ("朔州市", "szs"),
        ("隰县", "xx"),
        ("繁峙县", "fsx"),
        ("临汾市", "lfs"),
        ("阳曲县", "yqx"),
        ("蔚县", "yx"),
        ("忻州师范学院", "xzsfxy"),
        ("岢岚县", "klx"),
        ("吕梁（离石）Web 前端1+X", "lllswebqd1x"),
        ("", ""),
        ("😀—鿿", ""),
    ],
)
def test_initials(name, letters):
    assert initials(name) == letters


def test_the_list_finds_by_name_alias_code_and_initials(world, client_for):
    Organization.objects.filter(pk=world.other_school_org.pk).update(
        pinyin=initials(world.other_school_org.name)
    )
    services.add_alias(
        organization=world.other_school_org,
        name="潞州职校",
        source="国家平台",
        by=world.office,
        at=clock.now(),
    )
    client = client_for(world.office)
    for text in ("长治演示", "潞州", world.other_school_org.code, "CZYS"):
        rows = client.get(reverse("accounts:organization-list"), {"q": text, "kind": "school"})
        assert [row.record for row in rows.context["table"].rows] == [world.other_school_org]


def test_the_list_filters_by_membership_as_of_now(world, client_for):
    services.end_membership(
        organization=world.other_school_org,
        at=clock.now() - dt.timedelta(days=1),
        by=world.office,
        reason="撤并",
    )
    client = client_for(world.office)
    for state, expected in (("in", world.school_org), ("out", world.other_school_org)):
        rows = client.get(reverse("accounts:organization-list"), {"pilot": state, "kind": "school"})
        assert [row.record for row in rows.context["table"].rows] == [expected]


def test_a_city_lists_what_it_supervises_and_a_school_opens_its_own(world, client_for):
    rows = client_for(world.city_officer).get(reverse("accounts:organization-list")).context["table"].rows
    assert {row.record for row in rows} == {world.bureau, world.school_org}
    school = client_for(world.contact)
    assert school.get(reverse("accounts:organization-list")).status_code == 403
    assert school.get(page("organization-detail", world.school_org)).status_code == 200
    assert school.get(page("organization-detail", world.other_school_org)).status_code == 404


@pytest.mark.parametrize(
    "name", ["organization-edit", "alias-new", "organization-join", "organization-leave"]
)
def test_only_the_office_keeps_organisations(world, client_for, name):
    assert client_for(world.office).get(page(name, world.school_org)).status_code == 200
    for who in ("city_officer", "contact", "auditor"):
        assert client_for(getattr(world, who)).get(page(name, world.school_org)).status_code == 403
    assert client_for(world.other_contact).get(page(name, world.school_org)).status_code == 404


def test_the_services_guard_themselves(world):
    at = clock.now()
    with pytest.raises(PermissionDenied):
        services.end_membership(organization=world.school_org, at=at, by=world.city_officer, reason="x")
    with pytest.raises(PermissionDenied):
        services.add_alias(organization=world.school_org, name="x", source="", by=world.contact, at=at)


def test_membership_ends_and_begins_again_without_overlap(world, client_for):
    client = client_for(world.office)
    leave, join = page("organization-leave", world.school_org), page("organization-join", world.school_org)

    client.post(leave, {"day": "2020-11-16", "reason": "合并"})
    assert not Organization.objects.members_at(clock.now()).filter(pk=world.school_org.pk).exists()
    assert Organization.objects.members_at(clock.at(dt.date(2020, 11, 15))).filter(pk=world.school_org.pk)
    assert Event.objects.get(action="pilot_left").reason == "合并"

    assert "目前不在试点中" in client.post(leave, {"day": "2020-11-17", "reason": "x"}).content.decode()
    assert "早于上一次退出" in client.post(join, {"day": "2020-11-15"}).content.decode()
    assert client.post(join, {"day": "2020-11-16"}).status_code == 302
    assert "已在试点中" in client.post(join, {"day": "2020-11-17"}).content.decode()
    assert world.school_org.memberships.count() == 2
    assert client.get(page("organization-detail", world.school_org)).status_code == 200


def test_a_membership_does_not_end_before_it_begins(world):
    with pytest.raises(ValidationError, match="晚于加入时间"):
        services.end_membership(
            organization=world.school_org, at=clock.at(dt.date(2019, 1, 1)), by=world.office, reason="x"
        )


def test_a_membership_does_not_end_ahead_of_its_day(world, client_for):
    leave = page("organization-leave", world.school_org)
    tomorrow = clock.today() + dt.timedelta(days=1)
    refused = client_for(world.office).post(leave, {"day": tomorrow.isoformat(), "reason": "合并"})
    assert "退出日期还没有到" in refused.content.decode()
    assert not world.school_org.memberships.filter(left_at__isnull=False).exists()


def test_aliases_are_added_once_and_removed(world, client_for):
    client = client_for(world.office)
    add = page("alias-new", world.school_org)
    client.post(add, {"name": "太原职校", "source": "旧名"})
    assert "已登记" in client.post(add, {"name": " 太原职校 ", "source": ""}).content.decode()
    alias = world.school_org.aliases.get()
    foreign = page("alias-remove", world.other_school_org, alias.pk)
    assert client.post(foreign).status_code == 404

    client.post(page("alias-remove", world.school_org, alias.pk))

    assert not world.school_org.aliases.exists()
    assert set(Event.objects.values_list("action", flat=True)) >= {"alias_added", "alias_removed"}


def test_a_changed_supervisor_changes_who_sees_the_school(world, client_for):
    client = client_for(world.office)
    url = page("organization-edit", world.school_org)
    assert client.post(url, {"supervisor": "", "city": "140100"}).status_code == 200, "a school needs one"
    client.post(url, {"supervisor": world.other_bureau.pk, "city": "140100"})
    school = page("organization-detail", world.school_org)
    assert client_for(world.city_officer).get(school).status_code == 404
    assert client_for(world.other_city_officer).get(school).status_code == 200
    assert Event.objects.get(action="organization_edited").changes == {
        "supervisor": ["太原市教育局", "长治市教育局"]
    }


def test_the_pages_ask_the_database_the_same_for_one_and_for_many(
    world, client_for, django_assert_num_queries
):
    client = client_for(world.city_officer)
    client.get(page("organization-detail", world.school_org))
    for more in (0, 3):
        for number in range(more):
            world.add_school(f"又一所{number}")
            world.add_user("school_contact", world.school_org, f"extra{number}")
        with django_assert_num_queries(8):
            client.get(reverse("accounts:organization-list"))
        with django_assert_num_queries(10):
            client.get(page("organization-detail", world.school_org))


# --- search


def found(client, text):
    groups = client.get(reverse("accounts:search"), {"q": text}).context["groups"]
    return {group.label: [hit.title for hit in group.hits] for group in groups}


def test_the_office_finds_everything_by_name(world, client_for):
    client = client_for(world.office)
    assert found(client, "市教育局")["主管部门"] == [world.bureau.name, world.other_bureau.name]
    assert found(client, "演示职业")["试点院校"] == [world.school_org.name, world.other_school_org.name]
    assert found(client, "演示评价")["评价组织"] == ["演示评价组织"]
    assert found(client, "ysyw")["证书"] == [world.certificate.name]
    assert found(client, "测试contact")["账号"] == ["测试contact"]


def test_each_finds_what_lies_within_their_scope(world, client_for):
    city = client_for(world.city_officer)
    assert found(city, "演示职业")["试点院校"] == [world.school_org.name]
    assert "账号" not in found(city, "other_contact")
    assert found(client_for(world.contact), "长治") == {}
    learner = client_for(world.learner)
    for text in ("演示", "office", "太原"):
        assert found(learner, text) == {}


@pytest.mark.parametrize("text", ["", "   ", "没有这个", "%", "'; --", "x" * 500])
def test_odd_questions_are_answered_calmly(world, client_for, text):
    response = client_for(world.office).get(reverse("accounts:search"), {"q": text})
    assert response.status_code == 200
    assert "empty-state" in response.content.decode()


def test_more_than_a_page_says_so(world, client_for):
    User.objects.bulk_create(
        User(
            username=f"many{number:02d}",
            name="众多",
            role="auditor",
            organization=world.province,
            created_at=clock.now(),
        )
        for number in range(25)
    )
    response = client_for(world.office).get(reverse("accounts:search"), {"q": "众多"})
    (group,) = response.context["groups"]
    assert (len(group.hits), group.has_more) == (20, True)
    assert "只列出前 20 条" in response.content.decode()
