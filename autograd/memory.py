"""A switch for programs that work on large arrays: let the allocator keep what they free.

Floor 2: public as ``autograd.reuse_memory``.
"""

import numpy as np

from autograd.errors import ArgumentError


def reuse_memory(megabytes: int = 31) -> None:
    """Make freed arrays of up to ``megabytes`` stay with the process, so that new ones need no fresh pages.

    Training allocates arrays of the same sizes in every step. By default glibc gives freed blocks of 128 kB or more
    back to the system and asks for them again; each new page is then cleared and mapped anew, which can cost half of a
    step. Freeing one large block raises both of its limits for the whole process (32 MB is the most that it accepts;
    the block is never touched, so this takes no memory). Call it once at the start of a program. Other allocators
    ignore it.

    >>> reuse_memory()
    """
    if not 1 <= megabytes <= 31:
        raise ArgumentError(f"reuse_memory: megabytes must be from 1 to 31, got {megabytes}.")
    np.empty(megabytes << 20, np.uint8)
