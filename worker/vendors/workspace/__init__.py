"""Workspace: projects and invoices."""
