# In another terminal: tdshm watch tdshmQ12 --format json
def q12():
    if op('/tdshm_question'): op('/tdshm_question').destroy()
    home = op('/').create(baseCOMP, 'tdshm_question')
    source = home.create(constantTOP, 'source')
    source.par.colorr.expr = '(absTime.frame % 250) / 255'
    out = home.create(sharedmemoutTOP, 'out')
    out.inputConnectors[0].connect(source)
    out.par.name = 'tdshmQ12'
    out.par.downloadtype = 'nextframe'
    into = home.create(sharedmeminTOP, 'into')
    into.par.name = 'tdshmQ12'
    for frame in range(1, 6):
        run("i = op(args[0] + '/into'); i.cook(force=True); s = op(args[0] + '/source');"
            "print('Q12 frame', absTime.frame, 'in', i.sample(x=0, y=0)[0] * 255, 'source', s.sample(x=0, y=0)[0] * 255,"
            " '(here: in is one behind; nothing in the first)')", home.path, delayFrames=frame)
    run("op(args[0]).destroy()", home.path, delayFrames=8)

q12()
