"""Profiles of the owners of certificates in the reference files."""

from collections.abc import Iterable

from accounts.models import Organization
from core.reference import Counts
from evaluators.models import Evaluator


def load_profiles(organizations: Iterable[Organization]) -> dict[str, Counts]:
    """A profile for each organisation that has none."""
    wanted = {organization.pk for organization in organizations}
    known = set(Evaluator.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    Evaluator.objects.bulk_create(Evaluator(organization_id=pk) for pk in sorted(wanted - known))
    return {"评价组织档案": Counts(created=len(wanted - known), unchanged=len(known))}
