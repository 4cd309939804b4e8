"""The demonstration's special fund: some schools' money of one invented document, most of it arrived."""

import datetime as dt
from decimal import Decimal

from funding import services
from reporting.demo.province import DemoProvince

DOCUMENT = "演示财教〔2020〕1号"
YUAN_PER_HEAD = 200


def allocate(province: DemoProvince, *, now: dt.datetime, most: int = 40) -> None:
    """So much a planned candidate for the first `most` schools that plan; every fifth still waits."""
    finance = province.users["finance"]
    decided = now - dt.timedelta(days=120)
    planning = [s for s in province.schools if any(now.year in p.plans for p in s.programmes)][:most]
    for n, school in enumerate(planning):
        heads = sum(p.plans.get(now.year, 0) for p in school.programmes)
        allocation = services.allocate(
            fields={
                "organization": school.organization,
                "year": now.year,
                "source": "province",
                "document": DOCUMENT,
                "amount": Decimal(heads * YUAN_PER_HEAD),
                "allocated_on": decided.date(),
            },
            by=finance,
            at=decided,
        )
        if n % 5:
            arrived = decided + dt.timedelta(days=10 + n)
            services.note_arrival(allocation, arrived_on=arrived.date(), by=school.contact, at=arrived)
