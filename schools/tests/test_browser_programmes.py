"""The list of programmes in a real browser."""

import pytest

from accounts.models import Organization
from certificates.models import Certificate
from schools.tests.test_platform_approvals import row, take_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_list_shows_its_last_column_whole(world, live_server, visit):
    take_in(world, row(world))
    Organization.objects.filter(pk=world.school_org.pk).update(name="太原演示职业技术学院附属中等专业学校")
    Certificate.objects.filter(pk=world.certificate.pk).update(name="网络系统建设与运维职业技能等级证书")
    page = visit(world.office, (1440, 900))
    page.goto(f"{live_server.url}/programmes/")
    wide, room = page.evaluate(
        "(() => { const t = document.querySelector('table'); "
        "return [t.scrollWidth, t.parentElement.clientWidth] })()"
    )
    assert page.locator("td:has-text('2020年11月10日数据')").first.is_visible()
    assert wide <= room
