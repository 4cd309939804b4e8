"""Doing things at once, each on its own connection."""

import threading

from django.db import connections


def together(*jobs):
    """Run the jobs at once, each on its own connection; their results in order, exceptions raised."""
    gate, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(index, job):
        try:
            gate.wait(timeout=20)
            results[index] = job()
        except BaseException as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(i, job)) for i, job in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
