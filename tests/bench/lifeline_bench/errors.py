"""What can go wrong with a measurement."""


class BenchError(Exception):
    """Something cannot be measured; the message says what, and why."""
