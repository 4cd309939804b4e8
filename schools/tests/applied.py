"""An application of the world's school for the tests that walk every address."""

from core import clock
from schools.models import ApplicationItem
from schools.services import applications as services
from schools.tests.applying import complete
from schools.tests.builders import make_round

OF_A_ROUND = {"applications:majors", "applications:start"}
NOT_OF_A_SCHOOL = OF_A_ROUND | {"reviews:decisions"}


def addresses(world):
    """URL name → the values of its address: one item was handed in, one is still a draft."""
    application = services.start_application(
        round=make_round(year=2021), school=world.school, by=world.contact, at=clock.now()
    )
    [item] = services.add_items(
        application=application, levels=[world.level], by=world.contact, at=clock.now()
    )
    complete(ApplicationItem.objects.get(pk=item.pk))
    token = services.token_of(services.waiting_items(application, clock.now()))
    version = services.submit_application(
        application=application, token=token, by=world.contact, at=clock.now()
    )
    of_item = ("item", "draft", "files", "remove", "withdraw")
    of_all = ("detail", "add", "add-running", "check", "print")
    return {
        **{f"applications:{name}": {"pk": item.pk} for name in of_item},
        **{f"applications:{name}": {"pk": application.pk} for name in of_all},
        **{f"applications:{name}": {"receipt": version.receipt} for name in ("receipt", "version")},
        **{name: {"round": application.round_id} for name in OF_A_ROUND},
        "reviews:item": item.pk,
        "reviews:application": application.pk,
        "reviews:decisions": application.round_id,
    }
