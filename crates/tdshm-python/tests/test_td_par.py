"""Parameters: the tables of operators §1, typed a second time, and the members of §10.3."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from td_kit import network  # noqa: F401

from tdshm import td
from tdshm.td import ParMode

MEMTYPE = ["local", "global"]
FORMATS = (
    "useinput rgba8fixed rgba16float rgba32float rgb10a2fixed rgba16fixed rgba11float mono8fixed mono16fixed mono16float "
    "mono32float rg8fixed rg16fixed rg16float rg32float a8fixed a16fixed a16float a32float monoalpha8fixed monoalpha16fixed "
    "monoalpha16float monoalpha32float"
).split()
SPACES = (
    "srgb srgblinear rec601ntsc rec709 rec709gamma24 rec2020 rec2020st2084pq rec2020hlg dcip3 dcip3d60 displayp3d65 "
    "displayp3d65linear aces2065-1 acescg acesproxy passthrough"
).split()
OUT_SPACES = [space for space in SPACES if space not in ("rec709gamma24", "displayp3d65linear")]
WHITES = ["default", "sdr", "hdr", "ui"]

# label, name, style, menu, default
CHOP_COMMON: list[tuple[str, str, str, Any, Any]] = [
    ("Time Slice", "timeslice", "Toggle", None, False),
    ("Scope", "scope", "StrMenu", ["*"], "*"),
    ("Sample Rate Match", "srselect", "Menu", ["first", "max", "min", "err"], "max"),
    ("Export Method", "exportmethod", "Menu", ["datindex", "datname", "autoname"], "datindex"),
    ("Export Root", "autoexportroot", "OP", None, ".."),
    ("Export Table", "exporttable", "DAT", None, ""),
    ("Rename from", "commonrenamefrom", "StrMenu", ["*"], "*"),
    ("Rename to", "commonrenameto", "StrMenu", [], ""),
]
CHOPS: list[tuple[str, str, str, Any, Any]] = [
    ("Active", "active", "Toggle", None, True),
    ("Shared Mem Name", "name", "Str", None, "CHOPShm"),
    ("Shared Mem Type", "memtype", "Menu", MEMTYPE, "local"),
]
RESOLUTIONS = "useinput eighth quarter half 2x 4x 8x fit limit custom parpanel".split()
TOP_COMMON: list[tuple[str, str, str, Any, Any]] = [
    ("Output Resolution", "outputresolution", "Menu", RESOLUTIONS, "useinput"),
    ("Resolution", "resolutionw", "Int", None, 256),
    ("Resolution", "resolutionh", "Int", None, 256),
    ("Use Global Res Multiplier", "resmult", "Toggle", None, True),
    ("Output Aspect", "outputaspect", "Menu", ["useinput", "resolution", "custom"], "resolution"),
    ("Aspect", "aspect1", "Float", None, 1),
    ("Aspect", "aspect2", "Float", None, 1),
    ("Input Smoothness", "inputfiltertype", "Menu", ["nearest", "linear", "mipmap"], "linear"),
    ("Fill Viewer", "fillmode", "Menu", "useinput fill width height best outside nativeres".split(), "best"),
    ("Viewer Smoothness", "filtertype", "Menu", ["useinput", "nearest", "linear", "mipmap"], "linear"),
    ("Passes", "npasses", "Int", None, 1),
    ("Channel Mask", "chanmask", "Int", None, 15),
    ("Pixel Format", "format", "Menu", FORMATS, "rgba8fixed"),
]
TOP_IN: list[tuple[str, str, str, Any, Any]] = [
    ("Shared Mem Name", "name", "Str", None, "TOPShm"),
    ("Shared Mem Type", "memtype", "Menu", MEMTYPE, "local"),
    ("Input Color Space", "inputcolorspace", "Menu", ["automatic", *SPACES], "automatic"),
    ("Input Reference White", "inputreferencewhite", "Menu", WHITES, "default"),
]
TOP_OUT: list[tuple[str, str, str, Any, Any]] = [
    ("Active", "active", "Toggle", None, True),
    ("Shared Mem Name", "name", "Str", None, "TOPShm"),
    ("Shared Mem Type", "memtype", "Menu", MEMTYPE, "local"),
    ("Download Type", "downloadtype", "Menu", ["immediate", "nextframe"], "nextframe"),
    ("Output Color Space", "outputcolorspace", "Menu", OUT_SPACES, "srgb"),
    ("Output Reference White", "outputreferencewhite", "Menu", WHITES, "default"),
]


@pytest.mark.parametrize(
    ("op_type", "rows"),
    [
        (td.sharedmeminCHOP, CHOPS + CHOP_COMMON),
        (td.sharedmemoutCHOP, CHOPS + CHOP_COMMON),
        (td.sharedmeminTOP, TOP_IN + TOP_COMMON),
        (td.sharedmemoutTOP, TOP_OUT + TOP_COMMON),
    ],
)
def test_parameters_are_those_of_the_tables(network: td.Network, op_type: Any, rows: list[Any]) -> None:
    n = network.create(op_type)
    for label, name, style, menu, default in rows:
        par = getattr(n.par, name)
        assert (par.name, par.label, par.style) == (name, label, style)
        assert par.menuNames == menu and par.isMenu == (menu is not None)
        if menu is not None:
            labels = par.menuLabels
            assert labels is not None and len(labels) == len(menu) and all(labels)
        assert par.val == par.default == default and par.isDefault and par.mode is ParMode.CONSTANT
        assert par.owner is n and n.par[name] is not None and par in n.pars(name)
        assert (par.isToggle, par.isInt, par.isFloat) == (style == "Toggle", style == "Int", style == "Float")
        assert par.isString == (style in ("Str", "StrMenu")) and par.isOP == (style in ("OP", "DAT"))
        assert par.isNumber == (style in ("Int", "Float")) and not par.isPulse and not par.isCustom
        # Each value that it takes comes back, and the default again.
        for value in values(style, menu):
            setattr(n.par, name, value)
            assert par.val == value and par.eval() == value and not (value != default and par.isDefault)
        for index, entry in enumerate(menu or [] if style == "Menu" else []):
            par.menuIndex = index
            assert par.eval() == entry and int(par) == index == float(par)
        changed = not par.isDefault
        assert par.reset() is changed and par.reset() is False and par.val == default
    assert ("active" in n.par) == (op_type is not td.sharedmeminTOP)
    assert {par.name for par in n.builtinPars} >= {row[1] for row in rows} and n.customPars == []


def values(style: str, menu: Any) -> list[Any]:
    if style == "Menu":
        return list(menu)
    return {"Toggle": [False, True], "Str": ["another", ""], "StrMenu": ["t*"], "Int": [7], "Float": [1.5]}.get(style, [])


def test_values_of_every_kind(network: td.Network) -> None:
    n = network.create(td.sharedmemoutCHOP)
    level = network.create(td.constantCHOP)
    n.par.active = 0
    assert n.par.active.eval() is False
    n.par.active = np.bool_(True)
    assert n.par.active.eval() is True
    n.par.memtype = 1
    assert n.par.memtype == "global" and n.par.memtype.menuIndex == 1
    level.par.const0value = np.float32(0.5)
    assert level.par.const0value.eval() == 0.5
    level.par.const0value = np.array(2.0)
    assert level.par.const0value.eval() == 2
    level.par.const0value = np.int64(3)
    level.par.const1value = level.par.const0value
    level.par.const2value = level["chan1"] if level["chan1"] is not None else level[0]
    assert (level.par.const1value.eval(), level.par.const2value.eval()) == (3, 3)
    level.par.const0value = 10**40
    assert level.par.const0value.eval() == 1e40
    n.par.autoexportroot = level
    assert n.par.autoexportroot.eval() is level and n.par.autoexportroot.val == "/constant1"
    n.par.autoexportroot = None
    assert n.par.autoexportroot.eval() is None and n.par.autoexportroot.evalOPs() == []
    n.par.autoexportroot = "../constant*"
    assert n.par.autoexportroot.evalOPs() == [level]
    n.par.name = 3
    assert n.par.name.eval() == "3"
    for wrong, value in [("memtype", "locl"), ("memtype", 2), ("memtype", -1), ("active", "yes")]:
        with pytest.raises(td.tdValueError):
            setattr(n.par, wrong, value)
    for index in (2, -1):
        with pytest.raises((td.tdValueError, IndexError)):
            n.par.memtype.menuIndex = index
    with pytest.raises(TypeError, match="no list"):
        n.par.name = [1]
    with pytest.raises(td.tdValueError, match="it is no menu"):
        n.par.active.menuIndex = 0
    assert n.par.active.menuNames is None and n.par.active.menuLabels is None and n.par.active.menuIndex is None


def test_a_parameter_acts_as_its_value(network: td.Network) -> None:
    par = network.create(td.constantCHOP).par.const0value
    par.val = 2.5
    assert par == 2.5 and par != 2 and par > 2 and par <= 2.5 and 3 > par
    assert (par + 1, 1 + par, par - 1, 1 - par, par * 2, 5 / par, par // 2, par % 2, par**2) == (
        3.5, 3.5, 1.5, -1.5, 5, 2, 1, 0.5, 6.25,
    )
    assert (-par, +par, abs(par), round(par, 0), int(par), float(par), bool(par)) == (-2.5, 2.5, 2.5, 2.0, 2, 2.5, True)
    assert f"{par:.2f}" == "2.50" and str(par) == "2.5" and np.sqrt(par * par) == 2.5
    assert np.sqrt(par) == 2.5**0.5 and np.asarray(par) == 2.5 and (np.ones(3) * par).tolist() == [2.5] * 3
    name = network.create(td.sharedmemoutCHOP).par.name
    assert name + "X" == "CHOPShmX" and "CHOP" + name == "CHOPCHOPShm" and str(name) == "CHOPShm"
    assert repr(par) == "type:Par name:const0value owner:/constant1 value:2.5"
    assert [1, 2, 3][network.create(td.constantTOP).par.npasses] == 2


def test_modes(network: td.Network) -> None:
    a, b = network.create(td.constantCHOP, "a"), network.create(td.constantCHOP, "b")
    par = b.par.const0value
    a.par.const0value = 0.25
    par.expr = "op('a')['chan1'] * 2 if op('a').numChans else op('a')[0] * 2"
    assert par.mode is ParMode.EXPRESSION and par.eval() == 0.5 == par.evalExpression() and par.val == 0
    assert par.expr.startswith("op('a')") and par.prevMode is ParMode.CONSTANT and par.defaultMode is ParMode.CONSTANT
    par.mode = ParMode.CONSTANT
    assert par.eval() == 0 and par.evalExpression() == 0.5
    par.mode = "EXPRESSION"
    par.val = 3
    assert par.mode is ParMode.CONSTANT and par.eval() == 3
    par.bindExpr = "op('a').par.const0value"
    par.val = 0.75
    assert par.mode is ParMode.BIND and a.par.const0value == 0.75 and par.bindExpr == "op('a').par.const0value"
    with pytest.raises(td.tdValueError, match="no channel is exported to it"):
        par.mode = ParMode.EXPORT
    with pytest.raises(td.tdValueError, match="is no mode"):
        par.mode = "export"
    with pytest.raises(td.tdError, match="closed|expected|unexpected|character"):
        par.expr = "1 +"
    par.expr = "op('nope')['x']"
    with pytest.raises(td.tdError, match="b.par.const0value"):
        par.eval()
    assert "const0value" in b.errors()
    copied = a.par.const1value
    copied.copy(par)
    assert copied.expr == par.expr and copied.mode is ParMode.EXPRESSION
    assert par.reset() and par.isDefault


def test_groups_pages_and_limits(network: td.Network) -> None:
    top = network.create(td.sharedmemoutTOP)
    group = top.parGroup.resolution
    assert [par.name for par in group] == ["resolutionw", "resolutionh"] and len(group) == 2 and group.owner is top
    assert group.eval() == (256, 256) and [par.vecIndex for par in group] == [0, 1]
    group.val = 3, 4
    assert group.val == (3, 4) and group[1].eval() == 4 and group.reset() and group.eval() == (256, 256)
    assert repr(group) == "type:ParGroup name:resolution owner:/sharedmemout1"
    assert [par.name for par in top.parGroup.active] == ["active"] and top.parGroup["nope"] is None
    pages = top.pages
    assert pages[0].name == "SharedMemOut" and top.par.active.page == pages[0] and top.par.active in pages[0].pars
    width = top.par.resolutionw
    width.val = -5
    assert width.eval() == 1 and width.clampMin and width.min == 1 and not width.clampMax
    assert (width.normMin, width.normMax) == (1, 2048) and width.evalNorm() == 0 == width.normVal
    width.normVal = 1
    assert width.eval() == 2048 and width.order == width.index > 0
    assert not width.enable and width.enableExpr == "" == width.defaultExpr and not width.readOnly and not width.hidden
    top.par.outputresolution = "custom"
    assert width.enable
    assert top.resetPars() and not top.resetPars() and width.isDefault
    other = network.create(td.sharedmemoutTOP)
    other.par.name = "other"
    top.copyParameters(other)
    assert top.par.name == "other"


def test_pulses(network: td.Network) -> None:
    n = network.create(td.constantCHOP)
    par = n.par.const0value
    par.val = 0.5
    cooks = n.totalCooks
    par.pulse(2)
    assert par.eval() == 0.5 and n.totalCooks == cooks + 1 and n.numpyArray().max() == 0.5
    par.pulse(2, frames=2)
    seen = []
    for _ in range(3):
        seen.append(par.eval())
        network.cook()
    assert seen == [2, 2, 0.5]
    par.pulse(3, seconds=0.05)
    assert par == 3
    network.cook(3)
    assert par == 0.5 and par.lastScriptChange == 3
    for wrong in ({"frames": -1}, {"seconds": -1.0}):
        with pytest.raises(ValueError):
            par.pulse(1, **wrong)


def test_custom_parameters_and_exports_to_them(network: td.Network) -> None:
    base = network.create(td.baseCOMP, "knobs")
    page = base.appendCustomPage("Mine")
    speed = page.appendFloat("Speed", "How fast", default=1, normMax=10)[0]
    page.appendInt("Count", default=3)
    page.appendToggle("On", default=True)
    page.appendStr("Note", default="a")
    page.appendMenu("Way", menuNames=["up", "down"], menuLabels=["Up", "Down"])
    page.appendPulse("Go")
    page.appendFile("File")
    page.appendOP("Op")
    for style in ("CHOP", "TOP", "DAT"):
        getattr(page, "append" + style)(style.title())
    assert [par.style for par in base.customPars] == [
        "Float", "Int", "Toggle", "Str", "Menu", "Pulse", "File", "OP", "CHOP", "TOP", "DAT",
    ]
    assert speed.isCustom and speed.label == "How fast" and speed.page == page and repr(page) == "type:Page name:Mine owner:/knobs"
    assert (speed.eval(), base.par.Count.eval(), base.par.On.eval(), base.par.Note.eval()) == (1, 3, True, "a")
    assert base.par.Way.menuNames == ["up", "down"] and base.par.Way.menuLabels == ["Up", "Down"] and base.par.Way == "up"
    assert base.par.Go.isPulse and base.par.File.evalFile() is None
    network.project.folder = pathlib.Path("takes")
    base.par.File = "a.wav"
    assert base.par.File.evalFile() == str(pathlib.Path("takes", "a.wav"))
    for wrong in (lambda: page.appendFloat("speed"), lambda: page.appendFloat("Speed")):
        with pytest.raises(td.tdValueError):
            wrong()
    with pytest.raises(ValueError, match="2 names and 1 labels"):
        page.appendMenu("Other", menuNames=["a", "b"], menuLabels=["A"])

    source = network.create(td.constantCHOP, "source")
    source.par.const0name, source.par.const0value = "knobs:Speed", 4
    source.par.const1name = "nope:tx"
    source.par.exportmethod = "autoname"
    source.export = True
    network.cook()
    assert speed.eval() == 4 == speed.evalExport() and speed.mode is ParMode.EXPORT and source.export
    assert speed.exportOP is source and speed.exportSource.name == "knobs:Speed"
    assert [par.name for par in source["knobs:Speed"].exports] == ["Speed"] and source.exportChanges == 1
    assert source.unresolvedExports == ["nope:tx: there is no operator nope"]
    assert source.info("exports") == {"exports": 1, "exports_unresolved": 1}
    speed.val = 2
    assert speed.mode is ParMode.CONSTANT and speed.eval() == 2
    speed.mode = ParMode.EXPORT
    assert speed == 4
    source.export = False
    assert speed.mode is ParMode.CONSTANT and speed.eval() == 2 and speed.exportSource is None
    assert speed.evalExport() is None and speed.exportOP is None

    table = network.create(td.tableDAT, "table")
    table.appendRow(["path", "parameter", "value"])
    table.appendRow(["knobs", "Note", "hello"])
    table.export = True
    network.cook()
    assert base.par.Note == "hello" and base.par.Note.exportSource.val == "hello" and table.exportChanges == 1
