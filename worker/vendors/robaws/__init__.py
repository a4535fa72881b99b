"""Robaws: the ERP that clients come from."""
