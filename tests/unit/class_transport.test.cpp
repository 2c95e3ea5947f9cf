// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/class_transport.hpp>
#include <divot/sinkd.hpp>
#include <unit/refusal.hpp>
#include <unit/row_samples.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr auto sum = divot::reduction::sum;
constexpr auto entropic = divot::transport_objective::entropic;
constexpr auto transport_cost = divot::transport_objective::transport_cost;

matrix random(divot::index rows, divot::index cols, unsigned seed, double scale = 1) {
  return random_rows(rows, cols, seed, scale);
}
/// A cost that is not symmetric.
matrix some_cost(divot::index classes) { return random(classes, classes, 1).cwiseAbs(); }

double off(matrix const& gradient, matrix const& at,
           std::function<double(matrix const&)> const& f) {
  return gradient_error(gradient, at, f, 1e-3);
}

TEST_CASE("class_transport is sinkhorn between each row's two distributions") {
  matrix const t = random(4, 6, 2, 2), s = random(4, 6, 3, 2), cost = some_cost(6);
  for (auto const of : {entropic, transport_cost}) {
    for (double const epsilon : {1., .05}) {
      divot::class_transport const what{
          .cost = cost, .temperature = 1.5, .epsilon = epsilon, .objective = of};
      matrix const q = softmax_rows(s, 1.5), p = softmax_rows(t, 1.5);
      double expected = 0;
      for (Eigen::Index i = 0; i < 4; ++i) {
        auto const solved =
            divot::sinkhorn(cost, q.row(i).transpose(), p.row(i).transpose(), {.epsilon = epsilon});
        expected += of == entropic ? solved.entropic : solved.transport_cost;
      }
      CHECK(divot::value(what, t, s, {.reduction = sum}) ==
            doctest::Approx(expected).epsilon(1e-8));
      CHECK(divot::value(what, t, s) == doctest::Approx(expected / 4).epsilon(1e-8));
      CHECK(divot::value(divot::seq, what, t.cast<float>(), s.cast<float>()) ==
            doctest::Approx(expected / 4).epsilon(1e-5));
    }
  }
}

TEST_CASE("class_transport's gradients are those of central differences, of both sides") {
  matrix const t = random(3, 5, 4, 2), s = random(3, 5, 5, 2);
  std::vector<double> const weights{1, -.5, 2};
  divot::batch const options{.reduction = sum, .weights = weights};
  for (auto const of : {entropic, transport_cost}) {
    for (double const epsilon : {1., .1}) {
      divot::class_transport const what{
          .cost = some_cost(5), .epsilon = epsilon, .objective = of, .tolerance = 1e-14};
      matrix g(3, 5), h(3, 5);
      divot::gradient(what, t, s, divot::gradients().student(g).teacher(h), options);
      CAPTURE(epsilon);
      CHECK(off(g, s, [&](matrix const& x) { return divot::value(what, t, x, options); }) <= 1e-6);
      CHECK(off(h, t, [&](matrix const& x) { return divot::value(what, x, s, options); }) <= 1e-6);
    }
  }
}

TEST_CASE("masks, rows' losses, places of the gradient, and threads") {
  matrix const t = random(4, 5, 6), s = random(4, 5, 7);
  divot::class_transport const what{.cost = some_cost(5)};
  std::vector<std::uint8_t> const mask{1, 0, 1, 1}, none(4, 0);
  std::vector<double> per_row(4, 7);
  matrix g = matrix::Constant(4, 5, 7), all(4, 5), added = matrix::Ones(4, 5), in_place = s;
  matrix with_nan = s;
  with_nan.row(1).setConstant(std::nan(""));
  auto const some = divot::value_and_gradient(what, t, with_nan, g,
                                              {.reduction = sum, .mask = mask, .per_row = per_row});
  divot::gradient(what, t, s, all, {.reduction = sum});
  CHECK(some.valid_rows == 3);
  CHECK(per_row[1] == 0);
  CHECK(some.value == doctest::Approx(per_row[0] + per_row[2] + per_row[3]).epsilon(1e-14));
  CHECK((g.row(1).array() == 0).all());
  CHECK((g.row(3) - all.row(3)).norm() <= 1e-14);
  divot::gradient(what, t, s, divot::accumulate(added, 2), {.reduction = sum});
  CHECK((added - matrix::Ones(4, 5) - 2 * all).norm() <= 1e-14);
  divot::gradient(what, t, in_place, in_place, {.reduction = sum});
  CHECK((in_place.array() == all.array()).all());
  CHECK(divot::value_and_gradient(what, t, s, g, {.mask = none}) == 0);
  CHECK((g.array() == 0).all());
#if DIVOT_HAS_OPENMP
  matrix const many_t = random(20, 60, 8), many_s = random(20, 60, 9);
  divot::class_transport const larger{.cost = some_cost(60)};
  matrix one(20, 60), two(20, 60);
  CHECK(divot::value_and_gradient(divot::omp(1), larger, many_t, many_s, one) ==
        divot::value_and_gradient(divot::omp(2), larger, many_t, many_s, two));
  CHECK((one.array() == two.array()).all());
#endif
}

TEST_CASE("a sum with class_transport is what its terms give one by one") {
  matrix const t = random(6, 5, 12, 2), s = random(6, 5, 13, 2);
  divot::class_transport const what{.cost = some_cost(5), .temperature = 3};
  std::vector<double> const weights{1, 2, .5, 1, 1, 3};
  std::vector<std::uint8_t> const mask{1, 1, 0, 1, 1, 1};
  std::vector<std::int64_t> const labels{0, 3, 2, 1, 4, 0};
  std::vector<double> of_sum(6), of_part(6), of_parts(6);
  divot::batch options{.weights = weights, .mask = mask, .labels = labels};
  matrix g(6, 5), h(6, 5), parts_g = matrix::Zero(6, 5), parts_h = matrix::Zero(6, 5);
  auto const rows = .7 * divot::at(4, divot::kl{}) + .1 * divot::cross_entropy{};
  options.per_row = of_sum;
  auto const both = divot::gradients().student(g).teacher(h);
  auto const whole = divot::value_and_gradient(rows + .2 * what, t, s, both, options);
  double value = 0;
  auto const add = [&](double weight, auto const& term) {
    options.per_row = of_part;
    value += weight * divot::value_and_gradient(term, t, s,
                                                divot::gradients()
                                                    .student(divot::accumulate(parts_g, weight))
                                                    .teacher(divot::accumulate(parts_h, weight)),
                                                options);
    for (std::size_t i = 0; i < 6; ++i) of_parts[i] += weight * of_part[i];
  };
  add(1, rows);
  add(.2, what);
  CHECK(whole.value == doctest::Approx(value).epsilon(1e-14));
  CHECK(whole.valid_rows == 5);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(of_sum[i] == doctest::Approx(of_parts[i]).epsilon(1e-13));
  }
  CHECK((g - parts_g).norm() <= 1e-14 * parts_g.norm());
  CHECK((h - parts_h).norm() <= 1e-14 * parts_h.norm());

  // two of them, sinkd, and no losses of single rows: in float
  Eigen::MatrixXf const u = t.cast<float>(), v = s.cast<float>();
  Eigen::MatrixXf f(6, 5), parts = Eigen::MatrixXf::Zero(6, 5);
  divot::class_transport const other{.cost = 2 * some_cost(5), .objective = entropic};
  options.per_row = {};
  divot::gradient(-(what + 3 * divot::sinkd{} - .5 * other), u, v, f, options);
  divot::gradient(-1 * what, u, v, divot::accumulate(parts), options);
  divot::gradient(divot::sinkd{}, u, v, divot::accumulate(parts, -3), options);
  divot::gradient(other, u, v, divot::accumulate(parts, .5f), options);
  CHECK((f - parts).norm() <= 1e-6f * parts.norm());
  CHECK(refusal([&] {
          divot::value(divot::kl{} + what, matrix(t.leftCols(4)), matrix(s.leftCols(4)));
        }).find("the cost is 5×5; it goes from class to class, and there are 4") !=
        std::string::npos);
}

TEST_CASE("class_transport says what is wrong before anything is written") {
  matrix const t = random(3, 5, 10);
  matrix s = random(3, 5, 11), g = matrix::Constant(3, 5, 7);
  auto const call = [&](divot::class_transport const& what, divot::batch const& options = {}) {
    return refusal([&] { divot::value_and_gradient(what, t, s, g, options); });
  };
  CHECK(call({.cost = some_cost(4)}).find("the cost is 4×4") != std::string::npos);
  CHECK(call({.cost = matrix::Constant(5, 5, INFINITY)}).find("must be finite") !=
        std::string::npos);
  CHECK(call({.cost = some_cost(5), .temperature = 0}).find("temperature is 0") !=
        std::string::npos);
  CHECK(call({.cost = some_cost(5), .epsilon = 0}).find("epsilon is 0") != std::string::npos);
  CHECK(call({.cost = some_cost(5)}, {.valid_classes = 3}).find("at one temperature") !=
        std::string::npos);
  CHECK(call({.cost = 1e10 * some_cost(5), .epsilon = 1e-9})
            .find("divot: class_transport: row 0: epsilon is") != std::string::npos);
  s(2, 1) = std::nan("");
  CHECK(call({.cost = some_cost(5)}).find("the student: ") != std::string::npos);
  CHECK((g.array() == 7).all());
}

}  // namespace
