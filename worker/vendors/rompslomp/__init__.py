"""Rompslomp: the books."""
