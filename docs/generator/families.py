# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""The families: a page each."""
from dataclasses import dataclass

import numpy as np

from entries import (Entry, alpha_beta_curve, arithmetic_geometric_curve, f_curve, function_curve,
                     hellinger_curve, hinge_curve, kl_curve, matusita_curve, order_curve,
                     osterreicher_vajda_curve, puri_vincze_curve, reversed_curve, skew_js_curve,
                     skew_kl_parts, triangular_curve, vajda_curve)


@dataclass
class Family:
    file: str
    title: str
    text: str
    entries: list[Entry]
    functions: bool = False  # the pages' shape is h(D), not f(u)


def family_of_kl():
    return Family("kl", "Kullback–Leibler, both ways and their sum", """\
`kl` makes the student cover everything that the teacher does: a class that the teacher holds
possible and the student does not costs without bound. `reverse_kl` is the opposite: what counts is
where the student puts mass, so that it settles on some of the teacher's classes and leaves others.
`jeffreys` is the sum of the two. `soft_cross_entropy` has `kl`'s gradient and a loss that differs by
the teacher's entropy.""", [
        Entry("kl{}", "Σ p ln(p/q)", "u ln u − u + 1", "1, ∞", "−p", "`reverse_kl`", "[0, ∞)",
              "w is linear in p, so that the gradient with respect to logits is (q − p)/T, and it "
              "is bounded whatever the teacher.", [kl_curve()]),
        Entry("reverse_kl{}", "Σ q ln(q/p)", "u − 1 − ln u", "∞, 1", "−q ln(p/q)", "`kl`", "[0, ∞)",
              "Classes weigh as much as the student believes in them; the gradient vanishes at every "
              "corner of the simplex, the wrong ones too.",
              [f_curve("reverse_kl", lambda u: u - 1 - np.log(u), lambda u: 1 - 1 / u)]),
        Entry("jeffreys{}", "Σ (p − q) ln(p/q)", "(u − 1) ln u", "∞, ∞", "−p − q ln(p/q)", "itself",
              "[0, ∞)", "Infinite as soon as one side rules out what the other does not.",
              [f_curve("jeffreys", lambda u: (u - 1) * np.log(u), lambda u: np.log(u) + 1 - 1 / u)]),
    ])


def family_of_mixtures():
    def entry_skew(pi):
        f, slope = skew_kl_parts(pi)
        return f_curve(f"skew_kl({pi:g})", f, slope)

    def entry_reverse(pi):
        f, slope = skew_kl_parts(pi)
        return reversed_curve(f"reverse(skew_kl)({pi:g})", f, slope)
    # m (u/m − 1)² with u − m = (1 − π)(u − 1)
    skew_pearson = f_curve("skew(pearson, 0.1)", lambda u: .81 * (u - 1)**2 / (.1 * u + .9),
                           lambda u: .81 * (u - 1) * (.1 * u + 1.9) / (.1 * u + .9)**2)
    return Family("mixtures", "Jensen–Shannon and the skews", """\
These compare with a mixture m of both sides in place of the other side alone. Neither side can then
rule out what the mixture holds: those made of KL are finite, and their gradients bounded. The
mixture's weight π is always the teacher's, `teacher_weight`. Of any divergence D, `skew(D, π)` is
the same to the mixture, and `symmetrized(D)` is D(p‖q) + D(q‖p).""", [
        Entry("jensen_shannon{}", "½ KL(p‖m) + ½ KL(q‖m), m = (p + q)/2",
              "½ [u ln u − (u + 1) ln((u + 1)/2)]", "½ ln 2, ½ ln 2", "½ q ln(q/m)", "itself",
              "[0, ln 2]", "Its square root is a distance: [functions](functions.md).",
              [skew_js_curve("jensen_shannon", .5)]),
        Entry("skew_js{.teacher_weight = π}", "π KL(p‖m) + (1 − π) KL(q‖m), m = πp + (1 − π)q",
              "π u ln u − m ln m, m = πu + 1 − π", "−(1 − π) ln(1 − π), −π ln π",
              "(1 − π) q ln(q/m)", "`skew_js` at 1 − π", "[0, −π ln π − (1 − π) ln(1 − π)]",
              "GKD's β is π. It is 0 at both ends; divided by π(1 − π), which is "
              "`generalised_js(π)`, it tends to `kl` and `reverse_kl` there.",
              [skew_js_curve("skew_js(0.1)", .1), skew_js_curve("skew_js(0.9)", .9)]),
        Entry("skew_kl{.teacher_weight = π}", "KL(p‖m), m = πp + (1 − π)q",
              "u ln(u/m) − (1 − π)(u − 1), m = πu + 1 − π", "1 − π, −ln π − (1 − π)",
              "−(1 − π) p q/m", "`reverse(skew_kl{π})`", "[0, −ln π]",
              "DistiLLM's; `lin_k()` at π = ½.", [entry_skew(.1)]),
        Entry("reverse(skew_kl{π})", "KL(q‖m), m = πq + (1 − π)p",
              "ln(1/m) + (1 − π)(u − 1), m = π + (1 − π)u", "−ln π − (1 − π), 1 − π",
              "q ln(q/m) + (1 − π) p q/m", "`skew_kl{π}`", "[0, −ln π]",
              "DistiLLM's skew reverse KL. The mixture is mostly the teacher's where π is small.",
              [entry_reverse(.1)]),
        Entry("skew(D, π)", "D(p‖m), m = πp + (1 − π)q", "m f(u/m), m = πu + 1 − π",
              "(1 − π) f(0), π f(1/π)", "(1 − π) q/m times D's slope in ln m", "`reverse(skew(D, π))`",
              "bounded where f(0) is finite", "Of any divergence D, f being D's generator.", [skew_pearson]),
    ])


def family_of_alpha_beta():
    points = [(2, -1), (1, 0), (.5, .5), (0, 1), (-1, 2)]
    names = {(1, 0): " = kl", (0, 1): " = reverse_kl", (2, -1): " = ½ pearson", (-1, 2): " = ½ neyman"}
    plane = [(.2, .7), (.8, .3), (1, 1), (.25, -.75), (0, 0)]
    return Family("alpha_beta", "α and the α-β plane", """\
Two exponents span a plane of divergences; α weighs classes by the ratio of the two sides, λ = α + β
by their size. On the line λ = 1 lie the α-divergences, the only ones of the plane that are
f-divergences: with α > 1 what the student misses dominates, with α < 0 what it invents does. There
are no special cases: a class adds q^λ ℓ² exp[0, αℓ, λℓ], where ℓ = ln(p/q) and exp[·, ·, ·] is the
second divided difference, which has all of the plane's limits in it.""", [
        Entry("alpha{.alpha = α}", "(Σ p^α q^(1−α) − 1)/(α(α − 1))",
              "(u^α − 1 − α(u − 1))/(α(α − 1))", "1/α for α > 0, else ∞; 1/(1 − α) for α < 1, else ∞",
              "−q ((p/q)^α − 1)/α", "`alpha` at 1 − α", "[0, 1/(α(1 − α))] for 0 < α < 1, else [0, ∞)",
              "Amari's, Cressie and Read's up to a factor (`cressie_read(λ)`), Tsallis's up to "
              "another (`tsallis(a)`).",
              [alpha_beta_curve(f"alpha({a:g}){names.get((a, b), '')}", a, b) for a, b in points]),
        Entry("alpha_beta{.alpha = α, .beta = β}",
              "−1/(αβ) Σ (p^α q^β − (α p^λ + β q^λ)/λ), λ = α + β",
              "ℓ² exp[0, αℓ, λℓ], ℓ = ln u; a class adds q^λ f(p/q)",
              "1/(αλ) for α, λ > 0, 1/(βλ) for β, λ > 0; else ∞", "−q^λ ((p/q)^α − 1)/α",
              "`alpha_beta` with α and β exchanged", "[0, ∞)",
              "(1, β) is the β-divergence, (1, 1) half the squared distance of the probabilities, "
              "(1, −1) Itakura and Saito's, (0, 0) half the squared distance of the logarithms. "
              "Where λ ≤ 0 a class of probability 0 on one side costs without bound.",
              [alpha_beta_curve(f"alpha_beta({a:g}, {b:g})", a, b) for a, b in plane]),
    ])


def family_of_hellinger():
    return Family("hellinger", "Hellinger and other symmetric divergences", """\
All but the last are bounded: a class that one side rules out costs as much as the other side's
probability of it, up to a factor. None of them tells teacher from student. They differ in how they
weigh small differences against large ones: the higher the order, the flatter the bottom of f.""", [
        Entry("squared_hellinger{}", "Σ (√p − √q)²", "(√u − 1)²", "1, 1", "−√(p q)", "itself",
              "[0, 2]", "Half of it is 1 − Σ √(p q); the square root of that half is a distance.",
              [hellinger_curve()]),
        Entry("matusita{.exponent = a}", "Σ |p^a − q^a|^(1/a)", "|1 − u^a|^(1/a)", "1, 1",
              "−sgn(p − q) q |(p/q)^a − 1|^(1/a−1)", "itself", "[0, 2]",
              "1/64 ≤ a ≤ 1. At ½ it is `squared_hellinger`, at 1 twice `total_variation`.",
              [matusita_curve("matusita(0.7)", .7), matusita_curve("matusita(0.25)", .25)]),
        Entry("triangular{}", "Σ (p − q)²/(p + q)", "(u − 1)²/(u + 1)", "1, 1",
              "−4 q p²/(p + q)²", "itself", "[0, 2]",
              "Vincze and Le Cam's, without their factor ½.", [triangular_curve()]),
        Entry("puri_vincze{.order = k}", "½ Σ |p − q|^k/(p + q)^(k−1)",
              "½ |u − 1|^k/(u + 1)^(k−1)", "½, ½",
              "½ q h^(k−1) (h − 2k sgn(p − q) p/(p + q)), h = |p − q|/(p + q)", "itself", "[0, 1]",
              "k ≥ 1. At 1 it is `total_variation`, at 2 half of `triangular`.",
              [puri_vincze_curve("puri_vincze(3)", 3)]),
        Entry("osterreicher_vajda{.order = b}",
              "Σ ((p^b + q^b)^(1/b) − 2^(1/b−1) (p + q))/(1 − 1/b)",
              "((1 + u^b)^(1/b) − 2^(1/b−1) (1 + u))/(1 − 1/b)",
              "(2^c − 1)/c, the same; c = 1/b − 1", "−q (((1 + (p/q)^b)^c − 2^c)/c)", "itself",
              "[0, 2(2^c − 1)/c]",
              "1/32 ≤ b ≤ 10⁶. At ½ it is `squared_hellinger`, at 1 twice `jensen_shannon`; for "
              "large b it tends to `total_variation`.",
              [osterreicher_vajda_curve("osterreicher_vajda(2)", 2),
               osterreicher_vajda_curve("osterreicher_vajda(8)", 8)]),
        Entry("arithmetic_geometric{}", "½ Σ (p + q) ln((p + q)/(2 √(p q)))",
              "½ (u + 1) ln((u + 1)/(2 √u))", "∞, ∞", "½ q ln((p + q)/(2 √(p q))) − ¼ (p − q)",
              "itself", "[0, ∞)",
              "Jensen–Shannon with the arguments of its two KL terms exchanged: ½ KL(m‖p) + "
              "½ KL(m‖q).", [arithmetic_geometric_curve()]),
    ])


def family_of_chi_squared():
    def marton(u):
        return np.maximum(1 - u, 0)**2

    def symmetric(u):
        return (u - 1)**2 * (u + 1) / u
    return Family("chi_squared", "χ² and its relatives", """\
Squared differences relative to one of the sides. They punish ratios far from 1 more than any other
family here: in the ratio u of the two probabilities `pearson` grows with its square, so that one
class that the student misses can outweigh all others.""", [
        Entry("pearson{}", "Σ (p − q)²/q", "(u − 1)²", "1, ∞", "−p²/q", "`neyman`", "[0, ∞)",
              "`alpha` at 2, twice.", [f_curve("pearson", lambda u: (u - 1)**2, lambda u: 2 * (u - 1))]),
        Entry("neyman{}", "Σ (p − q)²/p", "(u − 1)²/u", "∞, 1", "2 q²/p", "`pearson`", "[0, ∞)",
              "`alpha` at −1, twice.",
              [f_curve("neyman", lambda u: (u - 1)**2 / u, lambda u: 1 - u**-2)]),
        Entry("symmetric_chi_squared()", "Σ (p − q)² (p + q)/(p q)", "(u − 1)² (u + 1)/u", "∞, ∞",
              "2 q²/p − p²/q", "itself", "[0, ∞)", "`symmetrized(pearson{})`.",
              [f_curve("symmetric_chi_squared", symmetric, lambda u: 2 * u - 1 - u**-2)]),
        Entry("vajda{.order = k}", "Σ q |p/q − 1|^k", "|u − 1|^k", "1, ∞ (1 at k = 1)",
              "−sgn(x) q |x|^(k−1) (1 + (k − 1) p/q), x = p/q − 1", "`reverse(vajda{k})`", "[0, ∞)",
              "k ≥ 1. At 1 it is twice `total_variation`, at 2 `pearson`.",
              [vajda_curve("vajda(1.5)", 1.5), vajda_curve("vajda(3)", 3)]),
        Entry("marton{}", "Σ (q − p)₊²/q", "(1 − u)₊²", "1, 0", "q − p²/q where p < q, else 0",
              "`reverse(marton{})`", "[0, 1]",
              "Pearson's, counted only where the student's probability is too large.",
              [f_curve("marton", marton, lambda u: -2 * np.maximum(1 - u, 0))]),
    ])


def family_of_total_variation():
    return Family("total_variation", "Total variation, hockey sticks and DeGroot's information", """\
f is made of two straight lines. The gradient has no size of its own then: it says on which side of
the kink a class lies, not how far from it. Where a class is on the flat side, it pulls at the others
only through the normalisation.""", [
        Entry("total_variation{}", "½ Σ |p − q|", "½ |u − 1|", "½, ½",
              "½ q sgn(q − p), 0 at a tie", "itself", "[0, 1]",
              "The largest difference in the probability of any event.",
              [f_curve("total_variation", lambda u: .5 * np.abs(u - 1),
                       lambda u: .5 * np.sign(u - 1))]),
        Entry("hockey_stick{.threshold = γ}", "Σ (p − γ q)₊", "(u − γ)₊", "0, 1",
              "−γ q where p > γ q, else 0", "`reverse(hockey_stick{γ})`", "[0, 1]",
              "γ ≥ 1. At 1 it is `total_variation`; above, only classes count that the student gives "
              "less than a γ-th of the teacher's probability.",
              [hinge_curve("hockey_stick(2)", 1, 2), hinge_curve("hockey_stick(4)", 1, 4)]),
        Entry("degroot{.prior = ω}", "min(ω, 1 − ω) − Σ min(ω p, (1 − ω) q)",
              "(ω u − (1 − ω))₊ for ω ≤ ½, ((1 − ω) − ω u)₊ above",
              "0, ω for ω ≤ ½; 1 − ω, 0 above",
              "−(1 − ω) q where ω p > (1 − ω) q for ω ≤ ½; (1 − ω) q where ω p < (1 − ω) q above",
              "`degroot` at 1 − ω", "[0, min(ω, 1 − ω)]",
              "By how much one observation lowers the error of telling p, of prior probability ω, from "
              "q. At ½ it is half of `total_variation`.",
              [hinge_curve("degroot(0.4)", .4, .6), hinge_curve("degroot(0.7)", .7, .3, True)]),
    ])


def family_of_functions():
    def renyi(a, label):
        c = a * (a - 1)
        return order_curve(label, a, lambda d: np.log1p(c * d) / (a - 1), lambda d: a / (1 + c * d))

    def sharma_mittal(a, b):
        c, r = a * (a - 1), (1 - b) / (1 - a)
        return order_curve(f"sharma_mittal({a:g}, {b:g})", a,
                           lambda d: ((1 + c * d)**r - 1) / (b - 1),
                           lambda d: r * c * (1 + c * d)**(r - 1) / (b - 1))
    root_js = function_curve("jensen_shannon_distance", np.sqrt, lambda d: .5 / np.sqrt(d),
                             skew_js_curve("", .5))
    hellinger = function_curve("hellinger_distance", lambda d: np.sqrt(d / 2),
                               lambda d: .25 / np.sqrt(d / 2), hellinger_curve())
    bhattacharyya = order_curve("bhattacharyya", .5, lambda d: -np.log1p(-d / 4),
                                lambda d: .25 / (1 - d / 4))
    return Family("functions", "Functions of a divergence", """\
A row's divergence D is turned into h(D), and its gradient multiplied by h′(D). That changes how rows
weigh against each other, and nothing within a row: the field of directions is that of D. The
functions of order a build on S = Σ p^a q^(1−a) = 1 + a(a − 1) D, where D is
[`alpha`](alpha_beta.md) at a.""", [
        Entry("power(D, r)", "D^r", "h(D) = D^r", "", "r D^(r−1) times that of D", "`power(reverse(D), r)`",
              "", "r > 0, D a divergence or a sum of them. Where D = 0 the gradient is 0 unless "
              "r = 1.", []),
        Entry("jensen_shannon_distance()", "√JS", "h(D) = √D", "", "½ D^(−½) times that of JS", "itself",
              "[0, √(ln 2)]", "`power(jensen_shannon{}, .5)`, a distance.", [root_js]),
        Entry("hellinger_distance()", "√(½ Σ (√p − √q)²)", "h(D) = √(½ D)", "",
              "¼ (½ D)^(−½) times that of `squared_hellinger`", "itself", "[0, 1]",
              "`power(.5 * squared_hellinger{}, .5)`, a distance.", [hellinger]),
        Entry("renyi{.order = a}", "ln S/(a − 1)", "h(D) = ln(1 + a(a − 1) D)/(a − 1)", "",
              "a/S times that of `alpha`", "`reverse(renyi{a})`", "[0, ∞)",
              "0 < a ≤ ∞. It never falls with a; at 1 it is `kl`, at ∞ the largest ln(p/q).",
              [renyi(.5, "renyi(0.5)"), renyi(2, "renyi(2)")]),
        Entry("bhattacharyya{}", "−ln Σ √(p q)", "h(D) = −ln(1 − D/4)", "", "1/(4S) times that of `alpha` at ½",
              "itself", "[0, ∞)", "Half of `renyi` at ½.", [bhattacharyya]),
        Entry("sharma_mittal{.order = a, .degree = b}", "(S^((1−b)/(1−a)) − 1)/(b − 1)",
              "h(D) = ((1 + a(a − 1) D)^((1−b)/(1−a)) − 1)/(b − 1)", "",
              "a S^((1−b)/(1−a) − 1) times that of `alpha`", "`reverse(sharma_mittal{a, b})`",
              "[0, 1/(1 − b)] for b < 1, else [0, ∞)", "b → 1 is `renyi`, b = a is `tsallis`.",
              [sharma_mittal(.5, 2), sharma_mittal(2, .5)]),
    ], functions=True)


def all_families():
    return [family_of_kl(), family_of_mixtures(), family_of_alpha_beta(), family_of_hellinger(),
            family_of_chi_squared(), family_of_total_variation(), family_of_functions()]
