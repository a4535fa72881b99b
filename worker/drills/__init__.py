"""
Drills: the running product under changes, with its parts killed and its servers broken, judged by what vendors hold.

    place      the running product and sandbox that a drill works on    own      both, for a drill alone
    vendors    the sandbox's control API    parts    processes by name, and helpers beside them
    traffic    changes at a steady rate    watch    what every vendor holds, and since when
    strikes, strikes_servers    the drills themselves    full_disk    a database that has no room
    run        traffic, strikes and the verdict    report    what is said in the end

Nothing here runs against a vendor: `place.check` refuses whatever is not a sandbox on this machine.
"""
