#!/usr/bin/env bash
# Runs the tests that reach the kernel with the sanitizers' runtimes loaded first; $1 is a Python
# whose kernel was built with ALLOTMENT_SANITIZE=1. Leaks are not reported: CPython itself keeps
# memory at exit.
set -euo pipefail
libraries="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export ALLOTMENT_TWIN_INPUTS="${ALLOTMENT_TWIN_INPUTS:-100000}"
cd "$(dirname "$0")/.."
LD_PRELOAD="$libraries" PYTHONPATH= exec "$1" -m pytest -n 2 -m 'not soak and not memory' -p no:cacheprovider \
  tests/kernel tests/laws/test_*.py tests/engine tests/frames tests/matching tests/reference
