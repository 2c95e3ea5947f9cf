// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/refusal.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double half_ln2 = 0.34657359027997265471;

// divot's own divergences, as a user would write them
struct own_kl {
  static constexpr double at_zero = 0, slope_at_infinity = infinite;
  template <class T>
  static T f(T u) {
    return u * log(u);
  }
};
struct own_pearson {
  static constexpr double at_zero = 1, slope_at_infinity = infinite;
  template <class T>
  static T f(T u) {
    return (u - T(1)) * (u - T(1));
  }
};
struct own_hellinger {
  static constexpr double at_zero = 1, slope_at_infinity = 1;
  template <class T>
  static T f(T u) {
    return (sqrt(u) - T(1)) * (sqrt(u) - T(1));
  }
  template <class T>
  static T dual(T u) {
    return f(u);
  }
};
struct own_js {
  static constexpr double at_zero = half_ln2, slope_at_infinity = half_ln2;
  template <class T>
  static T f(T u) {
    return T(.5) * (u * log(u) - (u + T(1)) * log((u + T(1)) / T(2)));
  }
  template <class T>
  static T dual(T u) {
    return f(u);
  }
};
struct own_alpha {
  static constexpr double at_zero = 1 / .3, slope_at_infinity = 1 / .7;
  template <class T>
  static T f(T u) {
    return (pow(u, .3) - T(1) - T(.3) * (u - T(1))) / T(.3 * (.3 - 1));
  }
};
struct own_total_variation {
  static constexpr double at_zero = .5, slope_at_infinity = .5;
  static constexpr bool smooth = false;
  template <class T>
  static T f(T u) {
    return T(.5) * abs(u - T(1));
  }
};
struct js_without_dual {
  static constexpr double at_zero = half_ln2, slope_at_infinity = half_ln2;
  template <class T>
  static T f(T u) {
    return own_js::f(u);
  }
};
struct wrong_dual {
  static constexpr double at_zero = 1, slope_at_infinity = infinite;
  template <class T>
  static T f(T u) {
    return (u - T(1)) * (u - T(1));
  }
  template <class T>
  static T dual(T u) {
    return f(u);
  }
};

/// Loss and w of a class with log ratio ell, the larger probability being 1.
template <class V, class Bound>
divot::class_terms<V> terms_at(Bound const& bound, double ell, double anchor) {
  divot::class_point<V> x{};
  x.ell = V(ell);
  x.p = V(ell < 0 ? std::exp(ell) : 1);
  x.q = V(ell < 0 ? 1 : std::exp(-ell));
  x.log_p = V(ell < 0 ? ell : 0);
  x.log_q = V(ell < 0 ? 0 : -ell);
  x.x_p = x.log_p;
  x.x_q = x.log_q;
  x.relative = V(ell - anchor);
  divot::math::row_probability<V> const as_it_is{V(0), V(1), V(0), V(0)};
  auto const form = divot::bound_sum<Bound>{{std::pair(1., bound)}}.template on_row<V>(
      as_it_is, as_it_is, divot::two_words<V>{V(anchor), V(0)});
  return form.at(x, V(anchor));
}

template <class V, class Own, class Built>
void same(Own const& own, Built const& built, double furthest, double tolerance) {
  for (double const size : {.05, .2, .3, .6, 1., 3., 10., 20., 60., 300.}) {
    if (size > furthest) continue;
    for (double const ell : {-size, size}) {
      for (double const anchor : {0., -20.}) {
        CAPTURE(ell);
        CAPTURE(anchor);
        auto const mine = terms_at<V>(own, ell, anchor), theirs = terms_at<V>(built, ell, anchor);
        CHECK(std::abs(mine.loss - theirs.loss) <= tolerance * std::abs(theirs.loss));
        // powers have a gauge of their own, which is the same at anchor 0
        if (divot::asks_for_powers<Built>() && anchor != 0) continue;
        CHECK(std::abs(mine.w - theirs.w) <= tolerance * std::abs(theirs.w));
      }
    }
  }
}

template <class F, class D>
void same_everywhere(D const& what) {
  auto const own = divot::bound_of(divot::f_divergence<F>{});
  auto const built = divot::bound_of(what);
  same<double>(own, built, 300, 1e-13);
  same<double>(own.dual(), built.dual(), 300, 1e-13);
  same<float>(own, built, 30, 2e-5);
  same<float>(own.dual(), built.dual(), 30, 2e-5);
}

template <class F>
std::string refusal_of() {
  return refusal([] { divot::bound_of(divot::f_divergence<F>{}); });
}

struct off_centre {
  static constexpr double at_zero = 1, slope_at_infinity = divot::unbounded;
  template <class T>
  static T f(T u) {
    return u * log(u) + T(1);
  }
};
struct undeclared_kink {
  static constexpr double at_zero = 1, slope_at_infinity = 1;
  template <class T>
  static T f(T u) {
    return abs(u - T(1));
  }
};
struct concave {
  static constexpr double at_zero = 1, slope_at_infinity = -infinite;
  template <class T>
  static T f(T u) {
    return T(1) - u * u;
  }
};
struct wave {
  static constexpr double at_zero = 0, slope_at_infinity = 0;
  template <class T>
  static T f(T u) {
    return u * (u - T(1)) * exp(-u);
  }
};
/// own_hellinger, whose limits are both 1, with other ones declared.
template <int Zero, int Slope>
struct misdeclared {
  static constexpr double at_zero = Zero < 0 ? infinite : Zero;
  static constexpr double slope_at_infinity = Slope < 0 ? infinite : Slope;
  template <class T>
  static T f(T u) {
    return own_hellinger::f(u);
  }
  template <class T>
  static T dual(T u) {
    return f(u);
  }
};
struct not_a_limit {
  static constexpr double at_zero = std::numeric_limits<double>::quiet_NaN(), slope_at_infinity = 1;
  template <class T>
  static T f(T u) {
    return own_hellinger::f(u);
  }
};
/// √(δ² + (u − 1)²) − δ, whose singularities lie δ away from p = q.
struct rounded_total_variation {
  static constexpr double delta = .5;
  static constexpr double at_zero = 0.61803398874989484820, slope_at_infinity = 1;
  template <class T>
  static T f(T u) {
    T const x = u - T(1);
    return x * x / (sqrt(T(delta * delta) + x * x) + T(delta));
  }
  template <class T>
  static T dual(T u) {
    T const x = u - T(1), y = T(delta) * u;
    return x * x / (sqrt(y * y + x * x) + y);
  }
};

/// Largest errors, relative to the gradient's norm and to the loss, of rows at about this distance.
template <class T>
std::pair<double, double> errors_near(double distance) {
  using rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  rows teacher(64, 5), student(64, 5), gradient(64, 5);
  for (divot::index i = 0; i < teacher.size(); ++i) {
    double const t = normal(random);
    teacher.data()[i] = static_cast<T>(t);
    student.data()[i] = static_cast<T>(t + distance * normal(random));
  }
  std::vector<double> losses(64);
  divot::batch batch;
  batch.reduction = divot::reduction::none;
  batch.per_row = losses;
  divot::gradient(divot::f_divergence<rounded_total_variation>{}, teacher, student, gradient,
                  batch);
  std::pair<double, double> worst;
  for (divot::index i = 0; i < 64; ++i) {
    using row = Eigen::Array<long double, 1, Eigen::Dynamic>;
    auto const softmax = [](auto const& x) {
      row const e = (x.template cast<long double>().array() - x.maxCoeff()).exp();
      return row(e / e.sum());
    };
    row const p = softmax(teacher.row(i)), q = softmax(student.row(i)), x = p / q - 1;
    long double const d = rounded_total_variation::delta;
    row const root = (x * x + d * d).sqrt(), f = x * x / (root + d);
    row const w = q * (f - p / q * x / root), exact = w - q * w.sum();
    row const off = gradient.row(i).template cast<long double>().array() - exact;
    auto const norm = [](row const& y) { return static_cast<double>(y.matrix().norm()); };
    auto const loss = static_cast<double>((q * f).sum());
    worst.first = std::max(worst.first, norm(off) / norm(exact));
    worst.second = std::max(worst.second, std::abs(losses[std::size_t(i)] - loss) / loss);
  }
  return worst;
}

/// |u − 1|^Order, whose own limits leave even double's range.
template <int Order>
struct own_vajda {
  static constexpr double at_zero = 1, slope_at_infinity = infinite;
  template <class T>
  static T f(T u) {
    T const x = abs(u - T(1));
    return pow(x, double(Order));
  }
};

/// Near KL: its slope at infinity is out of reach of any number.
struct slow {
  static constexpr double at_zero = 1 / .999, slope_at_infinity = 1000;
  template <class T>
  static T f(T u) {
    return (pow(u, .999) - T(1) - T(.999) * (u - T(1))) / T(.999 * (.999 - 1));
  }
};

}  // namespace

TEST_CASE("an own f-divergence is as accurate as the built-in one at any ratio") {
  same_everywhere<own_kl>(divot::alpha_beta{1, 0});
  same_everywhere<own_pearson>(divot::pearson{});
  same_everywhere<own_hellinger>(divot::squared_hellinger{});
  same_everywhere<own_js>(divot::jensen_shannon{});
  same_everywhere<own_alpha>(divot::alpha{.3});
  same_everywhere<own_total_variation>(divot::total_variation{});
}

TEST_CASE("an own f with singularities near p = q has its series no further than it goes") {
  for (double const distance : {1e-4, .01, .05, .1, .2, .5, 2.}) {
    CAPTURE(distance);
    auto const single = errors_near<float>(distance), twice = errors_near<double>(distance);
    CHECK(single.first < 1e-5);
    CHECK(single.second < 1e-5);
    CHECK(twice.first < 1e-12);
    CHECK(twice.second < 1e-12);
  }
}

TEST_CASE("a generator that loses its digits is refused, with the remedy") {
  std::string const text = refusal_of<js_without_dual>();
  CHECK(text.find("the slope of u f(1/u) loses its digits at u = ") != std::string::npos);
  CHECK(text.find("write template <class T> static T dual(T u)") != std::string::npos);
}

TEST_CASE("a dual that belongs to another f is refused") {
  CHECK(refusal_of<wrong_dual>().find("f_divergence: dual(u) is ") != std::string::npos);
}

TEST_CASE("f is 0 at 1, and says so if it has a kink there") {
  CHECK(refusal_of<off_centre>() == "divot: f_divergence: f(1) is 1; it must be 0");
  CHECK(refusal_of<undeclared_kink>() ==
        "divot: f_divergence: the slope of f jumps from -1 to 1 at u = 1; declare static constexpr "
        "bool smooth = false");
}

TEST_CASE("an f that is not convex is refused, with the place") {
  CHECK(refusal_of<concave>().find("f_divergence: f is not convex: its slope falls from ") !=
        std::string::npos);
  CHECK(refusal_of<wave>().find("f_divergence: f is not convex: its slope falls from ") !=
        std::string::npos);
}

TEST_CASE("limits that are not those of f are refused") {
  CHECK(refusal_of<misdeclared<1, 1>>().empty());
  CHECK(refusal_of<slow>().find("slope_at_infinity") == std::string::npos);
  CHECK(refusal_of<misdeclared<5, 1>>() ==
        "divot: f_divergence: at_zero is 5, but f(u) tends to 1 as u goes to 0");
  CHECK(refusal_of<misdeclared<-1, 1>>() ==
        "divot: f_divergence: at_zero is inf, but f(u) tends to 1 as u goes to 0");
  CHECK(
      refusal_of<misdeclared<1, 50>>() ==
      "divot: f_divergence: slope_at_infinity is 50, but f(u)/u tends to 1 as u goes to infinity");
  CHECK(refusal_of<misdeclared<1, -1>>() ==
        "divot: f_divergence: slope_at_infinity is inf, but f(u)/u tends to 1 as u goes to "
        "infinity");
  CHECK(refusal_of<own_vajda<3>>().empty());
  CHECK(refusal_of<own_vajda<4>>().empty());
  CHECK(refusal_of<own_vajda<6>>().empty());
  CHECK(refusal_of<not_a_limit>().find("f_divergence: at_zero is nan, but ") != std::string::npos);
}
