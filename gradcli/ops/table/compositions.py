"""The functions that are several operations: a line each, in the language itself.

They are what PyTorch, JAX and SciPy have a name for: losses, norms of layers, products with a bias.
Where one is called, the operations of its text go into the graph.
"""

from __future__ import annotations

from functools import partial

from gradcli.ops.composition import composed
from gradcli.ops.operation import Options

_activation = partial(composed, group="activations")
_loss = partial(composed, group="losses")
_layer = partial(composed, group="layers")
_array = partial(composed, group="linear algebra")
_shape = partial(composed, group="shapes and elements")
_special = partial(composed, group="special functions")
_statistic = partial(composed, group="reductions")
_maker = partial(composed, group="makers of arrays")

LOSS = "x y reduction:='mean'"
PAIR = "[0.5, -2, 3], [1, 0, 2.5]"

# fmt: off
ACTIVATIONS = (
    _activation("relu6", "x", "clip(x, 0, 6)", "x cut off at 0 and 6", "2.5 | [-1, 7]"),
    _activation(
        "celu", "x alpha=1", "alpha*elu(x/alpha)", "x above zero, alpha·(e^(x/alpha) - 1) below",
        "3 | -0.5, 2",
    ),
    _activation("prelu", "x weight", "leaky_relu(x, weight)", "x above zero, weight·x below",
                "[3, -4], 0.25"),
    _activation("hardsigmoid", "x", "clip(x + 3, 0, 6)/6", "(x + 3)/6 cut off at 0 and 1",
                "0.5 | [-4, 1]"),
    _activation("hardswish", "x", "x*(clip(x + 3, 0, 6)/6)", "x·hardsigmoid(x)", "0.5 | [-4, 1]"),
    _activation("tanhshrink", "x", "x - tanh(x)", "x - tanh(x)", "0.5 | [-4, 1]"),
    _activation("softshrink", "x lambd=0.5", "x - clip(x, -lambd, lambd)",
                "x moved towards 0 by lambd, 0 if it is nearer", "2 | [-0.1, 1], 0.25"),
    _activation("hardshrink", "x lambd=0.5", "where(abs(x) > lambd, x, 0)",
                "x, 0 where it is nearer to 0 than lambd", "2 | [-0.1, 1], 0.25"),
    _activation("threshold", "x threshold value", "where(x > threshold, x, value)",
                "x above a threshold, else a value", "2, 1, 0 | [0.5, 3], 1, -1"),
    _activation("glu", "x axis:=-1", "half_of(x, 0, axis)*sigmoid(half_of(x, 1, axis))",
                "the first half times the sigmoid of the second", "[1, 2, 3, 4]"),
    _activation("softmin", "x axis:=-1", "softmax(-x, axis=axis)", "softmax(-x)", "[1, 2, 4]"),
    _activation("gelu_tanh", "x approximate:='tanh'", "{approximate?gelu(x)}"
                "{approximate!0.5*x*(1 + tanh(sqrt(2/np.pi)*(x + 0.044715*x^3)))}",
                "gelu by the tanh form", "0.5 | [-4, 1]", aliases="gelu"),
    _activation("softplus_scaled", "x beta=1 threshold=20", "{threshold!softplus(beta*x)/beta}"
                "{threshold?where(beta*x > threshold, x, softplus(beta*x)/beta)}",
                "log(1 + e^(beta·x))/beta", "0.5, 2 | [0.5, 3], 2, threshold=4",
                aliases="softplus"),
    _activation("squareplus", "x b=4", "(x + sqrt(x^2 + b))/2", "(x + √(x² + b))/2", "0.5"),
)

LOSSES = (
    _loss("mse_loss", LOSS, "(x - y)^2", "mean squared error", PAIR, aliases="mse"),
    _loss("l1_loss", LOSS, "abs(x - y)", "mean absolute error", PAIR),
    _loss("l2_loss", "x", "sum(x^2)/2", "half the sum of squares", "[1, 2]"),
    _loss("huber_loss", LOSS + " delta=1", "huber(x - y, delta)",
          "squared near 0, absolute from delta on", PAIR),
    _loss("smooth_l1_loss", LOSS + " beta=1", "huber(x - y, beta)/beta",
          "huber_loss divided by beta", PAIR + " | " + PAIR + ", beta=0.5"),
    _loss("binary_cross_entropy", LOSS + " weight=None",
          "-(xlogy(y, x) + xlog1py(1 - y, -x)){weight?*weight}",
          "of probabilities x and targets y from 0 to 1",
          "[0.3, 0.9], [0, 1] | [0.3, 0.9], [0, 1], weight=[2, 3]"),
    _loss("binary_cross_entropy_with_logits", LOSS + " weight=None pos_weight=None",
          "({pos_weight!softplus(x) - x*y}"
          "{pos_weight?(1 - y)*x + (1 + (pos_weight - 1)*y)*softplus(-x)}){weight?*weight}",
          "of logits x and targets y from 0 to 1",
          "[0.3, -2], [0, 1] | [0.3, -2], [0, 1], weight=[2, 3], pos_weight=4"),
    _loss("cross_entropy", LOSS + " label_smoothing=0",
          "t = targets(y, x); -sum(((1 - label_smoothing)*t + label_smoothing/x.shape[-1])"
          "*log_softmax(x), axis=-1)",
          "of logits x and classes y, by number or as probabilities",
          "[1, 2, 0.5], 1 | [[1, 2, 0.5], [0, 1, 3]], [2, 0] | [1, 2], [0.3, 0.7]"),
    _loss("nll_loss", LOSS, "-sum(targets(y, x)*x, axis=-1)",
          "of logarithms of probabilities x and classes y",
          "[[-1, -2], [-0.5, -3]], [1, 0]"),
    _loss("kl_div", LOSS + " log_target:=False", "{log_target?exp(y)*(y - x)}"
          "{log_target!xlogy(y, y) - y*x}",
          "Kullback-Leibler divergence, of logarithms x and probabilities y",
          "[-1, -0.5], [0.4, 0.6] | [[-1, -0.5]], [[0.4, 0.6]], reduction='batchmean'"),
    _loss("poisson_nll_loss", LOSS + " log_input:=True eps=1e-8",
          "{log_input!exp(x) - y*x}{log_input?x - y*log(x + eps)}",
          "of logarithms of rates x and counts y", PAIR),
    _loss("gaussian_nll_loss", "x y var reduction:='mean' eps=1e-6",
          "v = maximum(var, eps); (log(v) + (x - y)^2/v)/2",
          "of means x, values y and variances, at least eps", PAIR + ", 2"),
    _loss("soft_margin_loss", LOSS, "softplus(-y*x)", "of scores x and targets y, -1 or 1",
          "[0.5, -2], [1, -1]"),
    _loss("hinge_embedding_loss", LOSS + " margin=1",
          "where(y != 1, relu(margin - x), 0) + where(y != -1, x, 0)",
          "of distances x and targets y, -1 or 1",
          "[0.5, -2], [1, -1]"),
    _loss("margin_ranking_loss", "x1 x2 y margin=0 reduction:='mean'", "relu(margin - y*(x1 - x2))",
          "of two scores and their order y, -1 or 1", "[0.5, -2], [1, 3], [1, -1]"),
    _loss("triplet_margin_loss",
          "anchor positive negative margin=1 p:=2 eps=1e-6 reduction:='mean'",
          "relu(pairwise_distance(anchor, positive, p, eps)"
          " - pairwise_distance(anchor, negative, p, eps) + margin)",
          "of distances to what is alike and what is not",
          "[[0.5, -2]], [[1, 3]], [[1, -1]]"),
    _loss("cosine_embedding_loss", "x1 x2 y margin=0 reduction:='mean'",
          "c = cosine_similarity(x1, x2, axis=-1); where(y == 1, 1 - c, relu(c - margin))",
          "of two vectors, alike (y = 1) or not (y = -1)", "[0.5, -2], [1, 3], 1"),
)
# fmt: on


def _last_axes(options: Options) -> Options:
    """The axes of a shape, which is that of the last axes."""
    shape = options["shape"]
    count = len(shape) if isinstance(shape, tuple) else 1
    return {"axis": tuple(range(-count, 0))}


NORMED = "x shape:=None weight=None bias=None eps=1e-5"
# fmt: off
LAYERS = (
    _layer("layer_norm", NORMED,
           "c = x - mean(x, axis=axis, keepdims=True); "
           "c/sqrt(mean(c^2, axis=axis, keepdims=True) + eps)"
           "{weight?*weight}{bias? + bias}",
           "(x - mean)/√(variance + eps) along the last axes, those of the shape",
           "[[1, 2, 4], [0, 1, 5]] | [1, 2, 4], 3, [1, 2, 3], [0.5, 0, 1]", derived=_last_axes),
    _layer("rms_norm", "x shape:=None weight=None eps=1e-5",
           "x/sqrt(mean(x^2, axis=axis, keepdims=True) + eps)"
           "{weight?*weight}",
           "x divided by the root of its mean square along the last axes, those of the shape",
           "[[1, 2, 4], [0, 1, 5]] | [1, 2, 4], 3, [1, 2, 3]", derived=_last_axes),
    _layer("batch_norm", "x running_mean=None running_var=None weight=None bias=None "
           "training:=False momentum=0.1 eps=1e-5",
           "m = {training?mean(x, axis=0)}{training!running_mean}; "
           "(x - m)/sqrt({training?mean((x - m)^2, axis=0)}{training!running_var} + eps)"
           "{weight?*weight}{bias? + bias}",
           "(x - mean)/√(variance + eps) of every column, its own or those given",
           "[[1, 2, 4], [0, 1, 5], [3, 1, 1]], training=True"),
    _layer("normalize", "x p:=2 axis:=1 eps=1e-12",
           "x/maximum(norm(x, p, axis=axis, keepdims=True), eps)",
           "x divided by its norm along an axis", "[[1, 2, 4], [0, 1, 5]]"),
    _layer("cosine_similarity", "x y axis:=1 eps=1e-8",
           "sum(x*y, axis=axis)/(maximum(norm(x*ones_like(y), axis=axis), eps)"
           "*maximum(norm(y*ones_like(x), axis=axis), eps))",
           "cosine of the angle between vectors",
           "[[1, 2, 4]], [[0, 1, 5]] | [1, 2], [3, 1], axis=0"),
    _layer("l2_normalize", "x axis:=None eps=1e-12",
           "x/sqrt(maximum(sum(x^2, axis=axis, keepdims=True), eps))",
           "x divided by its norm, as in TensorFlow", "[[1, 2, 4], [0, 1, 5]], axis=1"),
    _layer("pairwise_distance", "x y p:=2 eps=1e-6 keepdims:=False",
           "norm(x - y + eps, p, axis=-1, keepdims=keepdims)",
           "norm of the difference, eps added to it", "[[1, 2, 4]], [[0, 1, 5]]"),
    _layer("linear", "x weight bias=None", "x @ weight.T{bias? + bias}",
           "x @ weight.T + bias, as in PyTorch",
           "[[1, 2]], [[3, 4], [5, 6], [7, 8]], [1, 2, 3]"),
    _layer("bilinear", "x y weight bias=None",
           "einsum('bi,kij,bj->bk', x, weight, y){bias? + bias}", "xᵀ W y for every k",
           "[[1, 2]], [[3, 4]], [[[1, 0], [2, 1]]]"),
    _layer("scaled_dot_product_attention", "query key value attn_mask=None",
           "softmax(query @ matrix_transpose(key)/sqrt(query.shape[-1]){attn_mask? + attn_mask})"
           " @ value",
           "softmax(q kᵀ/√d) v", "[[1, 2]], [[0.5, 1], [1, 0]], [[1, 2, 3], [4, 5, 6]]",
           aliases="dot_product_attention"),
)

ARRAYS = (
    _array("vdot", "a b", "sum(flatten(a)*flatten(b))", "sum of the products of all elements",
           "[[1, 2], [3, 4]], [[0.5, -1], [2, 1]]"),
    _array("lstsq", "A b", "pinv(A) @ b", "the x for which ||A x - b|| is least",
           "[[1, 2], [3, 4], [5, 7]], [1, 0, 2]"),
    _array("addmm", "x A B beta=1 alpha=1", "beta*x + alpha*(A @ B)", "beta·x + alpha·A B",
           "[[1, 2]], [[1, 2]], [[1, 0], [2, 1]]"),
    _array("addmv", "x A b beta=1 alpha=1", "beta*x + alpha*(A @ b)", "beta·x + alpha·A b",
           "[1, 2], [[1, 0], [2, 1]], [3, 4]"),
    _array("lerp", "start end weight", "start + weight*(end - start)",
           "start + weight·(end - start)", "1, 3, 0.25"),
    _array("addcmul", "x y z value=1", "x + value*(y*z)", "x + value·y·z", "1, 2, 3"),
    _array("addcdiv", "x y z value=1", "x + value*(y/z)", "x + value·y/z", "1, 2, 3"),
    _array("logdet_sign", "A", "sign(det(A))", "sign of the determinant, slogdet(A)[0]",
           "[[1, 2], [3, 4]]"),
    _array("cdist", "x y p:=2", "norm(expand_dims(x, 1) - expand_dims(y, 0), p, axis=-1)",
           "distance of every row of x from every row of y", "[[1, 2], [0, 1]], [[3, 1]]"),
)

SPECIAL = (
    _special("step_at", "x at", "where(x == 0, at, step(x))", "0 below 0, 1 above, at 0 the second",
             "0.5, 1 | [2, -1], 0.3", aliases="heaviside"),
    _special("round_to", "x decimals", "round(x*10^decimals)/10^decimals",
             "the nearest number with so many decimals", "0.123, 1", aliases="round around"),
    _special("entr", "x", "-xlogy(x, x)", "-x·log(x), 0 at 0", "0.5 | [1, 2]"),
    _special("rel_entr", "x y", "xlogy(x, x) - xlogy(x, y)", "x·log(x/y)", "0.5, 0.25"),
    _special("kl_elements", "x y", "xlogy(x, x) - xlogy(x, y) - x + y",
             "x·log(x/y) - x + y, which is kl_div in SciPy", "0.5, 0.25"),
    _special("logaddexp2", "x y", "logaddexp(x*log(2), y*log(2))/log(2)",
             "log2(2^x + 2^y)", "1, 2"),
    _special("norm_pdf", "x loc=0 scale=1", "normal_pdf((x - loc)/scale)/scale",
             "density of the normal distribution, norm.pdf", "0.5 | 1, 2, 3"),
    _special("norm_cdf", "x loc=0 scale=1", "ndtr((x - loc)/scale)",
             "distribution function of the normal distribution, norm.cdf", "0.5 | 1, 2, 3"),
    _special("norm_logpdf", "x loc=0 scale=1",
             "-((x - loc)/scale)^2/2 - log(2*np.pi)/2 - log(scale)",
             "logarithm of the normal density, norm.logpdf", "0.5 | 1, 2, 3"),
    _special("norm_logcdf", "x loc=0 scale=1", "log_ndtr((x - loc)/scale)",
             "logarithm of norm.cdf", "0.5 | 1, 2, 3"),
    _special("betaln", "a b", "lgamma(a) + lgamma(b) - lgamma(a + b)",
             "logarithm of the beta function", "2, 3.5"),
    _special("beta", "a b",
             "where((a > 0)*(b > 0), exp(betaln(a, b)), gamma(a)*gamma(b)/gamma(a + b))",
             "gamma(a)·gamma(b)/gamma(a + b)", "2, 3.5"),
)

STATISTICS = (
    _statistic("median", "x axis:=None keepdims:=False", "quantile(x, 0.5, axis, keepdims)",
               "middle element, or the mean of the two in the middle",
               "[1, 4, 2] | [[1, 4], [3, 2]], axis=0"),
    _statistic("lower_median", "x axis:=None keepdims:=False",
               "s = {axis!sort(flatten(x))}{axis?sort(x, axis=axis)}; "
               "m = {axis!take(s, floor((size(x) - 1)/2))}"
               "{axis?take(s, floor((size(x, axis) - 1)/2), axis)}; "
               "{keepdims?expand_dims(m, axis)}{keepdims!m}",
               "middle element, or the lower of the two in the middle, as in PyTorch",
               "[1, 4, 2, 3] | [[1, 4], [3, 2]], axis=0 | [[1, 4], [3, 2]], axis=1, keepdims=True"),
    _statistic("percentile", "x q: axis:=None keepdims:=False",
               "quantile(x, q/100, axis, keepdims)", "quantile of q percent", "[1, 4, 2], 25"),
    _statistic("interp", "x xp fp",
               "i = segment(x, xp); a = take(xp, i); b = take(xp, i + 1); "
               "t = (clip(x, xp[0], xp[-1]) - a)/(b - a); (1 - t)*take(fp, i) + t*take(fp, i + 1)",
               "linear between the points (xp, fp), constant outside; xp rises",
               "0.5, [0, 1, 3], [2, 5, 1] | [-1, 1.5, 9], [0, 1, 3], [2, 5, 1]"),
    _statistic("count_nonzero", "x axis:=None", "sum(x != 0, axis=axis)",
               "how many elements are not 0", "[1, -3, 2]"),
    _statistic("any", "x axis:=None", "sum(x != 0, axis=axis) > 0.5", "1 if an element is not 0",
               "[1, -3, 2]"),
    _statistic("all", "x axis:=None", "sum(x == 0, axis=axis) < 0.5", "1 if no element is 0",
               "[1, -3, 2]"),
    _statistic("ptp", "x axis:=None keepdims:=False",
               "max(x, axis=axis, keepdims=keepdims) - min(x, axis=axis, keepdims=keepdims)",
               "largest minus smallest", "[1, 4, 2]"),
    _statistic("logsumexp_weighted", "x axis:=None b=1 keepdims:=False",
               "m = max(x, axis=axis, keepdims=True); s = log(sum(b*exp(x - m), axis=axis, "
               "keepdims=True)) + m; sum(s, axis=axis, keepdims=keepdims)",
               "log(Σ b·e^x), without overflow", "[1, 4, 2], b=[1, 2, 0.5]", aliases="logsumexp"),
    _statistic("trapezoid", "y x=None dx=1 axis:=-1",
               "m = moveaxis(y, axis, -1); "
               "sum({x?diff(moveaxis(x, axis, -1))}{x!dx}*(m[..., 1:] + m[..., :-1])/2, axis=-1)",
               "integral by the trapezoidal rule", "[1, 4, 2] | [1, 4, 2], [0, 1, 3]",
               aliases="trapz"),
)

SHAPES = (
    _shape("asarray", "x", "x", "x as it is: every array has the same type of numbers", "[1, 2]",
           aliases="array tensor float float64 double"),
    _shape("gather", "x axis: i", "take_along(x, i, axis)",
           "for every number in i the element of x in the same line, as in PyTorch",
           "[[1, 2], [3, 4]], 1, [[1], [0]]"),
    _shape("embedding", "i weight", "take(weight, i, 0)", "rows of a matrix by number",
           "[1, 0], [[1, 2], [3, 4]]"),
    _shape("len", "x", "size(x, 0)", "length of the first axis", "[1, 2, 4]"),
    _shape("powers", "x n:", "col(x)^row(arange(n))", "1, x, x² … for every x", "[2, 3], 3"),
    _shape("vander", "x n:=None increasing:=False",
           "p = {n?col(x)^row(arange(n))}{n!shift(cumprod(col(x) @ row(ones_like(x)), axis=1), "
           "axis=1, fill=1)}; {increasing?p}{increasing!flip(p, axis=1)}",
           "powers of every x, the highest first", "[2, 3, 5] | [2, 3], 3, increasing=True"),
    _shape("sort_descending", "x axis:=-1 descending:=True",
           "{descending!-sort(-x, axis=axis)}{descending?sort(x, axis=axis)}",
           "elements from the largest to the smallest", "[1, 4, 2]", aliases="sort"),
)

MAKERS = (
    _maker("logspace", "start stop num:=50 base=10", "base^linspace(start, stop, num)",
           "num numbers whose logarithms have equal distances", "0, 2, 3"),
    _maker("geomspace", "start stop num:=50",
           "exp(linspace(log(start), log(stop), num))",
           "num numbers with equal quotients", "1, 100, 3"),
)
# fmt: on

COMPOSITIONS = (*ACTIVATIONS, *LOSSES, *LAYERS, *ARRAYS, *SPECIAL, *STATISTICS, *SHAPES, *MAKERS)
