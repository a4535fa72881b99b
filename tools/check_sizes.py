"""Part of `make lint`: no Python file over 400 lines, and no function over 60, unless the code says why.

A file says it with a comment line `# size: <the reason>`, a function with the same comment inside it. Tests may have
long functions (a story told in one piece), but not long files.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 60
REASON = "# size: "


def too_long(path: Path, text: str) -> Iterator[str]:
    """Name each file and function of `text` that is too long and gives no reason."""
    lines = text.splitlines()
    reasons = {number for number, line in enumerate(lines, 1) if line.strip().startswith(REASON)}
    tree = ast.parse(text)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    inside = {number for node in functions for number in reasons if node.lineno <= number <= (node.end_lineno or 0)}
    if len(lines) > FILE_LINES and not reasons - inside:
        yield f"{path}: {len(lines)} lines (at most {FILE_LINES}): is there a second noun in it?"
    if path.parts[0] == "tests":
        return
    for node in functions:
        end = node.end_lineno or node.lineno
        size = end - node.lineno + 1
        if size > FUNCTION_LINES and not any(node.lineno <= number <= end for number in reasons):
            yield f"{path}:{node.lineno}: {node.name} has {size} lines (at most {FUNCTION_LINES})"


def ours(root: Path) -> list[Path]:
    """Every Python file that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607 - git is found on the path
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [Path(name) for name in listed.split("\0") if name and (root / name).is_file()]


def main() -> int:
    """Print what is too long; 1 when there is something."""
    root = Path(__file__).resolve().parent.parent
    findings = [line for path in ours(root) for line in too_long(path, (root / path).read_text())]
    print("\n".join(findings) if findings else "sizes: all files and functions within bounds")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
