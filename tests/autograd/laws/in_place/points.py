"""Where the programs run, and what is asked of some of them."""

from typing import Any

V = [1.0, 2.0, 3.0]
A = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
S = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.5]]
must: dict[str, Any] = {"accept": ()}  # named in the law: these are followed, not refused
