"""Images as two players see them."""


def rows(n):
    """Return the next n images as the nets see them, from -1 to 1."""
    return 2 * batch(n) - 1
