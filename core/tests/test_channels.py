"""Mail and robots against real receivers on this machine; the page that keeps them."""

import datetime as dt
import threading
import time

import pytest
from django.db import connection as database

from core import clock, delivery
from core.channels import robots, services
from core.models import Delivery, Event, Notice, Robot
from core.notices import Message, tell
from core.tests.receivers import RobotServer, Server, free_port, running

SECRET = "SEC0123456789"


@pytest.fixture
def mail_server(world, settings):
    with running(Server()) as server:
        use_mail(world, settings, server.server_address[1])
        yield server


def use_mail(world, settings, port):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_ENABLED = True
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    for user in (world.contact, world.office):
        user.email = f"{user.username}@example.cn"
        user.save()


@pytest.fixture
def group(world, settings):
    """The group of the province's office, and the robot in it."""
    with running(RobotServer()) as server:
        settings.WEBHOOK_ALLOWED_HOSTS = [server.address]
        set_up(world.office, server)
        yield server


def set_up(by, server, *, format="wecom", secret="", on=True):
    address = f"{server.address}/cgi-bin/webhook/send?key=abc"
    return services.set_robot(format=format, address=address, secret=secret, on=on, by=by, at=clock.now())


def warn(world, key="w1", text="预警：太原演示职业学校连续 2 周未报", important=True):
    """As the sweep tells it: each officer of the office has a notice."""
    people = (world.office, world.office2)
    tell([Message(p.pk, key, text, "/", important) for p in people], at=clock.now())


def later(**length):
    return clock.now() + dt.timedelta(**length)


def test_a_mail_arrives_and_its_reader_sees_when(world, mail_server, client_for):
    tell([Message(world.contact.pk, "k", "请填写周报", "/deadlines/")], at=clock.now())
    assert delivery.deliver(clock.now()) == (1, 1, 0)
    assert delivery.deliver(later(hours=1)) == (0, 0, 0)
    (mail,) = mail_server.received
    assert mail["To"] == "contact@example.cn"
    assert "请填写周报" in mail.get_content()
    page = client_for(world.contact).get("/notices/").content.decode()
    assert "已发邮件 10:00" in page
    assert "通知同时发邮件到 contact@example.cn" in page


def test_a_mail_server_that_is_down_costs_no_attempt_and_the_mail_goes_once(world, settings):
    port = free_port()
    use_mail(world, settings, port)
    tell([Message(world.contact.pk, "k", "请填写周报")], at=clock.now())
    for minutes in range(20):
        assert delivery.deliver(later(minutes=minutes)) == (0, 0, 0)
    waiting = Delivery.objects.get()
    assert (waiting.state, waiting.attempts) == ("queued", 0)
    assert "邮件服务器连不上" in waiting.last_error
    with running(Server(port)) as server:
        assert delivery.deliver(later(minutes=21)) == (1, 1, 0)
        assert delivery.deliver(later(hours=9)) == (0, 0, 0)
    assert len(server.received) == 1


def test_a_box_that_refuses_is_tried_again(world, mail_server):
    mail_server.refuses = True
    tell([Message(world.contact.pk, "k", "请填写周报")], at=clock.now())
    assert delivery.deliver(clock.now()) == (0, 0, 1)
    assert Delivery.objects.get().last_error == "邮件服务器没有接受：550 no such box"
    mail_server.refuses = False
    assert delivery.deliver(later(minutes=4)) == (0, 0, 0)
    assert delivery.deliver(later(minutes=5)) == (1, 1, 0)
    assert len(mail_server.received) == 1


def test_the_group_is_told_each_matter_once_and_only_what_is_important(world, group):
    warn(world)
    warn(world, "w2", "案件：长治演示职业学校\n已触发")
    warn(world, "k3", "名册导入已完成", important=False)
    assert delivery.deliver(clock.now()) == (1, 2, 0)
    assert delivery.deliver(later(hours=1)) == (0, 0, 0)
    (text,) = group.received
    assert "1. 预警：太原演示职业学校连续 2 周未报\n2. 案件：长治演示职业学校 已触发\n" in text
    assert "名册" not in text
    assert world.office.name not in text


def test_a_bureaus_group_is_told_the_bureaus_matters(world, group, settings):
    with running(RobotServer()) as theirs:
        settings.WEBHOOK_ALLOWED_HOSTS = [group.address, theirs.address]
        set_up(world.city_officer, theirs)
        tell([Message(world.city_officer.pk, "w1", "只给市里", "/", True)], at=clock.now())
        assert delivery.deliver(clock.now()) == (1, 1, 0)
        assert "只给市里" in theirs.received[0]
    assert group.received == []


def test_more_than_fits_is_counted(world, group):
    tell(
        [Message(world.office.pk, f"w{n}", f"第{n}所" + "校" * 90, "/", True) for n in range(30)],
        at=clock.now(),
    )
    assert delivery.deliver(clock.now()) == (1, 30, 0)
    (text,) = group.received
    shown = text.count("第")
    assert 3 < shown < 10
    assert f"另有 {30 - shown} 条。" in text


def test_dingtalks_signature(world, group):
    group.secret = SECRET
    set_up(world.office, group, format="dingtalk", secret=SECRET)
    warn(world)
    assert delivery.deliver(clock.now()) == (1, 1, 0)
    set_up(world.office, group, format="dingtalk", secret="SECwrong")
    warn(world, "w2")
    assert delivery.deliver(clock.now()) == (0, 0, 1)
    assert "310000 sign not match" in Delivery.objects.get(key="w2").last_error


def test_the_signature_is_what_openssl_computes():
    # printf '1577262236757\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64
    signed = robots.signature("this is secret", 1577262236757)
    assert signed == "&timestamp=1577262236757&sign=hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, '{"errcode": 93000, "errmsg": "invalid webhook url"}'), "93000 invalid webhook url"),
        ((200, "<html>ok</html>"), "不是约定的格式"),
        ((200, "[]"), "不是约定的格式"),
        ((200, "{}"), "没有接受"),
        ((200, '"' + "x" * 20000 + '"'), "过长"),
        ((500, '{"errcode": 0}'), "HTTP 500"),
        ((302, ""), "HTTP 302"),
    ],
)
def test_an_answer_that_is_no_yes_is_a_failure_and_is_tried_again(world, group, answer, words):
    group.answer = answer
    warn(world)
    assert delivery.deliver(clock.now()) == (0, 0, 1)
    failed = Delivery.objects.get()
    assert (failed.state, failed.attempts) == ("failed", 1)
    assert words in failed.last_error
    assert len(group.received) == 1
    group.answer = RobotServer.OK
    assert delivery.deliver(later(minutes=4)) == (0, 0, 0)
    assert delivery.deliver(later(minutes=5)) == (1, 1, 0)
    assert delivery.deliver(later(days=1)) == (0, 0, 0)


def test_a_group_that_is_down_is_told_once_when_it_is_back(world, settings):
    port = free_port()
    settings.WEBHOOK_ALLOWED_HOSTS = [f"http://127.0.0.1:{port}"]
    services.set_robot(
        format="wecom",
        address=f"http://127.0.0.1:{port}/send",
        secret="",
        on=True,
        by=world.office,
        at=clock.now(),
    )
    warn(world)
    tries = [delivery.deliver(later(minutes=minutes)).failures for minutes in range(31)]
    # At once, then after 5, 10 and 20 minutes: no call in between.
    assert [minute for minute, failed in enumerate(tries) if failed] == [0, 5, 15]
    with running(RobotServer(port)) as server:
        assert delivery.deliver(later(minutes=35)) == (1, 1, 0)
        assert delivery.deliver(later(hours=9)) == (0, 0, 0)
    assert len(server.received) == 1


@pytest.mark.parametrize("how", ["silent", "dribbling"])
def test_a_slow_group_is_left_after_its_time(world, group, monkeypatch, how):
    monkeypatch.setattr(robots, "PATIENCE", 0.2)
    ended = threading.Event()
    if how == "silent":
        group.meanwhile = lambda: ended.wait(10)
    else:
        group.dribble = lambda out, content: [out.write(b" ") for _ in range(100) if not ended.wait(0.05)]
    warn(world)
    began = time.monotonic()
    assert delivery.deliver(clock.now()) == (0, 0, 1)
    ended.set()
    assert time.monotonic() - began < 3
    assert "秒内没有回应" in Delivery.objects.get().last_error


def test_killed_between_sending_and_marking_it_is_sent_again(world, group, monkeypatch):
    """At least once: rather twice than never."""

    class Killed(BaseException):
        pass

    def killed(robot, text):
        send(robot, text)
        raise Killed

    send = robots.send
    warn(world)
    with monkeypatch.context() as patched:
        patched.setattr(robots, "send", killed)
        with pytest.raises(Killed):
            delivery.deliver(clock.now())
    assert Delivery.objects.get().state == "queued"
    assert delivery.deliver(later(minutes=4)) == (0, 0, 0)
    assert delivery.deliver(later(minutes=5)) == (1, 1, 0)
    assert len(group.received) == 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_workers_tell_each_matter_once(world, group):
    for number in range(6):
        warn(world, f"w{number}", f"第{number}所")
    at, together = clock.now(), threading.Barrier(2)

    def work():
        together.wait()
        delivery.deliver(at)
        database.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told = "".join(group.received)
    assert [told.count(f"第{number}所") for number in range(6)] == [1] * 6
    assert Delivery.objects.filter(state="sent").count() == 6


def test_no_call_leaves_unless_the_operator_named_the_host(world, group, settings):
    settings.WEBHOOK_ALLOWED_HOSTS = []
    warn(world)
    assert delivery.deliver(clock.now()) == (0, 0, 0)
    assert not Delivery.objects.exists()
    settings.WEBHOOK_ALLOWED_HOSTS = ["qyapi.weixin.qq.com"]
    assert delivery.deliver(clock.now()) == (0, 0, 1)
    assert "未获准" in Delivery.objects.get().last_error
    assert group.received == []


@pytest.mark.parametrize(
    "address",
    [
        "http://qyapi.weixin.qq.com/send?key=1",
        "https://qyapi.weixin.qq.com:8443/send",
        "https://qyapi.weixin.qq.com.evil.example/send",
        "https://qyapi.weixin.qq.com@evil.example/send",
        "https://me:pw@qyapi.weixin.qq.com/send",
        "https://qyapi.weixin.qq.com:x/send",
        "https://127.0.0.1/send",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https:///send",
        "https://qyapi.weixin.qq.com/send?key=1\r\nHost: evil",
        "qyapi.weixin.qq.com/send",
    ],
)
def test_an_address_not_named_is_refused(world, client_for, settings, address):
    settings.WEBHOOK_ALLOWED_HOSTS = ["qyapi.weixin.qq.com"]
    response = client_for(world.office).post(
        "/channels/robot/", {"format": "wecom", "address": address, "on": "on"}
    )
    assert response.status_code == 200
    assert not Robot.objects.exists()


def test_an_address_named_is_kept_and_never_shown_again(world, client_for, settings):
    settings.WEBHOOK_ALLOWED_HOSTS = ["oapi.dingtalk.com"]
    client = client_for(world.city_officer)
    address = "https://oapi.dingtalk.com/robot/send?access_token=topsecret"
    asked = {"format": "dingtalk", "address": address, "secret": SECRET, "on": "on"}
    assert client.post("/channels/robot/", asked).status_code == 302
    robot = Robot.objects.get()
    assert (robot.organization, robot.address, robot.secret) == (world.bureau, address, SECRET)
    with database.cursor() as cursor:
        cursor.execute("SELECT address, secret FROM core_robot")
        stored = " ".join(cursor.fetchone())
    assert "topsecret" not in stored
    assert SECRET not in stored
    shown = client.get("/channels/").content.decode() + client.get("/channels/robot/").content.decode()
    assert "oapi.dingtalk.com" in shown
    assert "topsecret" not in shown
    assert SECRET not in shown
    event = Event.objects.get(action="robot_set")
    assert "topsecret" not in str(event.changes)
    assert event.changes["地址"] == "已更换"

    assert client.post("/channels/robot/", {"format": "dingtalk"}).status_code == 302
    robot = Robot.objects.get()
    assert (robot.address, robot.secret, robot.on_since) == (address, SECRET, None)


def test_a_new_address_does_not_get_the_old_secret(world, group):
    set_up(world.office, group, format="dingtalk", secret=SECRET)
    assert set_up(world.office, group, format="dingtalk").secret == ""


def test_off_means_off_and_on_again_does_not_tell_the_past(world, group):
    group.answer = (500, "")
    warn(world)
    delivery.deliver(clock.now())
    set_up(world.office, group, on=False)
    group.answer, group.received = RobotServer.OK, []
    warn(world, "w2")
    world.at(later(hours=1))
    set_up(world.office, group)
    assert delivery.deliver(clock.now()) == (0, 0, 0)
    assert Delivery.objects.get().state == "dropped"
    assert group.received == []


def test_the_test_button_tells_how_it_went(world, group, client_for):
    client = client_for(world.office)
    page = client.post("/channels/robot/test/", follow=True).content.decode()
    assert "测试消息已送达" in page
    assert "测试消息" in group.received[0]
    group.answer = (200, '{"errcode": 45009, "errmsg": "api freq out of limit"}')
    page = client.post("/channels/robot/test/", follow=True).content.decode()
    assert "没有送达。群机器人没有接受：45009 api freq out of limit" in page
    assert Event.objects.filter(action="robot_tested").count() == 2


def test_the_test_mail_goes_to_oneself(world, mail_server, client_for):
    page = client_for(world.office).post("/channels/mail/test/", follow=True).content.decode()
    assert "测试邮件已交给邮件服务器" in page
    assert mail_server.received[0]["To"] == "office@example.cn"
    mail_server.refuses = True
    page = client_for(world.office).post("/channels/mail/test/", follow=True).content.decode()
    assert "没有送达。邮件服务器没有接受：550 no such box" in page


def given_up(user, key="k"):
    tell([Message(user.pk, key, "请填写周报", "")], at=clock.now())
    return Delivery.objects.create(
        notice=Notice.objects.get(recipient=user, key=key),
        key=key,
        state="given_up",
        attempts=8,
        queued_at=clock.now(),
        last_error="SMTPDataError: 451",
    )


def test_what_was_given_up_is_sent_again_by_hand(world, mail_server, client_for):
    row = given_up(world.contact)
    client = client_for(world.office)
    page = client.get("/channels/").content.decode()
    assert "SMTPDataError: 451" in page
    client.post(f"/channels/{row.pk}/retry/")
    client.post(f"/channels/{row.pk}/retry/")
    assert Event.objects.get(action="delivery_retried").changes == {"上次原因": "SMTPDataError: 451"}
    assert delivery.deliver(clock.now()) == (1, 1, 0)
    assert len(mail_server.received) == 1
    page = client.get("/channels/").content.decode()
    assert "没有未送达的通知" in page
    assert "已送达" in client.get("/channels/?state=sent").content.decode()


def test_a_bureau_sends_again_only_within_its_scope(world, client_for):
    mine, foreign = given_up(world.contact), given_up(world.other_contact)
    client = client_for(world.city_officer)
    assert client.post(f"/channels/{foreign.pk}/retry/").status_code == 404
    assert world.other_contact.name not in client.get("/channels/").content.decode()
    client.post("/channels/retry/")
    assert [*Delivery.objects.filter(state="queued")] == [mine]


@pytest.mark.parametrize("who", ["contact", "auditor", "finance", "learner", "evaluator_officer"])
def test_the_channels_are_the_authorities_to_keep(world, client_for, who):
    row = given_up(world.contact)
    client = client_for(getattr(world, who))
    assert client.get("/channels/").status_code == 403
    assert client.get("/channels/robot/").status_code == 403
    for address in ("robot/test/", "mail/test/", "retry/", f"{row.pk}/retry/"):
        assert client.post(f"/channels/{address}").status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_neither_page_asks_more_for_more_rows(world, client_for, django_assert_num_queries, rows):
    for number in range(rows):
        given_up(world.office, f"k{number}")
    client = client_for(world.office)
    for address, queries in (("/channels/", 11), ("/notices/", 7)):
        with django_assert_num_queries(queries):
            client.get(address)
