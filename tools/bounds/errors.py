"""What a user can have got wrong."""


class BoundError(Exception):
    """One line that names the file, the node or the value, what was expected and what was found."""
