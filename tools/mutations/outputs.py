"""What reaches a terminal, a log or a command line, and whose text it may be."""

from __future__ import annotations

from typing import Final

from tools.mutations.entry import Mutation

LOGS: Final = "worker/processes/logs.py"
GUARD: Final = "worker/embedded/guard.py"
TERMINAL: Final = "tests/cli/test_terminal.py"
OUTPUT: Final = "tests/e2e/test_logs.py"

MUTATIONS: Final = (
    Mutation(
        "a name steers the terminal",
        "control and bidirectional characters are displayed, never obeyed",
        "worker/cli/safe_console.py",
        "segment._replace(text=printable(segment.text, lines=True))\n",
        "segment\n",
        f"{TERMINAL}::test_each_way_of_speaking_is_safe",
    ),
    Mutation(
        "a name forges a line of a table",
        "control and bidirectional characters are displayed, never obeyed",
        "worker/cli/tables.py",
        "Text(printable(str(cell)))",
        "Text(str(cell))",
        f"{TERMINAL}::test_a_terminal_gets_its_colours_and_nothing_of_a_text",
    ),
    Mutation(
        "JSON steers the terminal",
        "control and bidirectional characters are displayed, never obeyed",
        "worker/cli/output.py",
        '    sys.stdout.write(printable_json(document) + "\\n")\n',
        '    sys.stdout.write(document + "\\n")\n',
        f"{TERMINAL}::test_a_hostile_name_and_a_hostile_answer_are_shown_and_not_obeyed",
    ),
    Mutation(
        "a vendor's sentence forges a line of the log",
        "control and bidirectional characters are displayed, never obeyed",
        LOGS,
        '            event[name] = printable(value, lines=name == "exception")\n',
        "            event[name] = value\n",
        f"{OUTPUT}::test_control_characters_are_shown_in_every_part_of_a_line",
    ),
    Mutation(
        "a traceback quotes the value that it is about",
        "logs hold ids, reasons and fingerprints, and no personal data",
        LOGS,
        "        structlog.processors.ExceptionRenderer(traceback_text),\n",
        "        structlog.processors.format_exc_info,\n",
        f"{OUTPUT}::test_the_value_that_an_error_quotes_is_in_no_log",
    ),
    Mutation(
        "a library quotes the error that it reports",
        "logs hold ids, reasons and fingerprints, and no personal data",
        LOGS,
        "    handler.addFilter(without_quotes)\n",
        "",
        f"{OUTPUT}::test_the_value_that_an_error_quotes_is_in_no_log",
    ),
    Mutation(
        "a failure's line has the vendor's sentence",
        "logs hold ids, reasons and fingerprints, and no personal data",
        "worker/flows/deliver.py",
        "state=state, fingerprint=outcome.fingerprint)\n",
        "state=state, fingerprint=outcome.message)\n",
        "tests/flows/test_logs.py::test_a_refused_delivery",
    ),
    Mutation(
        "each complaint of a library is a line of the log",
        "strangers cannot inflate a log",
        LOGS,
        "    handler.addFilter(Sampled())\n",
        "",
        f"{OUTPUT}::test_a_library_that_complains_without_end_is_written_a_few_times_a_minute",
    ),
    Mutation(
        "a log grows as long as its process runs",
        "a log is moved aside by its size while it is written",
        GUARD,
        "        while self.written + len(data) > self.most_bytes:\n",
        "        while self.most_bytes < 0:\n",
        "tests/embedded/test_logs.py::test_a_log_is_moved_aside_while_its_process_runs",
    ),
)
