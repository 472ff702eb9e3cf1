"""Connectors, where wires begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Union

from ._base import Guarded

if TYPE_CHECKING:
    from .._tdshm import TdConnector
    from ._network import Network
    from ._op import OP


class Connector(Guarded):
    """An input or output of an operator: ``n.inputConnectors[0]``."""

    __slots__ = ("_net", "_raw")

    _raw: TdConnector
    _net: Network

    def __init__(self, net: Network, raw: TdConnector) -> None:
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_raw", raw)

    def __repr__(self) -> str:
        return f"type:Connector {self.description} owner:{self.owner.path}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Connector) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, bool, int]:
        return self.owner, self.isInput, self.index

    @property
    def owner(self) -> OP:
        """The operator that it belongs to."""
        op: OP = self._net._wrap(self._raw.owner)
        return op

    @property
    def index(self) -> int:
        """Its place among the connectors of its side, from 0."""
        return self._raw.index

    @property
    def isInput(self) -> bool:
        """Whether data comes in here."""
        return self._raw.is_input

    @property
    def isOutput(self) -> bool:
        """Whether data goes out here."""
        return not self._raw.is_input

    @property
    def description(self) -> str:
        """What it is called: ``Input 0``."""
        return self._raw.description

    @property
    def inOP(self) -> None:
        """Always ``None``: components have no connectors here, and so no operator inside stands for one."""

    @property
    def outOP(self) -> None:
        """Always ``None``, as :attr:`inOP`."""

    @property
    def connections(self) -> list[Connector]:
        """The connectors at the other ends of its wires."""
        return [Connector(self._net, raw) for raw in self._raw.connections()]

    def connect(self, target: Union[OP, Connector]) -> None:
        """Draws a wire to an operator, or to one of its connectors. At an input it replaces the wire that was there, at an
        output it is one more. Operators of different families, or in different components, are refused."""
        if isinstance(target, Connector):
            self._raw.connect_to(target._raw)
        else:
            self._raw.connect_op(_operator(target))

    def disconnect(self) -> None:
        """Takes its wires away."""
        self._raw.disconnect()


def _operator(target: Any) -> Any:
    from ._op import OP

    if not isinstance(target, OP):
        _refuse(target)
    return target._raw


def _refuse(target: object) -> NoReturn:
    what = "None: there is no operator of that name" if target is None else type(target).__name__
    raise TypeError(f"a wire goes to an operator or a connector, and not to {what}")
