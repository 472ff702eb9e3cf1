"""Parameters."""

from __future__ import annotations

import enum
import os
from typing import TYPE_CHECKING, Any, Iterator, Optional, Sequence, Union

from ._base import Guarded, Member, Numeric, near, unwrapped
from ._errors import tdAttributeError, tdIndexError

if TYPE_CHECKING:
    from .._tdshm import TdPar
    from ._channel import Channel
    from ._dat import Cell
    from ._network import Network
    from ._op import OP


class ParMode(enum.Enum):
    """Which of a parameter's four values counts."""

    CONSTANT = "CONSTANT"
    EXPRESSION = "EXPRESSION"
    EXPORT = "EXPORT"
    BIND = "BIND"


class Par(Guarded, Numeric):
    """A parameter of an operator: ``n.par.active``.

    In arithmetic and comparisons it acts as its value: ``n.par.rate * 2``, ``n.par.memtype == 'local'``.
    """

    __slots__ = ("_net", "_raw")

    _raw: TdPar
    _net: Network

    def __init__(self, net: Network, raw: TdPar) -> None:
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_raw", raw)

    def _member(self, name: str) -> Any:
        return self._raw.member(name)

    def _value(self) -> Any:
        return self.eval()

    def __float__(self) -> float:
        index = self.menuIndex
        return float(self.eval()) if index is None else float(index)

    def __int__(self) -> int:
        index = self.menuIndex
        return int(self.eval()) if index is None else index

    def __repr__(self) -> str:
        if not self.valid:
            return "type:Par (its operator has been destroyed)"
        return f"type:Par name:{self.name} owner:{self.owner.path} value:{self.eval()!r}"

    name = Member[str]("The scripting name.")
    label = Member[str]("The label that is shown.")
    style = Member[str]("What it takes, in TouchDesigner's word: ``Toggle``, ``Menu``, ``Float``, …")
    default = Member[Any]("The value that it begins with.")
    defaultExpr = Member[str]("Always empty here: parameters begin in mode Constant.")
    min = Member[float]("The smallest number; the beginning of the slider where nothing limits it.")
    max = Member[float]("The greatest number; the end of the slider where nothing limits it.")
    clampMin = Member[bool]("Whether smaller numbers are raised to ``min``.")
    clampMax = Member[bool]("Whether greater numbers are lowered to ``max``.")
    normMin = Member[float]("Where the slider begins.")
    normMax = Member[float]("Where the slider ends.")
    enable = Member[bool]("Whether it has an effect: other parameters may say that it has none.")
    enableExpr = Member[str]("Always empty here.")
    readOnly = Member[bool]("Always ``False`` here.")
    hidden = Member[bool]("Always ``False`` here.")
    vecIndex = Member[int]("Its place in its group, from 0.")
    order = Member[int]("Its place among the parameters of its operator, from 0.")
    index = Member[int]("The same.")
    isDefault = Member[bool]("Whether it has its default, in mode Constant.")
    isMenu = Member[bool]("Whether it has a menu.")
    isToggle = Member[bool]("Whether it is on or off.")
    isString = Member[bool]("Whether it takes texts.")
    isNumber = Member[bool]("Whether it takes numbers.")
    isFloat = Member[bool]("Whether it takes any number.")
    isInt = Member[bool]("Whether it takes whole numbers.")
    isOP = Member[bool]("Whether it names an operator.")
    isPulse = Member[bool]("Whether it is a button.")
    isCustom = Member[bool]("Whether it was added by a program.")
    lastScriptChange = Member[Optional[int]](
        "The absolute frame in which a program last changed it; ``None`` where none did. (TouchDesigner has an object that says more.)"
    )

    @property
    def valid(self) -> bool:
        """Whether its operator is still there."""
        return self._raw.valid()

    @property
    def owner(self) -> OP:
        """The operator that it belongs to."""
        op: OP = self._net._wrap(self._raw.owner)
        return op

    @property
    def page(self) -> Page:
        """The page that it is on."""
        return Page(self.owner, self._member("page"))

    @property
    def val(self) -> Any:
        """The constant, whatever the mode. Setting it makes the mode Constant."""
        return self._member("val")

    @val.setter
    def val(self, value: Any) -> None:
        self._raw.set(unwrapped(value, self._net))

    @property
    def expr(self) -> str:
        """The expression, empty where there is none. Setting it makes the mode Expression."""
        text: str = self._member("expr")
        return text

    @expr.setter
    def expr(self, text: str) -> None:
        self._raw.set_expr(text)

    @property
    def bindExpr(self) -> str:
        """The bind expression, such as ``op('base1').par.Speed``. Setting it makes the mode Bind."""
        text: str = self._member("bindExpr")
        return text

    @bindExpr.setter
    def bindExpr(self, text: str) -> None:
        self._raw.set_bind_expr(text)

    @property
    def mode(self) -> ParMode:
        """Which of its values counts. A mode without a value to follow is refused with :class:`tdValueError`."""
        return ParMode(self._member("mode"))

    @mode.setter
    def mode(self, mode: Union[ParMode, str]) -> None:
        self._raw.set_mode(mode.value if isinstance(mode, ParMode) else mode)

    @property
    def prevMode(self) -> ParMode:
        """The mode before the last change of it."""
        return ParMode(self._member("prevMode"))

    @property
    def defaultMode(self) -> ParMode:
        """The mode that it begins in."""
        return ParMode(self._member("defaultMode"))

    def eval(self) -> Any:
        """The value that counts, whatever the mode: a bool of a toggle, the name of a menu's entry, a number, a text, an
        operator or ``None``. What it refers to cooks first."""
        return self._net._value(self._raw.eval())

    def evalExpression(self) -> Any:
        """What the expression gives, whatever the mode; ``None`` where there is none."""
        return self._net._value(self._raw.eval_expression())

    def evalExport(self) -> Any:
        """What the export gives, whatever the mode; ``None`` where there is none."""
        return self._net._value(self._raw.eval_export())

    def evalNorm(self) -> float:
        """The number within the slider: 0 at its beginning, 1 at its end."""
        return self._raw.eval_norm()

    def evalOPs(self) -> list[OP]:
        """All operators that the text of an operator parameter means."""
        return [self._net._wrap(raw) for raw in self._raw.eval_ops()]

    def evalFile(self) -> Optional[str]:
        """The file that a file parameter names, seen from the folder of the project; ``None`` where it is empty. (TouchDesigner
        gives a ``FileInfo``, which is such a text.)"""
        path = self._raw.eval_file()
        return None if path is None else os.fspath(path)

    @property
    def normVal(self) -> float:
        """The number within the slider, to be read and set."""
        return self._raw.eval_norm()

    @normVal.setter
    def normVal(self, norm: float) -> None:
        self._raw.set_norm(norm)

    @property
    def menuNames(self) -> Optional[list[str]]:
        """The names of the menu's entries, which are its values; ``None`` for what is no menu."""
        menu = self._raw.menu()
        return None if menu is None else menu[0]

    @property
    def menuLabels(self) -> Optional[list[str]]:
        """The labels of the menu's entries; ``None`` for what is no menu."""
        menu = self._raw.menu()
        return None if menu is None else menu[1]

    @property
    def menuIndex(self) -> Optional[int]:
        """The place of the value in the menu, from 0; ``None`` for what is no menu. To be set as well."""
        index: Optional[int] = self._member("menuIndex")
        return index

    @menuIndex.setter
    def menuIndex(self, index: int) -> None:
        if index < 0:
            raise tdIndexError(f"{self.owner.path}.par.{self.name} has no entry {index}: entries count from 0")
        self._raw.set_menu_index(index)

    def reset(self) -> bool:
        """Sets the default, in mode Constant, and says whether that changed anything."""
        return self._raw.reset()

    def pulse(self, value: Any = 1, frames: int = 0, seconds: float = 0) -> None:
        """Sets a value, lets the operator cook, and puts the one from before back: at once, or at the end of so many frames or
        seconds."""
        if frames < 0:
            raise ValueError(f"the pulse is {frames} frames long, and must be 0 or more")
        self._raw.pulse(unwrapped(value, self._net), frames, seconds)

    def copy(self, par: Par) -> None:
        """Takes over constant, expression, bind and mode of another parameter of the same style."""
        self._raw.copy_from(par._raw)

    @property
    def exportOP(self) -> Optional[OP]:
        """The operator that exports to it; ``None`` where none does."""
        source = self._raw.export_source()
        return None if source is None else self._net._wrap(source[0])

    @property
    def exportSource(self) -> Union[Channel, Cell, None]:
        """The channel, or the cell, that drives it; ``None`` where none does."""
        source = self._raw.export_source()
        if source is None:
            return None
        op = self._net._wrap(source[0])
        found: Union[Channel, Cell, None] = op._export_source(source[1])
        return found


class ParCollection:
    """All parameters of an operator: ``n.par.active``, ``n.par['active']``, ``for par in n.par``.

    Setting one sets its constant: ``n.par.active = 1``.
    """

    __slots__ = ("_op",)

    _op: OP

    def __init__(self, op: OP) -> None:
        object.__setattr__(self, "_op", op)

    def __getattr__(self, name: str) -> Par:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._op._raw.find_par(name)
        if found is None:
            raise self._missing(name)
        return Par(self._op._net, found)

    def __setattr__(self, name: str, value: Any) -> None:
        getattr(self, name).val = value

    def __getitem__(self, name: str) -> Optional[Par]:
        """The parameter of that name, or ``None``."""
        found = self._op._raw.find_par(name)
        return None if found is None else Par(self._op._net, found)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._op._raw.find_par(name) is not None

    def __iter__(self) -> Iterator[Par]:
        return iter(self._op.pars())

    def __len__(self) -> int:
        return len(self._op._raw.pars("*"))

    def __dir__(self) -> list[str]:
        return [par.name for par in self]

    def __repr__(self) -> str:
        return f"type:ParCollection owner:{self._op.path}"

    def _missing(self, name: str) -> tdAttributeError:
        hint = near(name, dir(self))
        return tdAttributeError(f"{self._op.path} ({self._op.opType}) has no parameter {name!r}{hint}")


class ParGroup(Sequence[Par]):
    """Parameters that belong together: ``n.parGroup.resolution`` has ``resolutionw`` and ``resolutionh``."""

    __slots__ = ("_pars", "name")

    def __init__(self, name: str, pars: list[Par]) -> None:
        self.name = name
        self._pars = pars

    def __getitem__(self, index: Any) -> Any:
        return self._pars[index]

    def __len__(self) -> int:
        return len(self._pars)

    def __repr__(self) -> str:
        return f"type:ParGroup name:{self.name} owner:{self._pars[0].owner.path}"

    @property
    def owner(self) -> OP:
        """The operator that they belong to."""
        return self._pars[0].owner

    def eval(self) -> tuple[Any, ...]:
        """Their values."""
        return tuple(par.eval() for par in self._pars)

    @property
    def val(self) -> tuple[Any, ...]:
        """Their constants. To be set by as many values."""
        return tuple(par.val for par in self._pars)

    @val.setter
    def val(self, values: Sequence[Any]) -> None:
        for par, value in zip(self._pars, values):
            par.val = value

    def reset(self) -> bool:
        """Sets all of them to their defaults, and says whether that changed anything."""
        return any([par.reset() for par in self._pars])


class ParGroupCollection:
    """All groups of parameters of an operator, by name. A parameter without a group is one of its own."""

    __slots__ = ("_op",)

    def __init__(self, op: OP) -> None:
        self._op = op

    def __getattr__(self, name: str) -> ParGroup:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self[name]
        if found is None:
            raise self._op.par._missing(name)
        return found

    def __getitem__(self, name: str) -> Optional[ParGroup]:
        pars = [Par(self._op._net, raw) for raw in self._op._raw.pars_of("group", name)]
        if not pars:
            alone = self._op.par[name]
            pars = [] if alone is None else [alone]
        return ParGroup(name, pars) if pars else None

    def __repr__(self) -> str:
        return f"type:ParGroupCollection owner:{self._op.path}"


class Page:
    """A page of parameters."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: OP, name: str) -> None:
        self.owner = owner
        self.name = name

    def __repr__(self) -> str:
        return f"type:Page name:{self.name} owner:{self.owner.path}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Page) and (self.name, self.owner) == (other.name, other.owner)

    def __hash__(self) -> int:
        return hash((self.name, self.owner))

    @property
    def pars(self) -> list[Par]:
        """Its parameters, in order."""
        return [Par(self.owner._net, raw) for raw in self.owner._raw.pars_of("page", self.name)]

    def _append(
        self,
        style: str,
        name: str,
        label: Optional[str],
        default: Any = None,
        range: Optional[tuple[float, float]] = None,
        menu: Sequence[tuple[str, str]] = (),
    ) -> ParGroup:
        raw = self.owner._raw.append_par(
            style, name, name if label is None else label, self.name, unwrapped(default, self.owner._net), range, list(menu)
        )
        return ParGroup(name, [Par(self.owner._net, raw)])

    def appendFloat(
        self, name: str, label: Optional[str] = None, *, default: float = 0.0, normMin: float = 0.0, normMax: float = 1.0
    ) -> ParGroup:
        """Adds a number to a component. Names of such parameters begin with a capital letter. (The keywords are ours.)"""
        return self._append("Float", name, label, default, (normMin, normMax))

    def appendInt(
        self, name: str, label: Optional[str] = None, *, default: int = 0, normMin: float = 0.0, normMax: float = 1.0
    ) -> ParGroup:
        """Adds a whole number to a component."""
        return self._append("Int", name, label, default, (normMin, normMax))

    def appendToggle(self, name: str, label: Optional[str] = None, *, default: bool = False) -> ParGroup:
        """Adds a switch to a component."""
        return self._append("Toggle", name, label, default)

    def appendStr(self, name: str, label: Optional[str] = None, *, default: str = "") -> ParGroup:
        """Adds a text to a component."""
        return self._append("Str", name, label, default)

    def appendMenu(
        self, name: str, label: Optional[str] = None, *, menuNames: Sequence[str], menuLabels: Optional[Sequence[str]] = None
    ) -> ParGroup:
        """Adds a menu to a component."""
        labels = list(menuNames) if menuLabels is None else list(menuLabels)
        if len(labels) != len(menuNames):
            raise ValueError(f"{len(menuNames)} names and {len(labels)} labels: give as many of both")
        return self._append("Menu", name, label, menu=list(zip(menuNames, labels)))

    def appendPulse(self, name: str, label: Optional[str] = None) -> ParGroup:
        """Adds a button to a component."""
        return self._append("Pulse", name, label)

    def appendFile(self, name: str, label: Optional[str] = None) -> ParGroup:
        """Adds the path of a file to a component."""
        return self._append("File", name, label)

    def appendOP(self, name: str, label: Optional[str] = None) -> ParGroup:
        """Adds the path of an operator to a component."""
        return self._append("OP", name, label)

    def appendCHOP(self, name: str, label: Optional[str] = None) -> ParGroup:
        """Adds the path of a CHOP to a component."""
        return self._append("CHOP", name, label)

    def appendTOP(self, name: str, label: Optional[str] = None) -> ParGroup:
        """Adds the path of a TOP to a component."""
        return self._append("TOP", name, label)

    def appendDAT(self, name: str, label: Optional[str] = None) -> ParGroup:
        """Adds the path of a DAT to a component."""
        return self._append("DAT", name, label)
