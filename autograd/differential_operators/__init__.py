"""Stand in the way of PyPI's other ``autograd``, whose ``__init__.py`` imports a module of this name first of all.

Where that package was installed over this one, its ``__init__.py`` took the place of ours, and nothing of ours would
run. A folder comes before a file of the same name, so this does. Floor 3: used by nobody here.
"""

from autograd import _clash as _clash  # says what to do, if theirs is here
from autograd.errors import NameClash

raise NameClash(
    "autograd.differential_operators is a module of PyPI's 'autograd', and this is the one of 'chainrule'. Here it is "
    "autograd.grad, value_and_grad, jacobian, hessian, vjp and jvp."
)
