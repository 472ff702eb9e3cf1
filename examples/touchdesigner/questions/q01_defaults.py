# See README.md in this folder.
def ask():
    if op("/tdshm_question"): op("/tdshm_question").destroy()
    home = op("/").create(baseCOMP, "tdshm_question")
    try:
        body(home)
    finally:
        home.destroy()

def body(home):
    print('Q01 build', app.build)
    for kind in (sharedmeminCHOP, sharedmemoutCHOP, sharedmeminTOP, sharedmemoutTOP):
        node = home.create(kind)
        print('Q01', node.OPType, node.name)
        for par in node.pars():
            menu = list(par.menuNames) if par.isMenu else ''
            print('Q01  ', par.page, par.name, repr(par.label), par.style, repr(par.default), par.enable, menu)

ask()
