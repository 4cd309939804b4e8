"""Workbooks of the national platform's list for the tests."""

import io

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from core import clock
from core.imports import services as imports
from obligations.resources import PlatformListResource

KIND = "obligations.platform"
HEADINGS = [column.shown_heading for column in PlatformListResource.columns()]


def workbook(*rows):
    """Rows as (code, name, week, time)."""
    book = Workbook()
    book.active.title = PlatformListResource.sheet
    book.active.append(HEADINGS)
    for row in rows:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def said(*periods, listed_at=None):
    at = listed_at or clock.now()
    return {"periods": [period.pk for period in periods], "listed_at": at.isoformat()}


def check(by, *rows, periods, listed_at=None):
    """The dry run's outcome."""
    sheet = PlatformListResource(by=by, at=clock.now(), said=said(*periods, listed_at=listed_at))
    return sheet.check(workbook(*rows), "名单.xlsx")


def take_in(by, *rows, periods, listed_at=None):
    """Upload, check, apply; the job as it then stands."""
    job = imports.start(
        kind=KIND,
        upload=SimpleUploadedFile("名单.xlsx", workbook(*rows)),
        by=by,
        at=clock.now(),
        said=said(*periods, listed_at=listed_at),
    )
    job.refresh_from_db()
    imports.apply(job=job)
    job.refresh_from_db()
    return job


def row(school, week="2020年第47周", at="2020-11-19 17:30"):
    return (school.organization.code, school.organization.name, week, at)
