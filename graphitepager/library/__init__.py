"""The ready-made checks that are shipped: their texts by their names, `mongodb/lock_percentage` and so on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files

_SUFFIX = ".yml"


class Library(Mapping[str, str]):
    """Looks when it is asked, and not before: most alerts use none of the checks."""

    def __getitem__(self, name: str) -> str:
        if name not in set(self):  # a name is no path: it leads nowhere else
            raise KeyError(name)
        return (files(__name__) / f"{name}{_SUFFIX}").read_text(encoding="utf-8")

    def __iter__(self) -> Iterator[str]:
        groups = [group for group in files(__name__).iterdir() if group.is_dir()]
        names = [(group.name, file.name) for group in groups for file in group.iterdir()]
        return iter(sorted(f"{group}/{file.removesuffix(_SUFFIX)}" for group, file in names if file.endswith(_SUFFIX)))

    def __len__(self) -> int:
        return len(list(iter(self)))
