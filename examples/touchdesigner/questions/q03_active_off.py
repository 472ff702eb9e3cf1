# In another terminal, before and again after: tdshm list
# See README.md in this folder.
def ask():
    if op("/tdshm_question"): op("/tdshm_question").destroy()
    home = op("/").create(baseCOMP, "tdshm_question")
    try:
        body(home)
    finally:
        home.destroy()

def body(home):
    source = home.create(constantCHOP, 'source')
    source.par.const0name, source.par.const0value = 'tx', 5
    out = home.create(sharedmemoutCHOP, 'out')
    out.inputConnectors[0].connect(source)
    out.par.name = 'tdshmQ03'
    out.cook(force=True)
    into = home.create(sharedmeminCHOP, 'into')
    into.par.name = 'tdshmQ03'
    into.cook(force=True)
    into.par.active = 0
    into.cook(force=True)
    print('Q03 in, Active off, has', [(c.name, c.eval()) for c in into.chans()], '(here: tx 5)')
    into.par.active = 1
    out.par.active = 0
    out.cook(force=True)
    into.cook(force=True)
    print('Q03 out, Active off: in says', repr(into.warnings()), repr(into.errors()), '(here: has no sender)')
    print('Q03 out passes on', [(c.name, c.eval()) for c in out.chans()], '(here: tx 5)')

ask()
