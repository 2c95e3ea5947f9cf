// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The functions on packs against the standard library's in long double. Bounds are in ulps of the
// exact result, with and without a fused multiply-add; DIVOT_PRINT_ERRORS=1 prints what is seen.

#include <doctest/doctest.h>
#include <divot/core/math.hpp>
#include <divot/core/shifted_exp.hpp>

#include <unit/core/lanes.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

namespace {

namespace math = divot::math;
using lanes::limits;

#if defined(__FMA__) || defined(__AVX512F__)
constexpr bool fused = true;
#else
constexpr bool fused = false;
#endif

/// The largest error allowed, with a fused multiply-add and without.
struct bound {
  double with_fma, without;
};

template <class T>
void within(bound const& allowed, std::string const& what, lanes::worst<T> const& w) {
  double const most = fused ? allowed.with_fma : allowed.without;
  std::string const type = sizeof(T) == 4 ? "float" : "double";
  if (std::getenv("DIVOT_PRINT_ERRORS") != nullptr) {
    MESSAGE(what, " ", type, ": ", w.error, " ulp at ", w.x, " (allowed: ", most, ")");
  }
  CAPTURE(what);
  CAPTURE(type);
  CAPTURE(w.x);
  CAPTURE(w.y);
  CAPTURE(w.got);
  CAPTURE(static_cast<double>(w.exact));
  CHECK(w.error <= most);
}

auto const exp_lanes = [](auto const& x) { return math::exp(x); };
auto const expm1_lanes = [](auto const& x) { return math::expm1(x); };
auto const log_lanes = [](auto const& x) { return math::log(x); };
auto const log1p_lanes = [](auto const& x) { return math::log1p(x); };
auto const expm1_tail_lanes = [](auto const& x) { return math::expm1_tail(x); };
auto const atanh2_lanes = [](auto const& x) { return math::atanh2(x); };
auto const quotient_lanes = [](auto const& a, auto const& b) { return math::quotient(a, b); };

/// (e^x − 1 − x)/x² by its series, whose terms do not cancel to speak of for |x| ≤ ½.
long double tail(long double x) {
  long double sum = 0, term = 0.5L;
  for (int n = 0; n < 40; ++n) {
    sum += term;
    term *= x / static_cast<long double>(n + 3);
  }
  return sum;
}

template <class T>
constexpr double lowest_exp = sizeof(T) == 4 ? -103.9 : -745.1;  // the smallest subnormal
template <class T>
constexpr double highest_exp = sizeof(T) == 4 ? 88.72 : 709.78;  // just below overflow

template <class T>
std::vector<T> small_numbers(std::uint64_t seed, T most) {
  auto const x = lanes::magnitudes<T>(seed, limits<T>::denorm_min(), most);
  return lanes::joined(x, lanes::negated(x));
}

template <class T>
bool is_nan(T x) {
  return x != x;
}

}  // namespace

TEST_CASE_TEMPLATE("exp is right from the smallest subnormal to overflow", T, float, double) {
  auto const exact = [](T x) { return std::exp(static_cast<long double>(x)); };
  double const normal = std::log(static_cast<double>(limits<T>::min()));
  within<T>({1.5, 2}, "exp",
            lanes::sweep(lanes::between<T>(normal, highest_exp<T>), exp_lanes, exact));
  // rounded twice where the scaling takes two steps
  within<T>({1.5, 2}, "exp, subnormal results",
            lanes::sweep(lanes::between<T>(lowest_exp<T>, normal), exp_lanes, exact));
  within<T>({1, 1}, "exp near 0", lanes::sweep(small_numbers<T>(1, T(0.5)), exp_lanes, exact));
}

TEST_CASE_TEMPLATE("exp has its limits at special values", T, float, double) {
  T const inf = limits<T>::infinity();
  CHECK(lanes::apply(exp_lanes, T(0)) == 1);
  CHECK(lanes::apply(exp_lanes, T(-0.)) == 1);
  CHECK(lanes::apply(exp_lanes, inf) == inf);
  CHECK(lanes::apply(exp_lanes, -inf) == 0);
  CHECK(lanes::apply(exp_lanes, limits<T>::max()) == inf);
  CHECK(lanes::apply(exp_lanes, limits<T>::lowest()) == 0);
  CHECK(lanes::apply(exp_lanes, T(highest_exp<T> + 0.02)) == inf);
  CHECK(lanes::apply(exp_lanes, T(lowest_exp<T> - 1)) == 0);
  CHECK(is_nan(lanes::apply(exp_lanes, limits<T>::quiet_NaN())));
}

TEST_CASE_TEMPLATE("expm1 is right at every magnitude and up to overflow", T, float, double) {
  auto const exact = [](T x) { return std::expm1(static_cast<long double>(x)); };
  within<T>({1.5, 1.5}, "expm1 near 0",
            lanes::sweep(small_numbers<T>(2, T(0.5)), expm1_lanes, exact));
  within<T>({2.5, 2.5}, "expm1",
            lanes::sweep(lanes::between<T>(-50, highest_exp<T>), expm1_lanes, exact));
  T const inf = limits<T>::infinity();
  CHECK(lanes::apply(expm1_lanes, T(0)) == 0);
  CHECK(lanes::apply(expm1_lanes, inf) == inf);
  CHECK(lanes::apply(expm1_lanes, -inf) == -1);
  CHECK(lanes::apply(expm1_lanes, limits<T>::max()) == inf);
  CHECK(lanes::apply(expm1_lanes, limits<T>::lowest()) == -1);
  CHECK(is_nan(lanes::apply(expm1_lanes, limits<T>::quiet_NaN())));
}

TEST_CASE_TEMPLATE("log is right for every positive number, subnormal ones too", T, float, double) {
  auto const exact = [](T x) { return std::log(static_cast<long double>(x)); };
  within<T>({2, 2}, "log",
            lanes::sweep(lanes::magnitudes<T>(3, limits<T>::denorm_min(), limits<T>::max()),
                         log_lanes, exact));
  within<T>({2, 2}, "log of subnormal numbers",
            lanes::sweep(lanes::magnitudes<T>(4, limits<T>::denorm_min(), limits<T>::min()),
                         log_lanes, exact));
  within<T>({2, 2}, "log near 1", lanes::sweep(lanes::between<T>(0.5, 2), log_lanes, exact));
}

TEST_CASE_TEMPLATE("log has its limits at special values", T, float, double) {
  T const inf = limits<T>::infinity(), nan = limits<T>::quiet_NaN();
  CHECK(lanes::apply(log_lanes, T(1)) == 0);
  CHECK(lanes::apply(log_lanes, T(0)) == -inf);
  CHECK(lanes::apply(log_lanes, T(-0.)) == -inf);
  CHECK(lanes::apply(log_lanes, inf) == inf);
  for (T x : {T(-1), -limits<T>::denorm_min(), limits<T>::lowest(), -inf, nan}) {
    CAPTURE(x);
    CHECK(is_nan(lanes::apply(log_lanes, x)));
  }
}

TEST_CASE_TEMPLATE("log1p is right from just above -1 to the largest number", T, float, double) {
  auto const exact = [](T x) { return std::log1p(static_cast<long double>(x)); };
  within<T>({3, 3}, "log1p near 0", lanes::sweep(small_numbers<T>(5, T(0.5)), log1p_lanes, exact));
  within<T>({3, 3}, "log1p",
            lanes::sweep(lanes::magnitudes<T>(6, T(0.2), limits<T>::max()), log1p_lanes, exact));
  std::vector<T> near_minus_one;
  for (T const gap : lanes::magnitudes<T>(7, limits<T>::epsilon(), T(0.9))) {
    near_minus_one.push_back(gap - T(1));
  }
  within<T>({3, 3}, "log1p near -1", lanes::sweep(near_minus_one, log1p_lanes, exact));

  T const inf = limits<T>::infinity(), nan = limits<T>::quiet_NaN();
  CHECK(lanes::apply(log1p_lanes, T(0)) == 0);
  CHECK(lanes::apply(log1p_lanes, T(-1)) == -inf);
  CHECK(lanes::apply(log1p_lanes, inf) == inf);
  for (T x : {T(-1.5), limits<T>::lowest(), -inf, nan}) {
    CAPTURE(x);
    CHECK(is_nan(lanes::apply(log1p_lanes, x)));
  }
}

TEST_CASE_TEMPLATE("log1p_ratio is log(1 + small/large)", T, float, double) {
  auto const exact = [](T small, T large) {
    return std::log1p(static_cast<long double>(small) / static_cast<long double>(large));
  };
  auto const f = [](auto const& a, auto const& b) { return math::log1p_ratio(a, b); };
  lanes::worst<T> w;
  for (T const large : {T(1), T(0.37), T(1e-30), limits<T>::min(), T(1e30)}) {
    std::vector<T> small{T(0), large};
    for (T const share : lanes::between<T>(0, 1)) small.push_back(share * large);
    std::vector<T> const against(small.size(), large);
    auto const got = lanes::apply<T>(f, small, against);
    for (std::size_t i = 0; i < small.size(); ++i) {
      // a subnormal summand is not to be expected to the last bit
      if (small[i] != 0 && small[i] < limits<T>::min()) continue;
      w.add(small[i], large, got[i], exact(small[i], large));
    }
  }
  within<T>({3, 4}, "log1p_ratio", w);
  CHECK(lanes::apply<T>(f, {T(0)}, {T(1)})[0] == 0);
}

TEST_CASE_TEMPLATE("expm1_tail is right on [-1/2, 1/2]", T, float, double) {
  auto const exact = [](T x) { return tail(x); };
  bound const allowed = sizeof(T) == 4 ? bound{1.5, 2} : bound{1, 1.5};
  within<T>(allowed, "expm1_tail",
            lanes::sweep(lanes::between<T>(-0.5, 0.5), expm1_tail_lanes, exact));
  within<T>(allowed, "expm1_tail near 0",
            lanes::sweep(small_numbers<T>(9, T(0.5)), expm1_tail_lanes, exact));
}

TEST_CASE_TEMPLATE("atanh2 is twice the inverse hyperbolic tangent up to .236", T, float, double) {
  auto const exact = [](T z) { return 2 * std::atanh(static_cast<long double>(z)); };
  within<T>({1, 1.5}, "atanh2",
            lanes::sweep(lanes::between<T>(-0.236, 0.236), atanh2_lanes, exact));
  within<T>({1, 1.5}, "atanh2 near 0",
            lanes::sweep(small_numbers<T>(11, T(0.236)), atanh2_lanes, exact));
}

TEST_CASE_TEMPLATE("quotient is right for normal divisors below a quarter of the largest", T, float,
                   double) {
  T const largest = sizeof(T) == 4 ? T(0x1p124f) : static_cast<T>(0x1p1019L);
  auto const divisors = lanes::magnitudes<T>(12, limits<T>::min(), largest);
  auto dividends = lanes::magnitudes<T>(13, limits<T>::min(), limits<T>::max());
  std::vector<T> a, b;
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    long double const ratio = static_cast<long double>(dividends[i]) / divisors[i];
    if (ratio < limits<T>::min() || ratio > limits<T>::max() / 2) continue;
    a.push_back(i % 2 == 0 ? dividends[i] : -dividends[i]);
    b.push_back(divisors[i]);
  }
  REQUIRE(a.size() > 10000);
  auto const got = lanes::apply(quotient_lanes, a, b);
  lanes::worst<T> w;
  for (std::size_t i = 0; i < a.size(); ++i) {
    w.add(a[i], b[i], got[i], static_cast<long double>(a[i]) / b[i]);
  }
  within<T>({1, 1}, "quotient", w);
  std::vector<T> const zeros(b.size(), T(0));
  for (T const q : lanes::apply(quotient_lanes, zeros, b)) CHECK(q == 0);
}

TEST_CASE_TEMPLATE("quotients of numbers near each other are right", T, float, double) {
  samples::random r(14);
  std::vector<T> a, b;
  for (std::size_t i = 0; i < lanes::dense; ++i) {
    a.push_back(static_cast<T>(1 + r.uniform()));
    b.push_back(static_cast<T>(1 + r.uniform()));
  }
  auto const got = lanes::apply(quotient_lanes, a, b);
  lanes::worst<T> w;
  for (std::size_t i = 0; i < a.size(); ++i) {
    w.add(a[i], b[i], got[i], static_cast<long double>(a[i]) / b[i]);
  }
  within<T>({1, 1}, "quotient near 1", w);
}

TEST_CASE_TEMPLATE("shifted_exp is right well within the normal range", T, float, double) {
  using V = divot::pack<T>;
  constexpr bool single = sizeof(T) == 4;
  double const normal = std::log(static_cast<double>(limits<T>::min()));
  // c·log2(e) is held in two words for float and in one for double
  double const per_unit = single ? 0. : 0.6;
  auto const compare = [&](std::string const& what, auto const& f, double c) {
    CAPTURE(c);
    lanes::worst<T> close, far;
    std::size_t wrong = 0;
    auto const x =
        lanes::joined(lanes::between<T>(-2 / c, 0), lanes::between<T>(normal / c * 1.6, 0));
    auto const got = lanes::apply(f, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      long double const power = static_cast<long double>(x[i]) * c, exact = std::exp(power);
      if (power >= -2) close.add(x[i], T(0), got[i], exact);
      T const rounding = static_cast<T>(1 + per_unit * std::fabs(static_cast<double>(power)));
      if (exact >= 2 * static_cast<long double>(limits<T>::min())) {
        far.add(x[i], T(0), static_cast<T>((got[i] / exact - 1) / rounding + 1), 1);
      } else {
        wrong += got[i] != 0 && lanes::ulps(got[i], exact) > 2 + 1.2 * per_unit * 800;
      }
    }
    within<T>({1.5, 3}, what + " near 0", close);
    within<T>({1.5, 3}, what + " in units of 1 + c|x c|", far);
    CHECK(wrong == 0);
    CHECK(lanes::apply(f, T(0)) == 1);
    CHECK(lanes::apply(f, -limits<T>::infinity()) == 0);
    CHECK(lanes::apply(f, limits<T>::lowest()) == 0);
  };
  for (double const c : {1., 0.5, 1 / 3., 0.1, 2., 7.3}) {
    math::shifted_exp<V, double> const one({0., c});
    compare(
        "shifted_exp", [&](V const& x) { return one(x); }, c);
    // a constant a lane is a number of T
    math::shifted_exp<V, V> const many({V(T(0)), V(static_cast<T>(c))});
    compare(
        "shifted_exp, a constant a lane", [&](V const& x) { return many(x); },
        static_cast<double>(static_cast<T>(c)));
  }
}

TEST_CASE_TEMPLATE("shifted_exp is exactly 1 at its reference", T, float, double) {
  using V = divot::pack<T>;
  samples::random r(31);
  std::size_t other = 0;
  for (int i = 0; i < 100000; ++i) {
    // |m·c| ≤ 1e5; a softmax of larger logits takes the reference off first
    double const c = std::ldexp(0.5 + r.uniform(), static_cast<int>(r.bits() % 20) - 10);
    auto const m = static_cast<T>(1e5 / c * std::pow(r.uniform(), 8) * (r.uniform() < .5 ? 1 : -1));
    other += lanes::apply(math::shifted_exp<V, double>({double(m), c}), m) != 1;
    other += lanes::apply(math::shifted_exp<V, V>({V(m), V(static_cast<T>(c))}), m) != 1;
  }
  CHECK(other == 0);
}

TEST_CASE_TEMPLATE("polynomial adds up ascending powers", T, float, double) {
  constexpr std::array<double, 4> c{1, -2, 3, 4};
  auto const f = [&](auto const& x) { return math::polynomial(x, c); };
  for (T const x : {T(0), T(1), T(-2), T(0.5), T(8)}) {
    CHECK(lanes::apply(f, x) == 1 - 2 * x + 3 * x * x + 4 * x * x * x);
  }
}

TEST_CASE_TEMPLATE("abs, sqrt, max, min and select work lane by lane", T, float, double) {
  using V = divot::pack<T>;
  std::vector<T> const x{-3, 0, 4, -limits<T>::infinity(), 9, T(0.25), -1, 2};
  std::vector<T> const y{1, -1, 4, 0, limits<T>::infinity(), T(0.5), -2, 2};
  auto const larger = lanes::apply<T>([](V const& a, V const& b) { return math::max(a, b); }, x, y);
  auto const lesser = lanes::apply<T>([](V const& a, V const& b) { return math::min(a, b); }, x, y);
  auto const chosen = lanes::apply<T>(
      [](V const& a, V const& b) { return math::select<V>(a < b, a, V(-b)); }, x, y);
  auto const size = lanes::apply<T>([](V const& a) { return math::abs(a); }, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(larger[i] == std::max(x[i], y[i]));
    CHECK(lesser[i] == std::min(x[i], y[i]));
    CHECK(chosen[i] == (x[i] < y[i] ? x[i] : -y[i]));
    CHECK(size[i] == std::abs(x[i]));
  }
  CHECK(lanes::apply([](V const& a) { return math::sqrt(a); }, T(2)) == std::sqrt(T(2)));
}

TEST_CASE_TEMPLATE("any and all look at every lane", T, float, double) {
  using V = divot::pack<T>;
  using traits = divot::lane_traits<V>;
  std::array<T, traits::size> a{};
  CHECK_FALSE(math::any<V>(traits::load(a.data()) == V(T(1))));
  CHECK(math::all<V>(traits::load(a.data()) == V(T(0))));
  a.back() = 1;
  CHECK(math::any<V>(traits::load(a.data()) == V(T(1))));
  CHECK_FALSE(math::all<V>(traits::load(a.data()) == V(T(0))));
}

TEST_CASE_TEMPLATE("on numbers the functions are the standard library's", T, float, double,
                   long double) {
  for (T const x : {T(0.3), T(2), T(1e-5), T(20)}) {
    CHECK(math::exp(x) == std::exp(x));
    CHECK(math::expm1(x) == std::expm1(x));
    CHECK(math::log(x) == std::log(x));
    CHECK(math::log1p(x) == std::log1p(x));
    CHECK(math::log1p_ratio(x, T(3)) == std::log1p(x / 3));
    CHECK(math::shifted_exp<T, T>({T(0), T(0.5)})(-x) == std::exp(-x / 2));
  }
  for (T const x : {T(-0.5), T(-0.3), T(1e-6), T(0.1), T(0.5)}) {
    CHECK(lanes::ulps(math::expm1_tail(x), tail(x)) <= (sizeof(T) > 8 ? 3 : 2));
  }
}
