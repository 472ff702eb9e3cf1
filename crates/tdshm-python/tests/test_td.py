"""Operators, paths, wires and members, as in TouchDesigner's Python (operators §10.1, §10.2, §10.5, §10.7)."""

from __future__ import annotations

import copy
import doctest
import pathlib
import pickle
import subprocess
import sys
from typing import Any

import pytest
import typed_td
from td_kit import name, network  # noqa: F401

import tdshm
from tdshm import td
from tdshm.td import _network, _types


def test_fragments_of_the_documentation_run_as_they_are(network: td.Network, name: str) -> None:
    op = network.op
    network.create("waveCHOP", "source1")
    network.create("sharedmemoutCHOP", "sharedmemoutchop1").par.name = name
    network.create("nullCHOP", "output1")

    sharedmemoutchop_op = op('sharedmemoutchop1')
    freq_value = sharedmemoutchop_op.par.active.eval()
    sharedmemoutchop_op.par.active = 1
    input_op = op('source1')
    output_op = op('output1')
    sharedmemoutchop_op.inputConnectors[0].connect(input_op)
    output_op.inputConnectors[0].connect(sharedmemoutchop_op)

    assert freq_value is True
    assert sharedmemoutchop_op.inputs == [input_op] and sharedmemoutchop_op.outputs == [output_op]
    network.cook(2)
    receiver = tdshm.ChopReceiver(name)
    frame = receiver.read()
    assert frame is not None and (frame.numChans, frame.numSamples) == (1, 600)
    assert (output_op.numpyArray() == input_op.numpyArray()).all()


def test_smoke_script_of_the_specification(network: td.Network, name: str) -> None:
    op = network.op
    network.create("sharedmeminCHOP")
    n = op('sharedmemin1')
    n.par.name = name; n.par.active = True  # noqa: E702
    n.cook(force=True)
    assert (n.numChans, n.numSamples, n.rate, [c.name for c in n.chans('h?_*')]) == (0, 0, 60.0, [])
    v = n['h0_x'].eval() if n['h0_x'] is not None else 0.0
    assert v == 0.0
    assert n.par.memtype.menuNames == ['local', 'global'] and n.errors() == ''
    assert n.warnings() == f"Shared memory '{name}' not found."


def test_each_type_has_a_class_that_says_what_it_does(network: td.Network) -> None:
    rows = network._raw.types()
    assert sorted(_types.TYPES) == sorted(row[0] for row in rows) == sorted(_types.__all__)
    for op_type, family, label, summary in rows:
        cls = getattr(td, op_type)
        assert op_type in td.__all__ and issubclass(cls, getattr(td, family))
        assert " ".join(cls.__doc__.split()) == f"{label}. {summary}"
        made = network.create(cls)
        assert type(made) is cls and isinstance(made, td.OP)
        assert (made.opType, made.OPType, made.family, made.label) == (op_type, op_type, family, label)
        assert made.type == op_type[: -len(family)] == made.base and made.digits in (1, 2)
        assert [made.isCHOP, made.isTOP, made.isDAT, made.isCOMP] == [
            family == other for other in ("CHOP", "TOP", "DAT", "COMP")
        ]
        assert not (made.isSOP or made.isMAT or made.isPOP)
    assert network.op("sharedmemin1") is not None


MEMBERS = {
    td.OP: """
        op opex ops parent valid id name path digits base type opType label family isCHOP isTOP isDAT isCOMP isFilter minInputs
        maxInputs isMultiInputs par pars parGroup pages builtinPars inputs outputs inputConnectors outputConnectors setInputs cook
        cookFrame cookAbsFrame cookTime cpuCookTime gpuCookTime cookStartTime cookEndTime cookedThisFrame cookedPreviousFrame
        totalCooks cpuMemory gpuMemory errors warnings scriptErrors addError addWarning addScriptError clearScriptErrors bypass
        lock viewer activeViewer display selected destroy copyParameters changeType resetPars storage tags color comment nodeX
        nodeY
    """,
    td.Par: """
        eval val expr bindExpr mode prevMode evalNorm evalExpression evalExport evalOPs evalFile menuNames menuLabels menuIndex
        default defaultExpr defaultMode isDefault reset min max clampMin clampMax normMin normMax normVal enable enableExpr
        readOnly hidden name label owner page vecIndex order style index isMenu isToggle isString isNumber isFloat isInt isOP
        isPulse isCustom pulse exportOP exportSource copy valid lastScriptChange
    """,
    td.CHOP: "numChans numSamples start end rate isTimeSlice export exportChanges chan chans numpyArray save",
    td.Channel: """
        index name owner exports valid vals eval evalFrame evalSeconds numpyArray average min max copyNumpyArray
    """,
    td.Connector: "index isInput isOutput owner inOP outOP connections description connect disconnect",
    td.TOP: """
        width height aspect aspectWidth aspectHeight depth gpuMemory curPass pixelFormat pixelFormatName sample numpyArray save
        saveByteArray
    """,
    td.COMP: "create children numChildren",
}
"""Every member of operators §10, typed a second time."""


@pytest.mark.parametrize("cls", MEMBERS)
def test_no_member_is_missing_and_each_says_what_it_is(cls: Any) -> None:
    for member in MEMBERS[cls].split():
        assert hasattr(cls, member), member
        found = vars(cls).get(member) or getattr(cls, member)
        assert (found.__doc__ or "").strip(), f"{member} has no docstring"


def test_operators_are_found_as_in_touchdesigner(network: td.Network) -> None:
    op = network.op
    project = network.create(td.baseCOMP, "project1")
    one = project.create(td.nullCHOP, "in1")
    two = project.create("nullCHOP", "in2")
    deep = project.create(td.baseCOMP, "deep").create("nullTOP")
    assert deep.path == "/project1/deep/null1"
    assert op("nope") is None and op("project1/nope", None, "project1/in2") is two
    assert one.op("in2") is two and one.op("../in2") is two
    assert op(one.id) is one and op(str(two.id)) is two and op(deep) is deep
    assert network.ops("project1/in*", one, "nope") == [one, two]
    assert project.ops("in?", "deep/*") == [one, two, deep]
    assert deep.parent() is op("project1/deep") and deep.parent(2) is project
    assert deep.parent(4) is None and network.root.parent() is None
    assert project.children == [one, two, op("project1/deep")] and project.numChildren == 3
    assert project.op(".") is project and network.root.path == "/"
    with pytest.raises(td.tdError, match=r"no operator 'project1/im1' seen from /: check the path"):
        network.opex("project1/im1")
    with pytest.raises(td.tdError, match=r"no operator 'im1' seen from /project1: did you mean in1\?"):
        project.opex("im1")
    assert project.opex("in1") is one


def test_names_and_identities(network: td.Network) -> None:
    n = network.create(td.constantCHOP, "level12")
    assert (n.name, n.base, n.digits) == ("level12", "level", 12)
    n.name = "other"
    assert network.op("level12") is None and network.op("other") is n and n.digits is None
    assert repr(n) == "type:constantCHOP path:/other" and str(n) == "/other"
    assert {n: 1}[network.op("other")] == 1 and n != network.root and n != "other"
    with pytest.raises(td.tdValueError, match="cannot be a name"):
        n.name = "no name"
    network.create(td.nullCHOP, "taken")
    with pytest.raises(td.tdValueError, match="choose another name"):
        n.name = "taken"
    with pytest.raises(td.tdValueError, match=r"no operator type \"waveCHIP\""):
        network.create("waveCHIP")
    with pytest.raises(td.tdValueError, match="constantCHOP or constantTOP"):
        network.create("constant")
    with pytest.raises(td.tdError, match="is no component"):
        td.COMP.create(n, "nullCHOP")


def test_a_destroyed_operator_says_so(network: td.Network) -> None:
    base = network.create(td.baseCOMP)
    inner = base.create(td.constantCHOP)
    channel, par, connector = inner[0], inner.par.const0value, inner.inputConnectors
    inner.store("key", 1)
    base.destroy()
    assert not base.valid and not inner.valid and not channel.valid and not par.valid and connector == []
    assert repr(inner) == "type:constantCHOP (destroyed)" == str(inner)
    uses: list[Any] = [
        lambda: inner.name,
        lambda: inner.par.active,
        lambda: inner.cook(),
        lambda: inner[0],
        lambda: inner.numpyArray(),
        lambda: inner.storage,
        lambda: inner.op(".."),
        lambda: par.eval(),
        lambda: par.menuNames,
        lambda: channel.eval(),
        lambda: channel.vals,
        lambda: base.create("nullCHOP"),
        lambda: base.destroy(),
        lambda: base.children,
    ]
    for use in uses:
        with pytest.raises(td.tdError, match="has been destroyed: look it up again|is gone"):
            use()
    assert network._storage == {}
    with pytest.raises(td.tdError, match="cannot be destroyed"):
        network.root.destroy()


def test_what_is_not_there_is_told_with_what_looks_alike(network: td.Network) -> None:
    n = network.create(td.sharedmeminCHOP)
    for wrong, hint in [
        (lambda: n.par.actve, "no parameter 'actve': did you mean active?"),
        (lambda: n.numchans, "no member 'numchans': did you mean numChans"),
        (lambda: setattr(n.par, "memtyp", 1), "did you mean memtype?"),
        (lambda: setattr(n, "bypas", 1), "did you mean bypass"),
        (lambda: n.parGroup.resolutoin, "no parameter 'resolutoin'"),
        (lambda: n.par.active.vall, "Par has no member 'vall': did you mean val"),
    ]:
        with pytest.raises(AttributeError) as caught:
            wrong()
        assert isinstance(caught.value, td.tdAttributeError) and isinstance(caught.value, tdshm.Error)
        assert hint in str(caught.value)
    assert n.par["actve"] is None and n.par["active"] == True  # noqa: E712
    assert not hasattr(n, "numchans") and "active" in n.par and "actve" not in n.par
    assert "memtype" in dir(n.par) and len(n.par) == len(n.pars()) == len(list(n.par))
    with pytest.raises(AttributeError):
        n.totalCooks = 3
    with pytest.raises(AttributeError):
        td.numChans  # noqa: B018


def test_wires(network: td.Network) -> None:
    a, b = network.create(td.constantCHOP, "a"), network.create(td.constantCHOP, "b")
    merge, null = network.create(td.mergeCHOP), network.create(td.nullCHOP)
    merge.setInputs([a, None, b])
    assert merge.inputs == [a, b]
    assert [c.isInput for c in merge.inputConnectors] == [True] * 3
    merge.outputConnectors[0].connect(null)
    assert null.inputs == [merge] and merge.outputs == [null]
    wire = null.inputConnectors[0]
    assert (wire.index, wire.owner, wire.isOutput, wire.description) == (0, null, False, "Input 0")
    assert wire.connections == [merge.outputConnectors[0]] and wire.inOP is None and wire.outOP is None
    assert repr(wire) == "type:Connector Input 0 owner:/null1"
    wire.connect(a.outputConnectors[0])
    assert null.inputs == [a] and merge.outputs == [], "a new wire replaces the one at an input"
    wire.disconnect()
    assert null.inputs == [] and null.inputConnectors[0].connections == []
    merge.setInputs([])
    assert merge.inputs == []
    top = network.create(td.constantTOP)
    with pytest.raises(td.tdError, match="cannot be wired"):
        null.inputConnectors[0].connect(top)
    with pytest.raises(td.tdError, match="both connectors are inputs"):
        wire.connect(merge.inputConnectors[0])
    with pytest.raises(TypeError, match="None: there is no operator of that name"):
        wire.connect(network.op("nope"))
    with pytest.raises(IndexError):
        a.inputConnectors[0]


def test_cooks_flags_and_what_is_wrong(network: td.Network) -> None:
    n = network.create(td.constantCHOP)
    assert n.totalCooks == 0
    n.cook()
    n.cook()
    n.cook(force=True, includeUtility=True)
    network.cook()
    assert (n.totalCooks, n.cookedThisFrame, n.cookedPreviousFrame, n.cookAbsFrame) == (2, False, False, 0)
    n.viewer = True
    assert n.viewer and not n.bypass
    network.cook(2)
    n.par.const0value = 1
    network.cook()
    assert n.cookedThisFrame and n.cookAbsFrame == network.absTime.frame == 4
    for flag in ("bypass", "lock", "activeViewer", "display", "selected", "export"):
        setattr(n, flag, 1)
        assert getattr(n, flag) is True
        setattr(n, flag, False)
        assert getattr(n, flag) is False
    for times in (n.cookTime, n.cpuCookTime, n.cookStartTime, n.cookEndTime):
        assert isinstance(times, float) and times >= 0
    assert n.gpuCookTime == 0 and n.cpuMemory == 4 and n.gpuMemory == 0
    assert n.errors() == n.warnings() == n.scriptErrors() == ""
    n.addScriptError("of mine")
    base = network.root
    assert n.errors() == "of mine" == n.scriptErrors() and base.errors(recurse=True) == "/constant1: of mine"
    n.clearScriptErrors()
    assert n.errors() == "" == base.errors(recurse=True)
    with pytest.raises(td.tdError, match="add a script error"):
        n.addError("not now")
    lonely = network.create(td.mergeCHOP)
    lonely.cook(force=True)
    network.root.cook(force=True, recurse=True)
    assert lonely.totalCooks == 2
    assert n.info("general")["total_cooks"] == n.totalCooks
    with pytest.raises(ValueError, match="is no info type"):
        n.info("nope")


def test_what_people_write_on_an_operator(network: td.Network) -> None:
    base = network.create(td.baseCOMP)
    n = base.create(td.nullCHOP)
    n.comment, n.nodeX, n.nodeY, n.color = "note", -3, 4, (0.25, 2, 0)
    assert (n.comment, n.nodeX, n.nodeY, n.color) == ("note", -3, 4, (0.25, 1, 0))
    n.tags = {"b", "a"}
    n.tags.add("c")
    n.tags.discard("b")
    assert n.tags == {"a", "c"} and len(n.tags) == 2 and n.tags | {"d"} == {"a", "c", "d"}
    marker = object()
    base.store("shared", marker)
    n.storage[3] = [1, 2]
    assert n.fetch(3) == [1, 2] and n.fetch("shared") is marker
    assert n.fetch("shared", 5, search=False) == 5 and "shared" not in n.storage
    assert n.fetch("new", 6, storeDefault=True) == 6 and n.storage == {3: [1, 2], "new": 6}
    n.unstore(3)
    assert n.storage == {"new": 6}
    with pytest.raises(KeyError):
        n.fetch("nope")
    changed = n.changeType(td.analyzeCHOP)
    assert isinstance(changed, td.analyzeCHOP) and changed.name == "null1" and not n.valid
    assert changed.storage == {"new": 6} and changed.tags == {"a", "c"}
    changed.unstore()
    assert changed.storage == {}
    with pytest.raises(AttributeError):
        n.storage = {}


def test_clocks(network: td.Network) -> None:
    assert (network.time.frame, network.absTime.frame, network.time.rate) == (1, 0, 60)
    network.cook(31)
    assert (network.time.frame, network.time.seconds, network.absTime.seconds) == (31, 0.5, 31 / 60)
    network.time.frame = 1
    network.time.play = False
    network.cook()
    assert network.time.frame == 1 and network.absTime.frame == 32 and not network.time.play
    network.time.start, network.time.end = 10, 20
    network.time.seconds = 0.2
    assert (network.time.start, network.time.end, network.time.frame) == (10, 20, 13)
    network.project.cookRate = 30
    assert network.time.rate == network.project.cookRate == network.root.time.rate == 30
    assert td.Network(cookRate=25).project.cookRate == 25
    network.project.globalResMultiplier = 0.5
    assert network.project.globalResMultiplier == 0.5 and network.project.realTime
    for wrong in (lambda: setattr(network.project, "cookRate", 0), lambda: setattr(network.time, "frame", float("nan"))):
        with pytest.raises(td.tdValueError):
            wrong()
    with pytest.raises(ValueError):
        network.cook(-1)
    assert "frame 32" in repr(network)


def test_a_script_needs_no_network_of_its_own() -> None:
    made = td.root.create(td.constantCHOP, "level_of_module")
    try:
        assert td.op("level_of_module") is made is td.opex("level_of_module") and td.ops("level_of_m*") == [made]
        assert td.me is td.root is td.network.root and td.parent() is None
        assert td.project.cookRate == 60 and td.absTime.frame == td.network.absTime.frame
    finally:
        made.destroy()
    assert td.op("level_of_module") is None


def test_patches(network: td.Network, tmp_path: Any) -> None:
    text = "[op.level1]\ntype = 'constantCHOP'\npar.const0value = 0.5\n[op.out]\ntype = 'nullCHOP'\ninputs = ['level1']\n"
    (tmp_path / "patch.toml").write_text(text)
    level, out = network.load(tmp_path / "patch.toml")
    assert level.path == "/level1" and out[0] == 0.5
    with pytest.raises(td.tdValueError, match="choose another name"):
        network.loads(text)
    assert network.loads("[op.more]\ntype = 'nullCHOP'\n")[0] is network.op("more")
    with pytest.raises(td.tdValueError, match="waveCHIP"):
        network.loads("[op.x]\ntype = 'waveCHIP'\n")
    assert network.project.folder == str(tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        network.load(tmp_path / "nope.toml")
    assert caught.value.filename == tmp_path / "nope.toml"


def test_operators_of_another_network_are_told_apart(network: td.Network) -> None:
    n = network.create(td.nullCHOP)
    info = network.create(td.infoCHOP)
    with td.Network() as other:
        stranger, strange_out = other.create(td.waveCHOP), other.create(td.nullCHOP)
        assert stranger.id == n.id and stranger != n, "numbers are those of a network"
        for wire in (
            lambda: n.inputConnectors[0].connect(stranger),
            lambda: n.inputConnectors[0].connect(stranger.outputConnectors[0]),
            lambda: n.outputConnectors[0].connect(strange_out),
            lambda: n.setInputs([stranger]),
        ):
            with pytest.raises(td.tdError, match="different networks"):
                wire()
        with pytest.raises(td.tdValueError, match="of another network"):
            info.par.op = stranger
        with pytest.raises(TypeError, match="not to str"):
            n.setInputs(["wave1"])
        assert n.inputs == [] and n.outputs == [] and info.par.op.eval() is None
        n.copyParameters(strange_out)


def test_objects_are_not_copied_to_other_processes(network: td.Network) -> None:
    n = network.create(td.constantCHOP)
    for thing in (network, n, n[0], n.par.const0value, network.time):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(thing)
        with pytest.raises(TypeError):
            copy.copy(thing)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="mypy reads numpy's stubs from 3.10 on")
def test_what_users_write_is_typed(tmp_path: pathlib.Path) -> None:
    program = pathlib.Path(typed_td.__file__)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(program)]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_and_runs(name: str) -> None:
    assert typed_td.chain(name) == 1.5 and typed_td.image() == (256, 256, 4) and typed_td.script() == [1, 2]


@pytest.mark.parametrize("module", [td, _network])
def test_examples_in_docstrings_run(module: Any) -> None:
    result = doctest.testmod(module)
    assert result.attempted > 3 and result.failed == 0
