"""Modules beside this hold what the faults share; let their asserts say what was wrong."""

import pytest

pytest.register_assert_rewrite("faults")
