"""The allocator switch: refuses what glibc would ignore, and keeps freed pages."""

import resource
import sys

import numpy as np
import pytest

import autograd as ag


@pytest.mark.parametrize("megabytes", [0, 32, -1])
def test_limits(megabytes):
    with pytest.raises(ag.errors.ArgumentError, match="from 1 to 31"):
        ag.reuse_memory(megabytes)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_pages_are_used_again():
    """After the switch an array of 8 MB that is freed and made again faults in (almost) no new pages."""
    ag.reuse_memory()
    for _ in range(3):
        np.ones(1 << 20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(1 << 20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 10 * 2048 / 4
