"""Many points: a value and a gradient for every row of columns.

The modules, in the order in which one might read them:

    runner          a program's rows: what is fixed, what varies, what comes out
    choice          NumPy or a compiled loop, by rows and operations
    rewrite, order  cheaper operations, and an order that keeps few arrays alive
    schedule        the calls that are made
    kernel, memory  the calls on chunks of rows, in buffers that are used again
    loop, c_source  the same as one loop over the rows, and its text in C
    native, jit     the loop compiled by a C compiler or by Numba; `kept` on disk
    watch           whose results are looked at for numbers that are not finite
"""
