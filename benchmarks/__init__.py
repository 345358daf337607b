"""Measure chainrule beside its peers and beside hand-written NumPy.

``python -m benchmarks`` runs the table; ``python -m benchmarks --help`` lists the switches.
"""
