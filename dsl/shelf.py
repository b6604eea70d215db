"""Shelf: the texts of models by name. What people registered stands before the library, the library before installed packages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from ..grammar.source import Source
from ..stdlib_models import LIBRARY, text_of
from .errors import ModelError, UsageError
from .paths import read_text

if TYPE_CHECKING:
    from ..grammar.nodes import ModelDeclaration

GROUP = "dvdt.models"  # entry points of this group name a package or module whose folder holds .dvdt files


@dataclass(frozen=True)
class Shelved:
    """One model: its name, its other names, and the text that holds it, possibly among others."""

    name: str
    aliases: tuple[str, ...]
    source: Source

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


def folded(name: str) -> str:
    """A name as it is compared: case, `_` and `-` do not matter."""
    return name.casefold().replace("_", "").replace("-", "")


@dataclass
class Shelf:
    """Models by name. `own` holds what was registered, under every folded name."""

    own: dict[str, Shelved] = field(default_factory=dict)
    _installed: dict[str, Shelved] | None = field(default=None, repr=False)

    def put(self, model: Shelved) -> None:
        """Add a model, in place of those whose name it takes."""
        for name in model.names:
            self.own[folded(name)] = model

    def find(self, name: str) -> Shelved | None:
        key = folded(name)
        return self.own.get(key) or library().get(key) or self.installed.get(key)

    def taken(self, name: str) -> Shelved | None:
        """The registered model or model of the library that answers to `name`."""
        return self.own.get(folded(name)) or library().get(folded(name))

    def declaration(self, name: str) -> ModelDeclaration | None:
        """A model as syntax, for a text that inherits from it. Raises ModelError for mistakes of syntax in it."""
        found = self.find(name)
        return None if found is None else declarations(found.source)[found.name]

    def __iter__(self) -> Iterator[Shelved]:
        """Every model once, what is hidden by another of the same name left out."""
        every = {**self.installed, **library(), **self.own}
        yield from dict.fromkeys(model for key, model in every.items() if folded(model.name) == key)

    @property
    def installed(self) -> Mapping[str, Shelved]:
        """The models of installed packages, looked for when a name is in neither of the other places."""
        if self._installed is None:
            self._installed = {}
            for point in entry_points(group=GROUP):
                self._install(point)
        return self._installed

    def _install(self, point: EntryPoint) -> None:
        assert self._installed is not None
        try:
            found = list(models_in_folder(Path(str(files(point.value)))))
        except (ImportError, ModelError, UsageError) as error:
            warnings.warn(f"the models of the installed package {point.value!r} cannot be used: {error}", stacklevel=4)
            return
        for model in found:
            for name in model.names:
                self._installed.setdefault(folded(name), model)


@cache
def library() -> Mapping[str, Shelved]:
    """The models that come with dvdt, under every folded name."""
    found: dict[str, Shelved] = {}
    for name, entry in LIBRARY.items():
        model = Shelved(name, entry.aliases, Source(text_of(entry.file), entry.file))
        found.update((folded(each), model) for each in model.names)
    return found


def models_in_folder(folder: Path) -> Iterator[Shelved]:
    """Every model of the .dvdt files of a folder. Raises ModelError for mistakes of syntax, UsageError where there is no such file."""
    paths = sorted(folder.glob("*.dvdt"))
    if not paths:
        raise UsageError(f"{folder} holds no .dvdt file")
    for path in paths:
        source = read_file(path)
        yield from (Shelved(name, (), source) for name in declarations(source))


def read_file(path: Path) -> Source:
    """The text of a model file."""
    return Source(read_text(path), str(path))


@lru_cache(maxsize=64)
def declarations(source: Source) -> Mapping[str, ModelDeclaration]:
    """The models of a text by name, as syntax; a bare text goes by its source's name. Raises ModelError for mistakes of syntax."""
    from ..grammar.parse import parse
    from .reading import each_once, named

    parsed = parse(source)
    if parsed.mistakes:
        raise ModelError(parsed.mistakes)
    each_once(parsed)
    return {model.name.id: model for model in map(named, parsed.module.models)}
