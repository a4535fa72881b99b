"""
The floor of a worker: a bare loop that makes the same HTTP calls and the same number of commits, and nothing else.

    python -m bench.bare FILE THREADS DATABASE

FILE is a JSON list of changes, each a list of calls `[method, url, headers, body]`; each commit is an update of one
small row. One process, so many threads, one httpx client, one connection a thread. Prints seconds and processor time.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg


def main(file: str, threads: str, url: str, commits: str) -> None:
    """Make all of it, as fast as it goes."""
    work: queue.SimpleQueue[Any] = queue.SimpleQueue()
    changes = json.loads(Path(file).read_text())
    for number, change in enumerate(changes):
        work.put((number, change))
    each = int(commits)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bare (id bigint PRIMARY KEY, at timestamptz)")
        connection.execute("TRUNCATE bare")
    client = httpx.Client(limits=httpx.Limits(max_connections=64, max_keepalive_connections=16), trust_env=False)
    running = [threading.Thread(target=_work, args=(work, client, url, each)) for _ in range(int(threads))]
    begun = time.monotonic()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    took = time.monotonic() - begun
    print(json.dumps({"seconds": took, "changes": len(changes), "cpu": time.process_time()}))


def _work(work: queue.SimpleQueue[Any], client: httpx.Client, url: str, commits: int) -> None:
    with psycopg.connect(url) as connection:
        while True:
            try:
                number, calls = work.get_nowait()
            except queue.Empty:
                return
            left = commits
            for method, address, headers, body in calls:
                client.request(method, address, headers=headers, content=body.encode()).read()
                if left:
                    left -= 1
                    _commit(connection, number)
            for _ in range(left):
                _commit(connection, number)


def _commit(connection: psycopg.Connection[Any], number: int) -> None:
    connection.execute("INSERT INTO bare VALUES (%s, now()) ON CONFLICT (id) DO UPDATE SET at = excluded.at", (number,))
    connection.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
