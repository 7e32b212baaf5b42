"""Builds the kernel: Cython over C11, one static library of the C, one extension a module.

ALLOTMENT_SANITIZE=1 builds with AddressSanitizer and UndefinedBehaviorSanitizer.
"""

import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

SANITIZE = os.environ.get("ALLOTMENT_SANITIZE") == "1"
FLAGS = ["-std=c11", "-fvisibility=hidden", "-fPIC"]
if SANITIZE:
    CHECK = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
    FLAGS += [*CHECK, "-O1", "-g", "-fno-omit-frame-pointer", "-DALLOT_SANITIZE"]
else:
    CHECK = []
    FLAGS += ["-O3", "-g0"]

C_SOURCES = sorted(str(path) for path in Path("csrc").glob("*.c"))
MODULES = sorted(Path("src/allotment/kernel").glob("*.pyx"))

setup(
    libraries=[
        ("allot", {"sources": C_SOURCES, "include_dirs": ["csrc"], "cflags": FLAGS}),
    ],
    ext_modules=cythonize(
        [
            Extension(
                f"allotment.kernel.{module.stem}",
                [str(module)],
                include_dirs=["csrc"],
                libraries=["allot"],
                depends=sorted(str(path) for path in Path("csrc").glob("*.[ch]")),
                extra_compile_args=[*FLAGS, "-Wno-unreachable-code"],
                extra_link_args=CHECK,
            )
            for module in MODULES
        ],
        build_dir="build/cython",
        include_path=["src"],
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "binding": False,
            "embedsignature": True,
        },
    ),
)
