"""The embedded mode's queue: files in a folder, each of which appears whole or not at all.

kombu's own file transport opens a message's file under its final name and writes it afterwards; a
worker that looks in between reads an empty message and dies. Here the file is written aside and renamed.
"""

import os
import time
import uuid
from typing import Any

from kombu.transport import filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


def write_whole(path: str, content: bytes) -> None:
    """Bring `content` under `path` in one step; readers of the folder pass over the name it has before."""
    aside = f"{path}.{uuid.uuid4().hex}.part"
    with open(aside, "wb") as file:
        file.write(content)
    os.replace(aside, path)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # two bases differ
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        write_whole(os.path.join(self.data_folder_out, name), str_to_bytes(dumps(payload)))

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        file = self._exchange_file(exchange)  # type: ignore[attr-defined]  # the stubs leave it out
        bound = [tuple(row) for row in self.get_table(exchange)]
        row = (routing_key or "", pattern or "", queue or "")
        if row not in bound:
            self.control_folder.mkdir(exist_ok=True)
            write_whole(str(file), str_to_bytes(dumps([row, *bound])))


class Transport(filesystem.Transport):
    Channel = Channel
    driver_type = driver_name = "files"
