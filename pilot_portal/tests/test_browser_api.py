"""The API's page under the strict content policy, and a token made, tried and revoked in a browser."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_token_is_made_tried_on_the_docs_page_and_revoked(world, live_server, visit):
    page = visit(world.contact)
    page.goto(f"{live_server.url}/accounts/{world.contact.pk}/")
    page.get_by_role("link", name="接口令牌").click()
    page.get_by_role("link", name="生成令牌").first.click()
    page.get_by_label("名称").fill("教务系统")
    page.get_by_label("查看报送周期（read:periods）").check()
    page.get_by_label("提交周报（write:reports）").check()
    page.get_by_role("button", name="生成令牌").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_role("link", name="已保存，继续").click()
    page.get_by_role("link", name="接口说明").click()
    page.get_by_role("button", name="Authorize").click()
    page.get_by_label("Value").fill(secret)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    operation = page.locator("#operations-periods-periods_list")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.get_by_text("2020-W47").first.wait_for()
    page.get_by_role("link", name="接口令牌").click()
    page.get_by_role("link", name="撤销").click()
    page.get_by_role("button", name="撤销").click()
    page.get_by_text("已撤销", exact=True).wait_for()
