"""Functions as programs: traced once, made leaner pass by pass, written out as Python, run in place of the function.

Floor 13: public as ``autograd.compile``.
"""
