// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Losses of transformed logits are those of logits transformed beforehand, and their gradients are
// those, pulled back by hand.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/budget.hpp>
#include <unit/transforms/explicit.hpp>

#include <vector>

namespace {

using namespace written_out;

template <class S>
struct sides {
  matrix<S> teacher, student;
};

/// The loss on transformed matrices: value, and both gradients pulled back.
struct expected {
  double value, slope_in_temperature;
  wides student, teacher;
};

struct shape {
  Index rows, cols;
};
/// Across lanes, along them, several blocks, enough for two threads, and rows that two threads
/// share.
constexpr shape shapes[] = {{5, 4},     {19, 10},
                            {6, 131},   {3, 2 * divot::block_columns + 452},
                            {40, 1000}, {2, 9 * divot::block_columns - 7}};

constexpr double t_temperature = 2, s_temperature = 1.5;

template <class Loss, class Forward, class Back>
expected by_hand(Loss const& loss, sides<double> const& x, Forward const& forward,
                 Back const& back) {
  wides const t = x.teacher.template cast<wide>(), s = x.student.template cast<wide>();
  matrix<double> const ft = forward(t).template cast<double>(),
                       fs = forward(s).template cast<double>();
  matrix<double> gs(s.rows(), s.cols()), gt(t.rows(), t.cols());
  divot::temperature_gradient slope;
  double const value = divot::value_and_gradient(
      divot::seq, loss, divot::logits(ft, t_temperature), divot::logits(fs, s_temperature),
      divot::gradients().student(gs).teacher(gt).temperature(slope));
  return {value, slope.student + slope.teacher, back(s, gs.template cast<wide>()),
          back(t, gt.template cast<wide>())};
}

template <class Loss, class Wrap, class Forward, class Back>
void agrees(Loss const& loss, Wrap const& wrap, Forward const& forward, Back const& back) {
  for (shape const& size : shapes) {
    CAPTURE(size.rows);
    CAPTURE(size.cols);
    sides<double> const x{normal<double>(1, size.rows, size.cols),
                          normal<double>(2, size.rows, size.cols)};
    expected const want = by_hand(
        loss, x, [&](wides const& m) { return forward(m); },
        [&](wides const& m, wides const& g) { return back(m, g); });
    auto const run = [&](auto const& policy, auto const& teacher, auto const& student,
                         double bound) {
      using S = typename std::remove_cvref_t<decltype(student)>::Scalar;
      matrix<S> gs(size.rows, size.cols), gt(size.rows, size.cols);
      divot::temperature_gradient slope;
      auto const t = wrap(divot::logits(teacher, t_temperature), size.cols);
      auto const s = wrap(divot::logits(student, s_temperature), size.cols);
      double const value = divot::value_and_gradient(
          policy, loss, t, s, divot::gradients().student(gs).teacher(gt).temperature(slope));
      CHECK(std::abs(value - want.value) <= bound * std::abs(want.value));
      CHECK(distance(gs, want.student) <= bound);
      CHECK(distance(gt, want.teacher) <= bound);
      CHECK(std::abs(slope.shared() - want.slope_in_temperature) <=
            10 * bound * std::abs(want.slope_in_temperature));
      CHECK(std::abs(divot::value(policy, loss, t, s) - value) <= bound * value);

      // added to what is there
      matrix<S> sum = matrix<S>::Constant(size.rows, size.cols, S(0.25));
      divot::gradient(policy, loss, t, s, divot::accumulate(sum, -2));
      wides const added = wides::Constant(size.rows, size.cols, .25) - 2 * want.student;
      CHECK(distance(sum, added) <= bound);
    };
    auto const both = [&](auto const& policy) {
      run(policy, x.teacher, x.student, budget::transformed<double>);
      matrix<float> const t = x.teacher.cast<float>(), s = x.student.cast<float>();
      run(policy, t, s, budget::transformed<float>);
    };
    both(divot::seq);
    both(divot::simd);
#if DIVOT_HAS_OPENMP
    both(divot::omp(2));
#endif
  }
}

std::vector<double> some_bias(Index cols) {
  std::vector<double> b;
  for (Index k = 0; k < cols; ++k) b.push_back(.3 * std::sin(static_cast<double>(k)));
  return b;
}
std::vector<std::uint8_t> some_mask(Index cols) {
  std::vector<std::uint8_t> keep;
  for (Index k = 0; k < cols; ++k) keep.push_back(k % 3 != 1);
  return keep;
}

}  // namespace

TEST_CASE("softcap is c tanh(x/c) before the loss, and its slope behind") {
  for (double const cap : {1.5, 30.}) {
    CAPTURE(cap);
    agrees(
        divot::kl{}, [&](auto const& x, Index) { return x.softcap(cap); },
        [&](wides const& x) { return softcap(x, cap); },
        [&](wides const& x, wides const& g) { return softcap_back(x, g, cap); });
  }
}

TEST_CASE("bias is added to every row") {
  agrees(
      divot::reverse_kl{}, [](auto const& x, Index cols) { return x.bias(some_bias(cols)); },
      [](wides const& x) { return bias(x, some_bias(x.cols())); },
      [](wides const&, wides const& g) { return g; });
}

TEST_CASE("standardise is the z-score of a row, differentiated through mean and deviation") {
  agrees(
      divot::alpha_beta{.alpha = .9, .beta = .3},
      [](auto const& x, Index) { return x.standardise(); },
      [](wides const& x) { return standardise(x); },
      [](wides const& x, wides const& g) { return standardise_back(x, g); });
}

TEST_CASE("mask leaves classes out, and nothing comes back through them") {
  agrees(
      divot::jensen_shannon{}, [](auto const& x, Index cols) { return x.mask(some_mask(cols)); },
      [](wides const& x) { return mask(x, some_mask(x.cols())); },
      [](wides const& x, wides const& g) { return mask_back(g, some_mask(x.cols())); });
}

TEST_CASE("transforms are done in the order in which they are written") {
  SUBCASE("softcap, bias, standardise, mask") {
    agrees(
        divot::jeffreys{},
        [](auto const& x, Index cols) {
          return x.softcap(4).bias(some_bias(cols)).standardise().mask(some_mask(cols));
        },
        [](wides const& x) {
          auto const cols = x.cols();
          return mask(standardise(bias(softcap(x, 4), some_bias(cols))), some_mask(cols));
        },
        [](wides const& x, wides g) {
          auto const cols = x.cols();
          g = mask_back(g, some_mask(cols));
          g = standardise_back(bias(softcap(x, 4), some_bias(cols)), g);
          return softcap_back(x, g, 4);
        });
  }
  SUBCASE("mask, standardise, bias, softcap, standardise") {
    agrees(
        divot::jeffreys{},
        [](auto const& x, Index cols) {
          return x.mask(some_mask(cols))
              .standardise()
              .bias(some_bias(cols))
              .softcap(.8)
              .standardise();
        },
        [](wides const& x) {
          auto const cols = x.cols();
          wides const y = bias(standardise(mask(x, some_mask(cols))), some_bias(cols));
          return standardise(softcap(y, .8));
        },
        [](wides const& x, wides g) {
          auto const cols = x.cols();
          wides const masked = mask(x, some_mask(cols));
          wides const y = bias(standardise(masked), some_bias(cols));
          g = softcap_back(y, standardise_back(softcap(y, .8), g), .8);
          return mask_back(standardise_back(masked, g), some_mask(cols));
        });
  }
}

TEST_CASE("only one side may be transformed") {
  matrix<double> const t = normal<double>(3, 7, 20), s = normal<double>(4, 7, 20);
  matrix<double> const capped = softcap(s.cast<wide>(), 2).cast<double>();
  matrix<double> g(7, 20), h(7, 20);
  double const a = divot::value_and_gradient(divot::kl{}, t, divot::logits(s).softcap(2), g);
  double const b = divot::value_and_gradient(divot::kl{}, t, capped, h);
  CHECK(a == doctest::Approx(b).epsilon(1e-13));
  CHECK(distance(g, softcap_back(s.cast<wide>(), h.cast<wide>(), 2)) <= 1e-13);
}
