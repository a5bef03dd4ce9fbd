"""What a reader may rely on in every file: size, a docstring that says its one job, and that something uses it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import auctionctl

PACKAGE = Path(auctionctl.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_FUNCTION_LINES = 70
MAX_FILE_LINES = 500
FORBIDDEN_WORDS = frozenset({"utils", "util", "manager", "helper", "helpers", "base", "common", "misc"})
ENTRY_POINTS = frozenset(
    {"auctionctl.__main__", "auctionctl.cli.manual.__main__", "auctionctl.net.child", "auctionctl.cli.app"}
)
FOR_THOSE_WHO_EMBED_A_HOUSE = frozenset({"auctionctl.store.memory"})


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def test_no_file_and_no_function_grows_past_its_one_job() -> None:
    grown = []
    for path in [*MODULES, *sorted(TESTS.rglob("*.py"))]:
        if len(path.read_text().splitlines()) > MAX_FILE_LINES:
            grown.append(str(path))
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                grown += [f"{path}: {node.name}"] if lines > MAX_FUNCTION_LINES else []
    assert grown == []


def test_every_module_says_its_job_and_every_public_function_what_it_does() -> None:
    silent = []
    for path in MODULES:
        tree = parse(path)
        public = [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        ]
        silent += [] if ast.get_docstring(tree) else [name_of(path)]
        silent += [f"{name_of(path)}.{node.name}" for node in public if not ast.get_docstring(node)]
    assert silent == []


def test_no_module_is_named_after_nothing() -> None:
    assert [name_of(path) for path in MODULES if FORBIDDEN_WORDS & set(path.stem.split("_"))] == []


def test_every_module_is_imported_by_another() -> None:
    imported: set[str] = set()
    for path in MODULES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
                imported.update(f"{node.module}.{alias.name}" for alias in node.names)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                imported.add(node.value)  # lazily loaded commands are named in a table
    modules = {name_of(path) for path in MODULES if path.name != "__init__.py"}
    assert modules - imported - ENTRY_POINTS == FOR_THOSE_WHO_EMBED_A_HOUSE


def test_no_two_modules_that_tests_import_by_their_name_share_one() -> None:
    """Parts of the suite put their directories on the path: of two of one name, the wrong one is found."""
    modules = [path.stem for path in TESTS.rglob("*.py") if not path.name.startswith(("test_", "conftest", "__"))]
    assert [name for name in set(modules) if modules.count(name) > 1] == []
