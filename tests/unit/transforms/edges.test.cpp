// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Where transforms and mixtures meet the rest: near convergence, storages, memory, missing classes.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/budget.hpp>
#include <unit/transforms/explicit.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

using namespace written_out;
constexpr double inf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("in float, near convergence, gradients keep six digits and more") {
  for (Index const cols : {Index(10), Index(1000), Index(32000)}) {
    for (double const delta : {1e-4, 1e-2}) {
      CAPTURE(cols);
      CAPTURE(delta);
      matrix<float> const t = normal<float>(20, 4, cols), noise = normal<float>(21, 4, cols, delta);
      matrix<float> const s = t + noise;
      matrix<float> g(4, cols);
      wides const wt = t.cast<wide>(), ws = s.cast<wide>();
      // KL's gradient in q − p, in long double
      auto const exact = [&](wides const& ft, wides const& fs) {
        return wides((softmax(fs, 2) - softmax(ft, 2)) / wide(2 * 4));
      };
      every_policy([&](auto const& policy) {
        divot::gradient(policy, divot::kl{}, divot::logits(t, 2).softcap(30),
                        divot::logits(s, 2).softcap(30), g);
        CHECK(distance(g, softcap_back(ws, exact(softcap(wt, 30), softcap(ws, 30)), 30)) <=
              budget::transformed<float>);
        divot::gradient(policy, divot::kl{}, divot::logits(t, 2).standardise(),
                        divot::logits(s, 2).standardise(), g);
        CHECK(distance(g, standardise_back(ws, exact(standardise(wt), standardise(ws)))) <=
              budget::transformed<float>);
        matrix<float> const other = s - noise / 2;
        divot::gradient(
            policy, divot::kl{},
            divot::mixture(divot::logits(t, 2), divot::logits(other, 2), std::array{.3, .7}),
            divot::logits(s, 2), g);
        wides const p = wide(.3) * softmax(wt, 2) + wide(.7) * softmax(other.cast<wide>(), 2);
        CHECK(distance(g, (softmax(ws, 2) - p) / wide(2 * 4)) <= budget::transformed<float>);
      });
    }
  }
}

TEST_CASE("16-bit storage is read exactly, and its gradient is rounded once") {
  auto const check = [](auto zero) {
    using S = decltype(zero);
    matrix<S> const t = normal<S>(22, 6, 300), s = normal<S>(23, 6, 300);
    matrix<double> const wide_t = t.template cast<double>(), wide_s = s.template cast<double>();
    matrix<S> g(6, 300);
    matrix<double> exact(6, 300);
    auto const wrap = [](auto const& x) { return divot::logits(x, 2).softcap(5).standardise(); };
    every_policy([&](auto const& policy) {
      divot::batch options;
      options.reduction = divot::reduction::sum;
      float const value =
          divot::value_and_gradient(policy, divot::kl{}, wrap(t), wrap(s), g, options);
      double const want = divot::value_and_gradient(policy, divot::kl{}, wrap(wide_t), wrap(wide_s),
                                                    exact, options);
      CHECK(value == static_cast<float>(want));
      bool nearest = true;
      for (Index i = 0; i < g.size(); ++i) {
        double const x = exact.data()[i], y = static_cast<double>(g.data()[i]);
        for (int step : {-1, 1}) {
          S const next = std::bit_cast<S>(
              static_cast<std::uint16_t>(std::bit_cast<std::uint16_t>(g.data()[i]) + step));
          nearest = nearest && !(std::abs(static_cast<double>(next) - x) < std::abs(y - x));
        }
      }
      CHECK(nearest);
    });
  };
  check(Eigen::half());
  check(Eigen::bfloat16());
}

TEST_CASE("numbers just beside the middle of two 16-bit ones go to the nearer one") {
  for (double const sign : {-1., 1.}) {
    for (double const off : {-0x1p-40, 0x1p-40}) {
      double const x = sign * (1 + 0x1p-11 + off);
      CHECK(static_cast<double>(divot::as_stored<Eigen::half>(x)) ==
            sign * (off < 0 ? 1 : 1 + 0x1p-10));
      double const y = sign * (1 + 0x1p-8 + off);
      CHECK(static_cast<double>(divot::as_stored<Eigen::bfloat16>(y)) ==
            sign * (off < 0 ? 1 : 1 + 0x1p-7));
    }
  }
}

TEST_CASE("in place and out of place give the same bits") {
  auto const check = [](auto zero, Index rows, Index cols, auto const& wrap) {
    using S = decltype(zero);
    CAPTURE(cols);
    matrix<S> const t = normal<S>(24, rows, cols), s = normal<S>(25, rows, cols);
    every_policy([&](auto const& policy) {
      matrix<S> g(rows, cols), h(rows, cols), own = s, teachers_own = t;
      double const a = divot::value_and_gradient(policy, divot::kl{}, wrap(t), wrap(s),
                                                 divot::gradients().student(g).teacher(h));
      double const b =
          divot::value_and_gradient(policy, divot::kl{}, wrap(teachers_own), wrap(own),
                                    divot::gradients().student(own).teacher(teachers_own));
      CHECK(a == b);
      CHECK(same_bits<S>(g, own));
      CHECK(same_bits<S>(h, teachers_own));
      // column-major, in place and not
      Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic> const turned_t = t, turned_s = s;
      Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic> turned_own = s, turned_g(rows, cols);
      divot::gradient(policy, divot::kl{}, wrap(turned_t), wrap(turned_s), turned_g);
      divot::gradient(policy, divot::kl{}, wrap(turned_t), wrap(turned_own), turned_own);
      CHECK(same_bits<S>(turned_g, g));
      CHECK(same_bits<S>(turned_own, g));
    });
  };
  for (Index const cols : {Index(9), Index(130), divot::block_columns + 276}) {
    auto const all = [&](auto const& x) {
      std::vector<double> bias(static_cast<std::size_t>(cols), .5);
      std::vector<bool> keep(static_cast<std::size_t>(cols), true);
      keep[3] = false;
      return divot::logits(x, 2)
          .softcap(4)
          .bias(std::move(bias))
          .mask(std::move(keep))
          .standardise();
    };
    check(float(), 37, cols, all);
    check(double(), 37, cols, all);
    check(Eigen::half(), 5, cols, all);
  }
  auto const masked = [](auto const& x) {
    return divot::logits(x).mask((x.array() * 0 == 0).eval());
  };
  check(float(), 19, 33, masked);
}

TEST_CASE("a mask equals the same loss without its columns") {
  constexpr Index rows = 7, cols = 150;
  matrix<double> const t = normal<double>(26, rows, cols), s = normal<double>(27, rows, cols);
  std::vector<std::uint8_t> keep;
  std::vector<Index> kept;
  for (Index k = 0; k < cols; ++k) {
    keep.push_back(k % 4 != 2);
    if (keep.back()) kept.push_back(k);
  }
  matrix<double> const small_t = t(Eigen::all, kept), small_s = s(Eigen::all, kept);
  auto const left = static_cast<Index>(kept.size());
  matrix<double> g(rows, cols), small_g(rows, left);
  matrix<bool> every_row(rows, cols);
  for (Index k = 0; k < cols; ++k) every_row.col(k).setConstant(keep[static_cast<std::size_t>(k)]);
  every_policy([&](auto const& policy) {
    double const small = divot::value_and_gradient(policy, divot::jensen_shannon{},
                                                   divot::logits(small_t).standardise(),
                                                   divot::logits(small_s).standardise(), small_g);
    auto const agrees = [&](auto const& a, auto const& b) {
      double const value = divot::value_and_gradient(policy, divot::jensen_shannon{},
                                                     divot::logits(t).mask(a).standardise(),
                                                     divot::logits(s).mask(b).standardise(), g);
      CHECK(value == doctest::Approx(small).epsilon(1e-13));
      CHECK(distance(matrix<double>(g(Eigen::all, kept)), small_g) <= budget::transformed<double>);
      for (Index k = 0; k < cols; ++k) {
        if (keep[static_cast<std::size_t>(k)] == 0) CHECK((g.col(k).array() == 0).all());
      }
    };
    Eigen::ArrayX<bool> const column = every_row.row(0).transpose();
    divot::matrix_ref<bool const> const view(every_row.data(), rows, cols);
    agrees(keep, every_row);
    agrees(column, view);
    agrees(every_row.array() == true, std::span<std::uint8_t const>(keep));
  });
}

TEST_CASE("each row has its own mask") {
  matrix<double> const t = normal<double>(28, 3, 5), s = normal<double>(29, 3, 5);
  matrix<int> keep(3, 5);
  keep << 1, 1, 0, 1, 1,  //
      0, 1, 1, 1, 0,      //
      1, 1, 1, 1, 1;
  matrix<double> g(3, 5);
  divot::gradient(divot::kl{}, divot::logits(t).mask(keep), divot::logits(s).mask(keep), g);
  wides ft = t.cast<wide>(), fs = s.cast<wide>();
  for (Index i = 0; i < 3; ++i) {
    for (Index k = 0; k < 5; ++k) {
      if (keep(i, k) == 0) ft(i, k) = fs(i, k) = -std::numeric_limits<wide>::infinity();
    }
  }
  CHECK(distance(g, (softmax(fs, 1) - softmax(ft, 1)) / wide(3)) <= 1e-13);
}

TEST_CASE("absent classes stay absent, and have no gradient behind caps and scores") {
  matrix<double> t = normal<double>(30, 4, 12), s = normal<double>(31, 4, 12);
  t.col(5).setConstant(-inf);
  s.col(5).setConstant(-inf);
  matrix<double> g(4, 12);
  std::vector<Index> const others{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11};
  matrix<double> const small_t = t(Eigen::all, others), small_s = s(Eigen::all, others);
  matrix<double> small_g(4, 11);
  auto const wrap = [](auto const& x) { return divot::logits(x).softcap(3).standardise(); };
  every_policy([&](auto const& policy) {
    double const a = divot::value_and_gradient(policy, divot::kl{}, wrap(t), wrap(s), g);
    double const b =
        divot::value_and_gradient(policy, divot::kl{}, wrap(small_t), wrap(small_s), small_g);
    CHECK(a == doctest::Approx(b).epsilon(1e-13));
    CHECK((g.col(5).array() == 0).all());
    CHECK(distance(matrix<double>(g(Eigen::all, others)), small_g) <= budget::transformed<double>);
  });
}

TEST_CASE("a constant row has no scale: it becomes 0, and so does its gradient") {
  for (Index const cols : {Index(1), Index(3), Index(200)}) {
    CAPTURE(cols);
    matrix<double> const t = normal<double>(32, 2, cols);
    matrix<double> s = normal<double>(33, 2, cols);
    s.row(0).setConstant(.1);
    matrix<double> g(2, cols);
    std::vector<double> losses(2);
    every_policy([&](auto const& policy) {
      divot::batch options;
      options.per_row = losses;
      divot::gradient(policy, divot::kl{}, t, divot::logits(s).standardise(), g, options);
      CHECK((g.row(0).array() == 0).all());
      matrix<double> const flat = matrix<double>::Zero(1, cols);
      CHECK(losses[0] ==
            doctest::Approx(divot::value(divot::kl{}, t.row(0), flat).value).epsilon(1e-13));
      CHECK(g.allFinite());
    });
  }
}

TEST_CASE("a row's common part and its scale cost standardisation no digits") {
  matrix<double> const x = normal<double>(34, 3, 50), t = normal<double>(35, 3, 50);
  matrix<double> g(3, 50), h(3, 50);
  double const want = divot::value_and_gradient(divot::kl{}, t, divot::logits(x).standardise(), g);
  for (double const scale : {0x1p-1000, 0x1p-300, 1., 0x1p600}) {
    CAPTURE(scale);
    matrix<double> const moved = scale * x;
    double const value =
        divot::value_and_gradient(divot::kl{}, t, divot::logits(moved).standardise(), h);
    CHECK(value == doctest::Approx(want).epsilon(1e-14));
    CHECK(distance(matrix<double>(scale * h), g) <= 1e-13);
  }
  matrix<double> const lifted = x.array() + 0x1p20;  // exact: x has float's digits
  double const value =
      divot::value_and_gradient(divot::kl{}, t, divot::logits(lifted).standardise(), h);
  CHECK(value == doctest::Approx(want).epsilon(1e-13));
  CHECK(distance(h, g) <= budget::transformed<double>);
}

TEST_CASE("classes beyond the valid ones are not read") {
  double const nan = std::numeric_limits<double>::quiet_NaN();
  matrix<double> t = normal<double>(36, 5, 160), s = normal<double>(37, 5, 140);
  matrix<double> const small_t = t.leftCols(130), small_s = s.leftCols(130);
  t.rightCols(30).setConstant(nan);
  s.rightCols(10).setConstant(nan);
  matrix<double> g(5, 140), small_g(5, 130);
  divot::batch options;
  options.valid_classes = 130;
  std::vector<double> const b(160, nan);
  std::vector<double> good(140, .5);
  good[135] = nan;
  every_policy([&](auto const& policy) {
    double const a =
        divot::value_and_gradient(policy, divot::kl{}, divot::logits(t).softcap(3),
                                  divot::logits(s).bias(good).standardise(), g, options);
    double const c =
        divot::value_and_gradient(policy, divot::kl{}, divot::logits(small_t).softcap(3),
                                  divot::logits(small_s).standardise(), small_g);
    CHECK(a == doctest::Approx(c).epsilon(1e-13));
    CHECK((g.rightCols(10).array() == 0).all());
    CHECK(distance(matrix<double>(g.leftCols(130)), small_g) <= budget::transformed<double>);
  });
}

TEST_CASE("rows have masks, weights, temperatures and class counts of their own") {
  constexpr Index rows = 6, cols = 20;
  matrix<double> const t = normal<double>(38, rows, cols);
  matrix<double> s = normal<double>(39, rows, cols);
  s.row(2).setConstant(std::numeric_limits<double>::quiet_NaN());
  std::vector<std::uint8_t> const keep{1, 1, 0, 1, 1, 1};
  std::vector<double> const weights{1, 2, 3, -1, .5, 0}, temperatures{1, 2, 3, 4, 5, 6};
  std::vector<divot::index> const classes{20, 3, 20, 17, 9, 20};
  matrix<double> const u = normal<double>(40, rows, cols);
  divot::batch options;
  options.mask = keep;
  options.weights = weights;
  options.temperatures = temperatures;
  options.valid_classes_per_row = classes;
  every_policy([&](auto const& policy) {
    matrix<double> g(rows, cols), h = matrix<double>::Zero(rows, cols);
    auto const what = divot::kl{};
    auto const run = [&](auto const& teacher_of, Index i, auto n) {
      matrix<double> row_g(1, n);
      matrix<double> const a = t.row(i).leftCols(n), b = u.row(i).leftCols(n),
                           x = s.row(i).leftCols(n);
      double const temperature = temperatures[static_cast<std::size_t>(i)];
      divot::gradient(divot::seq, what, teacher_of(a, b, temperature),
                      divot::logits(x, temperature).standardise(), row_g);
      h.row(i).leftCols(n) = row_g * weights[static_cast<std::size_t>(i)] / 5;
    };
    auto const check = [&](auto const& teacher_of) {
      divot::gradient(policy, what, teacher_of(t, u, 1.), divot::logits(s).standardise(), g,
                      options);
      for (Index i = 0; i < rows; ++i) {
        if (i != 2) run(teacher_of, i, classes[static_cast<std::size_t>(i)]);
      }
      CHECK(distance(g, h) <= budget::transformed<double>);
    };
    check([](auto const& a, auto const&, double temperature) {
      return divot::logits(a, temperature).softcap(2);
    });
    check([](auto const& a, auto const& b, double temperature) {
      return divot::mixture(divot::logits(a, temperature), divot::logits(b, temperature),
                            std::array{.5, .5});
    });
  });
}

TEST_CASE("an infinite loss has an infinite gradient or none, but never NaN") {
  matrix<double> t = normal<double>(41, 2, 6);
  matrix<double> const s = normal<double>(42, 2, 6);
  t(0, 1) = t(0, 4) = -inf;
  matrix<double> g(2, 6);
  every_policy([&](auto const& policy) {
    for (int which = 0; which < 2; ++which) {
      double const value = which == 0
                               ? divot::value_and_gradient(policy, divot::reverse_kl{}, t,
                                                           divot::logits(s).standardise(), g)
                               : divot::value_and_gradient(policy, divot::reverse_kl{}, t,
                                                           divot::logits(s).softcap(1e-3), g);
      CHECK(value == inf);
      CHECK(!g.hasNaN());
      CHECK(g.row(1).allFinite());
    }
  });
}

TEST_CASE("any expression is transformed") {
  matrix<float> const a = normal<float>(43, 5, 30), b = normal<float>(44, 5, 30);
  matrix<float> const mean = (a + b) / 2, twice = 2 * b;
  matrix<float> g(5, 30), h(5, 30);
  auto const kept = divot::logits((a + b) / 2).softcap(3);  // outlives the expression
  float const x =
      divot::value_and_gradient(divot::kl{}, kept, divot::logits(2 * b).standardise(), g);
  float const y = divot::value_and_gradient(divot::kl{}, divot::logits(mean).softcap(3),
                                            divot::logits(twice).standardise(), h);
  CHECK(x == y);
  CHECK(same_bits<float>(g, h));
  Eigen::RowVectorXf const t = a.row(0), s = b.row(0);
  CHECK(divot::value(divot::kl{}, divot::logits(t).softcap(3), divot::logits(s).bias(t)).value ==
        doctest::Approx(divot::value(divot::kl{}, divot::logits(t).softcap(3), (s + t).eval()))
            .epsilon(1e-6));
}

TEST_CASE("LSD's published code adds 1e-7 to the deviation, and agrees to as much") {
  // 4 times KL of z-scores at temperature 2, mean over rows: the first row of its gradient
  matrix<double> s(3, 4), t(3, 4), g(3, 4);
  s << 1, 2, .5, -1, 0, -.5, 1.5, .25, 2, 0, -1, .5;
  t << 2, 1, .1, -1.2, .3, -.2, 2.5, 0, 1.5, 1, -2, 0;
  double const value =
      divot::value_and_gradient(divot::at(2, divot::kl{}, divot::t_squared),
                                divot::logits(t).standardise(), divot::logits(s).standardise(), g);
  CHECK(value == doctest::Approx(0.12273490328540833).epsilon(1e-6));
  matrix<double> want(3, 4);
  want << -0.07670169801945576, 0.04531335977834598, 0.0116422144958503, 0.019746123745259477,
      -0.006342041133492697, -0.01693480586777959, -0.011429292089705835, 0.03470613909097812,
      0.013672572247132612, -0.052191954264468585, 0.03106988616649991, 0.007449495850836069;
  CHECK(distance(g, want) <= budget::transformed<float>);
}
