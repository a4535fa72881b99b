"""`python -m worker.cli`: how `contactsync up` starts its parts with the same interpreter."""

from worker.cli.entry import main

main()
