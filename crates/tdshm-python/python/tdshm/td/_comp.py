"""COMPs: operators that hold operators."""

from __future__ import annotations

from typing import Any, Optional, TypeVar, overload

from ._base import Member
from ._op import OP, _type_name
from ._par import Page

_Made = TypeVar("_Made", bound=OP)


class COMP(OP):
    """An operator with a network of others inside."""

    __slots__ = ()

    numChildren = Member[int]("How many operators are inside, those inside of them not counted.")

    @property
    def children(self) -> list[Any]:
        """The operators inside, in the order in which they came."""
        return [self._net._wrap(raw) for raw in self._raw.children()]

    @overload
    def create(self, OPtype: type[_Made], name: Optional[str] = None) -> _Made: ...

    @overload
    def create(self, OPtype: str, name: Optional[str] = None) -> Any: ...

    def create(self, OPtype: Any, name: Optional[str] = None) -> Any:
        """Makes an operator inside: ``create(sharedmeminCHOP, 'in1')``. The type is a class of this module or its name; without a name
        it is called after its type, with the first free number."""
        return self._net._wrap(self._raw.create(_type_name(OPtype), name))

    def appendCustomPage(self, name: str) -> Page:
        """A page for parameters of yours: ``page.appendFloat('Speed')``."""
        return Page(self, name)
