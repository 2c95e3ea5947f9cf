# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""What the pages say and draw about a divergence: an entry each, with its mathematics in numpy."""
from dataclasses import dataclass, field
from typing import Callable

import numpy as np


@dataclass
class Curve:
    """A divergence at some value of its parameters."""
    label: str
    loss: Callable  # p, q -> the loss
    slope: Callable  # p, q -> w, the slope of the loss in ln q, class by class
    shape: Callable | None = None  # u -> f(u), or D -> h(D) on the page of functions


@dataclass
class Entry:
    code: str  # as a user writes it
    loss: str  # the loss of a row
    f: str  # its generator
    ends: str  # f(0) and lim f(u)/u
    slope: str  # w, up to multiples of q
    reverse: str
    range: str
    note: str
    curves: list[Curve] = field(default_factory=list)


def f_curve(label, f, slope):
    """Of an f-divergence, from f and f'."""
    return Curve(label,
                 lambda p, q: np.sum(q * f(p / q)),
                 lambda p, q: q * (f(p / q) - p / q * slope(p / q)),
                 f)


def reversed_curve(label, f, slope):
    """Of u f(1/u), from f and f'."""
    return f_curve(label, lambda u: u * f(1 / u), lambda u: f(1 / u) - slope(1 / u) / u)


def kl_curve(label="kl"):
    return f_curve(label, lambda u: u * np.log(u) - u + 1, np.log)


def skew_js_curve(label, pi):
    def f(u):
        m = pi * u + 1 - pi
        return pi * u * np.log(u) - m * np.log(m)
    return f_curve(label, f, lambda u: pi * np.log(u / (pi * u + 1 - pi)))


def skew_kl_parts(pi):
    def f(u):
        return u * np.log(u / (pi * u + 1 - pi)) - (1 - pi) * (u - 1)

    def slope(u):
        m = pi * u + 1 - pi
        return np.log(u / m) + (1 - pi) / m - (1 - pi)
    return f, slope


def phi2(a, b):
    """The divided difference exp[0, a, b]."""
    a, b = np.broadcast_arrays(np.asarray(a, float), np.asarray(b, float))
    # by Taylor's series where the nodes are close, else by the first differences
    total, factorial = np.zeros(a.shape), 2.
    complete, b_power = np.ones(a.shape), np.ones(a.shape)
    for n in range(60):
        total = total + complete / factorial
        b_power = b_power * b
        complete = a * complete + b_power
        factorial *= n + 3
    return total


def alpha_beta_curve(label, alpha, beta):
    total = alpha + beta

    def of_ratio(u):
        ell = np.log(u)
        return ell**2 * phi2(alpha * ell, total * ell)

    def slope(p, q):
        ell = np.log(p / q)
        rate = ell if alpha == 0 else np.expm1(alpha * ell) / alpha
        return -q**total * rate
    return Curve(label, lambda p, q: np.sum(q**total * of_ratio(p / q)), slope, of_ratio)


def hellinger_curve(label="squared_hellinger"):
    return f_curve(label, lambda u: (np.sqrt(u) - 1)**2, lambda u: 1 - u**-.5)


def matusita_curve(label, a):
    return f_curve(label, lambda u: np.abs(1 - u**a)**(1 / a),
                   lambda u: np.sign(u - 1) * np.abs(1 - u**a)**(1 / a - 1) * u**(a - 1))


def puri_vincze_curve(label, k):
    def f(u):
        return np.abs(u - 1)**k / (2 * (u + 1)**(k - 1))

    def slope(u):
        h = np.abs(u - 1) / (u + 1)
        return np.sign(u - 1) * k * h**(k - 1) / 2 - (k - 1) * h**k / 2
    return f_curve(label, f, slope)


def osterreicher_vajda_curve(label, b):
    c = 1 / b - 1
    return f_curve(label, lambda u: (2**c * (u + 1) - (1 + u**b)**(1 / b)) / c,
                   lambda u: (2**c - (1 + u**b)**c * u**(b - 1)) / c)


def arithmetic_geometric_curve(label="arithmetic_geometric"):
    def f(u):
        return .5 * (u + 1) * np.log((u + 1) / (2 * np.sqrt(u)))
    return f_curve(label, f, lambda u: .5 * np.log((u + 1) / (2 * np.sqrt(u)))
                   + .5 * (1 - (u + 1) / (2 * u)))


def triangular_curve(label="triangular"):
    return f_curve(label, lambda u: (u - 1)**2 / (u + 1), lambda u: (u - 1) * (u + 3) / (u + 1)**2)


def vajda_curve(label, k):
    return f_curve(label, lambda u: np.abs(u - 1)**k,
                   lambda u: k * np.sign(u - 1) * np.abs(u - 1)**(k - 1))


def hinge_curve(label, a, b, below=False):
    """(a u − b)₊, or (b − a u)₊ below."""
    sign = -1 if below else 1
    return f_curve(label, lambda u: np.maximum(sign * (a * u - b), 0),
                   lambda u: np.where(sign * (a * u - b) > 0, sign * a, 0.))


def function_curve(label, h, slope, inner):
    """h(D) of another divergence."""
    return Curve(label, lambda p, q: h(inner.loss(p, q)),
                 lambda p, q: slope(inner.loss(p, q)) * inner.slope(p, q), h)


def order_curve(label, a, h, slope):
    """A function of Amari's divergence of order a."""
    return function_curve(label, h, slope, alpha_beta_curve("", a, 1 - a))
