def q07():
    names = ['tx', 'ty', 'rx', 'ry', 'chan1', 'chan2']
    for pattern, here in (
        ('t? | r? & ?x', 'tx rx'),
        ('?x & r? | t?', 'tx ty rx'),
        ('^tx ^ty', 'rx ry chan1 chan2'),
        ('^tx & ^ty', 'rx ry chan1 chan2'),
        ('^tx | ^ty', 'all'),
    ):
        print('Q07', repr(pattern), tdu.match(pattern, names), '(here: ' + here + ')')

q07()
