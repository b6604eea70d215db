"""The page of the library is what its script makes of the library."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import dvdt
from dvdt.stdlib_models import LIBRARY

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def make_models() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_models", DOCS / "make_models.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_models"] = module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(make_models: ModuleType) -> None:
    fresh = make_models.page()
    assert (DOCS / "models.md").read_text(encoding="utf-8") == fresh, "run: python docs/make_models.py"
    assert fresh.count("\n### ") == fresh.count("$$\n\\begin{aligned}") == len(LIBRARY)


def test_every_model_has_its_figure_and_no_other_is_there(make_models: ModuleType) -> None:
    assert {path.stem for path in (DOCS / "models").glob("*.png")} == set(LIBRARY), "run: python docs/make_models.py"


def test_the_response_is_that_to_a_stimulus(make_models: ModuleType) -> None:
    own, stepped = make_models.response("izhikevich_phasic_spiking"), make_models.response("lif")
    assert len(own.spikes) == 1
    assert len(stepped.spikes) >= 4
    assert min(stepped.spikes.t) > 0.02  # the step begins at a tenth of the time
    assert "I" in stepped.stimuli


def test_a_figure_is_drawn(make_models: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    make_models.draw("if_", tmp_path / "if_.png")
    assert (tmp_path / "if_.png").read_bytes().startswith(b"\x89PNG")
    assert dvdt.model("if_") == dvdt.model("if")
