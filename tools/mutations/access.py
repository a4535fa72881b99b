"""Who may act: tokens that are known and strong, guesses that end, and what takes an admin."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

ACCESS: Final = "webhooks/access.py"
SETTINGS: Final = "worker/config/access.py"
TOKENS: Final = "tests/webhooks/test_tokens.py"
ADMIN: Final = "tests/store/test_admin.py"

MUTATIONS: Final = (
    Mutation(
        "guessing never ends",
        "after ten unknown tokens in a minute an address waits",
        ACCESS,
        "            self._throttle.wrong(address)\n",
        "",
        f"{TOKENS}::test_guessing_ends_after_ten_tries_a_minute",
    ),
    Mutation(
        "a right guess is told",
        "whoever must wait gets the same answer for a weak token as for a wrong one",
        ACCESS,
        "if wait and (found is None or not is_strong(token)):",
        "if wait and found is None:",
        f"{TOKENS}::test_a_right_guess_of_a_weak_token_is_not_told_not_even_from_where_its_holder_is",
    ),
    Mutation(
        "a guesser locks everybody out",
        "a token that nobody can guess is taken at any time",
        ACCESS,
        "if wait and (found is None or not is_strong(token)):",
        "if wait:",
        f"{TOKENS}::test_guesses_of_others_lock_out_nobody_who_has_a_strong_token",
    ),
    Mutation(
        "many addresses guess on",
        "a hundred unknown tokens in a minute, from wherever, are the most",
        "webhooks/throttle.py",
        "        self._all.count += 1\n",
        "",
        "tests/webhooks/test_throttle.py::test_many_addresses_share_one_count",
    ),
    Mutation(
        "tokens never end",
        "a token is good until the end of its last day",
        SETTINGS,
        "        return self.expires is not None and self.expires < now\n",
        "        return self.expires is not None and self.expires < now and now.year < 2000\n",
        f"{TOKENS}::test_a_token_whose_time_is_over_says_so_to_its_holder_only",
    ),
    Mutation(
        "a token may repeat itself",
        "what a person makes up is no token",
        SETTINGS,
        "LEAST_BITS: Final = 80.0",
        "LEAST_BITS: Final = 0.0",
        "tests/config/test_access.py::test_what_is_no_token_is_refused",
    ),
    Mutation(
        "a password stands in the settings",
        "of a password the settings take a strong hash only",
        SETTINGS,
        "    if not strong:\n",
        "    if not strong and value is None:\n",
        "tests/config/test_access.py::test_a_password_in_clear_or_a_weak_hash_of_it_is_refused",
    ),
    Mutation(
        "an operator discards the whole queue",
        "a bulk action on more items than ops.approval_above takes an admin",
        "worker/store/operating_bulk.py",
        "    if len(items) > approval_above and not actor.is_admin:\n",
        "    if len(items) > approval_above and actor.role == 'viewer':\n",
        f"{ADMIN}::test_a_bulk_action_on_more_items_than_set_takes_an_admin",
    ),
    Mutation(
        "anybody ends a pause",
        "somebody else's pause is ended by them or by an admin",
        "worker/store/operating.py",
        "    if not systems.resume(connection, system, now, by=None if actor.is_admin else actor.name):\n",
        "    if not systems.resume(connection, system, now, by=None):\n",
        f"{ADMIN}::test_a_pause_is_ended_by_whoever_made_it_or_by_an_admin",
    ),
    Mutation(
        "a pause over a pause",
        "a pause of one's own does not take the place of somebody else's",
        "worker/store/operating.py",
        "anyones=actor.is_admin):\n",
        "anyones=True):\n",
        f"{ADMIN}::test_a_pause_of_ones_own_over_somebody_else_s_is_no_way_round",
    ),
    Mutation(
        "a variable says who acts",
        "the log of actions names the account that a command runs as",
        "worker/cli/asking.py",
        "    number = os.getuid()\n",
        '    if "LOGNAME" in os.environ:\n        return os.environ["LOGNAME"]\n    number = os.getuid()\n',
        "tests/cli/test_systems.py::test_the_log_names_the_account_that_the_command_runs_as",
    ),
)
