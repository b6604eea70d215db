"""Registry: models by name, one's own and those of the library alike."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import overload

from ..grammar.source import Source
from ..stdlib_models import LIBRARY
from .errors import NoSuchName, UsageError
from .model import NAMELESS, SHELF, Model, identifier
from .near_names import near_names
from .paths import path_of
from .reading import read, read_all
from .shelf import Shelf, Shelved, folded, library, models_in_folder, read_file

OWN = "Registered models"
YEAR = re.compile(r"\b(1[89]|20)\d\d\b")


@dataclass(frozen=True)
class Row:
    """What the table of models says of one."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    reference: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    family: str = OWN
    source: str = ""  # the system whose numbers a model of the library gives, "textbook" for the published equations

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


class ModelTable(Sequence[Row]):
    """All models, by name; prints as a table, in a notebook too. `table["adex"]` is a row, as is `table[0]`."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, key: int | str) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> ModelTable: ...
    def __getitem__(self, key: int | str | slice) -> Row | ModelTable:
        if isinstance(key, slice):
            return ModelTable(self._rows[key])
        if isinstance(key, int):
            return self._rows[key]
        for row in self._rows:
            if folded(key) in map(folded, (row.name, *row.aliases)):
                return row
        near = near_names(key, [name for row in self._rows for name in (row.name, *row.aliases)])
        raise NoSuchName(f"there is no model {key!r} in this table{f'; did you mean {near[0]!r}?' if near else ''}")

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def __contains__(self, name: object) -> bool:
        if isinstance(name, str):
            return any(folded(name) in map(folded, (row.name, *row.aliases)) for row in self._rows)
        return name in self._rows

    def matching(self, text: str) -> ModelTable:
        """The models of which a name contains `text`; case, `_` and `-` do not matter."""
        return ModelTable(row for row in self._rows if any(folded(text) in folded(name) for name in row.names))

    def of_source(self, source: str) -> ModelTable:
        """The models that give the numbers of a system, such as "norse". Raises UsageError for a system that none does."""
        known = {folded(row.source): row.source for row in self._rows if row.source}
        if folded(source) not in known:
            near = [known[each] for each in near_names(folded(source), known)]
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known are {', '.join(known.values())}"
            raise UsageError(f"there are no models of {source!r}; {hint}")
        return ModelTable(row for row in self._rows if folded(row.source) == folded(source))

    def __str__(self) -> str:
        """Families one below the other, each model with its states and what it is."""
        name = max((len(row.name) for row in self._rows), default=0)
        states = max((len(", ".join(row.states)) for row in self._rows), default=0)
        lines: list[str] = []
        for family in dict.fromkeys(row.family for row in self._rows):
            rows = [row for row in self._rows if row.family == family]
            lines += ["", family]
            lines += [f"  {row.name:<{name}}  {', '.join(row.states):<{states}}  {row.summary}".rstrip() for row in rows]
        return "\n".join(lines[1:])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = ("name", "also called", "family", "what it is", "reference", "states", "parameters")
        rows = [
            (
                *(row.name, ", ".join(row.aliases), row.family, row.summary, row.reference),
                *(", ".join(row.states), ", ".join(row.parameters)),
            )
            for row in self._rows
        ]
        lines = ["".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row) for row in rows]
        titles = "".join(f"<th style='text-align:left'>{title}</th>" for title in head)
        return f"<table><tr>{titles}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


class Registry:
    """Models by name: what was registered first, then the library, then installed packages (entry points of the group "dvdt.models").

    Case, `_` and `-` do not matter in a name. The functions of this module are those of one registry, `default`.
    """

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = Shelf() if shelf is None else shelf
        self._models: dict[Shelved, Model] = {}

    def register(self, model: Model | str, name: str | None = None, aliases: Iterable[str] = (), replace: bool = False) -> Model:
        """Make a model, or the model of a text, known by a name and further names; gives the model.

        `name` is needed for a text without one. Raises UsageError for a name that is taken, unless `replace`; ModelError for mistakes in the text.
        """
        if isinstance(model, str):
            source = Source(model, NAMELESS if name is None else identifier(name))
            model = Model.of(read(source, name, self._shelf.declaration))
        elif not isinstance(model, Model):
            raise UsageError(f"register: expected a Model or the text of one, not {model!r}")
        if name is None and model.nameless:
            raise UsageError("register: the model has no name; say name=")
        called = model.name if name is None else identifier(name)
        if called != model.name:
            model = model.extend("", name=called)
        if not isinstance(aliases, Iterable):
            raise UsageError(f"register: aliases: expected names, such as ['my_lif'], not {aliases!r}")
        others = (aliases,) if isinstance(aliases, str) else tuple(aliases)
        self._put(Shelved(called, others, Source(model.text, called)), model, replace)
        return model

    def model(self, name: str) -> Model:
        """The model that answers to `name`. Raises UsageError, with near names, where none does."""
        if not isinstance(name, str):
            raise UsageError(f"model: expected a name, not {name!r}")
        found = self._shelf.find(name)
        if found is None:
            if name.strip().endswith(".dvdt"):
                raise UsageError(f"there is no model {name!r}; the models of a file are dvdt.load({name.strip()!r})")
            known = [each for shelved in self._shelf for each in shelved.names]
            near = near_names(name, known)
            hint = (
                f"did you mean {' or '.join(map(repr, near))}?"
                if near
                else "dvdt.models() lists those that there are (in a shell: dvdt models)"
            )
            raise UsageError(f"there is no model {name!r}; {hint}")
        return self._model_of(found)

    def models(self) -> ModelTable:
        """Every model by family: name, aliases, one line, reference, states, parameters.

        `dvdt.models().matching("izh")` and `.of_source("norse")` are parts of it.
        """
        return ModelTable(self._row(shelved) for shelved in self._shelf)

    def load(self, path: str | os.PathLike[str]) -> dict[str, Model]:
        """Every model of a file, by name; a bare text goes by the name of its file. Raises ModelError with all mistakes, UsageError for no file."""
        return {
            name: Model.of(checked)
            for name, checked in read_all(read_file(path_of(path, "load")), self._shelf.declaration).items()
        }

    def load_library(self, path: str | os.PathLike[str], replace: bool = False) -> ModelTable:
        """Register every model of the .dvdt files of a folder; they may inherit from one another. Gives their table.

        Raises UsageError for a folder without such a file and for a name that is taken, unless `replace`; ModelError for mistakes.
        """
        folder = path_of(path, "load_library")
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder")
        found = Shelf()
        for shelved in models_in_folder(folder):
            if folded(shelved.name) in found.own:
                raise UsageError(f"{folder} holds two models of the name {shelved.name!r}")
            found.put(shelved)
        read_models = [
            read(s.source, s.name, lambda base: found.declaration(base) or self._shelf.declaration(base))
            for s in found.own.values()
        ]
        for checked in read_models:
            self._free(checked.name, replace)
        return ModelTable(self._row_of(self.register(Model.of(checked), replace=replace), ()) for checked in read_models)

    def _put(self, shelved: Shelved, model: Model, replace: bool) -> None:
        for each in shelved.names:
            self._free(each, replace)
        self._shelf.put(shelved)
        self._models[shelved] = model

    def _free(self, name: str, replace: bool) -> None:
        if not isinstance(name, str) or not folded(name):
            raise UsageError(f"register: {name!r} is no name for a model")
        taken = self._shelf.taken(name)
        if taken is not None and not replace:
            known = f"is taken by the model {taken.name!r}" if taken.name != name else "is taken"
            raise UsageError(f"register: the name {name!r} {known}; choose another, or say replace=True")

    def _model_of(self, shelved: Shelved) -> Model:
        if shelved not in self._models:
            self._models[shelved] = Model.of(read(shelved.source, shelved.name, self._shelf.declaration))
        return self._models[shelved]

    def _row(self, shelved: Shelved) -> Row:
        row = self._row_of(self._model_of(shelved), shelved.aliases)
        if library().get(folded(shelved.name)) is not shelved:
            return row
        family = LIBRARY[shelved.name].family
        return replace(row, family=family.title, source=family.source)

    @staticmethod
    def _row_of(model: Model, aliases: tuple[str, ...]) -> Row:
        paragraphs = [paragraph.replace("\n", " ") for paragraph in model.description.split("\n\n")]
        reference = paragraphs[-1] if len(paragraphs) > 1 and YEAR.search(paragraphs[-1]) else ""
        summary = model.description.partition("\n")[0].rstrip(".")
        return Row(model.name, aliases, summary, reference, tuple(model.states), tuple(model.parameters))


default = Registry(SHELF)

register = default.register
model = default.model
models = default.models
load = default.load
load_library = default.load_library
