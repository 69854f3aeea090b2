"""A listing as the steps of a computation: its own forward pass, and the lines of its gradients.

The modules, in the order in which one might read them:

    code, notation        a student's text as Python, with the place of every part; its functions
    trees                 labels, calls and blocks in a syntax tree
    offers, training      values for what it does not define, and kept at the task's point
    calls                 what its functions give back; those that it never calls are called
    reader                its way through the interpreter, step by step
    worked, work          read again until nothing new is lost, and what comes out
    cells                 what the value of a name is computed from
    staging, staged       labels become cells and lines; so do the results of functions
    forward_pass, stages  the cells as a flow, and the stretch of the tape between two
    gradients, numbers    the lines of the gradients, and values that are plain numbers
"""
