"""Verbs on schools. Those on rounds, applications, agreements and filings stand in modules of their own."""

from schools.services.programmes import (
    Planned,
    Start,
    end_programme,
    set_annual_plan,
    set_annual_plans,
    start_programme,
    start_programmes,
    tell_courses,
)
from schools.services.schools import (
    FORMER_NAME,
    ORGANIZATION_FIELDS,
    SchoolFacts,
    add_aliases,
    change_schools,
    join_pilot,
    label,
    register_school,
    register_schools,
    word,
)

__all__ = [
    "FORMER_NAME",
    "ORGANIZATION_FIELDS",
    "Planned",
    "SchoolFacts",
    "Start",
    "add_aliases",
    "change_schools",
    "end_programme",
    "join_pilot",
    "label",
    "register_school",
    "register_schools",
    "set_annual_plan",
    "set_annual_plans",
    "start_programme",
    "start_programmes",
    "tell_courses",
    "word",
]
