"""The faults: what is killed, emptied or taken away, and how long the system then takes to go on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import redis

from tests.faults.system import PROMISE, System, wait_until

#: Seconds that the bucket is away.
AWAY = 6.0


@dataclass(frozen=True)
class Fault:
    """One that was made: how many units it may have cost, and the seconds until work was seen to go on."""

    kind: str
    moment: float
    hit: int
    recovery: float


def kill(pid: int | None) -> None:
    """kill -9; nothing where there is no such process."""
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def horse(system: System, dice: random.Random) -> int:
    """Kill a process that computes, at a unit where there is one; not where it would be that unit's third time."""
    horses = system.horses()
    twice = {unit["pid"] for unit in system.held() if unit["failures"] >= 2}
    busy = [unit["pid"] for unit in system.held() if unit["pid"] in horses and unit["pid"] not in twice]
    choice = busy or sorted(set(horses) - twice)
    if choice:
        kill(horses[dice.choice(choice)])
    return len(busy[:1])


def worker(system: System, dice: random.Random) -> int:
    workers = system.workers()
    if workers:
        kill(dice.choice(workers))
    return len(workers[:1])


def web(system: System, dice: random.Random) -> int:
    kill(system.children().get("web"))
    return 0


def scheduler(system: System, dice: random.Random) -> int:
    kill(system.children().get("scheduler"))
    return 0


def postgres(system: System, dice: random.Random) -> int:
    kill(system.servers()["postgres"])
    return 0


def valkey(system: System, dice: random.Random) -> int:
    kill(system.servers()["valkey"])
    return 0


def flush(system: System, dice: random.Random) -> int:
    """Everything in the queue is forgotten."""
    with suppress(redis.RedisError):
        redis.Redis(unix_socket_path=str(system.data.valkey_socket)).flushall()
    return 0


def servers(system: System, dice: random.Random) -> int:
    """Postgres and Valkey at once, with whoever would start them again."""
    kill(system.servers()["supervisor"])
    return 0


def bucket(system: System, dice: random.Random) -> int:
    system.bucket.kill()
    system.bucket.start()
    return 0


def bucket_away(system: System, dice: random.Random) -> int:
    """The bucket does not answer, or refuses connections, for a while."""
    if dice.random() < 0.5:
        system.bucket.freeze()
        time.sleep(AWAY)
        system.bucket.thaw()
    else:
        system.bucket.kill()
        time.sleep(AWAY)
        system.bucket.start()
    return 0


KINDS: dict[str, Callable[[System, random.Random], int]] = {
    "horse": horse,
    "worker": worker,
    "web": web,
    "scheduler": scheduler,
    "postgres": postgres,
    "valkey": valkey,
    "flush": flush,
    "servers": servers,
    "bucket": bucket,
    "bucket_away": bucket_away,
}


def strike(system: System, kind: str, dice: random.Random) -> Fault:
    """Make a fault and wait until the work goes on, which it must within the promise."""
    moment = time.time()
    hit = KINDS[kind](system, dice)
    struck = time.monotonic()
    events = system.last_event()

    def goes_on() -> bool:
        return system.last_event() > events or not system.unfinished()

    wait_until(goes_on, PROMISE, f"nothing went on within {PROMISE:.0f} s after {kind}")
    if kind == "web":
        wait_until(system.web_answers, PROMISE, "the site does not come back")
    return Fault(kind, moment, hit, time.monotonic() - struck)
