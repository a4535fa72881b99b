"""Routix: transport planning, whose accounts can be read and never written."""
