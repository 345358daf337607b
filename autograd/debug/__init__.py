"""The debugger: what finds mistakes in a graph, a model or a training loop. Loaded at the first use."""

from autograd.debug.anomaly import detect_anomaly
from autograd.debug.difference import Change, Diff, diff
from autograd.debug.holders import LiveGraph, LiveGraphs, who_holds
from autograd.debug.lint import Finding, Findings, lint
from autograd.debug.trail import path_so_far

__all__ = [
    "Change",
    "Diff",
    "Finding",
    "Findings",
    "LiveGraph",
    "LiveGraphs",
    "detect_anomaly",
    "diff",
    "lint",
    "path_so_far",
    "who_holds",
]
