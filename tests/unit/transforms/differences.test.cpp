// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Gradients through transforms and of mixtures, against differences of the loss itself.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <gradient/stencil.hpp>
#include <unit/transforms/explicit.hpp>

#include <array>
#include <vector>

namespace {

using namespace written_out;
using doubles = matrix<double>;

constexpr Index rows = 3, cols = 9;
std::vector<double> const some_bias{.1, -.4, .3, 0, .2, 1, -1, .5, 0};
std::vector<std::uint8_t> const some_mask{1, 1, 0, 1, 1, 1, 0, 1, 1};

/// ∂loss(x)/∂x by differences.
template <class F>
wides slopes(doubles const& x, F const& loss) {
  wides g(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    for (Index k = 0; k < x.cols(); ++k) {
      g(i, k) = stencil::slope([&](long double h) {
        doubles moved = x;
        moved(i, k) += static_cast<double>(h);
        return static_cast<long double>(loss(moved));
      });
    }
  }
  return g;
}

template <class Policy, class Loss, class Teacher, class Student>
void agrees(Policy const& policy, Loss const& what, Teacher const& teacher,
            Student const& student) {
  doubles const t = normal<double>(5, rows, cols, 1.5), s = normal<double>(6, rows, cols, 1.5);
  doubles gs(rows, cols), gt(rows, cols);
  divot::temperature_gradient slope;
  divot::gradient(policy, what, teacher(t, 1.5), student(s, 2.),
                  divot::gradients().student(gs).teacher(gt).temperature(slope));
  auto const at = [&](doubles const& x, double a, doubles const& y, double b) {
    return static_cast<double>(divot::value(policy, what, teacher(x, a), student(y, b)));
  };
  CHECK(distance(gs, slopes(s, [&](doubles const& x) { return at(t, 1.5, x, 2); })) <= 1e-6);
  CHECK(distance(gt, slopes(t, [&](doubles const& x) { return at(x, 1.5, s, 2); })) <= 1e-6);
  auto const in = [&](auto const& f) { return static_cast<double>(stencil::slope(f)); };
  CHECK(in([&](long double h) { return at(t, 1.5, s, 2 + static_cast<double>(h)); }) ==
        doctest::Approx(slope.student).epsilon(1e-6));
  CHECK(in([&](long double h) { return at(t, 1.5 + static_cast<double>(h), s, 2); }) ==
        doctest::Approx(slope.teacher).epsilon(1e-6));
}

template <class Policy>
void every_loss(Policy const& policy) {
  auto const capped = [](doubles const& x, double t) {
    return divot::logits(x, t).softcap(2).bias(some_bias);
  };
  auto const scored = [](doubles const& x, double t) {
    return divot::logits(x, t).mask(some_mask).standardise();
  };
  auto const all = [](doubles const& x, double t) {
    return divot::logits(x, t).softcap(3).bias(some_bias).standardise().mask(some_mask);
  };
  agrees(policy, divot::kl{}, scored, capped);
  agrees(policy, divot::jensen_shannon{}, all, capped);
  agrees(policy, divot::squared_hellinger{}, scored, all);
  agrees(policy, divot::alpha_beta{.alpha = .9, .beta = .3}, scored, scored);
  agrees(policy, 0.5 * divot::reverse_kl{} + divot::at(3, divot::pearson{}), capped, capped);
}

}  // namespace

TEST_CASE("one class at a time") { every_loss(divot::seq); }
TEST_CASE("on packs") { every_loss(divot::simd); }

TEST_CASE("cross-entropy and z-loss see the transformed student") {
  std::vector<int> const y{2, 0, 7};
  auto const what = divot::cross_entropy{.smoothing = .1, .z_loss = .01};
  doubles const s = normal<double>(7, rows, cols, 2);
  doubles g(rows, cols);
  auto const at = [&](doubles const& x) { return divot::logits(x, 2.).softcap(2).standardise(); };
  divot::gradient(what, divot::labels(y), at(s), g);
  CHECK(distance(g, slopes(s, [&](doubles const& x) {
                   return divot::value(what, divot::labels(y), at(x)).value;
                 })) <= 1e-6);
}

TEST_CASE("the student's gradient against a mixture of transformed teachers") {
  doubles const a = normal<double>(8, rows, cols), b = normal<double>(9, rows, cols),
                s = normal<double>(10, rows, cols, 1);
  auto const teacher =
      divot::mixture(divot::logits(a, 2).softcap(3), divot::logits(b).mask(some_mask), a + b,
                     std::array{.2, .5, .3});
  doubles g(rows, cols);
  auto const agree = [&](auto const& policy, auto const& what) {
    divot::gradient(policy, what, teacher, divot::logits(s, 1.5).standardise(), g);
    CHECK(
        distance(
            g, slopes(s, [&](doubles const& x) {
              return divot::value(policy, what, teacher, divot::logits(x, 1.5).standardise()).value;
            })) <= 1e-6);
  };
  agree(divot::seq, divot::kl{});
  agree(divot::simd, divot::kl{});
  agree(divot::simd, divot::alpha_beta{.alpha = .2, .beta = .7});
}

TEST_CASE("alpha and beta have derivatives behind transforms and mixtures too") {
  doubles const a = normal<double>(11, rows, cols), b = normal<double>(12, rows, cols),
                s = normal<double>(13, rows, cols, 1);
  std::array<double, 2> got{};
  auto const agree = [&](auto const& teacher) {
    auto const student = divot::logits(s).softcap(2);
    auto const at = [&](double alpha, double beta) {
      return divot::value(divot::alpha_beta{alpha, beta}, teacher, student).value;
    };
    divot::gradient(divot::alpha_beta{.3, .6}, teacher, student,
                    divot::gradients().parameters(got));
    CHECK(got[0] == doctest::Approx(static_cast<double>(stencil::slope([&](long double h) {
                      return at(.3 + static_cast<double>(h), .6);
                    }))).epsilon(1e-6));
    CHECK(got[1] == doctest::Approx(static_cast<double>(stencil::slope([&](long double h) {
                      return at(.3, .6 + static_cast<double>(h));
                    }))).epsilon(1e-6));
  };
  agree(divot::logits(a, 2).standardise());
  agree(divot::mixture(a, b, std::array{.4, .6}));
}
