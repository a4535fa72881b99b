"""What a process writes into its log: no control characters, nothing that an error quotes, no flood of a library's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MARKER = "Geheimstraat 77"

PROGRAM = """
import logging, sys, threading, structlog
from worker.config import Settings
from worker.processes import logs
logs.set_up(Settings.model_validate({"log": {"format": sys.argv[1]}}), "worker")
log, library = structlog.get_logger(), logging.getLogger("library")
street = "Geheim" + "straat 77"
"""


def logged(program: str, format_: str = "console") -> str:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM + program, format_], capture_output=True, timeout=60, check=False
    )
    return ran.stderr.decode()


@pytest.mark.parametrize("format_", ["console", "json"])
def test_control_characters_are_shown_in_every_part_of_a_line(format_: str) -> None:
    hostile = r"'\x1b[2J\x1b[31mFAKE\u202e2026\n2026-01-01 forged\x9b'"

    said = logged(
        f"log.warning('one', text={hostile}, many=[{hostile}]); library.warning('two %s', {hostile})", format_
    )

    assert not {one for one in said if (ord(one) < 0x20 and one != "\n") or 0x7F <= ord(one) < 0xA0 or one == "\u202e"}
    assert len(said.splitlines()) == 2
    assert said.count("FAKE") == 3


QUOTING = {
    "caught": "try:\n    int(street)\nexcept ValueError:\n    log.exception('deliver.unexpected')",
    "nobody's": "int(street)",
    "of a thread": "thread = threading.Thread(target=lambda: int(street)); thread.start(); thread.join()",
    "of a library": (
        "try:\n    int(street)\nexcept ValueError as error:\n"
        "    library.error('%(name)s raised: %(exc)s', {'name': 'sync.deliver', 'exc': repr(error)}, exc_info=True)"
    ),
    "of a library, in many lines": (
        "try:\n    int(street)\nexcept ValueError as error:\n"
        "    library.error(f'was never retrieved\\nfuture: {error!r}', exc_info=error)"
    ),
}


@pytest.mark.parametrize("format_", ["console", "json"])
@pytest.mark.parametrize("program", QUOTING.values(), ids=QUOTING.keys())
def test_the_value_that_an_error_quotes_is_in_no_log(program: str, format_: str) -> None:
    said = logged(program, format_)

    assert MARKER not in said
    assert "ValueError" in said
    assert "int(street)" in said or 'File \\"<string>\\"' in said or 'File "<string>"' in said, "where it was raised"


def test_every_line_of_the_json_format_is_a_document_with_the_part() -> None:
    said = logged(f"log.info('one', id=1); library.warning('two')\n{QUOTING['nobody' + chr(39) + 's']}", "json")

    assert [json.loads(line)["part"] for line in said.splitlines()] == ["worker"] * 3


def test_a_library_that_complains_without_end_is_written_a_few_times_a_minute() -> None:
    said = logged("for number in range(5_000): library.warning('Invalid HTTP request received.')")

    assert len(said.splitlines()) == 10


def test_other_words_each_time_make_no_difference() -> None:
    said = logged("for number in range(5_000): library.warning(f'odd request {number}')")

    assert len(said.splitlines()) == 100


COUNTED = """
now = 0.0
sampled = logs.Sampled(same=2, clock=lambda: now)
handler = logging.StreamHandler(sys.stderr)
handler.addFilter(sampled)
logging.getLogger().handlers[:] = [handler]
for number in range(7): library.warning("refused %d", number)
now = 61.0
library.warning("refused %d", 7)
"""


def test_how_many_lines_were_left_out_is_told_with_the_next_one() -> None:
    assert logged(COUNTED).splitlines() == ["refused 0", "refused 1", "refused 7 (5 more were left out before)"]


def test_what_the_product_itself_says_is_never_left_out() -> None:
    said = logged("for number in range(500): log.warning('deliver.failed', reason='rejected')")

    assert len(said.splitlines()) == 500


SECRETS = """
secrets = {"systems": {"rompslomp": {"token": "pl4nted-rompslomp-" + "8Zs1"}, "recras": {"api_key": "Antwerpen"}},
           "database": {"url": "postgresql://app:pl4nted-" + "database-3Ks9@127.0.0.1/hub"}}
logs.set_up(Settings.model_validate(secrets), "worker")
"""


def test_a_secret_that_reaches_the_log_is_replaced_there() -> None:
    said = logged(
        SECRETS
        + "log.warning('one', why=\"Illegal header value b'Bearer pl4nted-rompslomp-8Zs1 '\", city='Antwerpen')\n"
        + "library.warning('no way to %s', 'postgresql://app:pl4nted-database-3Ks9@127.0.0.1/hub')"
    )

    assert "pl4nted" not in said
    assert said.count("[removed]") == 2
    assert "Antwerpen" in said
