"""The layout engine of our own: DOT text in, SVG out, where no Graphviz is (a browser, a tablet). No program is run.

It reads what ``dot.write`` and ``compat`` write, not all of DOT, and writes SVG in the form in which Graphviz does, so
that one road leads on from there. The road within: ``reading``, then ``tables`` for the size of each box, ``layered``
for its place (ranks by ``simplex``, ``ordering``, ``coordinates``, ``curves``), and ``page`` for the SVG.
"""

from autograd.viz.builtin.page import write
from autograd.viz.builtin.reading import read

MOST = 60  # boxes; a larger picture takes more than half a second, and Graphviz draws a better one

__all__ = ["MOST", "read", "write"]
