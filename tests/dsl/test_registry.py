"""Registry: names, their order of precedence, files and folders of models, installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import dvdt
from dvdt.stdlib_models import FAMILIES, LIBRARY

DECAY = "dx/dt = -x/tau\ntau = 10 ms\nx(0) = 1 mV\n"


@pytest.fixture
def registry() -> dvdt.Registry:
    return dvdt.Registry()


def test_what_is_registered_answers_to_every_spelling(registry: dvdt.Registry) -> None:
    model = registry.register(DECAY, name="my_decay", aliases=["lab-decay"])
    for name in ("my_decay", "MyDecay", "my-decay", "LAB_DECAY"):
        assert registry.model(name) is model
    row = registry.models()["lab_decay"]
    assert (row.name, row.aliases, row.states, row.parameters) == ("my_decay", ("lab-decay",), ("x",), ("tau",))


def test_registries_do_not_meet(registry: dvdt.Registry) -> None:
    registry.register(DECAY, name="my_decay")
    with pytest.raises(dvdt.UsageError):
        dvdt.Registry().model("my_decay")
    with pytest.raises(dvdt.UsageError):
        dvdt.model("my_decay")


def test_a_taken_name_is_an_error_unless_it_is_replaced(registry: dvdt.Registry) -> None:
    registry.register(DECAY, name="mine", aliases=["short"])
    for name in ("mine", "Short", "adex", "HH"):
        with pytest.raises(dvdt.UsageError, match="taken"):
            registry.register(DECAY, name=name)
    replaced = registry.register(DECAY.replace("10 ms", "20 ms"), name="adex", replace=True)
    assert registry.model("adex") is replaced
    assert registry.model("aeif") == dvdt.model("adex")  # the library's, by its other name


def test_a_text_without_a_name_needs_one(registry: dvdt.Registry) -> None:
    for model in (DECAY, dvdt.Model(DECAY)):
        with pytest.raises(dvdt.UsageError, match="name="):
            registry.register(model)
    assert registry.register("model decay:\n" + "".join(f"  {line}\n" for line in DECAY.splitlines())).name == "decay"
    assert registry.register(dvdt.Model(DECAY), name="other").name == "other"
    with pytest.raises(dvdt.UsageError, match="expected a Model"):
        registry.register(3)  # type: ignore[arg-type]


def test_unknown_names_are_answered_with_near_ones(registry: dvdt.Registry) -> None:
    with pytest.raises(dvdt.UsageError, match="'hodgkin_huxley'"):
        registry.model("hodgin_huxley")
    with pytest.raises(dvdt.UsageError, match=r"dvdt\.models\(\) lists"):
        registry.model("qqqqqqqq")


def test_a_model_may_inherit_from_a_registered_one(registry: dvdt.Registry) -> None:
    registry.register(DECAY, name="decay")
    slow = registry.register("model slow(decay):\n  tau = 1 s")
    assert slow.parameters["tau"].default == "1 s"
    assert registry.register("model burst(AdEx):\n  V_r = -47 mV").parameters["V_r"].default == "-47 mV"
    with pytest.raises(dvdt.ModelError, match="no model `nobody`"):
        registry.register("model x(nobody):\n  tau = 1 s")


def test_the_table_prints_and_iterates(registry: dvdt.Registry) -> None:
    table = registry.models()
    assert len(table) == len(list(table)) == len(LIBRARY)
    printed = str(table).splitlines()
    titles = [line for line in printed if line and not line.startswith(" ")]
    assert titles == [family.title for family in FAMILIES]
    assert [line.split()[0] for line in printed if line.startswith("  ")] == list(LIBRARY)
    assert "Brette &amp; Gerstner 2005" in table._repr_html_()
    assert "adex" in table
    assert "nobody" not in table
    assert [row.name for row in table[:2]] == ["if_", "lif"]
    assert table[1] in table
    with pytest.raises(KeyError):
        table["nobody"]
    with pytest.raises(dvdt.UsageError, match="did you mean 'adex'"):
        table["adx"]
    with pytest.raises(dvdt.UsageError, match="aliases: expected names"):
        registry.register("dx/dt = -x/(1 s) : 1", name="one_more", aliases=3)  # type: ignore[arg-type]


def test_the_table_is_filtered_by_name_and_by_system(registry: dvdt.Registry) -> None:
    table = registry.models()
    norse = table.of_source("NORSE")
    assert {row.source for row in norse} == {"Norse"}
    assert len(norse) == 22
    assert {row.name for row in table.matching("-IZH")} == {row.name for row in table if "izh" in "".join(row.names)}
    assert str(table.matching("qqq")) == ""
    registry.register(DECAY, name="izh_like")
    assert str(registry.models().matching("izh_like")).splitlines()[0] == "Registered models"
    with pytest.raises(dvdt.UsageError, match="did you mean 'Norse'"):
        table.of_source("nors")
    with pytest.raises(dvdt.UsageError, match="known are textbook, ngc-learn"):
        table.of_source("qqqqqq")


def test_loads_a_file(registry: dvdt.Registry, tmp_path: Path) -> None:
    file = tmp_path / "my models.dvdt"
    file.write_text("model b(a):\n  tau = 5 ms\nmodel a:\n" + "".join(f"  {line}\n" for line in DECAY.splitlines()))
    models = registry.load(file)
    assert list(models) == ["b", "a"]
    assert models["b"].parameters["tau"].default == "5 ms"
    bare = tmp_path / "my-cell.dvdt"
    bare.write_text("\ufeff" + DECAY, encoding="utf-8")
    (model,) = registry.load(str(bare)).values()
    assert model.name == "my_cell"
    assert dvdt.Model(str(model)) == model


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"\xff\xfe\x00", "UTF-8")])
def test_says_why_a_file_cannot_be_loaded(registry: dvdt.Registry, tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "x.dvdt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(dvdt.UsageError, match=words):
        registry.load(file)


def test_loads_a_folder_whose_files_build_on_one_another(registry: dvdt.Registry, tmp_path: Path) -> None:
    (tmp_path / "a.dvdt").write_text("model fast(slow):\n  tau = 1 ms\n")
    (tmp_path / "b.dvdt").write_text("model slow:\n  dx/dt = -x/tau\n  tau = 1 s\n  x(0) = 1 mV\n")
    table = registry.load_library(tmp_path)
    assert {row.name for row in table} == {"fast", "slow"}
    assert registry.model("fast").parameters["tau"].default == "1 ms"
    with pytest.raises(dvdt.UsageError, match="taken"):
        registry.load_library(tmp_path)
    registry.load_library(tmp_path, replace=True)


def test_a_folder_is_taken_whole_or_not_at_all(registry: dvdt.Registry, tmp_path: Path) -> None:
    (tmp_path / "a.dvdt").write_text("model good:\n  dx/dt = -x/(1 s)\n  x(0) = 1 mV\n")
    (tmp_path / "b.dvdt").write_text("model bad:\n  dx/dt = -y/(1 s)\n  x(0) = 1 mV\n")
    with pytest.raises(dvdt.ModelError, match="`y` is not defined"):
        registry.load_library(tmp_path)
    assert "good" not in registry.models()
    (tmp_path / "b.dvdt").write_text("model hh:\n  dx/dt = -x/(1 s)\n  x(0) = 1 mV\n")
    with pytest.raises(dvdt.UsageError, match="taken by the model 'hodgkin_huxley'"):
        registry.load_library(tmp_path)
    assert "good" not in registry.models()
    for folder in (tmp_path / "nowhere", tmp_path.parent):
        with pytest.raises(dvdt.UsageError):
            registry.load_library(folder)


def test_models_that_build_on_one_another_in_a_circle(registry: dvdt.Registry, tmp_path: Path) -> None:
    (tmp_path / "a.dvdt").write_text("model a(b):\n  tau = 1 ms\n")
    (tmp_path / "b.dvdt").write_text("model b(a):\n  tau = 1 ms\n")
    with pytest.raises(dvdt.ModelError, match="cannot inherit from itself"):
        registry.load_library(tmp_path)


def test_models_of_installed_packages_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, facts = tmp_path / "lab_neurons_of_a_test", tmp_path / "lab_neurons-1.0.dist-info"
    for folder in (package, facts):
        folder.mkdir()
    (package / "__init__.py").write_text("")
    (package / "cells.dvdt").write_text("model purkinje_toy(lif):\n    tau = 8 ms\nmodel lif(adex):\n    b = 0 pA\n")
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-neurons\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[dvdt.models]\nlab = lab_neurons_of_a_test\nbroken = no_such_package_of_a_test\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    registry = dvdt.Registry()
    assert list(registry.model("lif").states) == ["v"]  # the library's own
    with pytest.warns(UserWarning, match="no_such_package_of_a_test"):
        found = registry.model("PurkinjeToy")
    assert found.parameters["tau"].default == "8 ms"
    assert "purkinje_toy" in registry.models()
