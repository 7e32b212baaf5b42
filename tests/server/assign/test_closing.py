"""The assignment paths let go of what they hold."""

import threading

from nouns import catalog, experiment, iteration
from server.assign.asking import Paths


def test_the_threads_of_batches_end_with_the_paths() -> None:
    """A soak test that made paths and never closed them had 11,000 threads, and then a 500."""
    before = threading.active_count()
    paths = Paths(catalog(experiment("e", iteration())))
    assert paths.ask("POST", "/v1/assign/batch", {"units": ["u"]}).status == 200
    assert threading.active_count() > before
    paths.close()
    assert threading.active_count() == before
