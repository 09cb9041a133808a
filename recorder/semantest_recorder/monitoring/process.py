"""What the process takes of the machine, by the names that Prometheus' own clients use. Blocks for a moment."""

from __future__ import annotations

import resource
from contextlib import suppress

import psutil

from semantest_recorder.monitoring.readings import Readings


def readings_of_process() -> Readings:
    """CPU, memory, threads and descriptors of this process; without what the system does not tell."""
    process = psutil.Process()
    with process.oneshot():
        cpu, memory = process.cpu_times(), process.memory_info()
        found: Readings = {
            "process_cpu_seconds_total": {(): cpu.user + cpu.system},
            "process_resident_memory_bytes": {(): memory.rss},
            "process_virtual_memory_bytes": {(): memory.vms},
            "process_start_time_seconds": {(): process.create_time()},
            "process_threads": {(): process.num_threads()},
        }
        with suppress(psutil.Error):
            found["process_open_fds"] = {(): process.num_fds()}
    limit, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit != resource.RLIM_INFINITY:
        found["process_max_fds"] = {(): limit}
    return found
