"""Which children an installation has on one machine, and how each is started."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT
from mediaproc.up.child import Spec
from mediaproc.up.health import HealthProbe

# who still takes requests ends first, then who works on them, then what both stand on
_WEB, _WORKER, _SCHEDULER, _INFERENCE = range(4)
_MANAGE = str(PROJECT_ROOT / "manage.py")


def default_workers() -> int:
    """One worker for two of the processors this process may use, at least one."""
    return max(1, len(os.sched_getaffinity(0)) // 2)


@dataclass(frozen=True)
class Plan:
    """What is wanted. ``listener`` listens already, ``host_header`` is a name the site answers to."""

    listener: socket.socket
    host_header: str
    queues: Sequence[str]
    workers: int = field(default_factory=default_workers)
    inference: bool = False
    readable_logs: bool = False

    def children(self) -> list[Spec]:
        """The children in the order they are started."""
        environment = self._environment()
        specs = []
        if self.inference:
            port = _free_port()
            environment["INFERENCE_URL"] = f"http://127.0.0.1:{port}"
            specs.append(_inference(port, environment))
        specs.append(self._web(environment))
        specs.append(
            Spec("scheduler", (sys.executable, _MANAGE, "scheduler"), stop_rank=_SCHEDULER, environment=environment)
        )
        command = (sys.executable, _MANAGE, "worker", "--queues", *self.queues)
        specs += [
            # a worker asks its work horse to give back what it is at, and waits some seconds for it
            Spec(f"worker-{number}", command, stop_rank=_WORKER, patience=20.0, environment=environment)
            for number in range(1, self.workers + 1)
        ]
        return specs

    def _web(self, environment: Mapping[str, str]) -> Spec:
        host, port = self.listener.getsockname()[:2]
        fd = self.listener.fileno()
        return Spec(
            "web",
            (sys.executable, "-m", "mediaproc.site", str(fd)),
            stop_rank=_WEB,
            patience=15.0,  # requests under way have ten seconds
            environment=environment,
            handed_down=(fd,),
            new_probe=lambda: HealthProbe(host, port, self.host_header),
        )

    def _environment(self) -> dict[str, str]:
        """What children are told beyond this process's own environment."""
        paths = [str(PROJECT_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        told = {
            "MEDIAPROC_DATA": str(env.DATA.root),
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "mediaproc.settings"),
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONUNBUFFERED": "1",
        }
        # each child writes to a pipe, so it cannot see that a person reads at the other end
        if not env.text("MEDIAPROC_LOG_JSON"):
            told["MEDIAPROC_LOG_JSON"] = "false" if self.readable_logs else "true"
        return told


def _inference(port: int, environment: Mapping[str, str]) -> Spec:
    command = (sys.executable, "-m", "detect.inference", "--host", "127.0.0.1", "--port", str(port))
    return Spec(
        "inference",
        command,
        stop_rank=_INFERENCE,
        patience=15.0,
        environment=environment,
        new_probe=lambda: HealthProbe("127.0.0.1", port, "localhost"),
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
