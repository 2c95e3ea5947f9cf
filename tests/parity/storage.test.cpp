// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// 16-bit storage: every policy reads the same numbers and rounds its gradient once.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/budget.hpp>
#include <accuracy/samples.hpp>

#include <cmath>
#include <cstring>
#include <type_traits>

namespace {

template <class S>
using matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using floats = matrix<float>;
using Eigen::Index;

floats sample(std::uint64_t seed, Index rows, Index cols) {
  samples::random r(seed);
  floats m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < cols; ++k) m(i, k) = static_cast<float>(3 * r.normal());
  }
  return m;
}

template <class S>
bool same_bits(matrix<S> const& a, matrix<S> const& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(S)) == 0;
}

constexpr Index columns[] = {1, 2, 9, 17, 64, 128, 129, 597, 2049};

template <class Policy, class T, class S, class G>
float run(Policy const& policy, T const& teacher, S const& student, G&& gradient) {
  divot::batch options;
  options.reduction = divot::reduction::sum;
  return divot::value_and_gradient(policy, divot::kl{}, divot::logits(teacher, 2.),
                                   divot::logits(student, 2.), gradient, options);
}

template <class S>
void every_policy() {
  for (Index const cols : columns) {
    CAPTURE(cols);
    Index const rows = cols < 100 ? 37 : 60;
    matrix<S> const t = sample(1, rows, cols).template cast<S>();
    matrix<S> const s = sample(2, rows, cols).template cast<S>();
    floats const wide_t = t.template cast<float>(), wide_s = s.template cast<float>();
    floats exact(rows, cols);
    float const right = run(divot::seq, wide_t, wide_s, exact);
    auto const bound = budget::promised(budget::situation::moderate, true);

    matrix<S> g(rows, cols), h(rows, cols);
    auto const near = [&] {
      floats const wide = g.template cast<float>();
      // half an ulp of the storage type, and twice the budget
      float const half_ulp = std::is_same_v<S, Eigen::half> ? 0x1p-11f : 0x1p-8f;
      // the smallest half is 2^-24
      float const least = std::is_same_v<S, Eigen::half> ? 0x1p-25f : 0.f;
      for (Index i = 0; i < rows; ++i) {
        float const norm = exact.row(i).norm();
        CHECK((wide.row(i) - exact.row(i)).norm() <=
              (half_ulp + 2 * static_cast<float>(bound.gradient)) * norm +
                  least * std::sqrt(static_cast<float>(cols)));
      }
    };
    float const by_seq = run(divot::seq, t, s, g);
    CHECK(by_seq == doctest::Approx(right).epsilon(2 * bound.loss));
    near();
    float const by_simd = run(divot::simd, t, s, g);
    CHECK(by_simd == doctest::Approx(right).epsilon(2 * bound.loss));
    near();
#if DIVOT_HAS_OPENMP
    for (int const threads : {1, 2, 7}) {
      CHECK(run(divot::omp(threads), t, s, h) == by_simd);
      CHECK(same_bits(h, g));
    }
#endif
    // in place
    matrix<S> x = s;
    CHECK(run(divot::simd, t, x, x) == by_simd);
    CHECK(same_bits(x, g));
  }
}

}  // namespace

TEST_CASE("half storage is read and written alike by every policy") { every_policy<Eigen::half>(); }

TEST_CASE("bfloat16 storage is read and written alike by every policy") {
  every_policy<Eigen::bfloat16>();
}

TEST_CASE("teacher, student and gradient may differ in storage") {
  floats const t = sample(3, 9, 65), s = sample(4, 9, 65);
  matrix<Eigen::half> const narrow = t.cast<Eigen::half>();
  floats const rounded = narrow.cast<float>();
  floats right(9, 65), g(9, 65);
  float const value = run(divot::simd, rounded, s, right);
  CHECK(run(divot::simd, narrow, s, g) == value);
  CHECK(same_bits(g, right));

  matrix<Eigen::bfloat16> brief(9, 65);
  CHECK(run(divot::simd, rounded, s, brief) == value);
  CHECK(same_bits(brief, matrix<Eigen::bfloat16>(right.cast<Eigen::bfloat16>())));

  // double wins over float
  matrix<double> const wide = t.cast<double>();
  matrix<double> by_double(9, 65), mixed(9, 65);
  divot::gradient(divot::kl{}, wide, s.cast<double>().eval(), by_double);
  auto const result = divot::value_and_gradient(divot::kl{}, wide, s, mixed);
  CHECK(std::is_same_v<decltype(result), divot::loss_result<double> const>);
  CHECK(same_bits(mixed, by_double));
}

TEST_CASE("column-major 16-bit matrices give the bits of row-major ones") {
  using upright = Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, Eigen::Dynamic>;
  matrix<Eigen::bfloat16> const t = sample(5, 37, 130).cast<Eigen::bfloat16>();
  matrix<Eigen::bfloat16> const s = sample(6, 37, 130).cast<Eigen::bfloat16>();
  matrix<Eigen::bfloat16> g(37, 130);
  run(divot::simd, t, s, g);
  upright const t2 = t, s2 = s;
  upright g2(37, 130);
  run(divot::simd, t2, s2, g2);
  CHECK(same_bits(matrix<Eigen::bfloat16>(g2), g));
}
