// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// After a first call with the caller's workspace, a second one of the same shape allocates nothing.

#include <doctest/doctest.h>
#include <alloc/counting.hpp>
#include <divot/divot.hpp>

#include <accuracy/samples.hpp>

#include <array>
#include <vector>

namespace {

template <class S>
using row_major = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class M>
M sample(std::uint64_t seed, divot::index rows, divot::index cols) {
  samples::random r(seed);
  M m(rows, cols);
  for (divot::index i = 0; i < rows; ++i) {
    for (divot::index k = 0; k < cols; ++k) {
      m(i, k) = static_cast<typename M::Scalar>(static_cast<float>(2 * r.normal()));
    }
  }
  return m;
}

/// The first call may allocate, the second and third may not.
template <class Call>
void settles(Call const& call) {
  divot::workspace memory;
  divot::batch options;
  options.workspace = &memory;
  call(options);
  Eigen::internal::set_is_malloc_allowed(false);
  std::size_t const again = counting::calls_in([&] {
    call(options);
    call(options);
  });
  Eigen::internal::set_is_malloc_allowed(true);
  CHECK(again == 0);
}

/// Losses and gradients of every kind on matrices of one kind.
template <class M, class Policy>
void every_verb(Policy const& policy) {
  for (divot::index const cols : {divot::index(9), divot::index(65), divot::block_columns + 476}) {
    CAPTURE(cols);
    M const t = sample<M>(1, 70, cols), s = sample<M>(2, 70, cols);
    M g(70, cols), h(70, cols);
    settles([&](auto const& b) { divot::value(policy, divot::kl{}, t, s, b); });
    settles([&](auto const& b) { divot::gradient(policy, divot::kl{}, t, s, g, b); });
    settles([&](auto const& b) { divot::gradient(policy, divot::sinkd{}, t, s, g, b); });
    divot::sinkd const sequences{.rows_per_problem = 10};
    settles([&](auto const& b) { divot::gradient(policy, sequences, t, s, g, b); });
    divot::temperature_gradient temperatures;
    auto const all = divot::gradients().student(g).teacher(h).temperature(temperatures);
    settles([&](auto const& b) {
      divot::value_and_gradient(policy, divot::kl{}, divot::logits(t, 2.), divot::logits(s, 2.),
                                all, b);
    });
  }
}

template <class Policy>
void every_loss(Policy const& policy) {
  using matrix = row_major<float>;
  for (divot::index const cols : {9, 300}) {
    CAPTURE(cols);
    matrix const t = sample<matrix>(3, 40, cols), s = sample<matrix>(4, 40, cols);
    matrix g(40, cols);
    std::vector<std::int64_t> y(40);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<std::int64_t>(i % 9);
    auto const check = [&](auto const& what) {
      settles([&](divot::batch options) {
        options.labels = y;
        divot::value_and_gradient(policy, what, t, s, g, options);
      });
    };
    check(divot::total_variation{});  // corrects the offset
    // rows that leave float's range, and double's
    for (float const far : {100.f, 1000.f}) {
      matrix const apart = far * t;
      settles([&](auto const& b) {
        divot::value_and_gradient(policy, divot::pearson{}, apart, s, g, b);
      });
    }
    check(divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
    check(0.1 * divot::cross_entropy{.smoothing = 0.1, .z_loss = 1e-4} +
          0.9 * divot::at(4, divot::kl{}, divot::t_squared));
    check(0.1 * divot::cross_entropy{} + 0.9 * divot::at(4, divot::kl{}) + 0.8 * divot::sinkd{} -
          divot::sinkd{.temperature = 4});
    // a teacher that is labels, or probabilities
    settles([&](auto const& b) {
      divot::value_and_gradient(policy, divot::kl{}, divot::labels(y, 0.1), s, g, b);
    });
    row_major<double> p(40, cols), d(40, cols);
    divot::softmax(policy, t.cast<double>(), p);
    settles([&](auto const& b) {
      divot::value_and_gradient(policy, divot::kl{}, divot::probabilities(p), s, d, b);
    });
    // a teacher that names some classes
    Eigen::Matrix<int, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> k(40, 3);
    for (int i = 0; i < 40; ++i) k.row(i) << i % 3, 3 + i % 3, 6 + i % 3;
    matrix const log_p = matrix::Constant(40, 3, -1.2f);
    for (auto const tail : {divot::tail::renormalise, divot::tail::uniform, divot::tail::bucket}) {
      settles([&](auto const& b) {
        divot::value_and_gradient(policy, divot::kl{}, divot::top_k(k, log_p, tail), s, g, b);
      });
    }
    // the derivatives of the parameters
    std::array<double, 2> parameters{};
    settles([&](auto const& b) {
      divot::value_and_gradient(policy, divot::alpha_beta{}, t, s,
                                divot::gradients().student(g).parameters(parameters), b);
    });
  }
}

template <class Policy>
void every_option(Policy const& policy) {
  using matrix = row_major<float>;
  divot::index const rows = 40, cols = 300;
  matrix const t = sample<matrix>(5, rows, cols), s = sample<matrix>(6, rows, cols);
  matrix g(rows, cols);
  std::vector<double> weights(40, 0.5), temperatures(40, 2.), losses(40);
  std::vector<std::uint8_t> mask(40, 1);
  std::vector<divot::index> classes(40, 299);
  mask[3] = 0;
  settles([&](divot::batch options) {
    options.weights = options.upstream = weights;
    options.mask = mask;
    options.temperatures = temperatures;
    options.per_row = losses;
    options.valid_classes_per_row = classes;
    divot::value_and_gradient(policy, divot::kl{}, t, s, g, options);
  });
  settles([&](divot::batch options) {
    options.check = divot::check::first;
    divot::value_and_gradient(policy, divot::kl{}, t, s, divot::accumulate(g, 2), options);
  });
}

template <class Policy>
void transforms_and_mixtures(Policy const& policy) {
  for (divot::index const cols : {divot::index(9), divot::index(300)}) {
    CAPTURE(cols);
    using matrix = row_major<float>;
    matrix const t = sample<matrix>(9, 40, cols), s = sample<matrix>(10, 40, cols);
    matrix g(40, cols), h(40, cols);
    std::vector<float> const bias(static_cast<std::size_t>(cols), .5f);
    std::vector<std::uint8_t> keep(static_cast<std::size_t>(cols), 1);
    keep[2] = 0;
    auto const wrap = [&](auto const& x) {
      return divot::logits(x, 2).softcap(30).bias(bias).standardise().mask(keep);
    };
    settles([&](auto const& b) {
      divot::value_and_gradient(policy, divot::kl{}, wrap(t), wrap(s),
                                divot::gradients().student(g).teacher(h), b);
    });
    std::array<double, 2> parameters{};
    settles([&](auto const& b) {
      divot::value_and_gradient(policy, divot::alpha_beta{},
                                divot::mixture(wrap(t), wrap(s), std::array{.5, .5}), s,
                                divot::gradients().student(g).parameters(parameters), b);
    });
  }
}

template <class Policy>
void softmax_family(Policy const& policy) {
  for (divot::index const cols : {divot::index(9), divot::block_columns + 476}) {
    CAPTURE(cols);
    using matrix = row_major<float>;
    matrix const x = sample<matrix>(7, 70, cols), up = sample<matrix>(8, 70, cols);
    matrix y(70, cols), z(70, cols);
    std::vector<float> rows(70);
    settles([&](auto const& b) { divot::softmax(policy, x, y, b); });
    settles([&](auto const& b) { divot::softmax_pullback(policy, y, up, z, 1, b); });
    settles([&](auto const& b) { divot::log_softmax(policy, x, y, b); });
    settles([&](auto const& b) { divot::log_softmax_pullback(policy, y, up, z, 1, b); });
    settles([&](auto const& b) { divot::logsumexp(policy, x, rows, b); });
    settles([&](auto const& b) { divot::logsumexp_pullback(policy, x, rows, z, b); });
  }
}

}  // namespace

TEST_CASE("the counter counts") {
  CHECK(counting::calls_in([] { std::vector<int> const v(100); }) == 1);
  CHECK(counting::bytes_in([] { std::vector<int> const v(100); }) == 100 * sizeof(int));
  Eigen::internal::set_is_malloc_allowed(false);
  CHECK(counting::calls_in([] { Eigen::VectorXf const v(100); }) == 1);
  Eigen::internal::set_is_malloc_allowed(true);
}

TEST_CASE("simd allocates nothing after the first call") {
  SUBCASE("row-major") { every_verb<row_major<float>>(divot::simd); }
  SUBCASE("row-major double") { every_verb<row_major<double>>(divot::simd); }
  SUBCASE("column-major") { every_verb<Eigen::MatrixXf>(divot::simd); }
  SUBCASE("half") { every_verb<row_major<Eigen::half>>(divot::simd); }
  SUBCASE("losses") { every_loss(divot::simd); }
  SUBCASE("options") { every_option(divot::simd); }
  SUBCASE("softmax") { softmax_family(divot::simd); }
  SUBCASE("transforms") { transforms_and_mixtures(divot::simd); }
}

TEST_CASE("seq allocates nothing after the first call") {
  // rows reach it as they reach simd
  SUBCASE("column-major") { every_verb<Eigen::MatrixXf>(divot::seq); }
  SUBCASE("softmax") { softmax_family(divot::seq); }
}

TEST_CASE("lazy expressions are read without a copy of the matrix") {
  using matrix = row_major<float>;
  matrix const a = sample<matrix>(9, 70, 300), b = sample<matrix>(10, 70, 300);
  matrix g(70, 300);
  settles([&](auto const& options) {
    divot::value_and_gradient(divot::simd, divot::kl{}, (a + b) / 2, b.array() - 1, g, options);
  });
}

TEST_CASE("a workspace that has served a large call serves every smaller one") {
  using matrix = row_major<float>;
  divot::workspace memory;
  divot::batch options;
  options.workspace = &memory;
  matrix const t = sample<matrix>(11, 80, 2000), s = sample<matrix>(12, 80, 2000);
  matrix g(80, 2000);
  divot::gradient(divot::simd, divot::kl{}, t, s, g, options);
  for (divot::index const rows : {80, 1, 33}) {
    for (divot::index const cols : {2000, 1999, 65, 20, 1}) {
      CAPTURE(rows);
      CAPTURE(cols);
      auto const part = g.topLeftCorner(rows, cols);
      CHECK(counting::calls_in([&] {
              divot::gradient(divot::simd, divot::kl{}, t.topLeftCorner(rows, cols),
                              s.topLeftCorner(rows, cols), g.topLeftCorner(rows, cols), options);
            }) == 0);
      CHECK(part.allFinite());
    }
  }
}
