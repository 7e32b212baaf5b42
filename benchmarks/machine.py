"""The machine that is measured, in words."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def machine() -> str:
    """The interpreter, the number of processors, and their model."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {os.cpu_count()} cores, {model()}"


def model() -> str:
    """What the processor calls itself."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def family(processor: str) -> str:
    """The maker and the line of a model, such as "AMD EPYC" and "Intel Xeon"."""
    return " ".join(re.sub(r"\((R|TM)\)", " ", processor, flags=re.IGNORECASE).split()[:2])
