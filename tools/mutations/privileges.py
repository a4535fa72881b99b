"""The bundled servers and the roles of the database: who may reach what."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

ROLES: Final = "worker/store/roles.py"
TRIED: Final = "tests/store/test_roles.py"
VALKEY: Final = "worker/embedded/redis.py"

MUTATIONS: Final = (
    Mutation(
        "the application may thin out the log of requests",
        "the application adds to the log of requests, and neither changes nor removes what stands there",
        ROLES,
        '    "attempt": _ADDED,\n',
        '    "attempt": _EVERYTHING,\n',
        f"{TRIED}::test_the_application_may_not",
    ),
    Mutation(
        "the application may rewrite who did what",
        "who did what, when and why is never changed by the application",
        ROLES,
        'f"{_ADDED}, UPDATE (state, done, results, finished_at)"',
        'f"{_ADDED}, UPDATE"',
        f"{TRIED}::test_the_application_may_not",
    ),
    Mutation(
        "rights that were given by hand stay",
        "each `migrate` takes away what the application has beyond its rights",
        ROLES,
        '            connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(sql.Identifier(table), name))\n',
        "",
        f"{TRIED}::test_a_right_that_was_given_by_hand_is_taken_back",
    ),
    Mutation(
        "functions of an earlier release keep their owner",
        "an installation with one user for everything is brought over with its data",
        ROLES,
        "WHERE p.pronamespace = 'public'::regnamespace AND",
        "WHERE p.pronamespace <> 'public'::regnamespace AND",
        f"{TRIED}::test_an_installation_with_one_user_for_everything_is_brought_over_with_its_data",
    ),
    Mutation(
        "the superuser becomes an ordinary role",
        "a superuser that is named by mistake is refused and never changed",
        ROLES,
        "        _require_two(connection, owner, application)\n",
        "",
        f"{TRIED}::test_the_superuser_is_never_turned_into_an_ordinary_role",
    ),
    Mutation(
        "everybody may open the socket of the bundled Valkey",
        "no other user of the machine reaches the bundled Valkey",
        VALKEY,
        '"unixsocketperm": "700"',
        '"unixsocketperm": "777"',
        "tests/embedded/test_redis.py::test_no_other_user_reaches_its_socket_and_it_listens_on_no_port",
    ),
    Mutation(
        "answers that nobody reads pile up",
        "a client that does not read its answers is cut off before they fill the memory",
        VALKEY,
        '    "client-output-buffer-limit": "normal 32mb 8mb 30 pubsub 8mb 2mb 60",\n',
        '    "client-output-buffer-limit": "normal 0 0 0",\n',
        "tests/embedded/test_redis.py"
        "::test_a_client_that_does_not_read_its_answers_is_cut_off_before_they_fill_the_memory",
    ),
    Mutation(
        "the servers' files can be read by others",
        "what the bundled servers write is for their own user alone",
        "worker/embedded/guard.py",
        "        os.umask(0o077)\n",
        "",
        "tests/embedded/test_servers.py::test_no_other_user_can_read_anything_of_theirs",
    ),
)
