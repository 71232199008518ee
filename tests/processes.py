"""Processes that a process has started."""

import psutil


def workers_of(process):
    """Processes that Python started for it and that still run, without the one that keeps track of semaphores."""
    return [child for child in psutil.Process(process.pid).children() if "spawn_main" in command_line(child)]


def command_line(process):
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""
