"""`python -m benchmarks [name …]`: measures in a database of its own, which is dropped again."""

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2  # type: ignore[import-untyped]

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"
# Those that follow each other here share one province.
BENCHMARKS = {
    "sweep": "a week's close at 10,000 schools",
    "home": "the office's home against a view that answers ok",
    "matrix": "2,000 schools × 52 weeks",
    "scope": "a city's pages against the office's",
    "queue": "the review queue of 2,000 schools × 6 items",
    "coverage": "500 certificates × 17 cities × 2,000 schools",
    "deadline": "2,000 schools file in the last ten minutes while 50 officers browse",
}


@contextmanager
def database(url: str) -> Iterator[str]:
    """A new database beside the one that `url` names; gone afterwards."""
    server, _, _ = url.rpartition("/")
    name = f"portal_benchmark_{os.getpid()}"
    admin = psycopg2.connect(url)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield f"{server}/{name}"
    finally:
        with admin.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        admin.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure what README.md claims.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; default: all")
    asked = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(asked) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    url = os.environ.get("DATABASE_URL") or SERVER
    if not url.startswith("postgres"):
        parser.error("PostgreSQL is needed: DATABASE_URL=postgres://…")
    holds = [_run_alone(name, url) for name in asked]
    return 0 if all(holds) else 1


def _run_alone(name: str, url: str) -> bool:
    """In a process and a database of its own, so that none finds what another left."""
    print(f"\n{name}: {BENCHMARKS[name]}", flush=True)
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    with tempfile.TemporaryDirectory() as folder, database(url) as own:
        os.environ |= {
            "DATABASE_URL": own,
            "DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
        }
        status = _measure(name)
    os._exit(status)


def _measure(name: str) -> int:
    import django
    from django.core.management import call_command
    from django.db import connections

    start = time.monotonic()
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from benchmarks.measure import report

    claims = importlib.import_module(f"benchmarks.{name}").run()
    connections.close_all()
    report(claims, say=lambda text: print(text, flush=True))
    print(f"({time.monotonic() - start:.0f} s)")
    sys.stdout.flush()
    return 0 if all(claim.holds for claim in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
