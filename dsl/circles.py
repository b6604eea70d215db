"""Circles among things that use each other, and the order they have where there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence


def circles(uses: Mapping[str, Sequence[str]], order: list[str]) -> Iterator[list[str]]:
    """Ways from a name back to itself, in one walk; to `order` go the names, each after those it uses."""
    done: set[str] = set()
    for first in uses:
        path: dict[str, Iterator[str]] = {} if first in done else {first: iter(uses[first])}
        while path:
            name = next(reversed(path))
            used = next((u for u in path[name] if u not in done), None)
            if used is None:
                del path[name]
                done.add(name)
                order.append(name)
            elif used in path:
                names = [*path]
                yield names[names.index(used) :]
            else:
                path[used] = iter(uses[used])
