"""What an application item needs, each rule with its clause: asked by the form at every moment, by the
submission, and once more by the approval."""

import datetime as dt

from schools.models import ApplicationItem, Closings


def closings(item: ApplicationItem) -> Closings:
    """When the steps close for the item's school, with its extensions."""
    return item.application.round.closings_of(item.application.school_id)


def deadline(item: ApplicationItem) -> dt.datetime:
    """Until when (half-open) the school may submit it: a returned one until the step that returned it closes."""
    closing = closings(item)
    if item.state != ApplicationItem.State.RETURNED:
        return closing.school
    return closing.city if item.returned_from == ApplicationItem.State.SUBMITTED else closing.province


def missing(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """Why it cannot be submitted now; [] when it can."""
    return obstacles(item, at)


def obstacles(item: ApplicationItem, at: dt.datetime) -> list[str]:
    """What the submitted facts lack; [] when nothing."""
    return []
