"""The Celery application; its beat entries are static crontabs in the province's time zone."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pilot_portal.settings")

app = Celery("pilot_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Any number of beats do no harm: each task claims its (task, slot) row before it works.
app.conf.beat_schedule = {
    "sweep": {"task": "reporting.tasks.sweep", "schedule": crontab(), "options": {"queue": "deadlines"}},
    "lapse-applications": {
        "task": "schools.tasks.lapse_applications",
        "schedule": crontab(),
        "options": {"queue": "deadlines"},
    },
    "owe-renewals": {
        "task": "schools.tasks.owe_renewals",
        "schedule": crontab(minute=7),
        "options": {"queue": "deadlines"},
    },
    "owe-evaluator-filings": {
        "task": "evaluators.tasks.owe_filings",
        "schedule": crontab(minute=12),
        "options": {"queue": "deadlines"},
    },
    "remind-experts": {
        "task": "schools.tasks.remind_experts",
        "schedule": crontab(minute="*/10"),
        "options": {"queue": "notices"},
    },
    "deliver-notices": {
        "task": "core.tasks.deliver_notices",
        "schedule": crontab(),
        "options": {"queue": "notices"},
    },
    "resume-jobs": {
        "task": "core.tasks.resume_jobs",
        "schedule": crontab(minute="*/2"),
        "options": {"queue": "imports"},
    },
    "clear-sessions": {
        "task": "core.tasks.clear_sessions",
        "schedule": crontab(hour=3, minute=40),
        "options": {"queue": "notices"},
    },
    "clear-files": {
        "task": "core.tasks.clear_files",
        "schedule": crontab(hour=3, minute=50),
        "options": {"queue": "imports"},
    },
}
