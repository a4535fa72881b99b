"""The JSON API for operators, scripts and monitors: `/api/v1`."""
