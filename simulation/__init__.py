"""
A deterministic simulation of the whole product: real flows, real PostgreSQL, simulated vendors, a clock to turn.

One seed is one story: what people do, what fails and when, and how the workers' steps interleave. The same seed is
the same story, step by step, on every machine. Nothing that runs for real imports this package. See
docs/simulation.md.
"""
