"""DATs: operators that hold tables."""

from __future__ import annotations

from typing import Any, Iterable, Optional, Union

from .. import _tdshm
from ._base import Flag, Guarded, Member, Numeric
from ._errors import tdIndexError
from ._op import OP

Place = Union[int, str]


class Cell(Numeric, Guarded):
    """A cell of a table: a text, which acts as a number where one is wanted."""

    __slots__ = ("_dat", "col", "row")

    row: int
    col: int
    _dat: DAT

    def __init__(self, dat: DAT, row: int, col: int) -> None:
        object.__setattr__(self, "_dat", dat)
        object.__setattr__(self, "row", row)
        object.__setattr__(self, "col", col)

    @property
    def owner(self) -> DAT:
        """The DAT that it belongs to."""
        return self._dat

    @property
    def val(self) -> str:
        """The text. Setting it changes the table."""
        return self._dat._cells()[self.row][self.col]

    @val.setter
    def val(self, text: object) -> None:
        self._dat[self.row, self.col] = text

    def _value(self) -> str:
        return self.val

    def __repr__(self) -> str:
        return f"type:Cell cell:({self.row}, {self.col}) owner:{self._dat.path} value:{self.val}"


class DAT(OP):
    """An operator that holds a table: ``n[0, 'name']`` is a cell, or ``None``."""

    __slots__ = ()

    numRows = Member[int]("Rows.")
    numCols = Member[int]("Cells in a row.")
    export = Flag("Whether its rows drive parameters.")
    exportChanges = Member[int]("How often what drives what changed.")

    def _cells(self) -> list[list[str]]:
        return _tdshm._td_cells(self._raw)

    def _export_source(self, at: int) -> Any:
        return self[at, "value"]

    def _row(self, cells: list[list[str]], row: Place) -> Optional[int]:
        if isinstance(row, str):
            return next((at for at, line in enumerate(cells) if line[:1] == [row]), None)
        at = row + len(cells) if row < 0 else row
        return at if 0 <= at < len(cells) else None

    def _col(self, cells: list[list[str]], col: Place) -> Optional[int]:
        header = cells[0] if cells else []
        if isinstance(col, str):
            return header.index(col) if col in header else None
        at = col + len(header) if col < 0 else col
        return at if 0 <= at < len(header) else None

    def __getitem__(self, place: tuple[Place, Place]) -> Optional[Cell]:
        row, col = place
        cells = self._cells()
        at = (self._row(cells, row), self._col(cells, col))
        return None if at[0] is None or at[1] is None else Cell(self, at[0], at[1])

    def __setitem__(self, place: tuple[Place, Place], value: object) -> None:
        cells = self._cells()
        row, col = (self._row(cells, place[0]), self._col(cells, place[1]))
        if row is None or col is None:
            raise tdIndexError(f"{self.path} has no cell [{place[0]!r}, {place[1]!r}]: append a row first")
        cells[row][col] = str(value)
        self._set(cells)

    def __bool__(self) -> bool:
        return True

    def _set(self, cells: list[list[str]]) -> None:
        _tdshm._td_set_cells(self._raw, cells)

    def cell(self, row: Place, col: Place) -> Optional[Cell]:
        """The cell in a row and a column, by their places from 0 or by what stands in their first cells; ``None`` where there is
        none."""
        return self[row, col]

    def row(self, row: Place) -> Optional[list[Cell]]:
        """The cells of a row, or ``None``."""
        cells = self._cells()
        at = self._row(cells, row)
        return None if at is None else [Cell(self, at, col) for col in range(len(cells[at]))]

    def col(self, col: Place) -> Optional[list[Cell]]:
        """The cells of a column, or ``None``."""
        cells = self._cells()
        at = self._col(cells, col)
        return None if at is None else [Cell(self, row, at) for row in range(len(cells))]

    def rows(self) -> list[list[Cell]]:
        """All rows."""
        return [[Cell(self, row, col) for col in range(len(line))] for row, line in enumerate(self._cells())]

    @property
    def text(self) -> str:
        """The whole table: tabs between cells, a line a row. To be set on a Table DAT."""
        return "\n".join("\t".join(row) for row in self._cells())

    @text.setter
    def text(self, text: str) -> None:
        self._set([line.split("\t") for line in text.split("\n")] if text else [])

    def clear(self, keepFirstRow: bool = False) -> None:
        """Takes all rows away, or all but the first."""
        self._set(self._cells()[:1] if keepFirstRow else [])

    def appendRow(self, vals: Iterable[object] = ()) -> int:
        """Adds a row at the end, and gives its place."""
        cells = self._cells()
        cells.append([str(value) for value in vals])
        self._set(cells)
        return len(cells) - 1

    def deleteRow(self, row: Place) -> None:
        """Takes a row away."""
        cells = self._cells()
        at = self._row(cells, row)
        if at is None:
            raise tdIndexError(f"{self.path} has no row {row!r}")
        del cells[at]
        self._set(cells)
