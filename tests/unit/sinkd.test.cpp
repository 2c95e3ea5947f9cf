// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/refusal.hpp>
#include <unit/row_samples.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using narrow = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using wide = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
constexpr auto sum = divot::reduction::sum;

matrix random(divot::index rows, divot::index cols, unsigned seed, double scale = 1) {
  return random_rows(rows, cols, seed, scale);
}

wide softmax(matrix const& z, double temperature) {
  wide p = z.cast<long double>() / static_cast<long double>(temperature);
  p = (p.colwise() - p.rowwise().maxCoeff().eval()).array().exp().matrix();
  for (Eigen::Index i = 0; i < p.rows(); ++i) p.row(i) /= p.row(i).sum();
  return p;
}
wide costs(wide const& p, wide const& q) {
  wide c(p.rows(), q.rows());
  for (Eigen::Index i = 0; i < p.rows(); ++i) {
    for (Eigen::Index j = 0; j < q.rows(); ++j) c(i, j) = (p.row(i) - q.row(j)).cwiseAbs().sum();
  }
  return c;
}
/// The plan, as the definition says it.
wide plan(wide const& cost, divot::sinkd const& what) {
  wide p = (-cost / static_cast<long double>(what.epsilon)).array().exp();
  long double const each = what.mass == divot::mass::probability ? 1.L / cost.rows() : 1;
  for (int k = 0; k < what.sweeps; ++k) {
    for (Eigen::Index i = 0; i < p.rows(); ++i) p.row(i) *= each / p.row(i).sum();
    for (Eigen::Index j = 0; j < p.cols(); ++j) p.col(j) *= each / p.col(j).sum();
  }
  return p;
}
double reference(divot::sinkd const& what, matrix const& teacher, matrix const& student,
                 std::vector<double> const& weights = {}) {
  wide const c = costs(softmax(student, what.temperature), softmax(teacher, what.temperature));
  wide const parts = (plan(c, what).array() * c.array()).matrix().rowwise().sum();
  long double total = 0;
  for (Eigen::Index i = 0; i < parts.rows(); ++i) {
    total += (weights.empty() ? 1 : weights[static_cast<std::size_t>(i)]) * parts(i, 0);
  }
  return static_cast<double>(total);
}

double off(matrix const& gradient, matrix const& at,
           std::function<double(matrix const&)> const& f) {
  return gradient_error(gradient, at, f, 1e-5);
}

TEST_CASE("sinkd is what its definition says, on every policy") {
  struct shape {
    divot::index rows, classes;
  };
  for (shape const& x : {shape{1, 1}, {1, 5}, {2, 3}, {3, 8}, {7, 1003}, {37, 65}}) {
    matrix const t = random(x.rows, x.classes, 1, 3), s = random(x.rows, x.classes, 2, 3);
    for (double const epsilon : {1., .1, .02}) {
      for (auto const each : {divot::mass::one_per_sample, divot::mass::probability}) {
        divot::sinkd const what{.temperature = 1.5, .epsilon = epsilon, .sweeps = 7, .mass = each};
        double const exact = reference(what, t, s);
        CAPTURE(x.rows);
        CAPTURE(x.classes);
        CAPTURE(epsilon);
        CHECK(std::abs(divot::value(divot::seq, what, t, s, {.reduction = sum}) - exact) <=
              1e-12 * exact + 1e-15);
        CHECK(std::abs(divot::value(divot::simd, what, t, s, {.reduction = sum}) - exact) <=
              1e-12 * exact + 1e-15);
        CHECK(std::abs(divot::value(divot::simd, what, t.cast<float>(), s.cast<float>(),
                                    {.reduction = sum}) -
                       exact) <= 2e-5 * exact + 1e-6);
      }
    }
  }
}

TEST_CASE("sinkd's gradients are those of central differences, both sides', in both domains") {
  matrix const t = random(5, 4, 3, 2), s = random(5, 4, 4, 2);
  std::vector<double> const weights{1, 0, -.5, 2, .3};
  for (double const epsilon : {1., .1, .02, .008, .004}) {
    for (auto const each : {divot::mass::one_per_sample, divot::mass::probability}) {
      for (int const sweeps : {1, 2, 20}) {
        divot::sinkd const what{.epsilon = epsilon, .sweeps = sweeps, .mass = each};
        divot::batch const options{.reduction = sum, .weights = weights};
        matrix g(5, 4), h(5, 4);
        divot::gradient(divot::simd, what, t, s, divot::gradients().student(g).teacher(h), options);
        CAPTURE(epsilon);
        CAPTURE(sweeps);
        CHECK(off(g, s, [&](matrix const& x) {
                return divot::value(divot::seq, what, t, x, options);
              }) <= 1e-6);
        CHECK(off(h, t, [&](matrix const& x) {
                return divot::value(divot::seq, what, x, s, options);
              }) <= 1e-6);
      }
    }
  }
}

TEST_CASE("the kernel's and the log domain's sweeps agree, and so do their pullbacks") {
  // more rows and sweeps than are worked on together
  constexpr divot::index n = 11, m = 9, sweeps = 10;
  matrix const cost = random(n, m, 5).cwiseAbs(), upstream = random(n, m, 6);
  std::vector<double> const a{.1, .1, .05, .1, .15, .05, .05, .1, .1, .1, .1};
  std::vector<double> const b{.1, .1, .2, .05, .05, .1, .2, .15, .05};
  divot::sinkhorn_problem const problem{n, m, cost.data(), a.data(), b.data(), .1, sweeps};
  auto const run = [&](auto make, matrix& plan, matrix& bar) {
    std::vector<double> rows(sweeps * n), columns((sweeps + 1) * m), row_sums(sweeps * n);
    std::vector<double> column_sums(sweeps * m), kernel(n * m), spare(n + 3 * m);
    divot::sinkhorn_history const history{rows.data(),        columns.data(), row_sums.data(),
                                          column_sums.data(), kernel.data(),  spare.data()};
    auto const solver = make(history);
    solver.run();
    plan.resize(n, m);
    for (divot::index i = 0; i < n; ++i) solver.plan(i, plan.row(i).data());
    bar = upstream;
    solver.pull_back(bar.data());
  };
  using team = divot::row_team<divot::simd_policy, double>;
  matrix plan, bar, log_plan, log_bar;
  run([&](auto const& h) { return divot::kernel_sweeps<team>(problem, h); }, plan, bar);
  run([&](auto const& h) { return divot::log_sweeps<team>(problem, h); }, log_plan, log_bar);
  CHECK((plan - log_plan).norm() <= 1e-14 * plan.norm());
  CHECK((bar - log_bar).norm() <= 1e-12 * bar.norm());
  for (divot::index j = 0; j < m; ++j) {
    CHECK(plan.col(j).sum() == doctest::Approx(b[static_cast<std::size_t>(j)]).epsilon(1e-14));
  }
}

/// Σ_j W_ij slope(x_ik − y_jk), as a team pulls it back.
template <class Team>
narrow pulled_back(narrow const& x, narrow const& y, matrix const& w) {
  auto const rows_of = [](narrow const& all) {
    std::vector<float const*> rows;
    for (Eigen::Index i = 0; i < all.rows(); ++i) rows.push_back(all.row(i).data());
    return rows;
  };
  std::vector<float const*> const of_x = rows_of(x), of_y = rows_of(y);
  divot::index const n = x.rows(), m = y.rows(), classes = x.cols();
  divot::slope_blocks<Team, divot::ground::l1> blocks({}, std::max(n, m), classes, classes, 1);
  divot::scratch memory;
  blocks.take(memory, 1);
  memory.provide(nullptr);
  blocks.take(memory, 1);
  narrow out(n, classes);
  for (divot::index i = 0; i < n; i += blocks.rows()) {
    blocks.pull(0, {of_x.data(), n}, i, {of_y.data(), m}, w.data(), m, 1, false);
    for (divot::index b = 0; b < std::min(blocks.rows(), n - i); ++b) {
      std::copy_n(blocks.row(0, b), classes, out.row(i + b).data());
    }
  }
  return out;
}

TEST_CASE("the published cost's slopes are signs, 0 at ties, whoever walks the rows") {
  struct shape {
    divot::index rows, others, classes;
  };
  for (shape const& at : {shape{1, 1, 1}, {3, 5, 7}, {5, 3, 16}, {70, 66, 1003}}) {
    auto const probabilities = [&](divot::index rows, unsigned seed) {
      narrow p = random(rows, at.classes, seed).array().exp().matrix().cast<float>();
      p = (p.array() < .7f).select(0, p);  // what underflows on both sides is a tie
      return narrow(p / p.maxCoeff());
    };
    narrow x = probabilities(at.rows, 31);
    x(0, 0) = .5f;
    narrow y = probabilities(at.others, 32);
    y.row(0) = x.row(0);
    y.row(at.others / 2) = x.row(0);
    y(0, 0) = std::nextafter(.5f, 1.f);
    matrix const w =
        random(at.rows, at.others, 33).array() * random(at.rows, at.others, 34, 4).array().exp();
    matrix exact = matrix::Zero(at.rows, at.classes);
    for (divot::index i = 0; i < at.rows; ++i) {
      for (divot::index j = 0; j < at.others; ++j) {
        exact.row(i) += w(i, j) * (x.row(i) - y.row(j)).array().sign().matrix().cast<double>();
      }
    }
    auto const check = [&](narrow const& got) {
      for (divot::index i = 0; i < at.rows; ++i) {
        CHECK((got.row(i).cast<double>() - exact.row(i)).cwiseAbs().maxCoeff() <=
              1e-6 * w.row(i).cwiseAbs().sum());
      }
    };
    check(pulled_back<divot::row_team<divot::seq_policy, float>>(x, y, w));
    check(pulled_back<divot::row_team<divot::simd_policy, float>>(x, y, w));
  }
}

#if DIVOT_HAS_OPENMP
TEST_CASE("threads change no bit of sinkd") {
  narrow const t = random(70, 300, 7).cast<float>(), s = random(70, 300, 8).cast<float>();
  narrow one(70, 300), two(70, 300);
  float const a = divot::value_and_gradient(divot::omp(1), divot::sinkd{}, t, s, one);
  float const b = divot::value_and_gradient(divot::omp(2), divot::sinkd{}, t, s, two);
  CHECK(a == b);
  CHECK((one.array() == two.array()).all());
}
#endif

TEST_CASE("a masked row is outside sinkd's problem") {
  matrix const t = random(4, 6, 9), s = random(4, 6, 10);
  std::vector<std::uint8_t> const mask{1, 0, 1, 1};
  std::vector<double> per_row(4, 7);
  matrix without_t(3, 6), without_s(3, 6), g = matrix::Constant(4, 6, 7), few(3, 6);
  without_t << t.row(0), t.row(2), t.row(3);
  without_s << s.row(0), s.row(2), s.row(3);
  matrix with_nan = s;
  with_nan.row(1).setConstant(std::nan(""));
  auto const all =
      divot::value_and_gradient(divot::sinkd{}, t, with_nan, g, {.mask = mask, .per_row = per_row});
  double const alone = divot::value_and_gradient(divot::sinkd{}, without_t, without_s, few);
  CHECK(all.value == alone);
  CHECK(all.valid_rows == 3);
  CHECK((g.row(1).array() == 0).all());
  CHECK((g.row(0).array() == few.row(0).array()).all());
  CHECK((g.row(3).array() == few.row(2).array()).all());
  CHECK(per_row[1] == 0);
  CHECK(per_row[0] + per_row[2] + per_row[3] == doctest::Approx(3 * alone).epsilon(1e-14));
  std::vector<std::uint8_t> const none(4, 0);
  CHECK(divot::value_and_gradient(divot::sinkd{}, t, s, g, {.mask = none}) == 0);
  CHECK((g.array() == 0).all());
}

TEST_CASE("sinkd's gradient lands in place, accumulates, and reaches every storage order") {
  matrix const t = random(4, 6, 11), s = random(4, 6, 12);
  matrix g(4, 6), in_place = s, sum_of = matrix::Ones(4, 6);
  double const loss = divot::value_and_gradient(divot::sinkd{}, t, s, g);
  CHECK(divot::value_and_gradient(divot::sinkd{}, t, in_place, in_place) == loss);
  CHECK((in_place.array() == g.array()).all());
  divot::gradient(divot::sinkd{}, t, s, divot::accumulate(sum_of, 2));
  CHECK((sum_of - matrix::Ones(4, 6) - 2 * g).norm() <= 1e-15);
  Eigen::MatrixXd const columns = s;
  Eigen::MatrixXd to(4, 6);
  CHECK(divot::value_and_gradient(divot::sinkd{}, Eigen::MatrixXd(t), columns, to) == loss);
  CHECK((to.array() == g.array()).all());
  std::vector<double> const upstream{2, 2, 2, 2};
  divot::gradient(divot::sinkd{}, t, s, to, {.upstream = upstream});
  CHECK((to - 2 * g).norm() <= 1e-15);
}

TEST_CASE("labels are a teacher of one-hot rows, and only valid classes count") {
  matrix const s = random(4, 5, 13);
  std::vector<int> const y{1, 3, 3, 0};
  matrix one_hot = matrix::Zero(4, 5), g(4, 5), h(4, 5);
  for (Eigen::Index i = 0; i < 4; ++i) one_hot(i, y[static_cast<std::size_t>(i)]) = 1;
  double const a = divot::value_and_gradient(divot::sinkd{}, divot::labels(y), s, g);
  CHECK(divot::value_and_gradient(divot::sinkd{}, divot::probabilities(one_hot), s, h) == a);
  CHECK((g - h).norm() <= 1e-15);
  matrix const t = random(4, 5, 14), padded = random(4, 9, 15);
  matrix wider(4, 9), narrower(4, 5);
  wider << s, padded.leftCols(4);
  matrix gradient(4, 9);
  CHECK(divot::value_and_gradient(divot::sinkd{}, t, wider, gradient, {.valid_classes = 5}) ==
        divot::value_and_gradient(divot::sinkd{}, t, s, narrower));
  CHECK((gradient.leftCols(5).array() == narrower.array()).all());
  CHECK((gradient.rightCols(4).array() == 0).all());
}

TEST_CASE("plan_detached follows the costs alone, which is not the loss's gradient") {
  matrix const t = random(6, 5, 16, 2), s = random(6, 5, 17, 2);
  divot::sinkd const what{.gradient = divot::route::plan_detached}, exact{};
  matrix g(6, 5), true_one(6, 5);
  divot::gradient(what, t, s, g, {.reduction = sum});
  divot::gradient(exact, t, s, true_one, {.reduction = sum});
  wide const q = softmax(t, what.temperature);
  wide const held = plan(costs(softmax(s, what.temperature), q), what);
  CHECK(off(g, s, [&](matrix const& x) {
          wide const c = costs(softmax(x, what.temperature), q);
          return static_cast<double>((held.array() * c.array()).sum());
        }) <= 1e-6);
  CHECK((g - true_one).norm() > .01 * true_one.norm());
}

TEST_CASE("the order of samples and of classes does not matter") {
  matrix const t = random(5, 7, 18), s = random(5, 7, 19);
  double const loss = divot::value(divot::sinkd{}, t, s);
  CHECK(divot::value(divot::sinkd{}, t.rowwise().reverse(), s.rowwise().reverse()) ==
        doctest::Approx(loss).epsilon(1e-13));
  CHECK(divot::value(divot::sinkd{}, t.colwise().reverse(), s.colwise().reverse()) ==
        doctest::Approx(loss).epsilon(1e-13));
  CHECK(divot::value(divot::sinkd{}, t.array() + 5, s.array() - 3) ==
        doctest::Approx(loss).epsilon(1e-13));
}

TEST_CASE("sinkd says what is wrong with its input, before anything is written") {
  matrix t = random(3, 4, 20), s = random(3, 4, 21), g = matrix::Constant(3, 4, 7);
  auto const call = [&](divot::sinkd const& what, divot::batch const& options = {}) {
    return refusal([&] { divot::value_and_gradient(what, t, s, g, options); });
  };
  CHECK(call({.epsilon = 0}) == "divot: sinkd: epsilon is 0; it must be at least 1e-12 and finite");
  CHECK(call({.sweeps = -1}) ==
        "divot: sinkd: sweeps is -1; it must be at least 1, or 0: until converged");
  CHECK(call({.temperature = -1}).find("sinkd: the temperature is -1") != std::string::npos);
  CHECK(call({.mass = divot::mass::probability}).find("ask for batch::reduction sum") !=
        std::string::npos);
  std::vector<double> const temperatures{1, 2, 3};
  CHECK(call({}, {.temperatures = temperatures}).find("batch::temperatures") != std::string::npos);
  matrix const two = t.topRows(2);
  CHECK(refusal([&] { divot::value(divot::sinkd{}, two, s); }) ==
        "divot: the teacher has 2 rows, the student 3");
  std::vector<double> const huge{1e300, 1, 1};
  narrow const tf = t.cast<float>(), sf = s.cast<float>();
  narrow gf(3, 4);
  CHECK(refusal([&] {
          divot::gradient(divot::sinkd{}, tf, sf, gf, {.weights = huge});
        }).find("beyond the range") != std::string::npos);
  std::vector<int> const y{0, 4, 1};
  std::vector<std::int64_t> const twice{0, 1, 1};
  CHECK(refusal([&] {
          divot::value(divot::sinkd{}, divot::labels(twice), s, {.labels = twice});
        }).find("given twice") != std::string::npos);
  std::vector<std::uint8_t> const short_mask{1, 1};
  CHECK(refusal([&] {
          divot::value(divot::sinkd{}, divot::labels(y), s, {.mask = short_mask});
        }).find("mask") != std::string::npos);
  CHECK(refusal([&] { divot::value(divot::sinkd{}, divot::labels(y), s); }) ==
        "divot: row 1: the label is 4; there are 4 classes");
  s(2, 1) = std::nan("");
  CHECK(call({}) == "divot: student, row 2, column 1: NaN; nothing was written");
  s(2, 1) = 0;
  t.row(1).setConstant(-INFINITY);
  CHECK(call({}).find("teacher, row 1") != std::string::npos);
  CHECK((g.array() == 7).all());
}

}  // namespace
