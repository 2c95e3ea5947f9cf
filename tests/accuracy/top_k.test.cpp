// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Top-k teachers against their definition in quadruple precision: the K classes renormalised, with
// the rest of the mass spread over all others, or with all others as one class.
#include <doctest/doctest.h>
#include <accuracy/budget.hpp>
#include <accuracy/reference_gradient.hpp>
#include <accuracy/samples.hpp>
#include <divot/divot.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace {

using divot::tail;
using reference::form;
using reference::quad;
using wide = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr tail tails[] = {tail::renormalise, tail::uniform, tail::bucket};

/// A teacher that names some classes of each row, and a student.
template <class T>
struct sample {
  using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Eigen::Matrix<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> indices;
  matrix log_p, student;
  std::vector<double> log_mass;
  double temperature = 1;
  budget::situation where = budget::situation::moderate;
};

/// The `named` largest classes of a teacher with these logits.
template <class T>
sample<T> named_by(wide const& teacher, wide const& student, int named) {
  sample<T> s;
  s.student = student.template cast<T>();
  s.indices.resize(teacher.rows(), named);
  s.log_p.resize(teacher.rows(), named);
  for (Eigen::Index r = 0; r < teacher.rows(); ++r) {
    std::vector<int> order(static_cast<std::size_t>(teacher.cols()));
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + named, order.end(),
                      [&](int a, int b) { return teacher(r, a) > teacher(r, b); });
    double const max = teacher.row(r).maxCoeff();
    double const lse = max + std::log((teacher.row(r).array() - max).exp().sum());
    for (int j = 0; j < named; ++j) {
      int const k = order[static_cast<std::size_t>(j)];
      s.indices(r, j) = k;
      s.log_p(r, j) = static_cast<T>(teacher(r, k) - lse);
    }
  }
  return s;
}

/// Unrelated rows.
template <class T>
sample<T> moderate(int rows, int classes, int named, std::uint64_t seed) {
  samples::random random(seed);
  auto const normal = [&] { return random.normal(); };
  wide const teacher = 2 * wide::NullaryExpr(rows, classes, normal);
  wide const student = 2 * wide::NullaryExpr(rows, classes, normal);
  return named_by<T>(teacher, student, named);
}

/// The student is the teacher but for noise of size delta, and a shift; with a flat tail both times
/// it is near the uniform one too.
template <class T>
sample<T> near(int rows, int classes, int named, double delta, double shift, std::uint64_t seed) {
  samples::random random(seed);
  auto const normal = [&] { return random.normal(); };
  wide teacher = wide::NullaryExpr(rows, classes, [&] { return -4.; });
  teacher.leftCols(named) = wide::NullaryExpr(rows, named, normal);
  wide const student =
      teacher.array() + shift + delta * wide::NullaryExpr(rows, classes, normal).array();
  auto s = named_by<T>(teacher, student, named);
  s.where = budget::situation::near_convergence;
  return s;
}

struct exact_row {
  quad loss = 0;
  std::vector<quad> gradient;
};

/// The loss of a row by its definition, and its gradient with respect to the student's logits.
template <class T>
exact_row exact(reference::divergence const& d, sample<T> const& x, tail what, Eigen::Index r) {
  auto const classes = static_cast<std::size_t>(x.student.cols());
  auto const named = static_cast<std::size_t>(x.indices.cols());
  std::vector<bool> in_tail(classes, true);
  quad mass = 0;
  for (std::size_t j = 0; j < named; ++j) {
    auto const at = static_cast<Eigen::Index>(j);
    in_tail[static_cast<std::size_t>(x.indices(r, at))] = false;
    mass += reference::exp(x.log_p(r, at));
  }
  quad rest = -reference::infinity;
  if (named < classes) {
    if (!x.log_mass.empty()) {
      rest = x.log_mass[static_cast<std::size_t>(r)];
    } else if (mass < 1) {
      rest = reference::log1p(-mass);
    }
  }
  std::vector<quad> p, q;
  if (what != tail::bucket) {
    quad share = -reference::infinity;
    if (what == tail::uniform && named < classes) {
      share = rest - reference::log(quad(static_cast<double>(classes - named)));
    }
    p.assign(classes, share);
    for (std::size_t k = 0; k < classes; ++k)
      q.push_back(x.student(r, static_cast<Eigen::Index>(k)));
    for (std::size_t j = 0; j < named; ++j) {
      auto const at = static_cast<Eigen::Index>(j);
      p[static_cast<std::size_t>(x.indices(r, at))] = x.log_p(r, at);
    }
    reference::row_pair const row(std::span<quad const>(p), std::span<quad const>(q), 1,
                                  x.temperature);
    return {reference::loss(d, row), row.spread(reference::student_gradient(d, row))};
  }
  for (std::size_t j = 0; j < named; ++j) {
    auto const at = static_cast<Eigen::Index>(j);
    p.push_back(x.log_p(r, at));
    q.push_back(x.student(r, x.indices(r, at)));
  }
  // q_T = Σ q over the tail, which its largest class and the others' part in it make
  quad const temperature = x.temperature;
  std::vector<quad> part(classes, 0);
  if (named < classes) {
    quad max = -reference::infinity, sum = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      quad const s = x.student(r, static_cast<Eigen::Index>(k));
      if (in_tail[k] && s > max) max = s;
    }
    for (std::size_t k = 0; k < classes; ++k) {
      if (!in_tail[k]) continue;
      part[k] =
          reference::exp((quad(x.student(r, static_cast<Eigen::Index>(k))) - max) / temperature);
      sum += part[k];
    }
    for (quad& y : part) y /= sum;
    p.push_back(rest);
    q.push_back(max + temperature * reference::log(sum));
  }
  reference::row_pair const row(std::span<quad const>(p), std::span<quad const>(q), 1,
                                x.temperature);
  auto const few = row.spread(reference::student_gradient(d, row));
  std::vector<quad> gradient(classes, 0);
  for (std::size_t k = 0; k < classes; ++k) {
    if (in_tail[k]) gradient[k] = part[k] * few[named];
  }
  for (std::size_t j = 0; j < named; ++j) {
    gradient[static_cast<std::size_t>(x.indices(r, static_cast<Eigen::Index>(j)))] = few[j];
  }
  return {reference::loss(d, row), gradient};
}

/// One call against the reference.
template <class T, class Policy, class D>
void check(Policy const& policy, D const& what, reference::divergence const& by, char const* name,
           sample<T> const& x, tail mode) {
  auto const bound = budget::held(name, x.where, std::is_same_v<T, float>);
  typename sample<T>::matrix gradient(x.student.rows(), x.student.cols());
  std::vector<double> per_row(static_cast<std::size_t>(x.student.rows()));
  divot::batch options;
  options.reduction = divot::reduction::sum;
  options.per_row = per_row;
  auto const student = divot::logits(x.student, x.temperature);
  if (x.log_mass.empty()) {
    divot::gradient(policy, what, divot::top_k(x.indices, x.log_p, mode), student, gradient,
                    options);
  } else {
    divot::gradient(policy, what, divot::top_k(x.indices, x.log_p, mode, x.log_mass), student,
                    gradient, options);
  }
  for (Eigen::Index r = 0; r < x.student.rows(); ++r) {
    CAPTURE(r);
    auto const e = exact(by, x, mode, r);
    quad const loss_error = reference::abs(per_row[static_cast<std::size_t>(r)] - e.loss) / e.loss;
    quad error = 0, norm = 0;
    for (std::size_t k = 0; k < e.gradient.size(); ++k) {
      quad const d = quad(gradient(r, static_cast<Eigen::Index>(k))) - e.gradient[k];
      error += d * d;
      norm += e.gradient[k] * e.gradient[k];
    }
    double const gradient_error = static_cast<double>(reference::sqrt(error / norm));
    CHECK(static_cast<double>(loss_error) <= bound.loss);
    CHECK(gradient_error <= bound.gradient);
    if (budget::print_errors()) {
      MESSAGE(name << " " << int(mode) << " " << sizeof(T) << " " << double(loss_error) << " "
                   << gradient_error);
    }
  }
}

/// All losses, on every policy where the row function differs.
template <class T>
void check_all(sample<T> const& x, tail mode, bool infinite_ones = true) {
  CAPTURE(int(mode));
  CAPTURE(x.student.cols());
  CAPTURE(x.temperature);
  check<T>(divot::seq, divot::kl{}, {form::kl}, "kl", x, mode);
  check<T>(divot::simd, divot::kl{}, {form::kl}, "kl", x, mode);
  check<T>(divot::omp(2), divot::kl{}, {form::kl}, "kl", x, mode);
  check<T>(divot::simd, divot::jensen_shannon{}, {form::jensen_shannon}, "jensen_shannon", x, mode);
  check<T>(divot::simd, divot::total_variation{}, {form::total_variation}, "total_variation", x,
           mode);
  divot::alpha_beta const ab{.alpha = 0.2, .beta = 0.7};
  reference::divergence const by{form::alpha_beta, 0.2, 0.7};
  check<T>(divot::seq, ab, by, "alpha_beta", x, mode);
  check<T>(divot::simd, ab, by, "alpha_beta", x, mode);
  if (infinite_ones && mode != tail::renormalise) {
    check<T>(divot::simd, divot::reverse_kl{}, {form::reverse_kl}, "reverse_kl", x, mode);
  }
}

}  // namespace

TEST_CASE_TEMPLATE("top-k teachers and unrelated students", T, float, double) {
  for (tail const mode : tails) {
    check_all(moderate<T>(5, 7, 3, 1), mode);
    check_all(moderate<T>(4, 130, 5, 2), mode);
    check_all(moderate<T>(3, int(2 * divot::block_columns + 452), 40, 3), mode);
    auto tempered = moderate<T>(4, 130, 5, 4);
    tempered.temperature = 2;
    check_all(tempered, mode);
  }
}

TEST_CASE_TEMPLATE("top-k teachers near convergence", T, float, double) {
  // log of the tail's mass is rounded to double, which a distance of 1e-4 makes 1e-11
  double const delta = std::is_same_v<T, float> ? 1e-4 : 1e-2;
  for (tail const mode : {tail::uniform, tail::bucket}) {
    for (double const shift : {0., 7.3, 200.}) {
      CAPTURE(shift);
      check_all(near<T>(4, 40, 5, delta, shift, 5), mode);
      check_all(near<T>(3, 5000, 20, delta, shift, 6), mode);
    }
  }
}

TEST_CASE_TEMPLATE("a tail mass that is given, smaller than 1 - sum can tell", T, float, double) {
  auto x = moderate<T>(4, 130, 5, 7);
  for (Eigen::Index r = 0; r < 4; ++r) {
    // the named classes hold all but 1e-9
    double const sum = x.log_p.row(r).template cast<double>().array().exp().sum();
    for (Eigen::Index j = 0; j < 5; ++j) {
      x.log_p(r, j) =
          static_cast<T>(static_cast<double>(x.log_p(r, j)) - std::log(sum) + std::log1p(-1e-9));
    }
    x.log_mass.push_back(std::log(1e-9));
  }
  for (tail const mode : tails) check_all(x, mode);
}

TEST_CASE_TEMPLATE("where every class is named there is no tail", T, float, double) {
  for (tail const mode : tails) check_all(moderate<T>(4, 9, 9, 8), mode);
}
