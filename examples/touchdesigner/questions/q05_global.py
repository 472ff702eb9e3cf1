# While the script waits, in another terminal: tdshm list --json  (Windows: it lists the session's objects)
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
    out = home.create(sharedmemoutCHOP, 'out')
    out.inputConnectors[0].connect(source)
    out.par.name = 'tdshmQ05'
    out.par.memtype = 'global'
    out.cook(force=True)
    print('Q05 Global sends: look at the objects of the session now', repr(out.errors()), repr(out.warnings()))
    ui.messageBox('tdshm', 'Look at the objects of the session now, then press OK')

ask()
