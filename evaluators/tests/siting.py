"""Exam sites for the tests: conditions, applications, filed sites, schools in other cities."""

from core import clock
from evaluators.models import ExamSite, SiteCondition
from evaluators.services import site_conditions, sites

TEXT = "机房不少于两间\n监控覆盖全部考位"


def condition(world, certificate=None, text=TEXT, minimum_places=20):
    certificate = certificate or world.certificate
    return site_conditions.publish_condition(
        certificate, text=text, minimum_places=minimum_places, by=world.evaluator_officer, at=clock.now()
    )


def fields(**changes):
    return {
        "name": "太原演示考点",
        "county": None,
        "address": "演示路1号",
        "places": 40,
        "equipment": "机房三间",
        "latitude": None,
        "longitude": None,
        "statements": ["有三间", "已覆盖"],
        **changes,
    }


def applied(world, by=None, files=(), **changes):
    against = SiteCondition.objects.filter(certificate=world.certificate).first() or condition(world)
    return sites.apply(
        world.certificate,
        fields=fields(**changes),
        condition=against,
        files=files,
        by=by or world.contact,
        at=clock.now(),
    )


def agreed(world, **given):
    return sites.agree(applied(world, **given), by=world.evaluator_officer, at=clock.now())


def filed(world, **given):
    return sites.file(agreed(world, **given), by=world.office, at=clock.now())


def standing(world, school=None, certificate=None, **values):
    """A filed site as a row, for what only counts."""
    school = school or world.school
    return ExamSite.objects.create(
        **{
            "certificate": certificate or world.certificate,
            "school": school,
            "name": f"{school} 考点",
            "city": school.organization.city,
            "address": "演示路",
            "places": 40,
            "equipment": "机房",
            "state": "filed",
            "applied_by": world.contact,
            "applied_at": clock.now(),
            "filed_at": clock.now(),
            **values,
        }
    )


def addresses(world):
    """URL name → values for the walk as every role, of a site that is not public yet."""
    site = applied(world)
    return {
        "sites:detail": site.pk,
        "sites:edit": site.pk,
        "sites:act": {"pk": site.pk, "action": "agree"},
        "sites:condition": site.condition_id,
        "sites:apply": world.certificate.pk,
    }


PUBLIC = {"sites:public"}
# Published, or of no school.
NOT_OF_A_SCHOOL = {"sites:condition", "sites:apply"}
