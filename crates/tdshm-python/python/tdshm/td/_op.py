"""Operators of any family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterator, Iterable, MutableSet, Optional, Sequence, Union

from ._base import Flag, Guarded, Member, near
from ._connector import Connector, _operator
from ._errors import tdError
from ._par import Page, Par, ParCollection, ParGroupCollection

if TYPE_CHECKING:
    from .._tdshm import TdOp
    from ._comp import COMP
    from ._network import Network

_MISSING = object()


class OP(Guarded):
    """An operator. What it is of, ``CHOP``, ``TOP``, ``DAT`` or ``COMP``, is its class; so is its type, ``sharedmeminCHOP``.

    Two of them are equal where they are the same operator. One that has been destroyed is not ``valid``, and everything else
    raises :class:`tdError`.
    """

    __slots__ = ("__weakref__", "_net", "_raw")

    _raw: TdOp
    _net: Network

    def __init__(self, net: Network, raw: TdOp) -> None:
        object.__setattr__(self, "_net", net)
        object.__setattr__(self, "_raw", raw)

    def _member(self, name: str) -> Any:
        return self._net._value(self._raw.member(name))

    def __repr__(self) -> str:
        if not self.valid:
            return f"type:{type(self).__name__} (destroyed)"
        return f"type:{self.opType} path:{self.path}"

    def __str__(self) -> str:
        return self.path if self.valid else repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OP) and self._net is other._net and self._raw.id == other._raw.id

    def __hash__(self) -> int:
        return hash((id(self._net), self._raw.id))

    # Who it is

    @property
    def valid(self) -> bool:
        """Whether it is still there."""
        return self._raw.valid()

    @property
    def id(self) -> int:
        """Its number, unique in its network."""
        return self._raw.id

    @property
    def name(self) -> str:
        """Its name, unique in its component. When it is set, references by the old one fail."""
        name: str = self._member("name")
        return name

    @name.setter
    def name(self, name: str) -> None:
        self._raw.rename(name)

    path = Member[str]("The full path, such as ``/project1/in1``.")
    digits = Member[Optional[int]]("The last number in its name, or ``None``.")
    base = Member[str]("Its name up to the first digit.")
    type = Member[str]("The type without its family: ``sharedmemin``.")
    opType = Member[str]("The type: ``sharedmeminCHOP``.")
    OPType = Member[str]("The same, as older versions spell it.")
    label = Member[str]("The type as people read it: ``Shared Mem In``.")
    family = Member[str]("``CHOP``, ``TOP``, ``DAT`` or ``COMP``.")
    isCHOP = Member[bool]("Whether it puts out channels.")
    isTOP = Member[bool]("Whether it puts out images.")
    isDAT = Member[bool]("Whether it holds tables.")
    isCOMP = Member[bool]("Whether it holds operators.")
    isSOP = Member[bool]("Always ``False`` here.")
    isMAT = Member[bool]("Always ``False`` here.")
    isPOP = Member[bool]("Always ``False`` here.")
    isFilter = Member[bool]("Whether it needs an input.")
    minInputs = Member[int]("Inputs that must be wired.")
    maxInputs = Member[int]("Inputs that can be wired.")
    isMultiInputs = Member[bool]("Whether more than one input can be wired.")

    # Finding others

    def parent(self, n: int = 1) -> Optional[COMP]:
        """The component that it lives in, or the one so many levels up; ``None`` above the top."""
        raw = self._raw.parent(n)
        found: Optional[COMP] = None if raw is None else self._net._wrap(raw)
        return found

    def op(self, *patterns: Union[str, int, OP, None]) -> Any:
        """The first operator that one of the paths, patterns or numbers means, or ``None``: seen from inside a component, from
        beside anything else."""
        for pattern in patterns:
            if pattern is None:
                continue
            if isinstance(pattern, OP):
                return pattern
            raw = self._raw.find(str(pattern))
            if raw is not None:
                return self._net._wrap(raw)
        return None

    def opex(self, *patterns: Union[str, int, OP, None]) -> Any:
        """As :meth:`op`, with :class:`tdError` in place of ``None``, which names operators that look alike."""
        found = self.op(*patterns)
        if found is None:
            wanted = " ".join(str(pattern) for pattern in patterns)
            names = [beside.name for beside in self.ops("*")]
            hint = near(wanted.rsplit("/", 1)[-1], names)
            raise tdError(f"there is no operator {wanted!r} seen from {self.path}{hint or ': check the path'}")
        return found

    def ops(self, *patterns: Union[str, int, OP]) -> list[Any]:
        """All operators that the paths and patterns mean, each once."""
        found: list[Any] = []
        for pattern in patterns:
            ops = [pattern] if isinstance(pattern, OP) else map(self._net._wrap, self._raw.find_all(str(pattern)))
            found.extend(other for other in ops if other not in found)
        return found

    # Parameters

    @property
    def par(self) -> ParCollection:
        """Its parameters: ``n.par.active = 1``."""
        return ParCollection(self)

    @property
    def parGroup(self) -> ParGroupCollection:
        """Its parameters in groups: ``n.parGroup.resolution``."""
        return ParGroupCollection(self)

    def pars(self, *patterns: str) -> list[Par]:
        """The parameters that the patterns mean, each once; all of them without a pattern."""
        found: dict[str, Par] = {}
        for pattern in patterns or ("*",):
            for raw in self._raw.pars(pattern):
                par = Par(self._net, raw)
                found.setdefault(par.name, par)
        return list(found.values())

    @property
    def pages(self) -> list[Page]:
        """The pages of its parameters, in order."""
        return [Page(self, name) for name in self._raw.pages()]

    @property
    def builtinPars(self) -> list[Par]:
        """The parameters that its type has."""
        return [Par(self._net, raw) for raw in self._raw.pars_of("builtin", "")]

    @property
    def customPars(self) -> list[Par]:
        """The parameters that a program added."""
        return [Par(self._net, raw) for raw in self._raw.pars_of("custom", "")]

    def copyParameters(self, other: OP) -> None:
        """Takes over the parameters that another operator has as well."""
        self._raw.copy_parameters(other._raw)

    def resetPars(self) -> bool:
        """Sets all parameters to their defaults, and says whether that changed anything."""
        return self._raw.reset_pars()

    # Wires

    @property
    def inputs(self) -> list[Any]:
        """The operators that are wired into its inputs; those without a wire are left out."""
        return [self._net._wrap(raw) for raw in self._raw.inputs() if raw is not None]

    @property
    def outputs(self) -> list[Any]:
        """The operators that its output is wired into."""
        return [self._net._wrap(raw) for raw in self._raw.outputs()]

    @property
    def inputConnectors(self) -> list[Connector]:
        """Its inputs; of an operator that takes any number those that are wired, and one more."""
        return [Connector(self._net, raw) for raw in self._raw.input_connectors()]

    @property
    def outputConnectors(self) -> list[Connector]:
        """Its outputs."""
        return [Connector(self._net, raw) for raw in self._raw.output_connectors()]

    def setInputs(self, inputs: Sequence[Optional[OP]]) -> None:
        """Replaces all wires of its inputs; ``None`` leaves an input free, and an empty list all of them."""
        self._raw.set_inputs([None if op is None else _operator(op) for op in inputs])

    # Cooks

    def cook(self, force: bool = False, recurse: bool = False, includeUtility: bool = False) -> None:
        """Cooks it if it has a reason; with ``force`` in any case, with ``recurse`` all that is inside as well.
        ``includeUtility`` changes nothing: there are no utility operators here."""
        self._raw.cook(force, recurse)
        self._net._check()

    totalCooks = Member[int]("How often it cooked.")
    cookTime = Member[float]("How long its last cook took, in milliseconds.")
    cpuCookTime = Member[float]("The same.")
    gpuCookTime = Member[float]("Always 0: nothing is done by a GPU.")
    childrenCPUCookTime = Member[float]("How long all operators inside cooked in this frame, in milliseconds.")
    cookFrame = Member[float]("The frame of the timeline in which it last cooked.")
    cookAbsFrame = Member[int]("The absolute frame in which it last cooked.")
    cookStartTime = Member[float]("When its last cook began, in milliseconds since the frame did.")
    cookEndTime = Member[float]("When its last cook ended, in milliseconds since the frame began.")
    cookedThisFrame = Member[bool]("Whether it cooked in this frame.")
    cookedPreviousFrame = Member[bool]("Whether it cooked in the frame before.")
    cpuMemory = Member[int]("Bytes of what it puts out.")
    gpuMemory = Member[int]("Bytes of the pixels of a TOP, which here lie in ordinary memory.")

    def errors(self, recurse: bool = False) -> str:
        """What is wrong, a line each; empty when nothing is. With ``recurse`` also of all that is inside, with paths."""
        return self._raw.errors(recurse)

    def warnings(self, recurse: bool = False) -> str:
        """What is not as one would expect, a line each."""
        return self._raw.warnings(recurse)

    def scriptErrors(self, recurse: bool = False) -> str:
        """The errors that :meth:`addScriptError` added. ``recurse`` changes nothing here."""
        return self._raw.script_errors()

    def addError(self, msg: str) -> None:
        """Adds an error; only while it cooks, from its script."""
        self._raw.add("error", msg)

    def addWarning(self, msg: str) -> None:
        """Adds a warning; only while it cooks, from its script."""
        self._raw.add("warning", msg)

    def addScriptError(self, msg: str) -> None:
        """Adds an error that stays until :meth:`clearScriptErrors`."""
        self._raw.add("script", msg)

    def clearScriptErrors(self, recurse: bool = False, error: str = "*") -> None:
        """Takes all script errors away. The arguments change nothing here."""
        self._raw.clear_script_errors()

    def info(self, infotype: str = "all") -> dict[str, float]:
        """What an Info CHOP shows of it: ``all``, ``general``, ``timecode``, ``shm`` or ``exports``. (Ours.)"""
        return dict(self._raw.info(infotype))

    @property
    def unresolvedExports(self) -> list[str]:
        """What it exports to no parameter, and why, a line each. (Ours, after TouchDesigner's ``checkexports``.)"""
        return self._raw.unresolved_exports()

    # Flags

    bypass = Flag("Passes its first input on instead of working.")
    lock = Flag("Does not cook: what it puts out stays.")
    viewer = Flag("Somebody looks at it: it is asked to cook in every frame.")
    activeViewer = Flag("A mark, which changes nothing here.")
    display = Flag("A mark, which changes nothing here.")
    selected = Flag("A mark, which changes nothing here.")

    # Its life

    def destroy(self) -> None:
        """Takes it away, with all that is inside. Its segments are left."""
        self._net._forget(self, self._inside())
        self._raw.destroy()

    def _inside(self) -> list[int]:
        ids = [self._raw.id]
        for child in self._raw.children():
            ids.extend(self._net._wrap(child)._inside())
        return ids

    def changeType(self, OPtype: Any) -> Any:
        """Makes it an operator of another type of its family, and gives that: name, wires, flags and the parameters that both
        have stay."""
        storage = self._net._storage.get(self._raw.id)
        before = self._raw.id
        new = self._net._wrap(self._raw.change_type(_type_name(OPtype)))
        self._net._forget(self, [before])
        if storage:
            self._net._storage[new.id] = storage
        return new

    # What people write on it

    @property
    def storage(self) -> dict[Any, Any]:
        """A dictionary of yours that lives as long as the operator."""
        self._raw.op_type()
        return self._net._storage.setdefault(self._raw.id, {})

    def store(self, key: Any, value: Any) -> Any:
        """Keeps a value in :attr:`storage`, and gives it."""
        self.storage[key] = value
        return value

    def fetch(self, key: Any, default: Any = _MISSING, search: bool = True, storeDefault: bool = False) -> Any:
        """A value of :attr:`storage`; with ``search`` also of the components above. Without one ``default``, or ``KeyError``."""
        at: Optional[OP] = self
        while at is not None:
            if key in at.storage:
                return at.storage[key]
            at = at.parent() if search else None
        if default is _MISSING:
            raise KeyError(key)
        if storeDefault:
            self.store(key, default)
        return default

    def unstore(self, *keys: Any) -> None:
        """Forgets values of :attr:`storage`; all of them without a key."""
        for key in keys or tuple(self.storage):
            self.storage.pop(key, None)

    @property
    def tags(self) -> MutableSet[str]:
        """A set of words."""
        return Tags(self)

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        words = set(tags)
        for tag in self._raw.tags():
            self._raw.set_tag(tag, False)
        for tag in words:
            self._raw.set_tag(tag, True)

    @property
    def comment(self) -> str:
        """A note."""
        comment: str = self._member("comment")
        return comment

    @comment.setter
    def comment(self, text: str) -> None:
        self._raw.set_comment(text)

    @property
    def nodeX(self) -> int:
        """Where it stands in a picture of its network."""
        x: int = self._member("nodeX")
        return x

    @nodeX.setter
    def nodeX(self, x: int) -> None:
        self._raw.set_position(x, self.nodeY)

    @property
    def nodeY(self) -> int:
        """Where it stands in a picture of its network."""
        y: int = self._member("nodeY")
        return y

    @nodeY.setter
    def nodeY(self, y: int) -> None:
        self._raw.set_position(self.nodeX, y)

    @property
    def color(self) -> tuple[float, float, float]:
        """Its colour in that picture: red, green and blue from 0 to 1."""
        return self._raw.color()

    @color.setter
    def color(self, rgb: Sequence[float]) -> None:
        red, green, blue = rgb
        self._raw.set_color((red, green, blue))

    @property
    def time(self) -> Any:
        """The timeline of its network."""
        return self._net.time

    def _export_source(self, at: int) -> Any:
        """What drives a parameter: a channel, or a cell of the value column."""
        return None


class Tags(MutableSet[str]):
    """The tags of an operator. What is added here is on the operator."""

    __slots__ = ("_op",)

    def __init__(self, op: OP) -> None:
        self._op = op

    def __contains__(self, tag: object) -> bool:
        return tag in self._op._raw.tags()

    def __iter__(self) -> Iterator[str]:
        return iter(self._op._raw.tags())

    def __len__(self) -> int:
        return len(self._op._raw.tags())

    def __repr__(self) -> str:
        return repr(set(self))

    def add(self, value: str) -> None:
        """Adds one."""
        self._op._raw.set_tag(value, True)

    def discard(self, value: str) -> None:
        """Takes one away, where it is there."""
        self._op._raw.set_tag(value, False)

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> Any:
        return set(it)


def _type_name(op_type: Any) -> str:
    """The type that a class or a text means."""
    return op_type.__name__ if isinstance(op_type, type) else str(op_type)
