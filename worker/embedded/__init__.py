"""
PostgreSQL and Redis of our own, for whoever has configured none; and the supervisor that runs our processes.

    guard        a small process that ends a server when its parent is gone    ports, home    what a start needs
    postgres     EmbeddedPostgres      redis    EmbeddedRedis
    servers      LocalServers, connect_existing: both together
    supervisor   Supervisor, ChildSpec, run_until_signal: the process tree of `contactsync up`

It knows nothing of contacts, vendors or tables: a server starts with an empty database named `contactsync`.
"""
