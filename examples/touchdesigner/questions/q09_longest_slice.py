# Stalls TouchDesigner for a second, then says how long the next time slice was.
import time

def body(home):
    wave = home.create(waveCHOP, 'wave')
    wave.par.timeslice = 1
    wave.cook(force=True)
    time.sleep(1)
    home.store('wave', wave.path)
    run("w = op(args[0]); print('Q09', w.numSamples, 'samples at', w.rate, '(here: 12 at 60)'); w.parent().destroy()",
        wave.path, delayFrames=1)

if op('/tdshm_question'): op('/tdshm_question').destroy()
body(op('/').create(baseCOMP, 'tdshm_question'))
