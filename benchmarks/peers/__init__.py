"""Hold one module per peer: ``BUILDERS`` maps a family of work to a function that sets it up."""
