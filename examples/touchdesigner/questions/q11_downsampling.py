# See README.md in this folder.
def ask():
    if op("/tdshm_question"): op("/tdshm_question").destroy()
    home = op("/").create(baseCOMP, "tdshm_question")
    try:
        body(home)
    finally:
        home.destroy()

def body(home):
    script = home.create(waveCHOP, 'ramp')
    script.par.wavetype, script.par.period = 'ramp', 8
    script.par.periodunit = 'samples'
    script.par.amp = 80
    script.par.start, script.par.startunit, script.par.end, script.par.endunit = 0, 'samples', 7, 'samples'
    script.par.rate = 60
    down = home.create(resampleCHOP, 'down')
    down.inputConnectors[0].connect(script)
    down.par.method, down.par.rate = 'preserve', 30
    down.cook(force=True)
    print('Q11 from', list(script[0].vals))
    print('Q11 to', list(down[0].vals), '(here: the mean of each two)')

ask()
