"""Import files one by one, each in a process of its own that starts small.

Reads lines of JSON, [path, folder]; answers [what came of it, CPU seconds, MB on top].
"""

import json
import multiprocessing
import resource
import sys
from multiprocessing.connection import Connection

from expertise.errors import FileError
from expertise.narratives.importing import import_texts


def used() -> tuple[float, int, int]:
    own, helpers = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(one.ru_utime + one.ru_stime for one in (own, helpers))
    return seconds, own.ru_maxrss, helpers.ru_maxrss


def work(path: str, folder: str, sender: Connection) -> None:
    began, own, _ = used()
    try:
        came = f"{len(import_texts([path], folder).entries)} texts"
    except FileError as error:
        came = str(error)
    ended, peak, helpers = used()
    # What a helper process inherits at its start counts as its own peak.
    sender.send((came, ended - began, (max(peak, helpers) - own) / 1000))


if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    for line in sys.stdin:
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=work, args=(*json.loads(line), sender))
        process.start()
        print(json.dumps(receiver.recv()), flush=True)
        process.join()
