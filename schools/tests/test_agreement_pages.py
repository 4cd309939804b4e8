"""The pages of agreements: who meets which, what the lists say, how the form answers."""

import datetime as dt
import re
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from certificates.models import Certificate, CertificateLevel
from core import clock
from core.models import Attachment
from core.tests.test_attachments import pdf
from funding.tests.fees import cap
from schools import agreement_lists as lists
from schools.models import Agreement, AgreementParty
from schools.services import agreements
from schools.tests.applying import agreement_for

TODAY = dt.date(2020, 11, 18)
ONE = dt.timedelta(days=1)
SEERS = ["office", "finance", "leading", "auditor", "city_officer", "contact", "leader", "evaluator_officer"]
STRANGERS = ["other_contact", "other_city_officer"]
NOT_AT_ALL = ["expert", "third_party", "coordinator", "learner"]


def paper():
    return SimpleUploadedFile("合作协议.pdf", pdf())


@pytest.fixture
def agreement(world):
    return register(world)


def register(world, **changes):
    given = {
        "evaluator": world.evaluator_org,
        "certificate_level": world.level,
        "fee": Decimal(200),
        "signed_on": TODAY,
        "valid_until": TODAY + 365 * ONE,
        "files": [paper()],
        "by": world.contact,
        "at": clock.now(),
    }
    return agreements.register(**{**given, **changes})


def typed(world, **changes):
    given = {
        "certificate_level": world.level.pk,
        "fee": "200",
        "signed_on": "2020-11-18",
        "valid_until": "2021-11-17",
        "files": paper(),
    }
    return {**given, **changes}


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- Who meets what


@pytest.mark.parametrize("who", SEERS + STRANGERS)
def test_who_is_no_party_to_it_meets_404_and_an_empty_list(world, agreement, client_for, who):
    client = client_for(getattr(world, who))
    sees = who in SEERS
    assert client.get(reverse("agreements:detail", args=[agreement.pk])).status_code == (200 if sees else 404)
    listing = client.get(reverse("agreements:list"))
    assert (listing.status_code, listing.context["count"]) == (200, int(sees))
    file = Attachment.objects.of(agreement).get()
    served = client.get(reverse("core:attachment", args=[file.pk]))
    served.close()
    assert served.status_code == (200 if sees else 404)


@pytest.mark.parametrize("who", NOT_AT_ALL)
def test_who_has_nothing_to_do_with_agreements_is_refused(world, agreement, client_for, who):
    client = client_for(getattr(world, who))
    assert client.get(reverse("agreements:list")).status_code == 403
    assert client.get(reverse("agreements:missing")).status_code == 403
    assert client.get(reverse("agreements:detail", args=[agreement.pk])).status_code == 404


@pytest.mark.parametrize("who", [*SEERS, *STRANGERS, *NOT_AT_ALL])
@pytest.mark.parametrize("action", ["confirm", "decline", "end", "void"])
def test_each_step_asks_for_its_right(world, agreement, client_for, who, action):
    response = client_for(getattr(world, who)).get(reverse(f"agreements:{action}", args=[agreement.pk]))
    may = {"office": {"end", "void"}, "contact": {"confirm", "decline", "end", "void"}}.get(who, set())
    stranger = who in STRANGERS + NOT_AT_ALL
    assert response.status_code == (404 if stranger else 200 if action in may else 403)


@pytest.mark.parametrize("who", [*SEERS, *STRANGERS, *NOT_AT_ALL])
def test_the_form_is_for_schools_contacts(world, client_for, who):
    response = client_for(getattr(world, who)).get(reverse("agreements:new"))
    assert response.status_code == (200 if who in {"contact", "other_contact"} else 403)


def test_an_evaluator_reads_its_own_and_changes_nothing(world, agreement, client_for):
    page = client_for(world.evaluator_officer).get(reverse("agreements:detail", args=[agreement.pk]))
    assert "200.00 元/人" in text(page)
    assert page.context["offers"] == []
    assert not page.context["may_renew"]


# --- The form


def test_registering_leads_back_to_where_one_came_from_but_only_here(world, client_for):
    client = client_for(world.contact)
    back = reverse("agreements:missing")
    assert f'value="{back}"' in client.get(f"{reverse('agreements:new')}?next={back}").content.decode()
    assert client.post(reverse("agreements:new"), typed(world, next=back)).headers["Location"] == back
    for n, evil in enumerate(
        ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
    ):
        sent = client.post(reverse("agreements:new"), typed(world, next=evil, reference=f"{n}"))
        newest = Agreement.objects.order_by("-pk").first()
        assert sent.headers["Location"] == reverse("agreements:detail", args=[newest.pk])
        assert "evil.example" not in client.get(f"{reverse('agreements:new')}?next={evil}").content.decode()


def test_the_address_names_the_level_and_the_page_what_binds_it(world, client_for):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    cap(world, "300", TODAY)
    page = client_for(world.contact).get(f"{reverse('agreements:new')}?level={world.level.pk}")
    assert f'value="{world.level.pk}" selected' in page.content.decode()
    assert "考核成本上限 300.00 元/人" in text(page)
    assert "没有已备案的考核费用标准" in text(page)


def test_a_fee_above_the_cap_is_refused_at_the_fee_and_nothing_typed_is_lost(world, client_for):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    cap(world, "300", TODAY)
    page = client_for(world.contact).post(
        reverse("agreements:new"), typed(world, fee="300.01", reference="演示9号")
    )
    assert page.status_code == 422
    [refusal] = page.context["form"].errors["fee"]
    assert "演示文号〔2020〕1号" in refusal
    assert 'value="演示9号"' in page.content.decode()
    assert not Agreement.objects.exists()


def test_all_that_is_wrong_with_an_agreement_is_told_at_once(world, client_for):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    cap(world, "300", TODAY)
    false = SimpleUploadedFile("合作协议.pdf", b"text")
    client, address = client_for(world.contact), reverse("agreements:new")
    wrong = {"fee": "301", "valid_until": "2020-11-17", "files": false}
    page = client.post(address, typed(world, **wrong))
    assert page.context["form"].errors.keys() == {"fee", "valid_until", "files"}
    page = client.post(address, typed(world, **wrong | {"signed_on": "", "certificate_level": ""}))
    told = page.context["form"].errors
    assert told.keys() == {"certificate_level", "signed_on", "valid_until", "files"}
    assert not Agreement.objects.exists()


def test_without_its_file_it_is_refused_with_the_clause(world, client_for):
    page = client_for(world.contact).post(reverse("agreements:new"), typed(world, files=""))
    assert page.status_code == 422
    assert "签署试点合作协议前，不得开展试点（鄂教职成办函〔2021〕7号 三.6）" in text(page)


def test_renewing_takes_over_all_but_days_number_and_file(world, client_for):
    old = register(world, others=[world.other_school], reference="旧1号")
    agreements.confirm(old, by=world.other_contact, at=clock.now())
    page = client_for(world.contact).get(f"{reverse('agreements:new')}?renew={old.pk}")
    form = page.context["form"]
    assert form["fee"].value() == 200
    assert form["others"].value() == [world.other_school.pk]
    assert form["reference"].value() is None
    stranger = world.add_school("外校")
    outsider = world.add_user("school_contact", stranger.organization, "outsider")
    assert client_for(outsider).get(f"{reverse('agreements:new')}?renew={old.pk}").status_code == 404


# --- The steps


def test_the_invited_school_confirms_from_the_page(world, client_for):
    agreement = register(world, others=[world.other_school])
    client = client_for(world.other_contact)
    address = reverse("agreements:detail", args=[agreement.pk])
    assert client.get(reverse("agreements:list")).context["awaiting"] == 1
    assert [offer["row"].label for offer in client.get(address).context["offers"]] == [
        "确认共同签署",
        "答复不参加",
    ]
    assert client.post(reverse("agreements:confirm", args=[agreement.pk])).headers["Location"] == address
    assert AgreementParty.objects.bound(TODAY).count() == 2
    assert "已确认" in text(client.get(address))
    assert client.get(reverse("agreements:list")).context["awaiting"] == 0


def test_ending_says_what_is_left_without_an_agreement(world, agreement, client_for):
    client = client_for(world.contact)
    address = reverse("agreements:end", args=[agreement.pk])
    assert "这些试点项目将没有生效的协议" in text(client.get(address))
    assert client.post(address, {"ended_on": "2020-11-18", "reason": "高收费"}).status_code == 422
    sent = client.post(address, {"ended_on": "2020-11-18", "reason": "高收费", "files": paper()})
    assert sent.status_code == 302
    page = client.get(sent.headers["Location"])
    assert "起终止：高收费" in text(page)
    assert page.context["offers"] == []
    again = client.get(address)
    assert "已于2020年11月18日终止" in text(again)
    assert "<textarea" not in again.content.decode()


def test_a_step_that_does_not_fit_says_why(world, agreement, client_for):
    response = client_for(world.contact).post(reverse("agreements:confirm", args=[agreement.pk]), follow=True)
    assert response.status_code == 200, "one's own yes stands already"
    world.at("2021-11-19T10:00:00+08:00")
    page = client_for(world.contact).get(reverse("agreements:detail", args=[agreement.pk]))
    assert "已于2021年11月18日到期" in text(page)


# --- The lists


def test_states_and_filters(world, client_for):
    CertificateLevel.objects.filter(pk=world.level.pk).update(exam_form="computer")
    world.level.refresh_from_db()
    long = register(world)
    limit = cap(world, "300", TODAY)
    short = register(world, valid_until=TODAY + 60 * ONE)
    joint = register(world, others=[world.other_school], reference="联合1号")
    mistaken = register(world, fee=Decimal(1))
    agreements.void(mistaken, reason="写错了", by=world.contact, at=clock.now())
    client = client_for(world.office)

    def found(**query):
        page = client.get(reverse("agreements:list"), query)
        return {row.record.pk for row in page.context["table"].rows}

    assert found(state="valid") == {long.pk}
    assert found(state="expiring") == {short.pk} == {a.pk for a in lists.expiring(world.office, TODAY)}
    assert found(state="unconfirmed") == {joint.pk}
    assert found(state="voided") == {mistaken.pk}
    assert found(q="联合1号") == {joint.pk}
    assert found(q="长治演示") == {joint.pk}
    assert found(city=world.other_city.pk) == {joint.pk}
    assert found(cap="unset") == {long.pk}
    assert short.cap == limit
    assert found(certificate=world.certificate.pk, evaluator=world.evaluator_org.pk) == {
        long.pk,
        short.pk,
        joint.pk,
        mistaken.pk,
    }
    assert found(q="没有这样的") == set()
    assert client.post(reverse("agreements:list")).headers["Content-Type"].startswith("application/vnd")


def test_expiring_begins_sixty_days_before_and_ends_with_the_last_day(world):
    last = TODAY + 100 * ONE
    register(world, valid_until=last)
    counts = [
        lists.expiring(world.office, day).count()
        for day in (last - 61 * ONE, last - 60 * ONE, last, last + ONE)
    ]
    assert counts == [0, 1, 1, 0]


def test_missing_lists_those_never_registered_expired_ended_and_invited_each_in_scope(world, client_for):
    third = world.add_school("第三演示学校")
    person = world.add_user("school_contact", third.organization, "third")
    register(world, valid_until=TODAY + ONE, others=[world.other_school])
    ended = register(world, by=person)
    agreements.end(ended, ended_on=TODAY, reason="高收费", files=[paper()], by=person, at=clock.now())
    world.at("2020-11-20T10:00:00+08:00")

    def rows(user):
        page = client_for(user).get(reverse("agreements:missing"))
        return {str(row.record.school): row.get_cell_value("why") for row in page.context["table"].rows}

    everywhere = {
        "太原演示职业学校": "协议已于 2020-11-19 到期",
        "长治演示职业学校": "已由其他院校登记，待学校确认",
        "第三演示学校": "协议已于 2020-11-18 终止",
    }
    assert rows(world.office) == rows(world.evaluator_officer) == everywhere
    shown = client_for(world.office).get(reverse("agreements:missing")).content.decode()
    assert "协议已于 2020年11月19日 到期" in shown
    assert "协议已于 2020年11月18日 终止" in shown
    assert set(rows(world.city_officer)) == {"太原演示职业学校", "第三演示学校"}
    assert set(rows(world.contact)) == {"太原演示职业学校"}
    assert lists.missing(world.leader, clock.today()).count() == 1
    bare = world.add_school("从未登记学校")
    assert rows(world.office)[str(bare)] == "没有登记过协议"
    page = client_for(world.contact).get(reverse("agreements:missing")).content.decode()
    assert f"level={world.level.pk}" in page
    page = client_for(world.office).get(reverse("agreements:missing")).content.decode()
    assert "登记协议" not in page


def test_lists_ask_as_often_for_three_as_for_one(world, client_for):
    client = client_for(world.office)
    register(world, others=[world.other_school])
    for name in ("agreements:list", "agreements:missing"):
        client.get(reverse(name))
    counts = {}
    for rows in (1, 3):
        if rows == 3:
            for n in range(2):
                school = world.add_school(f"更多演示学校{n}")
                person = world.add_user("school_contact", school.organization, f"more{n}")
                register(world, by=person, fee=Decimal(n))
                certificate = Certificate.objects.create(name=f"证书{n}", owner=world.evaluator_org)
                level = CertificateLevel.objects.create(certificate=certificate, level=1)
                world.add_programme(school, level)
        for name in ("agreements:list", "agreements:missing"):
            with CaptureQueriesContext(connection) as asked:
                page = client.get(reverse(name))
            assert page.context["count"] == rows
            counts.setdefault(name, set()).add(len(asked))
    assert all(len(numbers) == 1 and max(numbers) <= 20 for numbers in counts.values()), counts


def test_one_agreement_asks_little(world, client_for, django_assert_max_num_queries):
    agreement = register(
        world, others=[world.other_school, *(world.add_school(f"联合{i}") for i in range(4))]
    )
    client = client_for(world.contact)
    with django_assert_max_num_queries(20):
        client.get(reverse("agreements:detail", args=[agreement.pk]))


def test_a_refused_form_asks_for_its_files_again(world, client_for):
    page = client_for(world.contact).post(reverse("agreements:new"), typed(world, fee=""))
    assert page.context["form"].errors.keys() == {"fee"}
    assert "选过的文件没有保留，请重新选择" in text(page)


def test_the_export_names_every_school_and_the_number_of_the_agreement(world, client_for):
    register(world, others=[world.other_school], reference="演示7号")
    sent = client_for(world.office).post(reverse("agreements:list"))
    [sheet] = load_workbook(BytesIO(sent.content)).worksheets[:1]
    cells = {str(value) for row in sheet.iter_rows(values_only=True) for value in row}
    assert {"演示7号", "太原演示职业学校、长治演示职业学校（待确认）", "待确认"} <= cells


def test_its_school_adds_a_file_later_and_nobody_else(world, client_for):
    agreement = agreement_for(
        world.level, world.school, world.other_school, with_file=False, registered_by=world.contact
    )
    address = reverse("agreements:add", args=[agreement.pk])
    client = client_for(world.contact)
    assert address in client.get(reverse("agreements:detail", args=[agreement.pk])).content.decode()
    assert client.post(address, {}).status_code == 422
    assert client.post(address, {"files": paper()}).status_code == 302
    assert [file.name for file in Attachment.objects.of(agreement)] == ["合作协议.pdf"]
    for user in (world.other_contact, world.office, world.leader):
        refused = client_for(user).post(address, {"files": paper()})
        assert refused.status_code == 403
        assert "由登记这份协议的院校联系人补充文件" in refused.content.decode()
    Agreement.objects.filter(pk=agreement.pk).update(
        ended_on=clock.today(), ended_by=world.office, end_reason="停止"
    )
    assert client.post(address, {"files": paper()}).status_code == 422
    assert Attachment.objects.of(agreement).count() == 1
