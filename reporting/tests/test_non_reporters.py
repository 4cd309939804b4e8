"""Who has not reported; reminding them, each once a day; excusing them."""

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from core import clock
from core.models import Attachment, Event, Notice
from obligations import services
from obligations.models import Obligation
from reporting.reminders import remind
from reporting.sweep import sweep

URL = "/non-reporters/"
PDF = b"%PDF-1.4\nstartxref\n0\n%%EOF\n"


def names(response):
    return [row["line"].obligation.organization.name for row in response.context["rows"]]


def test_before_and_after_the_deadline(world, client_for):
    client = client_for(world.office)
    page = client.get(URL)
    assert set(names(page)) == {world.school_org.name, world.other_school_org.name}
    assert "还剩" in page.content.decode()
    services.fulfil(world.obligation, received_at=clock.now())
    assert names(client.get(URL)) == [world.other_school_org.name]
    assert names(client.get(URL, {"state": "overdue"})) == []
    world.at("2020-11-20T18:00:00+08:00")
    client = client_for(world.office)
    assert names(client.get(URL, {"state": "overdue"})) == [world.other_school_org.name]
    assert names(client.get(URL, {"state": "pending"})) == []


def test_longest_streak_first_and_filters(world, client_for):
    world.add_week("2020-W45")
    world.add_week("2020-W46")
    services.fulfil(
        world.owed(world.school, "2020-W46"), received_at=world.owed(world.school, "2020-W46").opens_at
    )
    sweep(clock.now())
    client = client_for(world.office)
    page = client.get(URL)
    assert names(page) == [world.other_school_org.name, world.school_org.name]
    assert [row["line"].weeks for row in page.context["rows"]] == [2, 0]
    assert names(client.get(URL, {"streak": 2})) == [world.other_school_org.name]
    assert names(client.get(URL, {"city": world.bureau.pk})) == [world.school_org.name]
    assert names(client.get(URL, {"period": "2020-W46"})) == [world.other_school_org.name]
    assert "测试contact" in page.content.decode()
    assert client.post(URL).headers["Content-Type"].startswith("application/vnd.openxml")


def test_scope(world, client_for):
    city = client_for(world.city_officer).get(URL)
    assert names(city) == [world.school_org.name]
    assert "city" not in city.context["filter"].form.fields
    assert "city" in client_for(world.office).get(URL).context["filter"].form.fields
    assert "提醒所选" not in client_for(world.leading).get(URL).content.decode()
    for user in [world.contact, world.finance, world.evaluator_officer, world.learner]:
        assert client_for(user).get(URL).status_code == 403


def test_queries_do_not_grow(world, client_for, django_assert_num_queries):
    client = client_for(world.office)
    client.get(URL)
    with django_assert_num_queries(10):
        client.get(URL)
    for name in ["甲", "乙", "丙"]:
        world.add_school(f"{name}演示学校")
    world.add_week("2020-W46")
    with django_assert_num_queries(10):
        client.get(URL)


def test_reminding_shows_first_who_will_receive_it_and_tells_once_a_day(world, client_for):
    lonely = world.add_school("无账号演示学校")
    world.add_week("2020-W48")
    Obligation.objects.filter(key="2020-W48").exclude(organization=lonely.organization).delete()
    client = client_for(world.office)
    shown = client.get("/non-reporters/remind/", {"everything": 1, "period": "2020-W47"})
    assert shown.status_code == 200
    assert "将提醒 2 所院校、3 人" in shown.content.decode()
    assert not Notice.objects.exists()
    ids = ",".join(str(o.pk) for o in Obligation.objects.all())
    alone = client.get("/non-reporters/remind/", {"obligation": world.owed(lonely, "2020-W48").pk})
    assert "收不到提醒" in alone.content.decode()
    for _ in range(2):
        assert client.post("/non-reporters/remind/", {"obligations": ids}).status_code == 302
    assert Notice.objects.count() == 3
    assert set(Notice.objects.values_list("recipient__username", flat=True)) == {
        "contact",
        "leader",
        "other_contact",
    }
    assert Event.objects.filter(action="reminded").count() == 2
    world.at("2020-11-19T10:00:00+08:00")
    client_for(world.office).post("/non-reporters/remind/", {"obligations": ids})
    assert Notice.objects.count() == 6


def test_a_city_reminds_its_own_schools_only(world, client_for):
    client = client_for(world.city_officer)
    both = f"{world.obligation.pk},{world.other_obligation.pk}"
    client.post("/non-reporters/remind/", {"obligations": both})
    assert set(Notice.objects.values_list("recipient__username", flat=True)) == {"contact", "leader"}
    with pytest.raises(PermissionDenied):
        remind(obligations=[world.other_obligation], by=world.city_officer, at=clock.now())
    for user in [world.leading, world.auditor, world.contact, world.learner]:
        assert client_for(user).post("/non-reporters/remind/", {"obligations": both}).status_code == 403


def test_what_is_done_is_not_reminded_of_and_ended_accounts_get_nothing(world, client_for):
    User.objects.filter(pk=world.contact.pk).update(is_active=False)
    services.fulfil(world.other_obligation, received_at=clock.now())
    found = remind(obligations=[world.obligation, world.other_obligation], by=world.office, at=clock.now())
    assert (len(found.reachable), found.people) == (1, 1)


@pytest.fixture
def missed(world):
    sweep(world.at("2020-11-24T10:00:00+08:00"))
    world.obligation.refresh_from_db()
    world.other_obligation.refresh_from_db()
    return world.obligation


def test_excuse_with_evidence_and_withdraw(world, missed, client_for):
    client = client_for(world.office)
    url = f"/reports/{missed.pk}/excuse/"
    assert client.get(url).status_code == 200
    assert "请改正" in client.post(url, {"reason": ""}).content.decode()
    upload = SimpleUploadedFile("名单.pdf", PDF)
    assert client.post(url, {"reason": "国家平台已填报", "evidence": [upload]}).status_code == 302
    missed.refresh_from_db()
    assert (missed.state, missed.excuse_reason) == ("excused", "国家平台已填报")
    assert Attachment.objects.of(missed).count() == 1
    withdraw = f"/reports/{missed.pk}/excuse/withdraw/"
    assert client.get(withdraw).status_code == 200
    assert client.post(withdraw, {"reason": "核实有误"}).status_code == 302
    missed.refresh_from_db()
    assert missed.state == "missed"


def test_excuse_is_the_offices_and_strangers_find_nothing(world, missed, client_for):
    for path in ["excuse/", "excuse/withdraw/"]:
        url = f"/reports/{missed.pk}/{path}"
        for user in [world.city_officer, world.contact, world.leading, world.auditor]:
            assert client_for(user).post(url, {"reason": "x"}).status_code == 403
        for user in [world.other_contact, world.other_city_officer, world.finance, world.learner]:
            assert client_for(user).post(url, {"reason": "x"}).status_code == 404
    assert client_for(world.city_officer).get("/non-reporters/excuse/").status_code == 403


def test_several_are_excused_with_one_reason(world, missed, client_for):
    pending = world.add_week("2020-W48").obligations.first()
    client = client_for(world.office)
    ids = [missed.pk, world.other_obligation.pk, pending.pk]
    shown = client.get("/non-reporters/excuse/", {"obligation": ids}).content.decode()
    assert "将谅解（2 所）" in shown
    assert "不在此列" in shown
    done = client.post(
        "/non-reporters/excuse/", {"obligations": ",".join(map(str, ids)), "reason": "省网故障"}
    )
    assert done.status_code == 302
    assert Obligation.objects.filter(excuse_reason="省网故障").count() == 2
    assert Event.objects.filter(action="obligation_excused").count() == 2
