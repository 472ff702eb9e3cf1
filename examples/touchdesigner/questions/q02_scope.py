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
    source.par.const0name, source.par.const0value = 'tx', 1
    source.par.const1name, source.par.const1value = 'ry', 2
    out = home.create(sharedmemoutCHOP, 'out')
    out.inputConnectors[0].connect(source)
    out.par.name = 'tdshmQ02'
    out.par.scope = 't*'
    out.cook(force=True)
    into = home.create(sharedmeminCHOP, 'into')
    into.par.name = 'tdshmQ02'
    into.cook(force=True)
    print('Q02 out passes on', [c.name for c in out.chans()], '(here: tx ry)')
    print('Q02 segment holds', [c.name for c in into.chans()], '(here: tx)')
    out.par.scope = '*'
    out.cook(force=True)
    into.par.scope = 't*'
    into.cook(force=True)
    print('Q02 in gives', [c.name for c in into.chans()], '(here: tx)')
    print('Q02 rename on in:', [p.name for p in into.pars('*rename*')])

ask()
