"""The table of mistakes that backward code has: each is the way back with one rule replaced. One row a mistake.

    activation-slope-lost | ACT1 | f' := 1

A row never holds a wrong number: it says at which places of a network somebody may follow which other rule (`cases`),
and `replay` computes what that program gives. `id` is that of the catalogue of misconceptions, where it has one. Rows
stand in the order in which they are believed: where two give the same numbers on a network, the first is named
and the other mentioned.

To add a mistake, add a row, and in `cases` a function of a WayBack that yields a Case for every place where it can be
made.
"""

from __future__ import annotations

from dataclasses import dataclass

from backhand.checking import cases
from backhand.checking.cases import Cases, at_places, bent, sent_otherwise, written


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mistake:
    """A row: `why` says what was done, `remedy` what to do."""

    key: str
    id: str
    title: str
    why: str
    remedy: str
    cases: Cases

    def __repr__(self) -> str:
        return f"<mistake {self.key}>"


# fmt: off
MISTAKES: tuple[Mistake, ...] = (
    Mistake(
        "extra-axis", "", "the right numbers in another shape",
        "The numbers are right; an axis of size 1 is too many, or one was dropped.",
        "Give it the shape of what it is the derivative by (keepdims, reshape).",
        written(cases.axis_kept),
    ),
    Mistake(
        "bias-not-summed", "M3", "not summed over the batch",
        "It was added to every row, and what comes back through each row was kept apart.",
        "Sum over the axis along which it was stretched: sum(g, axis=0).",
        sent_otherwise(cases.not_summed),
    ),
    Mistake(
        "transposed", "W5", "the transpose of the right answer",
        "The factors of the product stand in the other order, each transposed.",
        "A derivative has the shape of what it is by; for a square matrix, test it with numbers.",
        cases.transposes,
    ),
    Mistake(
        "w-for-w-transposed", "X1", "W for its transpose",
        "Going back, what comes was multiplied by the matrix that was used going forward.",
        "Forward W, back its transpose: each row of W.T collects what one unit sent to all.",
        cases.w_for_w_transposed,
    ),
    Mistake(
        "k-q-exchanged", "R5B", "two derivatives exchanged",
        "Each stands under the name of the other.",
        "Check the names on the left.",
        cases.exchanged,
    ),
    Mistake(
        "product-own-factor", "G4", "the factor itself where the other one belongs",
        "Of a product u v, the derivative by u was made with u.",
        "Hold the other factor fixed: it is what stays.",
        cases.own_factor,
    ),
    Mistake(
        "factor-not-transposed", "X1", "a transpose is missing, or too many",
        "A factor of the product was taken as it is where its transpose belongs, or turned where it should not be.",
        "For y = u @ v: g @ v.T comes back to u, and u.T @ g to v.",
        cases.factor_not_transposed,
    ),
    Mistake(
        "factors-reordered", "W5", "the factors in the wrong order",
        "Products of matrices do not commute.",
        "For y = u @ v: g @ v.T comes back to u, and u.T @ g to v, in this order.",
        at_places(cases.reordered),
    ),
    Mistake(
        "elementwise-for-product", "M6", "element by element in place of a product of matrices",
        "`*` multiplies element by element; each element here is a sum of products.",
        "Write @.",
        at_places(cases.elementwise),
    ),
    Mistake(
        "activation-slope-lost", "ACT1", "the slope of the activation lost",
        "What comes back to a was handed on to z as it is.",
        "Multiply by f'(z), element by element.",
        cases.slope_lost,
    ),
    Mistake(
        "mask-inverted", "ACT3", "the mask inverted",
        "What comes back was let through where relu was closed, and stopped where it was open.",
        "The gate is open where z > 0.",
        bent(cases.inverted),
    ),
    Mistake(
        "mask-by-gradient", "ACT2", "the mask taken from what comes back",
        "The sign of the derivative decided whether the gate is open.",
        "The gate is open where z > 0.",
        bent(cases.mask_by_sign),
    ),
    Mistake(
        "slope-at-wrong-variable", "ACT6", "the slope taken at the wrong variable",
        "The slope in terms of z was fed with a, or with z before it was shifted; or the one in terms of a with z.",
        "f'(z) takes z; a (1 - a) and 1 - a^2 take a.",
        bent(cases.other_variable),
    ),
    Mistake(
        "value-for-slope", "ACT5", "the value in place of the slope",
        "What comes back was multiplied by f(z), or by z.",
        "Multiply by f'(z).",
        bent(cases.value_for_slope),
    ),
    Mistake(
        "slope-of-wrong-function", "ACT7", "the slope of another function",
        "The formula belongs to another activation.",
        "sigmoid: a (1 - a); tanh: 1 - a^2; relu: 1 where z > 0.",
        cases.other_functions,
    ),
    Mistake(
        "half-slope", "ACT8", "a part of the slope",
        "The slope of sigmoid has two factors, a and 1 - a; that of the root is 1/(2 sqrt(u)).",
        "Write the whole slope.",
        at_places(cases.half_slope),
    ),
    Mistake(
        "slope-twice", "SM2", "the slope of the activation twice",
        "What comes back has the slope in it already, as p - y has.",
        "Leave the second factor out.",
        bent(cases.slope_twice_over),
    ),
    Mistake(
        "slope-of-another-layer", "ACT4", "the slope taken at another layer",
        "The mask or slope is that of another layer's numbers.",
        "Take the z of this layer.",
        cases.other_layer,
    ),
    Mistake(
        "softmax-diagonal", "SM1", "softmax taken as if its Jacobian were diagonal",
        "p (1 - p) is only how each output moves with its own input.",
        "dz = p * (dp - sum(dp * p)).",
        cases.softmax_diagonal,
    ),
    Mistake(
        "softmax-dot-lost", "SM1", "the sum of softmax lost, or p in it",
        "If one p rises the others fall; sum(dp * p) says by how much.",
        "dz = p * (dp - sum(dp * p)).",
        at_places(cases.no_dot),
    ),
    Mistake(
        "softmax-wrong-axis", "SM1", "the sum of softmax along the wrong axis",
        "The sum goes over the classes of each row.",
        "Sum along the axis of the softmax, with keepdims.",
        at_places(cases.softmax_other_axis),
    ),
    Mistake(
        "softmax-slope-twice", "SM2", "the slope of softmax twice",
        "p - y has the slope of softmax in it already.",
        "Leave the factor p (1 - p) out.",
        at_places(cases.slope_twice),
    ),
    Mistake(
        "stops-before-softmax", "SM4", "softmax passed over",
        "That is the derivative by the probabilities, not by the logits.",
        "Go on through softmax.",
        at_places(cases.stops_before_softmax),
    ),
    Mistake(
        "logits-for-probabilities", "", "logits where probabilities belong",
        "z - y was taken for softmax(z) - y.",
        "Take softmax(z) - y.",
        at_places(cases.logits_for_probabilities),
    ),
    Mistake(
        "target-left-out", "N2", "the target left out",
        "The target is missing in the derivative of the loss.",
        "Differentiate the whole bracket: it stays inside.",
        at_places(cases.target_left_out),
    ),
    Mistake(
        "target-differentiated", "N10", "the target differentiated",
        "A target is given, and does not move with the output.",
        "Its derivative is 0: leave it out of the inner factor.",
        at_places(cases.target_differentiated),
    ),
    Mistake(
        "sign-at-loss", "SM3", "the difference turned round",
        "y - p stands where p - y belongs, so everything behind it has the other sign.",
        "If the output grows, does the loss grow?",
        cases.sign_at_loss,
    ),
    Mistake(
        "mean-path-lost", "", "the way through the mean left out",
        "The mean moves with every element, and the mean is taken off each.",
        "Add what comes back through the mean.",
        cases.norm_paths("mean"),
    ),
    Mistake(
        "variance-path-lost", "", "the way through the variance left out",
        "The variance moves with every element, and each is divided by its root.",
        "Add what comes back through the variance.",
        cases.norm_paths("variance"),
    ),
    Mistake(
        "mean-and-variance-paths-lost", "", "mean and variance taken as constants",
        "Both move with every element.",
        "Add what comes back through the mean and through the variance.",
        cases.norm_paths("both"),
    ),
    Mistake(
        "shared-once", "G3", "a shared weight counted once",
        "It is used in several places, and the loss feels each.",
        "Add the derivatives of all uses.",
        cases.shared_once,
    ),
    Mistake(
        "skip-dropped", "G1", "the skip connection left out",
        "What is added straight on sends back what comes, unchanged.",
        "Add what comes back over the skip connection.",
        cases.skip_dropped,
    ),
    Mistake(
        "skip-only", "G2", "only the skip connection",
        "What goes through the block sends something back, too.",
        "Add what comes back through the block.",
        cases.skip_only,
    ),
    Mistake(
        "overwritten", "P4", "= where += is needed",
        "Several ways meet here, and only one of them is left.",
        "Add over all ways.",
        cases.overwritten,
    ),
    Mistake(
        "one-path-straight", "P1", "only the way straight across",
        "Of the ways that lead on from a unit only the one drawn level with it was followed.",
        "Each arrow that leaves is a way: add what comes back over all of them.",
        cases.straight_across,
    ),
    Mistake(
        "way-dropped", "S1", "one way left out",
        "Several ways lead on from here, and one of them is missing.",
        "Add over all ways.",
        cases.way_dropped,
    ),
    Mistake(
        "bias-averaged", "M4", "mean over the batch in place of the sum",
        "The sum over the batch was divided by its size, which the loss has done already if it is a mean.",
        "Sum, do not average.",
        sent_otherwise(cases.bias_averaged),
    ),
    Mistake(
        "one-sample-only", "M7", "only one row of the batch",
        "What comes from the other rows was overwritten.",
        "Add over the batch.",
        sent_otherwise(cases.one_row_only),
    ),
    Mistake(
        "wrong-axis", "", "summed along the wrong axis",
        "The sum goes over the axis along which it was stretched.",
        "Sum over the batch: what is left has the shape of what it is by.",
        sent_otherwise(cases.wrong_axis),
    ),
    Mistake(
        "loss-factor-lost", "N1", "the factor 2 of the square",
        "The square gives a factor 2, and a half in the loss takes it away again.",
        "Differentiate the loss as it is written here.",
        cases.loss_factor,
    ),
    Mistake(
        "mean-forgotten", "M1", "1/n forgotten",
        "The loss is a mean, and its derivative has 1/n.",
        "Divide by the number of terms.",
        cases.mean_forgotten,
    ),
    Mistake(
        "mean-twice", "M2", "1/n twice",
        "The loss has divided by n already.",
        "Divide once.",
        cases.mean_twice,
    ),
    Mistake(
        "mean-for-sum", "M2", "mean in place of the sum",
        "Nothing divides by n in this loss.",
        "Leave the division out.",
        cases.mean_for_sum,
    ),
    Mistake(
        "power-not-lowered", "N4", "the power rule half done",
        "u^n has the slope n u^(n-1).",
        "Lower the exponent, and keep what is inside.",
        at_places(cases.power_kept),
    ),
    Mistake(
        "kernel-not-turned", "", "the kernel the wrong way round",
        "Going back over the padded derivative, the kernel is turned by half a turn.",
        "Turn it: w[::-1, ::-1], or add g[i, j] * w to the window that it came from.",
        at_places(cases.kernel_turned),
    ),
    Mistake(
        "kernel-gradient-flipped", "", "the kernel's derivative flipped",
        "The image is not turned for the kernel's derivative.",
        "dw[a, b] = sum over i, j of g[i, j] x[i + a, j + b].",
        at_places(cases.kernel_gradient_flipped),
    ),
    Mistake(
        "channels-exchanged", "", "the channels of the kernel exchanged",
        "Going back, the channels out are summed over.",
        "Sum over the first axis of the kernel.",
        at_places(cases.channels_exchanged),
    ),
    Mistake(
        "stride-ignored", "", "the stride ignored",
        "Window i begins at i times the stride.",
        "Multiply the place by the stride.",
        at_places(cases.stride_ignored),
    ),
    Mistake(
        "padding-ignored", "", "the padding ignored",
        "The image stands inside its edge of zeros.",
        "Work on the padded image, and cut the edge off on all sides.",
        at_places(cases.padding_ignored),
    ),
    Mistake(
        "overlap-overwritten", "P4", "= where += is needed, for places that are met more than once",
        "Windows overlap, and rows of a table are taken more than once; only the last one is left.",
        "Add: dx[window] += ..., np.add.at(dE, rows, g).",
        at_places(cases.overlapping),
    ),
    Mistake(
        "max-to-all", "G6", "the derivative of a maximum given to all",
        "Only the largest element moves the maximum.",
        "Send it back to the place it came from.",
        cases.pool_to_all,
    ),
    Mistake(
        "constant-lost", "E10", "a constant factor lost, or twice",
        "A factor such as 1/sqrt(d) is there going back as it is going forward.",
        "Multiply by it once.",
        cases.constant_lost,
    ),
    Mistake(
        "mask-lost", "", "a mask applied going forward only",
        "What was multiplied by 0 sends nothing back.",
        "Multiply what comes back by the same mask.",
        cases.mask_lost,
    ),
    Mistake(
        "upstream-forgotten", "U1", "what comes from above forgotten",
        "That is how the next quantity moves, not how the output does.",
        "Multiply by the derivative of the output by the next quantity.",
        cases.upstream_forgotten,
    ),
    Mistake(
        "weights-ignored", "E1", "the weight left out",
        "What comes was handed on without the weight in between.",
        "Multiply by the weight.",
        cases.weights_ignored,
    ),
    Mistake(
        "input-forgotten", "W1", "the input of the weight left out",
        "What comes back was taken as it is, without the value that the weight multiplies.",
        "Multiply by what went into the weight.",
        cases.input_forgotten,
    ),
    Mistake(
        "norm-factor-lost", "", "the division by the spread",
        "Each element is divided by the root of the variance, and so is its slope.",
        "Divide by the root of the variance, once.",
        cases.norm_factor,
    ),
    Mistake(
        "wrong-input", "W2", "the value of another quantity",
        "The factor beside the derivative belongs to another layer, or is z where a belongs.",
        "Take the very value that went into the operation.",
        cases.wrong_input,
    ),
    Mistake(
        "wrong-weight", "", "another weight",
        "Going back, the weight of another layer was used.",
        "Take the weight that was used going forward.",
        cases.wrong_weight,
    ),
    Mistake(
        "updated-weights", "U4", "weights updated too early",
        "The weights were changed before the way back went through them.",
        "Compute all derivatives first, then take the step.",
        cases.updated_weights,
    ),
    Mistake(
        "mean-inside", "", "a sum or mean with the wrong factor",
        "A sum sends back 1 to each of its terms, a mean 1/n.",
        "Spread what comes, and divide by n for a mean only.",
        cases.mean_spread,
    ),
    Mistake(
        "norm-wrong-axis", "", "the means of a normalisation along the wrong axis",
        "Going back, means go over the axis over which the normalisation went.",
        "Take the same axis as forward.",
        at_places(cases.norm_axis),
    ),
    Mistake(
        "ways-averaged", "P7", "the ways averaged",
        "Ways that meet are added.",
        "Do not divide by their number.",
        cases.averaged,
    ),
    Mistake(
        "counted-twice", "V1", "counted twice",
        "The derivative is twice what it should be, as when it is added to one that was not set to zero.",
        "Set derivatives to zero before the way back.",
        cases.counted_twice,
    ),
    Mistake(
        "wrong-upstream", "U3", "the derivative of another quantity carried on",
        "What comes from above belongs to another quantity of the same shape.",
        "Take the derivative by the quantity that this one goes into.",
        cases.wrong_upstream,
    ),
    Mistake(
        "sign-lost", "E5", "a sign",
        "The derivative has the other sign.",
        "Follow the minus.",
        cases.sign_lost,
    ),
    Mistake(
        "times-value", "R1", "times its own value",
        "The derivative was multiplied by the value of what it is by.",
        "A derivative by x has no x beside it.",
        cases.times_value,
    ),
)

# fmt: on

NOT_RESET = Mistake(
    "not-reset", "V1", "the derivatives are not set to zero between calls",
    "Each call adds to what the calls before have left.",
    "Begin every way back with zeros (in PyTorch: zero_grad).",
    lambda way: (),
)  # fmt: skip
"""Seen in calls, not in one way back."""

# fmt: off
SLIPS: tuple[Mistake, ...] = tuple(
    Mistake(key, id_, title, why, remedy, lambda way: ())
    for key, id_, title, why, remedy in (
        ("factor-left-out", "E1", "a factor left out", "A factor of the line is missing.", "Multiply by it."),
        ("factor-twice", "", "a factor twice", "A factor of the line stands there twice.", "Multiply by it once."),
        ("factor-inverted", "", "multiplied for divided", "What divides was multiplied by, or the other way round.",
         "Look at which side of the fraction it is on."),
        ("term-left-out", "S1", "a term left out", "A term of the line is missing.", "Add it."),
        ("term-twice", "", "a term twice", "A term of the line stands there twice.", "Add it once."),
        ("wrong-exponent", "N4", "another exponent", "The exponent is not that of the derivative.",
         "u^n has the slope n u^(n-1)."),
        ("function-left-out", "", "a function left out", "What goes into the function stands where its value belongs.",
         "Take the value of the function."),
        ("function-twice", "ACT6", "a function twice", "The function was applied to what is its value already.",
         "Apply it once."),
        ("value-for-derivative", "", "a value where a derivative belongs",
         "The name stands there without its d.", "Take the derivative by it."),
        ("derivative-for-value", "", "a derivative where a value belongs", "The name stands there with a d too many.",
         "Take the value of the forward pass."),
        ("copied", "", "the derivative by another quantity", "Under this name stands what belongs to another.",
         "Look at the line that it was copied from."),
        ("always-zero", "", "always 0", "Nothing comes back here, and the output does depend on it.",
         "Take what has come to the quantity that it goes into, times the slope there."),
        ("constant-factor", "E10", "a constant factor", "The derivative is a multiple of what it should be.",
         "Look for a number that stands there once too often, or not at all."),
        ("label-not-one-hot", "", "the class number in place of its row of zeros and a 1",
         "The class numbers were taken off as they are, or off the rows of all examples.",
         "Take 1 off at the right class of each row: P[np.arange(n), y] -= 1."),
        ("another-constant", "", "another constant", "A number is not the one of the forward pass.",
         "Take the same number as forward."),
    )
)
# fmt: on
"""Slips in a formula (`edits`), for what no row above says in its own words."""

MISTAKE = {mistake.key: mistake for mistake in (*MISTAKES, *SLIPS, NOT_RESET)}
