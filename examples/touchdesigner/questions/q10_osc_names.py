# In another terminal, once it waits: oscsend localhost 10042 /pos fff 1 2 3
def q10():
    if op('/tdshm_question'): op('/tdshm_question').destroy()
    home = op('/').create(baseCOMP, 'tdshm_question')
    osc = home.create(oscinCHOP, 'osc')
    osc.par.port = 10042
    osc.cook(force=True)
    ui.messageBox('tdshm', 'Run: oscsend localhost 10042 /pos fff 1 2 3    then press OK')
    run("o = op(args[0]); o.cook(force=True); print('Q10', [c.name for c in o.chans()]); o.parent().destroy()", osc.path, delayFrames=5)

q10()
