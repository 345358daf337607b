"""The debugger: what finds mistakes in a graph, a model or a training loop. Loaded at the first use."""

from autograd.debug.anomaly import detect_anomaly

__all__ = ["detect_anomaly"]
