#!/usr/bin/env python3
# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT
"""Writes tests/accuracy/tables/*.txt: losses and gradients to 30 digits, from the definitions alone.

    tools/make_reference.py [DIRECTORY]

Inputs are binary fractions in hexadecimal. Every number comes from the definition of the divergence
in some hundreds of digits: nothing is rearranged, derivatives are differences of the definition.
Needs mpmath (Debian: python3-mpmath) and takes about two minutes.
"""
import math
import pathlib
import random
import struct
import sys

from mpmath import mp, mpf

DIGITS = 30
MINUS_INFINITY = -math.inf


def kl_term(p, q):
    return p * mp.log(p / q) if p else mpf(0)


def alpha_beta(p, q, a, b):
    """One class of Cichocki, Cruces and Amari's divergence: the definition and its four limits."""
    c = a + b
    if a == 0 and b == 0:
        return (mp.log(p) - mp.log(q)) ** 2 / 2
    if c == 0:
        return (mp.log(q ** a / p ** a) + (p / q) ** a - 1) / a ** 2
    if b == 0:
        return (p ** a * mp.log(p ** a / q ** a) - p ** a + q ** a) / a ** 2 if p else q ** a / a ** 2
    if a == 0:
        return (q ** b * mp.log(q ** b / p ** b) - q ** b + p ** b) / b ** 2 if q else p ** b / b ** 2
    mixed = p ** a * q ** b if p and q else mpf(0)
    return -(mixed - a / c * p ** c - b / c * q ** c) / (a * b)


DEFINITIONS = {
    'kl': lambda p, q: kl_term(p, q),
    'reverse_kl': lambda p, q: kl_term(q, p),
    'jeffreys': lambda p, q: (p - q) * mp.log(p / q),
    'jensen_shannon': lambda p, q: (kl_term(p, (p + q) / 2) + kl_term(q, (p + q) / 2)) / 2,
    'skew_js': lambda p, q, a: (a * kl_term(p, a * p + (1 - a) * q)
                                + (1 - a) * kl_term(q, a * p + (1 - a) * q)),
    'skew_kl': lambda p, q, a: kl_term(p, a * p + (1 - a) * q),
    'reverse_skew_kl': lambda p, q, a: kl_term(q, a * q + (1 - a) * p),
    'squared_hellinger': lambda p, q: (mp.sqrt(p) - mp.sqrt(q)) ** 2,
    'pearson': lambda p, q: (p - q) ** 2 / q,
    'neyman': lambda p, q: (p - q) ** 2 / p,
    'total_variation': lambda p, q: abs(p - q) / 2,
    'le_cam': lambda p, q: (p - q) ** 2 / (2 * (p + q)),
    'alpha_beta': alpha_beta,
    'soft_cross_entropy': lambda p, q: -p * mp.log(q) if p else mpf(0),
}
# Which of them stay finite where a class is missing on one side.
FINITE_WITHOUT_TEACHER = ('kl', 'jensen_shannon', 'skew_js', 'skew_kl', 'reverse_skew_kl',
                          'squared_hellinger', 'pearson', 'total_variation', 'le_cam',
                          'soft_cross_entropy')
FINITE_WITHOUT_STUDENT = ('reverse_kl', 'jensen_shannon', 'skew_js', 'skew_kl', 'reverse_skew_kl',
                          'squared_hellinger', 'neyman', 'total_variation', 'le_cam')


def positive(x):
    return x if x > 0 else mpf(0)


def osterreicher_vajda(p, q, b):
    if b == 1:
        return kl_term(p, (p + q) / 2) + kl_term(q, (p + q) / 2)
    return ((p ** b + q ** b) ** (1 / b) - 2 ** (1 / b - 1) * (p + q)) / (1 - 1 / b)


def each(term):
    """The divergence of rows that is a sum over the classes with p or q."""
    return lambda p, q, *of: mp.fsum(term(x, y, *of) for x, y in zip(p, q) if x or y)


def mixture(p, q, a):
    return [a * x + (1 - a) * y for x, y in zip(p, q)]


def affinity(p, q, a):
    return mp.fsum(x ** a * y ** (1 - a) for x, y in zip(p, q) if x or y)


def renyi(p, q, a):
    if a == mp.inf:
        return max(mp.log(x / y) for x, y in zip(p, q) if x)
    return each(kl_term)(p, q) if a == 1 else mp.log(affinity(p, q, a)) / (a - 1)


def sharma_mittal(p, q, a, b):
    return (affinity(p, q, a) ** ((1 - b) / (1 - a)) - 1) / (b - 1)


def skewed(name):
    return lambda p, q, a: each(DEFINITIONS[name])(p, mixture(p, q, a))


# Of whole rows: sums that are not in DEFINITIONS and functions that are not sums.
ROW_DEFINITIONS = {
    'triangular': each(lambda p, q: (p - q) ** 2 / (p + q)),
    'vajda': each(lambda p, q, k: q * abs(p / q - 1) ** k),
    'puri_vincze': each(lambda p, q, k: abs(p - q) ** k / (p + q) ** (k - 1) / 2),
    'matusita': each(lambda p, q, a: abs(p ** a - q ** a) ** (1 / a)),
    'arithmetic_geometric': each(
        lambda p, q: (p + q) / 2 * mp.log((p + q) / (2 * mp.sqrt(p * q)))),
    'osterreicher_vajda': each(osterreicher_vajda),
    'hockey_stick': each(lambda p, q, g: positive(p - g * q)),
    'degroot': each(lambda p, q, w: positive(w * p - (1 - w) * q if w <= mpf(1) / 2
                                             else (1 - w) * q - w * p)),
    'marton': each(lambda p, q: q * positive(1 - p / q) ** 2 if q else mpf(0)),
    'skew_pearson': skewed('pearson'),
    'skew_reverse_kl': skewed('reverse_kl'),
    'skew_squared_hellinger': skewed('squared_hellinger'),
    'skew_total_variation': skewed('total_variation'),
    'symmetrized_pearson': lambda p, q: (each(DEFINITIONS['pearson'])(p, q)
                                         + each(DEFINITIONS['pearson'])(q, p)),
    'power_jensen_shannon': lambda p, q, r: each(DEFINITIONS['jensen_shannon'])(p, q) ** r,
    'renyi': renyi,
    'bhattacharyya': lambda p, q: -mp.log(affinity(p, q, mpf(1) / 2)),
    'sharma_mittal': sharma_mittal,
}
ROW_PARAMETERS = {
    'vajda': [(1.,), (1.5,), (3.,), (4.,)], 'puri_vincze': [(1.,), (1.5,), (3.,)],
    'matusita': [(.3,), (.5,), (1.,)], 'osterreicher_vajda': [(.5,), (1.,), (2.,), (8.,)],
    'hockey_stick': [(1.,), (2.,)], 'degroot': [(.25,), (.5,), (.75,)], 'skew_pearson': [(.3,)],
    'skew_reverse_kl': [(.3,)], 'skew_squared_hellinger': [(.3,)], 'skew_total_variation': [(.3,)],
    'power_jensen_shannon': [(.5,)], 'renyi': [(.1,), (.5,), (1.,), (2.,), (math.inf,)],
    'sharma_mittal': [(.5, 2.), (2., .5)],
}
# Those that are infinite where a class is missing on one side, by the values of their first
# parameter.
INFINITE_WITHOUT_TEACHER = {'arithmetic_geometric': [], 'symmetrized_pearson': [],
                            'skew_reverse_kl': [.3]}
INFINITE_WITHOUT_STUDENT = {'arithmetic_geometric': [], 'symmetrized_pearson': [],
                            'vajda': [1., 1.5, 3., 4.], 'renyi': [1., 2., math.inf],
                            'sharma_mittal': [2.]}


def softmax(logits, temperature):
    powers = [mpf(0) if x == MINUS_INFINITY else mp.exp(mpf(x) / mpf(temperature)) for x in logits]
    total = mp.fsum(powers)
    return [x / total for x in powers]


def slope(term, x):
    """x·d(term)/dx by a central difference; 0 where x is 0 (a limit all tabulated cases share)."""
    if x == 0:
        return mpf(0)
    h = mpf(10) ** -(mp.dps // 3)
    return (term(x * (1 + h)) - term(x * (1 - h))) / (2 * h)


def row_slope(value, x, k):
    """x_k·d(value)/dx_k of a function of a row, as slope()."""
    def moved(factor):
        return value(x[:k] + [x[k] * factor] + x[k + 1:])
    h = mpf(10) ** -(mp.dps // 3)
    return (moved(1 + h) - moved(1 - h)) / (2 * h) if x[k] else mpf(0)


def pull_back(weights, probabilities, logits, temperature):
    """Through softmax(x/T): derivatives in the logits and in T from those in the log-probabilities."""
    total = mp.fsum(weights)
    gradient = [(w - p * total) / mpf(temperature) for w, p in zip(weights, probabilities)]
    by_temperature = -mp.fsum(g * mpf(x) for g, x in zip(gradient, logits) if x != MINUS_INFINITY)
    return gradient, by_temperature / mpf(temperature)


def digits(numbers):
    return ' '.join(mp.nstr(x, DIGITS, strip_zeros=False) if x else '0' for x in numbers)


def hexadecimal(numbers):
    return ' '.join('-inf' if x == MINUS_INFINITY else float(x).hex() for x in numbers)


class Table:
    def __init__(self, directory, name, about):
        self.path = pathlib.Path(directory) / name
        self.lines = ['# SPDX-FileCopyrightText: divot contributors', '# SPDX-License-Identifier: MIT',
                      '# Written by tools/make_reference.py. ' + about]

    def row(self, teacher, student, teacher_temperature=1.0, student_temperature=1.0):
        self.teacher, self.student = teacher, student
        self.temperatures = teacher_temperature, student_temperature
        finite = [[x / t for x in side if x != MINUS_INFINITY]
                  for side, t in ((teacher, teacher_temperature), (student, student_temperature))]
        self.gap = max(max(side) - min(side) for side in finite) / math.log(10)
        self.lines += [f'row {len(student)} {hexadecimal(self.temperatures)}',
                       'teacher ' + hexadecimal(teacher), 'student ' + hexadecimal(student)]
        return self

    def loss(self, name, *parameters, teacher_gradient=True, parameter_gradient=False):
        # Powers up to u³, differences of them, and nearly equal numbers 10^−gap apart.
        mp.dps = 3 * int(2 * self.gap + 60) + (200 if name == 'alpha_beta' else 0)
        exact = [mpf(x) for x in parameters]
        p = softmax(self.teacher, self.temperatures[0])
        q = softmax(self.student, self.temperatures[1])
        term = lambda x, y: DEFINITIONS[name](x, y, *exact) if x or y else mpf(0)
        value = mp.fsum(term(x, y) for x, y in zip(p, q))
        weights = [slope(lambda z, x=x: term(x, z), y) for x, y in zip(p, q)]
        by_student, by_ts = pull_back(weights, q, self.student, self.temperatures[1])
        shown = [f'{name} {hexadecimal(parameters)}'.strip()]
        shown += ['value ' + digits([value]), 'by_student ' + digits(by_student)]
        shown += ['by_student_temperature ' + digits([by_ts])]
        if teacher_gradient:
            weights = [slope(lambda z, y=y: term(z, y), x) for x, y in zip(p, q)]
            by_teacher, by_tt = pull_back(weights, p, self.teacher, self.temperatures[0])
            shown += ['by_teacher ' + digits(by_teacher), 'by_teacher_temperature ' + digits([by_tt])]
        if parameter_gradient:
            h = mpf(10) ** -(mp.dps // 5)
            a, b = exact
            moved = lambda a, b: mp.fsum(alpha_beta(x, y, a, b) for x, y in zip(p, q) if x or y)
            shown += ['by_parameters ' + digits([(moved(a + h, b) - moved(a - h, b)) / (2 * h),
                                                 (moved(a, b + h) - moved(a, b - h)) / (2 * h)])]
        self.lines += ['loss ' + shown[0]] + shown[1:]

    def all_losses(self, **options):
        for name in DEFINITIONS:
            for parameters in {'skew_js': [(0.1,), (0.5,), (0.9,)], 'skew_kl': [(0.1,)],
                               'reverse_skew_kl': [(0.1,)],
                               'alpha_beta': [(0.2, 0.7), (-0.5, 1.25)]}.get(name, [()]):
                self.loss(name, *parameters, **options)

    def row_loss(self, name, *parameters):
        """As loss(), of ROW_DEFINITIONS and without the temperatures."""
        mp.dps = 3 * int(4 * self.gap + 60)  # powers up to u^4
        exact = [mpf(x) for x in parameters]
        p = softmax(self.teacher, self.temperatures[0])
        q = softmax(self.student, self.temperatures[1])
        value = lambda x, y: ROW_DEFINITIONS[name](x, y, *exact)
        by_q = [row_slope(lambda z: value(p, z), q, k) for k in range(len(q))]
        by_p = [row_slope(lambda z: value(z, q), p, k) for k in range(len(p))]
        by_student, _ = pull_back(by_q, q, self.student, self.temperatures[1])
        by_teacher, _ = pull_back(by_p, p, self.teacher, self.temperatures[0])
        self.lines += [f'loss {name} {hexadecimal(parameters)}'.strip(),
                       'value ' + digits([value(p, q)]), 'by_student ' + digits(by_student),
                       'by_teacher ' + digits(by_teacher)]

    def all_row_losses(self):
        missing = [(x == MINUS_INFINITY, y == MINUS_INFINITY)
                   for x, y in zip(self.teacher, self.student)]
        infinite = [table for table, pair in ((INFINITE_WITHOUT_TEACHER, (True, False)),
                                              (INFINITE_WITHOUT_STUDENT, (False, True)))
                    if pair in missing]
        for name in ROW_DEFINITIONS:
            for parameters in ROW_PARAMETERS.get(name, [()]):
                if not any(name in table and (not parameters or parameters[0] in table[name])
                           for table in infinite):
                    self.row_loss(name, *parameters)

    def labels(self, label, smoothing, factor):
        """Cross-entropy of the student against a smoothed label, and the z-loss of its logits."""
        mp.dps = 3 * int(2 * self.gap + 60)
        temperature = self.temperatures[1]
        q = softmax(self.student, temperature)
        n = len(q)
        target = [mpf(smoothing) / n + (1 - mpf(smoothing) if k == label else 0) for k in range(n)]
        value = -mp.fsum(y * mp.log(x) for x, y in zip(q, target) if y)
        gradient, _ = pull_back([-y for y in target], q, self.student, temperature)
        lse = mp.log(mp.fsum(mp.exp(mpf(x)) for x in self.student))
        z = [mpf(factor) * 2 * lse * x for x in softmax(self.student, 1)]
        self.lines += [f'labels {label} {hexadecimal([smoothing, factor])}',
                       'value ' + digits([value]), 'by_student ' + digits(gradient),
                       'z_value ' + digits([mpf(factor) * lse ** 2]), 'z_by_student ' + digits(z)]

    def write(self):
        self.path.write_text('\n'.join(self.lines) + '\n')
        print(f'{self.path}: {self.path.stat().st_size // 1024} KiB')


def to_float(x):
    return struct.unpack('f', struct.pack('f', x))[0]


def normal(source, n, scale, to=to_float):
    return [to(source.gauss(0, scale)) for _ in range(n)]


def moderate(directory):
    source = random.Random(1)
    table = Table(directory, 'moderate.txt', 'scale/T up to 15.')
    for classes, scale, tt, ts, to in ((2, 1, 1, 1, to_float), (3, 5, 2, 2, float),
                                       (7, 15, .5, .5, to_float), (10, 5, 3, 1, float),
                                       (10, 1, .5, 2, to_float), (65, 5, 1, 1, float)):
        table.row(normal(source, classes, scale * tt, to), normal(source, classes, scale * ts, to),
                  tt, ts).all_losses(teacher_gradient=classes < 20)
    table.write()


def confident(directory):
    source = random.Random(2)
    table = Table(directory, 'confident.txt', 'Nearly all mass on one class: scale/T 30 and 60, gaps.')
    for classes, scale, temperature in ((2, 30, 1), (3, 60, 1), (10, 30, 2), (10, 60, .5)):
        table.row(normal(source, classes, scale * temperature),
                  normal(source, classes, scale * temperature), temperature, temperature).all_losses()
    student = normal(source, 10, 60)
    table.row([to_float(x + source.gauss(0, 1)) for x in student], student).all_losses()
    table.row([0., -200., -3.], [0.5, -150., -200.]).all_losses()
    table.row([0., -200., -210.], [-200., 0., -100.]).all_losses()
    table.write()


def near(directory):
    source = random.Random(3)
    table = Table(directory, 'near.txt', 'Student = teacher + delta noise, the teacher shifted.')
    for delta in (1e-4, 1e-3, 1e-2):
        for shift in (0, 7.3, 200):
            student = normal(source, 10, 1)
            teacher = [to_float(x + source.gauss(0, delta) + shift) for x in student]
            table.row(teacher, student).all_losses(teacher_gradient=False)
    student = normal(source, 4, 30)
    table.row([to_float(x + source.gauss(0, 1e-3)) for x in student], student).all_losses()
    table.write()


def limits(directory):
    inf = MINUS_INFINITY
    table = Table(directory, 'limits.txt', 'Classes of probability 0 on one side or both.')
    for teacher, student in (([1., inf, .5, -1.], [.25, inf, 2., 0.]),
                             ([inf, .5, inf, 3.], [inf, 1., inf, 2.75])):
        table.row(teacher, student).all_losses()
    table.row([1., inf, .5, -1.], [.25, 1., 2., 0.])
    for name in FINITE_WITHOUT_TEACHER:
        parameters = (0.1,) if 'skew' in name else ()
        table.loss(name, *parameters, teacher_gradient=name in FINITE_WITHOUT_STUDENT)
    table.row([1., .5, .5, -1.], [.25, inf, 2., 0.])
    for name in FINITE_WITHOUT_STUDENT:
        table.loss(name, *((0.1,) if 'skew' in name else ()), teacher_gradient=name != 'reverse_kl'
                   and name != 'neyman')
    for teacher, student in (([1., inf, .5, -1.], [.25, 1., 2., 0.]),
                             ([1., .5, .5, -1.], [.25, inf, 2., 0.]),
                             ([inf, 1., .5, inf], [0., inf, .25, 1.])):
        table.row(teacher, student)
        for parameters in ((0.2, 0.7), (0.5, 0.5), (1.0, 1.0), (0.75, 0.5)):
            table.loss('alpha_beta', *parameters)
    table.write()


def singular_lines(directory):
    source = random.Random(4)
    table = Table(directory, 'alpha_beta.txt', 'The plane: special points, on and beside the lines.')
    special = [(0, 0), (1, 0), (0, 1), (.5, 0), (0, .5), (.5, -.5), (-.5, .5), (2, -1), (-1, 2),
               (2, 0), (0, 2), (-1, 0), (0, -1), (1, 1), (.5, .5), (1.5, -.2), (-1, -.5), (3, -2)]
    beside = []
    for k in (1, 2, 3, 5, 8, 11, 14, 16):
        for e in (10.0 ** -k, -10.0 ** -k):
            beside += [(e, .5), (.5, e), (.7, e - .7), (e, -e / 2), (e, 1 - e)]
    for classes, scale in ((3, 1), (10, 15)):
        table.row(normal(source, classes, scale), normal(source, classes, scale))
        for parameters in special + beside:
            table.loss('alpha_beta', *map(float, parameters), teacher_gradient=classes == 3,
                       parameter_gradient=True)
    student = normal(source, 5, 1)
    table.row([to_float(x + source.gauss(0, 1e-3) + 7.3) for x in student], student)
    for parameters in special + beside:
        table.loss('alpha_beta', *map(float, parameters), teacher_gradient=False,
                   parameter_gradient=True)
    table.write()


def labels(directory):
    source = random.Random(5)
    table = Table(directory, 'labels.txt', 'Cross-entropy against labels, and the z-loss.')
    for classes, scale, temperature in ((2, 1, 1), (3, 60, 1), (10, 15, 2), (10, 60, .5), (65, 5, 1)):
        student = normal(source, classes, scale * temperature)
        table.row(student, student, temperature, temperature)
        for label in (student.index(max(student)), student.index(min(student))):
            for smoothing in (0, .1):
                table.labels(label, smoothing, 1e-4)
    table.write()


def catalogue(directory):
    source = random.Random(6)
    table = Table(directory, 'catalogue.txt', 'The rest of the catalogue at moderate scales, confident.')
    table.row(normal(source, 3, 5, float), normal(source, 3, 5, float), 2, 1).all_row_losses()
    table.row(normal(source, 5, 15), normal(source, 5, 15)).all_row_losses()
    table.row([0., -200., -3.], [0.5, -150., -200.]).all_row_losses()
    table.row([0., -200., -210.], [-200., 0., -100.]).all_row_losses()
    table.write()
    table = Table(directory, 'catalogue_near.txt', 'The same near convergence and at the limits.')
    for delta, shift, scale, classes in ((1e-4, 7.3, 1, 4), (1e-3, 0, 30, 3)):
        student = normal(source, classes, scale)
        teacher = [to_float(x + source.gauss(0, delta) + shift) for x in student]
        table.row(teacher, student).all_row_losses()
    inf = MINUS_INFINITY
    table.row([1., inf, .5, inf], [.25, 1., 2., inf]).all_row_losses()
    table.row([1., .5, .5], [.25, inf, 2.]).all_row_losses()
    table.write()


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    directory = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here / 'tests/accuracy/tables'
    directory.mkdir(parents=True, exist_ok=True)
    for write in (moderate, confident, near, limits, singular_lines, labels, catalogue):
        write(directory)


if __name__ == '__main__':
    main()
