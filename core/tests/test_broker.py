"""The queue of files: every message arrives whole, whoever looks and whenever."""

import threading

import pytest
from kombu import Connection


@pytest.fixture
def connect(tmp_path):
    for name in ("queue", "done", "control"):
        (tmp_path / name).mkdir()
    options = {
        "data_folder_in": str(tmp_path / "queue"),
        "data_folder_out": str(tmp_path / "queue"),
        "processed_folder": str(tmp_path / "done"),
        "control_folder": str(tmp_path / "control"),
        "store_processed": True,
    }
    return lambda: Connection("localhost", transport="core.broker.Transport", transport_options=options)


def test_what_is_put_by_two_is_read_whole_by_two(connect):
    """Readers race the writers from before the first message to after the last."""
    written, read, faults = 300, [], []
    over = threading.Event()

    def write(who):
        try:
            with connect() as connection, connection.SimpleQueue("deadlines") as queue:
                for number in range(written):
                    queue.put({"who": who, "number": number})
        except BaseException as fault:
            faults.append(fault)

    def look():
        try:
            with connect() as connection, connection.SimpleQueue("deadlines") as queue:
                while True:
                    done = over.is_set()
                    try:
                        message = queue.get_nowait()
                    except queue.Empty:
                        if done:
                            return
                        continue
                    read.append((message.payload["who"], message.payload["number"]))
                    message.ack()
        except BaseException as fault:
            faults.append(fault)

    # Threads share what kombu remembers of bindings; processes, as in earnest, each bind for themselves.
    with connect() as connection, connection.SimpleQueue("deadlines"):
        pass
    readers = [threading.Thread(target=look) for _ in range(2)]
    writers = [threading.Thread(target=write, args=(who,)) for who in "ab"]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    over.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert sorted(read) == [(who, number) for who in "ab" for number in range(written)]


def test_a_queue_that_is_bound_twice_is_in_the_table_once(connect):
    for _ in range(2):
        with connect() as connection, connection.SimpleQueue("notices") as queue:
            queue.put({})
    with connect() as connection:
        table = connection.channel().get_table("notices")
    assert len(table) == 1
