# See README.md in this folder.
def ask():
    if op("/tdshm_question"): op("/tdshm_question").destroy()
    home = op("/").create(baseCOMP, "tdshm_question")
    try:
        body(home)
    finally:
        home.destroy()

def body(home):
    for kind in (sharedmeminCHOP, sharedmeminTOP):
        node = home.create(kind)
        for name in ('tdshmNobodySendsThis', '', 'with\\backslash', 'n' * 300):
            node.par.name = name
            node.cook(force=True)
            print('Q04', node.OPType, repr(name[:30]), 'error', repr(node.errors()), 'warning', repr(node.warnings()))
    one, two = home.create(sharedmemoutCHOP, 'one'), home.create(sharedmemoutCHOP, 'two')
    for node in (one, two):
        node.par.name = 'tdshmQ04'
        node.cook(force=True)
        print('Q04 second sender', node.name, repr(node.errors()), repr(node.warnings()))

ask()
