"""Many writers at one store, each noting what it sends and what was acknowledged.

Started by the tests of faults in a process group of its own, which they kill.
"""

import os
import sys
import time
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from expertise.coding.acts import Act, Record
from expertise.coding.opening import open_store


def made(name):
    """Return the act and the words that belong to a name; a retry makes the same ones."""
    uuid = str(uuid5(NAMESPACE_OID, name))
    act = Act(uuid=uuid, kind="applied", coder=name.split("-")[0], round="alone", document="d1",
              sha256="0" * 64, start=0, end=4, code="hoop")  # fmt: skip
    return act, Record(kind="quote", key=uuid, body=name, document="d1", coder=act.coder)


def write(url, folder, writer):
    """Send acts for as long as the group lives; first what was sent and not acknowledged."""
    sent, kept = (Path(folder) / f"{writer}.{what}" for what in ("sent", "kept"))
    before = [path.read_text().split() if path.exists() else [] for path in (sent, kept)]
    ahead = [name for name in before[0] if name not in before[1]]
    number = len(before[0])
    store, parent = open_store(url), os.getppid()
    with sent.open("a") as sending, kept.open("a") as keeping:
        while os.getppid() == parent:
            if not ahead:
                ahead = [f"c{writer}-{number}"]
                number += 1
                print(ahead[0], file=sending, flush=True)
            act, words = made(ahead[0])
            store.append(act, records={act.uuid: words})
            print(ahead.pop(0), file=keeping, flush=True)


def main(url, folder, count):
    parent = os.getppid()
    for writer in range(int(count)):
        if os.fork() == 0:
            try:
                write(url, folder, writer)
            finally:
                os._exit(1)
    print("ready", flush=True)
    while os.getppid() == parent:  # who stops the test stops the writers too
        time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
