// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A gradient in 16-bit storage is the fp32 gradient of the same numbers, rounded once.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/samples.hpp>

#include <cstring>

namespace {

template <class S>
using matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using floats = matrix<float>;
using Eigen::Index;

template <class S>
matrix<S> sample(std::uint64_t seed, Index rows, Index cols) {
  samples::random r(seed);
  matrix<S> m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < cols; ++k) m(i, k) = static_cast<S>(static_cast<float>(3 * r.normal()));
  }
  return m;
}

template <class S>
bool same_bits(matrix<S> const& a, matrix<S> const& b) {
  return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(S)) == 0;
}

template <class S, class Policy, class Loss>
void rounded_once(Policy const& policy, Loss const& what) {
  for (Index const cols :
       {Index(1), Index(10), Index(128), Index(129), divot::block_columns + 276}) {
    CAPTURE(cols);
    matrix<S> const t = sample<S>(1, 9, cols), s = sample<S>(2, 9, cols);
    floats const wide_t = t.template cast<float>(), wide_s = s.template cast<float>();
    matrix<S> g(9, cols), h(9, cols);
    floats wide_g(9, cols), wide_h(9, cols);
    auto const run = [&](auto const& teacher, auto const& student, auto const& where) {
      return divot::value_and_gradient(policy, what, divot::logits(teacher, 2.),
                                       divot::logits(student, 2.), where);
    };
    float const value = run(t, s, divot::gradients().student(g).teacher(h));
    CHECK(value == run(wide_t, wide_s, divot::gradients().student(wide_g).teacher(wide_h)).value);
    CHECK(same_bits<S>(g, wide_g.template cast<S>()));
    CHECK(same_bits<S>(h, wide_h.template cast<S>()));

    // added: the sum is formed in fp32 and rounded once
    matrix<S> sum = sample<S>(3, 9, cols);
    floats const exact = sum.template cast<float>() + wide_g;
    run(t, s, divot::gradients().student(divot::accumulate(sum)).teacher(h));
    CHECK(same_bits<S>(sum, exact.template cast<S>()));
  }
}

template <class S>
void every_policy() {
  rounded_once<S>(divot::seq, divot::kl{});
  rounded_once<S>(divot::simd, divot::kl{});
  rounded_once<S>(divot::simd, divot::alpha_beta{.alpha = 0.2, .beta = 0.7});
}

}  // namespace

TEST_CASE("gradients in half storage are the fp32 gradients rounded once") {
  every_policy<Eigen::half>();
}

TEST_CASE("gradients in bfloat16 storage are the fp32 gradients rounded once") {
  every_policy<Eigen::bfloat16>();
}
