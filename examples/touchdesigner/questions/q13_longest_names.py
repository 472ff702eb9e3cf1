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
    for length in (1, 255, 256, 4096):
        source.par.const0name = 'n' * length
        source.cook(force=True)
        print('Q13 channel of', length, 'became', len(source[0].name) if source.numChans else 'nothing')
    out = home.create(sharedmemoutCHOP, 'out')
    out.inputConnectors[0].connect(source)
    for length in (1, 31, 64, 128, 200, 255):
        out.par.name = 'n' * length
        out.cook(force=True)
        print('Q13 segment of', length, repr(out.errors()), repr(out.warnings()))

ask()
