"""What may import what, and what `import dvdt` may cost."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("grammar", "dsl", "backends", "stdlib_models")
MAY_IMPORT = {
    "grammar": {"grammar"},
    "backends": {"backends"},
    "stdlib_models": {"stdlib_models"},
    "dsl": {"dsl", "grammar", "backends", "stdlib_models"},
}
ONLY_WHEN_USED = ("sympy", "lark", "numba", "llvmlite", "matplotlib", "scipy", "tqdm")


def source_files() -> list[Path]:
    return [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(("dvdt", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module of dvdt that the tree imports, wherever the import stands, except for types alone."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (name.name for name in names if name.name.split(".")[0] == "dvdt")
            case ast.ImportFrom(module=module, level=level, names=names) if level:
                base = ".".join(package.split(".")[: len(package.split(".")) - level + 1])
                full = f"{base}.{module}" if module else base
                yield full
                yield from (f"{full}.{name.name}" for name in names)
            case _:
                yield from imports(node, package)


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    names = {module_name(file): file for file in source_files()}
    found = {}
    for name, file in names.items():
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        tree = ast.parse(file.read_text(encoding="utf-8"))
        found[name] = {target for target in imports(tree, package) if target in names and target != name}
    return found


def test_arrows_point_one_way(graph: dict[str, set[str]]) -> None:
    wrong = [
        f"{name} imports {target}"
        for name, targets in graph.items()
        for target in targets
        if target.split(".")[1] not in MAY_IMPORT[name.split(".")[1]]
    ]
    assert not wrong


def test_no_import_cycle(graph: dict[str, set[str]]) -> None:
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_the_cycle_test_sees_a_cycle() -> None:
    with pytest.raises(AssertionError, match="a -> b -> a"):
        test_no_import_cycle({"a": {"b"}, "b": {"a"}})


def test_every_package_folder_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"])
    folders = {module_name(file) for file in source_files() if file.name == "__init__.py"} | {"dvdt"}
    assert listed == folders
    assert {module_name(file).rpartition(".")[0] for file in source_files() if file.name != "__init__.py"} <= listed


def test_no_text_is_run_as_code() -> None:
    """The language never evaluates what a person wrote; what is generated from a tree is loaded in one place."""
    forbidden = {"eval", "exec", "sympify", "parse_expr", "simplify"}
    found = [
        (module_name(file), called)
        for file in source_files()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and (called := node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")) in forbidden
    ]
    assert found == [("dvdt.backends.machine_code", "exec")]


def test_import_is_light() -> None:
    code = f"import sys, dvdt; dir(dvdt); print([m for m in {ONLY_WHEN_USED!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "tests")
    assert run.stdout.strip() == "[]"


def test_public_names_exist_and_are_known_to_type_checkers() -> None:
    import dvdt

    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    written = {name.asname: node.module for node in guarded.body if isinstance(node, ast.ImportFrom) for name in node.names}
    modules = {name: home.rpartition(".")[0] for name, home in dvdt._MODULES.items()}
    assert written == {**dvdt._HOMES, **modules}
    for name in dvdt.__all__:
        assert getattr(dvdt, name) is not None
        assert name in dir(dvdt)
    with pytest.raises(AttributeError, match="no attribute 'modell'"):
        dvdt.modell  # noqa: B018
