"""The published definitions that tests read where they lie beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[2] / ".." / "shared"


def rows(name: str) -> list[dict[str, Any]]:
    path = SHARED / "corpus" / name
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


needs_corpus = pytest.mark.skipif(
    not (SHARED / "corpus").exists(), reason="the corpus of published models is not beside the checkout"
)
needs_design = pytest.mark.skipif(not (SHARED / "design").exists(), reason="the design pages are not beside the checkout")
