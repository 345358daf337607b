"""Functions as programs: traced once, made leaner pass by pass, written out as Python, run in place of the function.

Floor 12: public as ``autograd.compile``.
"""
