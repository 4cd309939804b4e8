"""What pages of sites tell each side to do next: after an answer, while waiting, where there is one already."""

from django.urls import reverse

from accounts.models import Organization
from certificates.models import Certificate
from core import clock
from evaluators.models import EvaluatorFiling, ExamSite
from evaluators.services import sites
from evaluators.tests.siting import agreed, applied, filed, standing
from evaluators.tests.test_site_pages import CONDITIONS, LIST, NEAREST, page, text


def refused(world):
    site = applied(world)
    return sites.refuse(site, comment="工位不足", by=world.evaluator_officer, at=clock.now())


def test_a_refused_school_reads_who_and_why_and_applies_anew(world, client_for):
    site, anew = refused(world), reverse("sites:apply", args=[world.certificate.pk])
    client = client_for(world.contact)
    shown = text(client.get(page(site)))
    assert "评价组织不同意设站：工位不足" in shown
    assert anew in shown
    for who in (world.leader, world.office, world.evaluator_officer):
        shown = text(client_for(who).get(page(site)))
        assert "工位不足" in shown
        assert anew not in shown
    later = applied(world)
    shown = text(client.get(page(site)))
    assert page(later) in shown
    assert anew not in shown


def test_a_refused_school_that_may_not_apply_now_reads_why(world, client_for):
    site = refused(world)
    EvaluatorFiling.objects.filter(pk=world.certificate.pk).update(accepted=None, state="submitted")
    assert "现在不能另行申报：" in text(client_for(world.contact).get(page(site)))


def test_the_page_says_whose_answer_it_was(world, client_for):
    site = sites.refuse(agreed(world), comment="布局重复", by=world.office, at=clock.now())
    assert "省推进办不同意设站：布局重复" in text(client_for(world.contact).get(page(site)))
    site = sites.send_back(applied(world), comment="补照片", by=world.evaluator_officer, at=clock.now())
    shown = text(client_for(world.contact).get(page(site)))
    assert "评价组织退回修改：补照片" in shown
    assert "按意见修改后重新申报" in shown
    assert "等学校修改" in text(client_for(world.evaluator_officer).get(page(site)))


def test_a_school_that_waits_is_told_so(world, client_for):
    site, client = applied(world), client_for(world.contact)
    assert "现在不用办理" in text(client.get(page(site)))
    sites.agree(site, by=world.evaluator_officer, at=clock.now())
    assert "等省推进办备案" in text(client.get(page(site)))
    assert "现在不用办理" not in text(client_for(world.office).get(page(site)))


def test_who_has_a_site_is_led_to_it_instead_of_to_the_form(world, client_for):
    site, client = applied(world), client_for(world.contact)
    address = reverse("sites:apply", args=[world.certificate.pk])
    assert client.get(address)["Location"] == page(site)
    for shown in (CONDITIONS, reverse("sites:condition", args=[site.condition_id]), NEAREST):
        found = text(client.get(shown))
        assert page(site) in found, shown
        assert address not in found, shown
    other = text(client_for(world.other_contact).get(CONDITIONS))
    assert address in other


def test_ones_own_application_is_found_where_the_city_has_anothers_site(world, client_for):
    standing(world, world.add_school("太原第三学校"))
    site, apply = applied(world), reverse("sites:apply", args=[world.certificate.pk])
    shown = text(client_for(world.contact).get(NEAREST))
    assert "有考点" in shown
    assert f'<a href="{page(site)}">本校待评价组织同意</a>' in shown
    ExamSite.objects.filter(pk=site.pk).update(state="refused")
    shown = text(client_for(world.contact).get(NEAREST))
    assert page(site) not in shown
    assert apply not in shown


def test_where_no_condition_is_published_the_nearest_page_offers_no_application(world, client_for):
    shown = text(client_for(world.contact).get(NEAREST))
    assert "还没有公布条件" in shown
    assert reverse("sites:apply", args=[world.certificate.pk]) not in shown


def test_ones_own_sites_are_found_among_all(world, client_for):
    mine, others = filed(world), standing(world, world.other_school)
    own = f"{LIST}?whose=own"
    found = text(client_for(world.contact).get(LIST))
    assert "?whose=own" in found
    assert page(others) in found
    for who in (world.contact, world.leader):
        found = text(client_for(who).get(own))
        assert page(mine) in found
        assert page(others) not in found
    foreign = Organization.objects.create(kind="evaluator", name="别家", code="E9")
    far = standing(world, certificate=Certificate.objects.create(name="别家证书", owner=foreign))
    found = text(client_for(world.evaluator_officer).get(own))
    assert page(others) in found
    assert page(far) not in found
    assert "?whose=own" not in text(client_for(world.office).get(LIST))


def test_who_ends_a_site_reads_why_the_school_asks_for_it(world, client_for):
    site = filed(world)
    sites.ask_to_end(site, comment="校舍改造", by=world.contact, at=clock.now())
    assert "校舍改造" in text(client_for(world.office).get(page(site, "end")))


def test_a_request_to_end_and_what_it_would_cost_are_for_the_parties_alone(world, client_for):
    site = filed(world)
    sites.ask_to_end(site, comment="校舍改造", by=world.contact, at=clock.now())
    note = "学校请求撤销"
    for who in (world.contact, world.office, world.city_officer, world.evaluator_officer):
        client = client_for(who)
        assert note in text(client.get(LIST)), who
        assert page(site) in text(client.get(LIST, {"ending": "asked"})), who
        assert "撤销后" in text(client.get(page(site))), who
    for who in (world.other_contact, world.expert, world.other_city_officer):
        client = client_for(who)
        shown = text(client.get(LIST))
        assert page(site) in shown
        assert note not in shown, who
        assert page(site) not in text(client.get(LIST, {"ending": "asked"})), who
        shown = text(client.get(page(site)))
        assert "撤销后" not in shown, who
        assert "校舍改造" not in shown, who
