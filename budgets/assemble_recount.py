"""Puts ``recount.py`` together: ``python -m budgets.assemble_recount`` (``--check`` says whether it is in step).

The municipality counts with ``counting.py`` and reads files with ``pabulib.py``. Anyone must be able to repeat the
count with one file and nothing but Python, and the rules must not be written twice, so the published file is those
modules and the command line, one after the other, with their imports gathered at the top.
"""

import ast
import sys
from pathlib import Path

HERE = Path(__file__).parent
PARTS = ("counting.py", "pabulib.py", "recount_command.py")
TARGET = HERE / "recount.py"

HEAD = '''#!/usr/bin/env python3
"""Tæl et borgerbudget op igen: python recount.py FIL.pb [--rule …] [--lot FIL] [--json]

Count a citizen budget again from its published ballots. This one file needs Python 3.11 or newer and nothing else,
and asks nothing of the network. It is put together from the very modules that the portal counts with, so that the
rules are written once; whoever wants a second opinion by other hands can give the same .pb file to pabutools or to
the tools at equalshares.net. Python: {parts}.
"""
'''


def assembled() -> str:
    """The text of ``recount.py``."""
    imports: set[str] = set()
    names: dict[str, set[str]] = {}
    bodies = []
    for part in PARTS:
        source = (HERE / part).read_text(encoding="utf-8")
        lines = source.splitlines()
        tree = ast.parse(source)
        introduction = ast.get_docstring(tree, clean=False)
        start = 0
        for node in tree.body:
            if isinstance(node, ast.Import):
                imports.update(f"import {alias.name}" for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                if not (node.module or "").startswith("budgets."):
                    names.setdefault(node.module or "", set()).update(alias.name for alias in node.names)
            elif start or not isinstance(node, ast.Expr):
                continue
            start = node.end_lineno or 0
        told = "\n".join(f"# {line}".rstrip() for line in (introduction or "").strip().splitlines())
        bodies.append(f"# {'-' * 20} {part} {'-' * 20}\n#\n{told}\n\n" + "\n".join(lines[start:]).strip())
    gathered = sorted(imports) + [
        f"from {module} import {', '.join(sorted(wanted, key=_as_sorted_by_ruff))}"
        for module, wanted in sorted(names.items())
    ]
    head = HEAD.format(parts=", ".join(PARTS))
    return head + "\n" + "\n".join(gathered) + "\n\n" + "\n\n\n".join(bodies) + "\n\n\n" + FOOT


def _as_sorted_by_ruff(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


FOOT = """if __name__ == "__main__":
    sys.exit(main())
"""


def main() -> int:
    text = assembled()
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("budgets/recount.py is out of step: run python -m budgets.assemble_recount", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
