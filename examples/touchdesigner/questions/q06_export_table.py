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
    source.par.const0name, source.par.const0value = 'tx', 0.25
    target = home.create(constantCHOP, 'target')
    other = home.create(constantCHOP, 'other')
    other.par.const0name, other.par.const0value = 'tx', 0.75
    for node in (source, other):
        table = home.create(tableDAT, node.name + '_export')
        table.clear()
        for row in (['name', 'index', 'path', 'parameter', 'enable'], ['tx', 0, 'target', 'const0value', 1]):
            table.appendRow(row)
        node.par.exporttable = table.name
        node.par.exportmethod = 'datindex'
        node.export = True
        node.viewer = True
        node.cook(force=True)
        print('Q06 after', node.name, target.par.const0value.mode, target.par.const0value.eval(), '(here: the later wins)')
    print('Q06 exporter', target.par.const0value.exportOP)

ask()
