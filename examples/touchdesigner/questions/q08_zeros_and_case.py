# See README.md in this folder.
def ask():
    if op("/tdshm_question"): op("/tdshm_question").destroy()
    home = op("/").create(baseCOMP, "tdshm_question")
    try:
        body(home)
    finally:
        home.destroy()

def body(home):
    names = ['chan1', 'chan01', 'chan3', 'Chan1']
    print('Q08', tdu.match('chan[1-3]', names), '(here: chan1 chan3)')
    print('Q08', tdu.match('chan[01-03]', names), '(here: chan1 chan3)')
    source = home.create(constantCHOP, 'source')
    source.par.const0name, source.par.const1name = 'tx', 'TX'
    math = home.create(mathCHOP, 'math')
    math.inputConnectors[0].connect(source)
    math.par.gain = 0
    math.par.scope = 't*'
    source.par.const0value = source.par.const1value = 1
    math.cook(force=True)
    print('Q08 worked on', [c.name for c in math.chans() if c.eval() == 0], '(here: tx)')

ask()
