"""
A bounded model checker over the real flows: every order of a few steps, where the simulation tries likely ones.

One or two clients, one system, real PostgreSQL, the vendors' simulators. Each state that can be reached within a bound
is visited once, breadth first, so the first violation has the shortest path.
"""
