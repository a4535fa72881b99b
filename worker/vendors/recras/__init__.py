"""Recras: the bookings."""
