"""What is kept on disk: it is found again, never believed when damaged, and never read from a folder that others can write to."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dvdt.backends import cache, kernel, machine_code, serial
from dvdt.backends.cpu import program as cpu

DOUBLE = np.dtype(np.float64)

# builds a kernel that no other test builds, in a process of its own, and says whether it had to be compiled
CHILD = """
import numpy as np
from dvdt.backends import memory
from dvdt.backends.cpu import program as cpu
from dvdt.backends.kernel import *
v = Array("v", Kind.REAL, True)
half = Assign("w", Kind.REAL, Operation("multiply", (Symbol("v"), Constant(0.5))))
made = Kernel("halving", (v,), (), (), (), (), (Phase((), (half,), (), (Store("v", "w"),)),), (), (), ("v",))
program = cpu.build(made, np.dtype("float64"), block=64)
place = memory.allocate(made, 3, np.dtype("float64"), 0)
place.scalars, place.reals[:] = {"@dt": 0.1}, 8.0
program.advance(place, 0, 3, 1)
print(program.compiled, *place.reals[0])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kept"
    monkeypatch.setenv("DVDT_CACHE_DIR", str(path))
    return path


def start() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True)


def child() -> str:
    process = start()
    said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    return said.strip()


def test_a_second_process_compiles_nothing_and_damage_is_noticed(folder: Path) -> None:
    assert child() == "True 1.0 1.0 1.0"
    assert child() == "False 1.0 1.0 1.0"
    (compiled,) = folder.glob("*.json")
    content = bytearray(compiled.read_bytes())
    content[len(content) // 2] ^= 0x01
    compiled.write_bytes(content)
    assert child() == "True 1.0 1.0 1.0"
    assert child() == "False 1.0 1.0 1.0"


def test_two_processes_at_once_do_no_harm(folder: Path) -> None:
    processes = [start(), start()]
    assert [process.communicate(timeout=60)[0].split()[1:] for process in processes] == [["1.0"] * 3] * 2
    assert child().split()[1:] == ["1.0"] * 3
    assert child() == "False 1.0 1.0 1.0"


def test_the_same_kernel_is_built_once_in_a_process(folder: Path, cases: Any) -> None:
    case = cases["two_compartments"]()
    first, second = (cpu.build(case.kernel, DOUBLE, block=64) for _ in range(2))
    assert not second.compiled
    assert second.function is first.function


def test_the_key_depends_on_the_backend_the_compilers_the_flags_and_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    from llvmlite import binding

    read = Path.read_text
    seen = {machine_code.environment.__wrapped__()}
    with monkeypatch.context() as changed:
        changed.setattr(
            Path, "read_text", lambda path, **more: read(path, **more) + ("#" if path.name == "elementary.py" else "")
        )
        seen.add(machine_code.environment.__wrapped__())
    with monkeypatch.context() as changed:
        changed.setattr(machine_code, "version", lambda package: "99.0")
        seen.add(machine_code.environment.__wrapped__())
    with monkeypatch.context() as changed:
        changed.setenv("NUMBA_OPT", "1")
        seen.add(machine_code.environment.__wrapped__())
    with monkeypatch.context() as changed:
        changed.setattr(binding, "get_host_cpu_name", lambda: "another")
        seen.add(machine_code.environment.__wrapped__())
    assert len(seen) == 5


def test_a_process_that_finds_its_code_imports_no_compiler(folder: Path) -> None:
    assert child() == "True 1.0 1.0 1.0"
    code = CHILD + "\nimport sys\nassert not {'numba', 'sympy', 'lark'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_values_are_read_back(folder: Path) -> None:
    value = {"a": [1, 2.5, "x", None, True], "b": {"c": math.inf}}
    assert cache.read("key") is None
    cache.write("key", value)
    assert cache.read("key") == value
    assert cache.read("another key") is None
    assert cache.size() > 0
    assert cache.clear() == 1
    assert cache.read("key") is None


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-1], lambda text: text.replace("1", "2"), lambda text: "", lambda text: "\x00"]
)
def test_a_damaged_value_counts_as_absent(damage: Any, folder: Path) -> None:
    cache.write("key", {"a": 1})
    (path,) = folder.glob("*.json")
    path.write_text(damage(path.read_text()))
    assert cache.read("key") is None


def test_a_value_of_another_key_is_not_believed(folder: Path) -> None:
    cache.write("key", {"a": 1})
    (path,) = folder.glob("*.json")
    cache.write("other", {"a": 2})
    (other,) = set(folder.glob("*.json")) - {path}
    other.write_text(path.read_text())
    assert cache.read("other") is None


def test_clear_leaves_other_files_alone(folder: Path) -> None:
    cache.write("key", {})
    (folder / "notes.txt").write_text("mine")
    cache.clear()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX systems")
class TestFolder:
    def test_it_is_private(self, folder: Path) -> None:
        assert cache.folder() == folder
        assert folder.stat().st_mode & 0o777 == 0o700

    @pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
    def test_one_that_others_may_write_to_is_refused(self, mode: int, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(mode)
        with pytest.raises(cache.CacheFolderError, match=r"chmod 700 .*kept"):
            cache.folder()

    def test_one_of_another_user_is_refused(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "getuid", lambda: 123456)
        with pytest.raises(cache.CacheFolderError, match=r"belongs to another user; .*DVDT_CACHE_DIR"):
            cache.folder()

    def test_one_that_cannot_be_made_is_told(self, folder: Path) -> None:
        folder.write_text("a file stands here")
        with pytest.raises(cache.CacheFolderError, match=r"cannot be made .*DVDT_CACHE_DIR"):
            cache.folder()

    def test_the_place_follows_the_rules_of_the_system(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv("DVDT_CACHE_DIR")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setattr(sys, "platform", "linux")
        assert cache.folder() == tmp_path / "dvdt"


def test_kernels_survive_as_plain_data(case: Any) -> None:
    import json

    text = json.dumps(serial.to_plain(case.kernel), allow_nan=False)
    assert serial.from_plain(json.loads(text)) == case.kernel


@pytest.mark.parametrize("value", [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 1, True])
def test_constants_survive_exactly(value: Any) -> None:
    import json

    back = serial.from_plain(json.loads(json.dumps(serial.to_plain(kernel.Constant(value)), allow_nan=False)))
    assert repr(back) == repr(kernel.Constant(value))


def test_only_classes_of_the_table_are_made() -> None:
    with pytest.raises(TypeError, match="Path"):
        serial.to_plain(Path())
    with pytest.raises(KeyError):
        serial.from_plain({"@": "Popen", "args": "x"})
    assert serial.from_plain(serial.to_plain({"a": (1, None), ("b",): frozenset({2})})) == {
        "a": (1, None),
        ("b",): frozenset({2}),
    }
