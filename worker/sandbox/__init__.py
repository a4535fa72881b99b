"""
The sandbox: all five simulated vendors behind one port, to look at, to change and to break on purpose.

    world      the five simulators and what they begin with    seed      made-up clients
    app        requests to simulators, slow and broken on wish    sender    webhooks to whoever registered
    control    `/_sandbox/…`, for scripts    pages    the same for browsers    guard    and for no page of other sites
    faults     the faults file    settings    the settings that point here
    server     SandboxServer, in a thread or for ever

It knows the simulators and nothing of the product that talks to them.
"""
