"""The national platform's list: what it covers, and what follows from it here.

One filing, not two: the national platform is the legal channel, so that what its list shows as filed
counts here, with its source.
"""

from django.db.models import F

from obligations.models import Period


def covered(period_ids: set[int]) -> set[int]:
    """Those of the periods of which a list was imported that was taken after they had closed.

    Only such a list can show that somebody filed nothing: a school could still file after an earlier one.
    """
    listed = Period.objects.filter(
        pk__in=period_ids,
        platform_imports__undone_at=None,
        platform_imports__listed_at__gte=F("closes_at"),
    )
    return set(listed.values_list("pk", flat=True))
