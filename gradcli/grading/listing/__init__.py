"""A listing as the steps of a computation: its own forward pass, and the lines of its gradients.

The modules, in the order in which one might read them:

    code, notation        a student's text as Python, with the place of every part
    offers, training      values for what it does not define, and kept at the task's point
    calls, functions      functions that it never calls are called; which of them are one step
    reader                its way through the interpreter, step by step
    worked, work          read again until nothing new is lost, and what comes out
    cells, variables      steps that have a name, and those that are the student's forward pass
    staging, staged       labels become cells and lines; so do the results of functions
    forward_pass, stages  the cells as a flow, and the stretch of the tape between two
    gradients, numbers    the lines of the gradients, and values that are plain numbers
"""
