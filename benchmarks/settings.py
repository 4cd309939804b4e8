"""The portal's settings, with one page more: a view that answers "ok" (see urls)."""

from pilot_portal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
WSGI_APPLICATION = "benchmarks.wsgi.application"
