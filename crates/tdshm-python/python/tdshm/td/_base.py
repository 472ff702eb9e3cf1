"""What the classes of ``tdshm.td`` share."""

from __future__ import annotations

import difflib
import operator
import threading
from typing import TYPE_CHECKING, Any, Callable, Generic, NoReturn, Optional, TypeVar, Union, overload

import numpy as np

from ._errors import tdAttributeError, tdValueError

if TYPE_CHECKING:
    from ._network import Network
    from ._op import OP

T = TypeVar("T")


class Member(Generic[T]):
    """A member that an object says of itself, read only."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Member[T]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: Any, owner: type) -> Union[Member[T], T]:
        if instance is None:
            return self
        value: T = instance._member(self.name)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        raise tdAttributeError(f"{type(instance).__name__}.{self.name} cannot be set: it is read only")


class Flag:
    """A flag of an operator: reads and sets a bool."""

    def __init__(self, doc: str) -> None:
        self.__doc__ = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Flag: ...

    @overload
    def __get__(self, instance: OP, owner: type) -> bool: ...

    def __get__(self, instance: Optional[OP], owner: type) -> Union[Flag, bool]:
        if instance is None:
            return self
        return instance._raw.flag(self.name)

    def __set__(self, instance: OP, value: Any) -> None:
        instance._raw.set_flag(self.name, bool(value))


def near(name: str, known: list[str]) -> str:
    """A sentence with those of the known names that look like this one."""
    alike = difflib.get_close_matches(name, known, 3, 0.6)
    return f": did you mean {', '.join(alike)}?" if alike else ""


def no_member(instance: object, name: str) -> tdAttributeError:
    """The error for a member that a class does not have."""
    known = [member for member in dir(type(instance)) if not member.startswith("_")]
    return tdAttributeError(f"{type(instance).__name__} has no member {name!r}{near(name, known)}")


class Guarded:
    """Refuses members that are not there, by name, and pickling."""

    __slots__ = ()

    def __getattr__(self, name: str) -> NoReturn:
        raise no_member(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if not hasattr(type(self), name):
            raise no_member(self, name)
        object.__setattr__(self, name, value)

    def __reduce__(self) -> NoReturn:
        kind = type(self).__name__
        raise TypeError(f"cannot pickle {kind}: it belongs to a network of this process: send its path, or its values")


def unwrapped(value: Any, net: Network) -> Any:
    """A value for a parameter of that network: what it stands for where it is one of the objects here."""
    if isinstance(value, Numeric):
        value = value._value()
    elif isinstance(value, (np.generic, np.ndarray)) and value.ndim == 0:
        value = value.item()
    if getattr(value, "_net", net) is not net:
        raise tdValueError(f"{value!r} is of another network: give one of this network, or a value")
    return getattr(value, "_raw", value)


def _binary(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: work(self._value(), _plain(other))


def _reflected(work: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: work(_plain(other), self._value())


def _plain(value: Any) -> Any:
    return value._value() if isinstance(value, Numeric) else value


class Numeric:
    """Acts as its value: in arithmetic, comparisons, and where a number or a text is wanted."""

    __slots__ = ()

    # An array asks the object here before it goes through its elements: array + channel adds the value.
    __array_priority__ = 1000.0

    def _value(self) -> Any:
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: Optional[bool] = None) -> Any:
        return np.asarray(self._value(), dtype)

    def __float__(self) -> float:
        return float(self._value())

    def __int__(self) -> int:
        return int(self._value())

    def __index__(self) -> int:
        return operator.index(self._value())

    def __bool__(self) -> bool:
        return bool(self._value())

    def __str__(self) -> str:
        return str(self._value())

    def __format__(self, spec: str) -> str:
        return format(self._value(), spec)

    def __round__(self, digits: Optional[int] = None) -> Any:
        return round(self._value(), digits)

    def __eq__(self, other: object) -> bool:
        return bool(self._value() == _plain(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = object.__hash__

    __lt__ = _binary(operator.lt)
    __le__ = _binary(operator.le)
    __gt__ = _binary(operator.gt)
    __ge__ = _binary(operator.ge)
    __add__ = _binary(operator.add)
    __radd__ = _reflected(operator.add)
    __sub__ = _binary(operator.sub)
    __rsub__ = _reflected(operator.sub)
    __mul__ = _binary(operator.mul)
    __rmul__ = _reflected(operator.mul)
    __truediv__ = _binary(operator.truediv)
    __rtruediv__ = _reflected(operator.truediv)
    __floordiv__ = _binary(operator.floordiv)
    __rfloordiv__ = _reflected(operator.floordiv)
    __mod__ = _binary(operator.mod)
    __rmod__ = _reflected(operator.mod)
    __pow__ = _binary(operator.pow)
    __rpow__ = _reflected(operator.pow)

    def __neg__(self) -> Any:
        return -self._value()

    def __pos__(self) -> Any:
        return +self._value()

    def __abs__(self) -> Any:
        return abs(self._value())


class _Here(threading.local):
    """The operators whose scripts this thread runs, the innermost one last."""

    def __init__(self) -> None:
        self.stack: list[OP] = []


HERE = _Here()
