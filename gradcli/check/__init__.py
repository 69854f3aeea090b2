"""The gradient check: every accumulator against the slope of the output.

It never accuses a right gradient, never acquits a wrong one, and says what happened where
neither can be known. docs/checking.md tells how; the modules, in the order in which one might
read them:

    steps           the ladder of steps over all scales
    jitter          rounding errors made visible
    choices         branches, and what a `where` leaves out
    function        the function under test, its variables, and what its rules say of them
    stencil         many points of many variables, in one pass up the graph
    sampling        requests for points, and their answers
    series          slopes, even parts and noise; which scales to believe
    extrapolation   Richardson
    quick_check     a first look at all variables together
    special         kinks, jumps, edges
    scatter         the accumulator's own rounding
    finding         the decision
    method          how all this is one conversation with the function
    undefined       infinities, and what is below the smallest double
    workbench       which way each variable goes
    rows, run       a program's accumulators, in order, within a budget
    local           whose rule is wrong, and how
    screen          every local derivative of a large program
    mpmath_ops      the derivative at 50 digits
    second_opinion  what it says of a verdict
    wording         the verdict as it is printed
"""

from gradcli.check.run import check_gradients

__all__ = ["check_gradients"]
