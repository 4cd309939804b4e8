"""Profiles of the colleges in the reference files."""

from accounts.models import Organization
from core.reference import Counts, Row, take
from schools.models import School

# A university (本科) is not by its level an applied one: it gets a profile when somebody knows.
KINDS = {
    "高职专科": School.Kind.HIGHER_VOCATIONAL,
    "职业本科": School.Kind.VOCATIONAL_BACHELOR,
    "本科": None,
}


def load_profiles(colleges: dict[str, Row]) -> dict[str, Counts]:
    """`colleges` as `accounts.reference.load_colleges` gives them: rows by organisation code."""
    organizations = dict(Organization.objects.schools().filter(code__in=colleges).values_list("code", "pk"))
    wanted = [
        (row, {"organization_id": organizations[code], "kind": kind})
        for code, row in colleges.items()
        if (kind := row.choice("level", KINDS))
    ]
    counts, _ = take(School.objects.all(), wanted, key=("organization_id",))
    return {"院校档案": counts}
