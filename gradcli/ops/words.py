"""The rules in words: for every operation the sentence that a teacher says at the blackboard.

The operation table has the formulas; this table stands beside it and says why they are so. In a
sentence `{to}` is the operand that the contribution goes to, `{out}` the operation's own name,
`{others}` what the other operands are, `{shape}` the operand's shape, `{rule}` the formula. An
operation whose sentence is different for each operand has them in the operands' order. What has
no sentence of its own gets one that names its formula (`sentence`).
"""

from __future__ import annotations

from gradcli.ops.operation import Operation

Sentences = str | tuple[str, ...]

_CHOSEN = "Only the operand that was chosen moves {out}, so its slope is 1 and the other's is 0."
_STEP = "{out} stays the same when {to} moves a little, so its slope is 0 and nothing is sent."
_MOVED = "The elements are only arranged in another way, so each part of δ goes back to its place."

_WORDS: dict[str, Sentences] = {
    # --- arithmetic ---
    "add": "A sum passes δ on as it is: when {to} grows by a little, {out} grows by as much.",
    "sub": (
        "{out} grows as {to} does, so δ is passed on as it is.",
        "{to} is subtracted: when it grows, {out} falls by as much, so δ changes its sign.",
    ),
    "mul": "In a product, the slope with respect to one factor is the other factor: here {others}.",
    "div": (
        "To divide by {others} is to multiply by 1/{others}, and that is the slope.",
        "{to} is in the denominator: the slope of 1/{to} is -1/{to}^2, times the numerator.",
    ),
    "reciprocal": "The slope of 1/{to} is -1/{to}^2: when {to} grows, {out} falls.",
    "neg": "The sign changes on the way forward, so it changes on the way back.",
    "identity": "{out} is {to} itself, so δ is passed on as it is.",
    "pow": (
        "Power rule: the exponent comes down as a factor, and the power is lowered by one.",
        "The exponent moves: {out} grows by itself times the logarithm of the base.",
    ),
    "square": "Power rule: the slope of {to}^2 is 2*{to}.",
    # --- rounding and choice ---
    "floor ceil round sign step": _STEP,
    "mod": (
        "Between two jumps {out} grows as {to} does, so δ is passed on as it is.",
        "{out} is the dividend less floor(…) times {to}, so the slope is minus that whole number.",
    ),
    "where": (
        "A condition only chooses: its slope is 0.",
        "The slope is 1 where the condition holds, so that {to} was taken, and 0 elsewhere.",
        "The slope is 1 where the condition fails, so that {to} was taken, and 0 elsewhere.",
    ),
    "maximum minimum": _CHOSEN,
    "clip": (
        "Inside the bounds {out} is {to}, so the slope is 1; outside it stays at a bound, slope 0.",
        "The slope is 1 where {out} stays at this bound, and 0 elsewhere.",
        "The slope is 1 where {out} stays at this bound, and 0 elsewhere.",
    ),
    "ones_like": "{out} is 1 whatever {to} is, so nothing is sent.",
    "zeros_like": "{out} is 0 whatever {to} is, so nothing is sent.",
    # --- powers, exponentials, logarithms ---
    "abs": "The slope of |{to}| is its sign: 1 to the right of 0, -1 to the left.",
    "sqrt": "The slope of a root is 1/(2*root), and the root is {out}, which is there already.",
    "cbrt": "The slope of a cube root is 1/(3*root^2), and the root is {out}.",
    "exp": "The exponential function is its own slope, so the slope is {out} itself.",
    "expm1": "The 1 that is subtracted has no slope; that of exp is exp itself.",
    "exp2": "2^{to} is e^({to}*log(2)), so log(2) comes down as a factor.",
    "log": "The slope of the logarithm is 1/{to}.",
    "log1p": "The slope of log is 1 over what stands inside, here 1 + {to}.",
    "log2": "log2 is log divided by log(2), so its slope is 1/{to} divided by log(2).",
    "log10": "log10 is log divided by log(10), so its slope is 1/{to} divided by log(10).",
    "logaddexp": "The slope is the share of e^{to} in the sum of both exponentials.",
    "hypot": "{out} is the length of a hypotenuse; its slope is the side over the length.",
    # --- trigonometry ---
    "sin": "The slope of the sine is the cosine.",
    "cos": "The slope of the cosine is minus the sine.",
    "tan": "The slope of the tangent is 1 + tan^2, and tan is {out}, which is there already.",
    "sinh": "The slope of sinh is cosh.",
    "cosh": "The slope of cosh is sinh.",
    "tanh": "The slope of tanh is 1 - tanh^2, and tanh is {out}, which is there already.",
    "deg2rad": "Degrees are multiplied by pi/180, and that is the slope.",
    "rad2deg": "Radians are multiplied by 180/pi, and that is the slope.",
    # --- special functions and activations ---
    "erf": "erf is the area below a bell curve, so its slope is the height of that curve.",
    "lgamma": "The slope of the logarithm of gamma is the function digamma.",
    "sigmoid": (
        "The slope of the sigmoid is out*(1 - out), and out is {out}: the forward pass has it "
        "already."
    ),
    "logsigmoid": "The slope of log(sigmoid) is what is missing of the sigmoid to 1.",
    "relu": "relu passes δ on where {to} is positive, and stops it elsewhere.",
    "leaky_relu": (
        "leaky_relu passes δ on where {to} is positive, and a small part of it elsewhere.",
        "The slope parameter counts only where the other operand is not positive.",
    ),
    "softplus": "softplus is a smooth relu, and its slope is the sigmoid.",
    "hardtanh": "Between -1 and 1 {out} is {to}, so the slope is 1; outside it is 0.",
    # --- linear algebra ---
    "matmul": (
        "In a matrix product the other factor is transposed, so that δ of {to} gets the shape of "
        "{to}, {shape}."
    ),
    "dot": "In a dot product each element's slope is the element it is multiplied by.",
    "inner": "In an inner product each element's slope is the element it is multiplied by.",
    "outer": "Each element of {to} is in a whole line of {out}; what comes back is summed over it.",
    "T matrix_transpose": "What was transposed on the way forward is transposed on the way back.",
    "trace": "Only the diagonal is in the trace, so δ goes to the diagonal and nothing elsewhere.",
    "inv": "From A^-1 A = 1 follows: the inverse changes by -A^-1 (change of A) A^-1.",
    "solve": (
        "{out} solves the system: a change of the matrix acts like a change of the right side.",
        "What comes back solves the transposed system.",
    ),
    "det": "The slope of a determinant by an element is that element's cofactor.",
    "logdet": "The slope of the logarithm of a determinant is the inverse, transposed.",
    "diag": "Only the diagonal is used, so δ goes there and nothing elsewhere.",
    "tril triu": "What was set to 0 on the way forward gets nothing on the way back.",
    # --- reductions ---
    "sum": "Every element counts once in a sum, so each gets the same δ.",
    "mean": "Each of the n elements counts 1/n in a mean, so each gets that part of δ.",
    "prod": "In a product, an element's slope is the product of all the others.",
    "amax": "Only the largest element moves {out}, so δ goes there.",
    "amin": "Only the smallest element moves {out}, so δ goes there.",
    "norm": "A length grows fastest along the vector itself: the slope is {to} over its length.",
    "squared_norm": "A squared length is the sum of all squares, and each square has the slope "
    "2 times its element.",
    "logsumexp": "The slope of logsumexp is the softmax: each element's share of the exponentials.",
    # --- along an axis ---
    "softmax": "All shares sum to 1: when one grows, the others fall, so δ's weighted mean is "
    "taken off first.",
    "log_softmax": "Each element gets its own δ, less its share (the softmax) of all of δ.",
    "cumsum": "An element counts in every sum after it, so the parts of δ are summed from the end.",
    # --- shapes and elements ---
    "concat stack": "Each operand gets back the part of δ that belongs to it.",
    "array": "Each element gets back the part of δ that belongs to it.",
    "reshape flatten squeeze expand_dims flip col row": _MOVED,
    "repeat": "An element that was repeated gets the sum of what its copies get.",
    "index pick": "δ goes to the elements that were taken; the others get 0.",
    "put": (
        "What was overwritten no longer counts, so it gets 0; the rest gets its δ.",
        "What was stored gets the δ of the places where it stands.",
    ),
    "put_add": "What is added passes δ on as it is.",
}

WORDS = {name: said for names, said in _WORDS.items() for name in names.split()}
COMPARED = "A comparison is 0 or 1 and only jumps: its slope is 0."


def sentence(operation: Operation, operand: int) -> str:
    """The sentence of an operation's rule for an operand; the places for names are left open."""
    if operation.is_comparison:
        return COMPARED
    found = WORDS.get(operation.name)
    if isinstance(found, tuple):
        found = found[min(operand, len(found) - 1)]
    if found is not None:
        return found
    if operation.written is not None:
        return "The program gives this block its own rule: {rule}."
    if operation.elementwise:
        return "The slope of this function with respect to {to} is {rule}."
    return "The rule of this operation for {to} is {rule}."
