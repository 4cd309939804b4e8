"""Saving what a constraint of the database may refuse because somebody else was a moment earlier."""

from django.db import IntegrityError, models, transaction


def save_valid(record: models.Model) -> None:
    """Check and save; who loses a race is refused in the model's own words, like who comes later.

    Call it within a transaction. Raises ValidationError.
    """
    record.full_clean()
    try:
        with transaction.atomic():
            record.save()
    except IntegrityError:
        # The database answers only when the winner's row is there to be seen.
        record.full_clean()
        raise
