"""How a promise that does not hold is told."""

from __future__ import annotations


class Broken(BaseException):
    """
    A promise of the product does not hold. `promise` is its short name.

    No `Exception`: many are raised at the wire, in the middle of a flow, which takes every one of those for trouble of
    its own and goes on.
    """

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}")
        self.promise = promise
