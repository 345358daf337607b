"""Shares: which rows of a batch are a rank's."""


def rows(count: int, rank: int, size: int, least: int = 1) -> slice:
    """Return the rows of a rank: ``count`` rows in ``size`` even parts, of at least ``least`` rows where it can be.

    >>> [rows(10, rank, 4) for rank in range(4)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    >>> [rows(5, rank, 4, least=2) for rank in range(4)]  # two ranks have work
    [slice(0, 3, None), slice(3, 5, None), slice(5, 5, None), slice(5, 5, None)]
    """
    parts = max(1, min(size, count // least))
    if rank >= parts:
        return slice(count, count)
    base, extra = divmod(count, parts)
    start = rank * base + min(rank, extra)
    return slice(start, start + base + (rank < extra))
