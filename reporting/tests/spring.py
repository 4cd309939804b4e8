"""Those who apply in Hubei's round of spring 2021, and what they have filled in."""

from core import clock
from schools.models import School
from schools.services import applications, filling_in
from schools.tests.applying import add_plan, filled
from schools.tests.reviewing import new_level


def four(world):
    """A college of the province, a secondary school, one that comes late, one that never hands in."""
    world.college = world.add_school("山西演示职业学院", bureau=world.province)
    School.objects.filter(pk=world.college.pk).update(kind=School.Kind.HIGHER_VOCATIONAL)
    world.college.refresh_from_db()
    world.silent = world.add_school("太原演示第二职业学校")
    world.level = new_level(world)
    world.college_contact = world.add_user("school_contact", world.college.organization, "college")
    world.silent_contact = world.add_user("school_contact", world.silent.organization, "silent")
    world.people = {
        world.college: world.college_contact,
        world.school: world.contact,
        world.other_school: world.other_contact,
        world.silent: world.silent_contact,
    }


def begin(world, round, school):
    """The school's application with one complete draft."""
    facts = {"by": world.people[school], "at": clock.now()}
    application = applications.start_application(round=round, school=school, **facts)
    [item] = applications.add_items(application=application, levels=[world.level], **facts)
    filling_in.save_item_draft(item=item, typed=filled(item), revision=0, **facts)
    add_plan(item)
    return application
