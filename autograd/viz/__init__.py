"""Views of the graph: pictures, text, the chain rule with its numbers, a replay. Loaded at the first use."""

from autograd.viz.compat import build_graph, draw_dot, get_dot_graph, make_dot, plot_dot_graph
from autograd.viz.engine import use_engine
from autograd.viz.explain import Explanation, explain
from autograd.viz.nonfinite import NonFinite, find_nonfinite
from autograd.viz.picture import Picture, draw
from autograd.viz.replay import Replay, replay
from autograd.viz.why import Reason, why_none

__all__ = [
    "Explanation",
    "NonFinite",
    "Picture",
    "Reason",
    "Replay",
    "build_graph",
    "draw",
    "draw_dot",
    "explain",
    "find_nonfinite",
    "get_dot_graph",
    "make_dot",
    "plot_dot_graph",
    "replay",
    "use_engine",
    "why_none",
]
