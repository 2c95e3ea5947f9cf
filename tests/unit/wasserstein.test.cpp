// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>
#include <divot/wasserstein.hpp>
#include <unit/refusal.hpp>
#include <unit/slope.hpp>

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

namespace {

using vector = Eigen::VectorXd;
using matrix = Eigen::MatrixXd;

constexpr double orders[] = {1, 1.5, 2, 3};

struct problem {
  vector x, y, a, b;
};

auto solve(problem const& p, double order) {
  return divot::wasserstein_1d(p.x, p.y, p.a, p.b, order);
}

problem random(Eigen::Index n, Eigen::Index m, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> mass(.1, 1);
  problem p{vector::NullaryExpr(n, [&] { return normal(generator); }),
            vector::NullaryExpr(m, [&] { return 1.5 * normal(generator) + .3; }),
            vector::NullaryExpr(n, [&] { return mass(generator); }),
            vector::NullaryExpr(m, [&] { return mass(generator); })};
  p.a /= p.a.sum();
  p.b /= p.b.sum();
  return p;
}

double far(double x, double y) { return std::abs(x - y); }

bool agree(double x, double y, double tolerance) {
  return far(x, y) <= tolerance * std::max(std::abs(x), std::abs(y));
}

/// The quantile function of points with masses, asked at u.
class quantiles {
 public:
  quantiles(vector const& points, vector const& masses) {
    std::vector<Eigen::Index> order(static_cast<std::size_t>(points.size()));
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(), [&](auto i, auto j) { return points(i) < points(j); });
    long double sum = 0;
    for (auto const i : order) {
      levels.push_back(sum += masses(i));
      values.push_back(points(i));
    }
  }
  long double operator()(long double u) const {
    auto const at = std::lower_bound(levels.begin(), levels.end() - 1, u) - levels.begin();
    return values[static_cast<std::size_t>(at)];
  }
  std::vector<long double> levels, values;
};

/// ∫ |F⁻¹ − G⁻¹|^p in long double, by pieces on which both are constant.
double integrated(problem const& p, double order) {
  quantiles const f(p.x, p.a), g(p.y, p.b);
  std::vector<long double> ends = f.levels;
  ends.insert(ends.end(), g.levels.begin(), g.levels.end());
  std::sort(ends.begin(), ends.end());
  long double sum = 0, from = 0;
  for (long double const to : ends) {
    long double const middle = (from + to) / 2;
    sum += (to - from) * std::pow(std::abs(f(middle) - g(middle)), static_cast<long double>(order));
    from = to;
  }
  return static_cast<double>(sum);
}

/// By how much f ⊕ g exceeds the costs: a bound from below on every plan's cost where it does not.
double excess(problem const& p, divot::line_gradient<double> const& g, double order) {
  double most = -HUGE_VAL;
  for (Eigen::Index i = 0; i < p.x.size(); ++i) {
    for (Eigen::Index j = 0; j < p.y.size(); ++j) {
      most = std::max(most, g.x_mass(i) + g.y_mass(j) - std::pow(std::abs(p.x(i) - p.y(j)), order));
    }
  }
  return most;
}

TEST_CASE("equal masses: the cheapest of all assignments") {
  for (unsigned const seed : {1u, 2u, 3u}) {
    problem const p = random(6, 6, seed);
    for (double const order : orders) {
      std::vector<Eigen::Index> to{0, 1, 2, 3, 4, 5};
      double cheapest = HUGE_VAL;
      do {
        cheapest = std::min(cheapest, (p.x - p.y(to)).cwiseAbs().array().pow(order).sum() / 6);
      } while (std::next_permutation(to.begin(), to.end()));
      auto const s = divot::wasserstein_1d(p.x, p.y, order);
      CHECK(agree(s.transport_cost, cheapest, 1e-14));
      CHECK(agree(s.distance, std::pow(cheapest, 1 / order), 1e-14));
      CHECK(s.plan().size() == 6);
      for (auto const& each : s.plan()) CHECK(agree(each.mass, 1. / 6, 1e-15));
    }
  }
}

TEST_CASE("masses: the integral over quantile functions") {
  for (auto const& [n, m] : {std::pair{1, 1}, {1, 9}, {7, 5}, {40, 61}}) {
    problem const p = random(n, m, 4);
    for (double const order : {1., 1.25, 2., 3., 10.}) {
      CAPTURE(order);
      CHECK(agree(solve(p, order).transport_cost, integrated(p, order), 1e-13));
    }
  }
}

TEST_CASE("order 1: the area between the distribution functions") {
  problem const p = random(13, 8, 5);
  std::vector<double> all(p.x.begin(), p.x.end());
  all.insert(all.end(), p.y.begin(), p.y.end());
  std::sort(all.begin(), all.end());
  auto const below = [](vector const& points, vector const& masses, double x) {
    return ((points.array() <= x).cast<double>() * masses.array()).sum();
  };
  double area = 0;
  for (std::size_t k = 0; k + 1 < all.size(); ++k) {
    area += (all[k + 1] - all[k]) * far(below(p.x, p.a, all[k]), below(p.y, p.b, all[k]));
  }
  CHECK(agree(solve(p, 1).transport_cost, area, 1e-14));
}

TEST_CASE(
    "the plan has the marginals and the cost, and few entries; potentials prove it cheapest") {
  for (double const order : orders) {
    for (bool const equal : {false, true}) {
      problem p = random(12, 18, 6);
      if (equal) {
        p.a.setConstant(1. / 12);
        p.b.setConstant(1. / 18);
      }
      auto const s = equal ? divot::wasserstein_1d(p.x, p.y, order) : solve(p, order);
      matrix plan = matrix::Zero(12, 18);
      for (auto const& each : s.plan()) {
        CHECK(each.mass > 0);
        plan(each.row, each.column) += each.mass;
      }
      // 12 and 18 have 6 in common: so often do both sides go on at once
      CHECK(s.plan().size() == (equal ? 12 + 18 - 6 : 12 + 18 - 1));
      CHECK((plan.rowwise().sum() - p.a).cwiseAbs().maxCoeff() <= 1e-16);
      CHECK((plan.colwise().sum().transpose() - p.b).cwiseAbs().maxCoeff() <= 1e-16);
      double cost = 0;
      for (auto const& each : s.plan()) {
        cost += each.mass * std::pow(std::abs(p.x(each.row) - p.y(each.column)), order);
      }
      CHECK(agree(cost, s.transport_cost, 1e-14));

      auto const g = s.gradient();
      CHECK(excess(p, g, order) <= 1e-13);
      CHECK(agree(g.x_mass.dot(p.a) + g.y_mass.dot(p.b), s.transport_cost, 1e-13));
      CHECK(std::abs(g.y_mass.dot(p.b)) <= 1e-14);
    }
  }
}

/// z with Φ(z) = u.
double normal_quantile(double u) {
  double low = -10, high = 10;
  while (high - low > 1e-15 * std::max(1., std::abs(low))) {
    double const middle = (low + high) / 2;
    if (middle == low || middle == high) break;
    (std::erfc(-middle / std::sqrt(2.)) / 2 < u ? low : high) = middle;
  }
  return low;
}

TEST_CASE("Gaussians: the squares of the differences of means and of deviations") {
  auto const grid = [](Eigen::Index n) {
    return vector(vector::NullaryExpr(n, [n](Eigen::Index i) {
      return normal_quantile((static_cast<double>(i) + .5) / static_cast<double>(n));
    }));
  };
  vector const z = grid(2000), w = grid(3000);
  // on one grid: exact, with the grid's own moments
  double const exact =
      ((z.array() * (1 - .4) + (0 - 1.5)).square()).sum() / static_cast<double>(z.size());
  vector const y = (1.5 + .4 * z.array()).reverse();
  CHECK(agree(divot::wasserstein_1d(z, y, 2).transport_cost, exact, 1e-14));
  CHECK(far(exact, 1.5 * 1.5 + .6 * .6) <= 1e-3);
  vector const other = 1.5 + .4 * w.array();
  CHECK(far(divot::wasserstein_1d(z, other, 2).transport_cost, 1.5 * 1.5 + .6 * .6) <= 1e-3);
  CHECK(far(divot::wasserstein_1d(z, other).transport_cost, 1.5) <= 1e-2);
}

TEST_CASE("derivatives in points and masses are those of central differences") {
  for (double const order : orders) {
    CAPTURE(order);
    problem const p = random(6, 8, 7);
    auto const g = solve(p, order).gradient();
    auto const slope = [&](auto const& move) {
      return slope_at_zero(
          [&](double by) {
            problem moved = p;
            move(moved, by);
            return solve(moved, order).transport_cost;
          },
          1e-5);
    };
    for (Eigen::Index i = 0; i < 6; ++i) {
      CHECK(far(g.x(i), slope([i](problem& q, double by) { q.x(i) += by; })) <= 1e-9);
      double const shift = slope([i](problem& q, double by) {
        q.a(i) += by;
        q.a((i + 2) % 6) -= by;
      });
      CHECK(far(g.x_mass(i) - g.x_mass((i + 2) % 6), shift) <= 1e-9);
    }
    for (Eigen::Index j = 0; j < 8; ++j) {
      CHECK(far(g.y(j), slope([j](problem& q, double by) { q.y(j) += by; })) <= 1e-9);
      double const shift = slope([j](problem& q, double by) {
        q.b(j) += by;
        q.b((j + 3) % 8) -= by;
      });
      CHECK(far(g.y_mass(j) - g.y_mass((j + 3) % 8), shift) <= 1e-9);
    }
  }
}

TEST_CASE("equal masses: derivatives in them are means of those to either side") {
  problem p = random(6, 9, 8);
  p.a.setConstant(1. / 6);
  p.b.setConstant(1. / 9);
  for (double const order : orders) {
    auto const g = divot::wasserstein_1d(p.x, p.y, order).gradient();
    for (Eigen::Index i = 0; i + 1 < 6; ++i) {
      auto const moved = [&](double by) {
        problem q = p;
        q.a(i) += by;
        q.a(i + 1) -= by;
        return solve(q, order).transport_cost;
      };
      double const mean = (moved(1e-6) - moved(-1e-6)) / 2e-6;
      CHECK(far(g.x_mass(i) - g.x_mass(i + 1), mean) <= 1e-8);
    }
  }
}

TEST_CASE("points that coincide share one derivative; what need not move has none") {
  problem p{vector{{0, 1, 0, 2, 0}}, vector{{-1, .5, 3, .5, 4}}, vector{{.1, .2, .3, .2, .2}},
            vector{{.3, .1, .2, .2, .2}}};
  for (double const order : orders) {
    auto const g = solve(p, order).gradient();
    // the three at 0, of masses .1, .3 and .2, move together
    auto const moved = [&](double by) {
      problem q = p;
      for (Eigen::Index const i : {0, 2, 4}) q.x(i) += by;
      return solve(q, order).transport_cost;
    };
    CHECK(far(g.x(0) + g.x(2) + g.x(4), slope_at_zero(moved, 1e-4)) <= 1e-9);
    CHECK(agree(g.x(2), 3 * g.x(0), 1e-14));
    CHECK(agree(g.x(4), 2 * g.x(0), 1e-14));
    CHECK(far(g.x_mass(0), g.x_mass(2)) <= 1e-15);
    CHECK(far(g.x_mass(0), g.x_mass(4)) <= 1e-15);
    CHECK(far(g.y_mass(1), g.y_mass(3)) <= 1e-15);

    vector const same = p.x.reverse(), thrice = vector::Zero(3);
    auto const still = divot::wasserstein_1d(p.x, same, order);
    CHECK(still.transport_cost == 0);
    CHECK(still.distance == 0);
    CHECK(still.gradient().x == vector::Zero(5));
    CHECK(divot::wasserstein_1d(thrice, vector{{-1, 0, 1}}, 1).gradient().x == vector::Zero(3));
  }
}

TEST_CASE("order, sides, origin and unit of the points") {
  problem p = random(9, 7, 9);
  p.x(4) = p.x(2);  // a tie
  p.y(1) = p.y(5) = p.x(3);
  std::vector<Eigen::Index> const order_x{3, 8, 0, 4, 2, 7, 1, 6, 5}, order_y{6, 1, 4, 0, 5, 2, 3};
  problem const shuffled{p.x(order_x), p.y(order_y), p.a(order_x), p.b(order_y)};
  problem const turned{p.y, p.x, p.b, p.a};
  problem const shifted{p.x.array() + 5, p.y.array() + 5, p.a, p.b};
  problem const mirrored{-p.x, -p.y, p.a, p.b};
  problem const scaled{4 * p.x, 4 * p.y, p.a, p.b};
  problem const heavy{p.x, p.y, 8 * p.a, 8 * p.b};
  auto const near = [](vector const& a, vector const& b) {
    return (a - b).cwiseAbs().maxCoeff() <= 1e-13;
  };
  for (double const order : orders) {
    auto const s = solve(p, order);
    auto const g = s.gradient(), h = solve(shuffled, order).gradient();
    CHECK(agree(solve(shuffled, order).transport_cost, s.transport_cost, 1e-15));
    CHECK(near(h.x, g.x(order_x)));
    CHECK(near(h.y, g.y(order_y)));
    CHECK(near(h.x_mass, g.x_mass(order_x)));
    CHECK(near(h.y_mass, g.y_mass(order_y)));

    auto const back = solve(turned, order).gradient();
    CHECK(agree(solve(turned, order).transport_cost, s.transport_cost, 1e-15));
    CHECK(near(back.y, g.x));
    CHECK(near(back.x, g.y));
    CHECK(near(back.y_mass.array() - back.y_mass(0), g.x_mass.array() - g.x_mass(0)));
    CHECK(near(back.x_mass.array() - back.x_mass(0), g.y_mass.array() - g.y_mass(0)));

    CHECK(agree(solve(shifted, order).transport_cost, s.transport_cost, 1e-13));
    CHECK(agree(solve(mirrored, order).transport_cost, s.transport_cost, 1e-15));
    CHECK(near(solve(mirrored, order).gradient().x, -g.x));
    CHECK(near(solve(mirrored, order).gradient().x_mass, g.x_mass));
    CHECK(agree(solve(scaled, order).distance, 4 * s.distance, 1e-14));
    CHECK(agree(solve(scaled, order).transport_cost, std::pow(4, order) * s.transport_cost, 1e-14));
    CHECK(agree(solve(heavy, order).transport_cost, 8 * s.transport_cost, 1e-15));
    CHECK(near(solve(heavy, order).gradient().x_mass, g.x_mass));
    // all points together
    CHECK(std::abs(g.x.sum() + g.y.sum()) <= 1e-14);
  }
}

TEST_CASE("points without mass are not there") {
  problem const p = random(4, 5, 10);
  vector x(6), a(6);
  x << p.x(0), -100, p.x(1), p.x(2), p.x(0), p.x(3);
  a << p.a(0), 0, p.a(1), p.a(2), 0, p.a(3);
  auto const s = divot::wasserstein_1d(x, p.y, a, p.b, 2), few = solve(p, 2);
  CHECK(s.transport_cost == few.transport_cost);
  CHECK(s.gradient().x(1) == 0);
  CHECK(s.gradient().x(4) == 0);
  CHECK(s.gradient().x_mass(1) == 0);
  CHECK(s.gradient().x(0) == few.gradient().x(0));
  CHECK(s.gradient().x_mass(5) == few.gradient().x_mass(3));
  for (auto const& each : s.plan()) CHECK((each.row != 1 && each.row != 4));

  vector const none;
  CHECK(divot::wasserstein_1d(none, none).distance == 0);
  CHECK(divot::wasserstein_1d(none, none).gradient().x.size() == 0);
  CHECK(divot::wasserstein_1d(x, p.y, vector::Zero(6), vector::Zero(5)).transport_cost == 0);
  CHECK(divot::wasserstein_1d(x, p.y, vector::Zero(6), vector::Zero(5)).gradient().x ==
        vector::Zero(6));
}

TEST_CASE("numbers of any kind, columns, rows and expressions") {
  Eigen::RowVectorXi const whole{{3, 1, 2}};
  Eigen::ArrayXf const halves{{.5f, 1.5f, 2.5f}};
  CHECK(divot::wasserstein_1d(whole, halves).transport_cost == .5);
  CHECK(divot::wasserstein_1d(whole * 2, halves.reverse(), 2).distance > 0);
  Eigen::RowVectorXf const thirds = Eigen::RowVectorXf::Constant(3, 1 / 3.f);
  Eigen::VectorXf const sevenths = Eigen::VectorXf::Constant(7, 1 / 7.f);
  auto const s = divot::wasserstein_1d(whole, vector::LinSpaced(7, 0, 6), thirds, sevenths);
  CHECK(s.transport_cost == doctest::Approx(9. / 7).epsilon(1e-6));
  Eigen::Vector2i const counts(3, 1);
  CHECK(divot::wasserstein_1d(Eigen::Vector2d(0, 1), Eigen::Vector2d(2, 3), counts,
                              counts.reverse(), 1)
            .transport_cost == 10);
}

TEST_CASE("long sums, light points and far ones keep their digits") {
  // a translation by 1/2 costs half of the mass, however many unequal pieces it comes in
  problem p = random(20000, 20000, 11);
  p.x = vector::LinSpaced(20000, 0, 19999);
  p.y = p.x.array() + .5;
  p.b = p.a;
  auto const s = solve(p, 1);
  CHECK(s.plan().size() == 20000);
  long double const mass = p.a.cast<long double>().sum();
  CHECK(s.transport_cost == static_cast<double>(mass / 2));
  CHECK(s.gradient().x == vector(-p.a));
  // no error is carried up the line: the last points have their masses, too
  problem const q = random(20000, 30000, 13);
  vector a = vector::Zero(20000), b = vector::Zero(30000);
  auto const long_plan = solve(q, 1);
  for (auto const& each : long_plan.plan()) {
    a(each.row) += each.mass;
    b(each.column) += each.mass;
  }
  CHECK((a - q.a).cwiseQuotient(q.a).cwiseAbs().maxCoeff() <= 2e-15);
  CHECK((b - q.b).cwiseQuotient(q.b).cwiseAbs().maxCoeff() <= 2e-15);
  // what is far lighter than the rest's last digits arrives
  auto const light = divot::wasserstein_1d(
      vector{{0, 1, 2}}, vector{{0, 5}}, vector{{1, 1e-30, 1e-40}}, vector{{1, 1e-30 + 1e-40}}, 1);
  CHECK(light.transport_cost == doctest::Approx(4e-30).epsilon(1e-9));
  // and so it does where the sides' sums differ by more than it
  problem const uneven{vector{{0, 1}}, vector{{0, 1, 2, 3}}, vector{{.7, .2}},
                       vector{{.1 + .2, .4, .2, 1e-40}}};
  for (problem const& each : {uneven, problem{uneven.y, uneven.x, uneven.b, uneven.a}}) {
    auto const plan = solve(each, 1).plan();
    CHECK(plan.size() == 5);
    CHECK(plan.back().mass == doctest::Approx(1e-40).epsilon(1e-15));
    CHECK(solve(each, 1).gradient().x.allFinite());
  }

  vector const zero = vector::Zero(1), high = vector::Constant(1, 1e200);
  auto const far_away = divot::wasserstein_1d(high, zero, 2);
  CHECK(std::isinf(far_away.transport_cost));
  CHECK(agree(far_away.distance, 1e200, 1e-15));
  CHECK(refusal([&] { far_away.gradient(); }) ==
        "divot: line_transport::gradient: a derivative of |x − y|^2 is beyond double's range");
  vector const tiny = vector::Constant(1, 1e-9);
  CHECK(divot::wasserstein_1d(high, zero, tiny, tiny, 1.5).transport_cost ==
        doctest::Approx(1e291).epsilon(1e-13));
  CHECK(divot::wasserstein_1d(high, zero, tiny * 1e-270, tiny * 1e-270, 2).transport_cost ==
        doctest::Approx(1e121).epsilon(1e-13));
  auto const close = divot::wasserstein_1d(vector{{1e-160, 0}}, vector{{0, 3e-160}}, 3);
  CHECK(close.transport_cost == 0);
  CHECK(close.distance == doctest::Approx(2e-160 * std::cbrt(.5)).epsilon(1e-14));
}

TEST_CASE("wasserstein_1d says what is wrong with its input") {
  problem p = random(2, 3, 12);
  CHECK(refusal([&] { solve(p, .5); }) ==
        "divot: wasserstein_1d: the order is 0.5; it must be finite and at least 1");
  CHECK(refusal([&] { solve(p, std::nan("")); }).find("order is nan") != std::string::npos);
  CHECK(refusal([&] { divot::wasserstein_1d(p.x, p.y, p.b, p.a); }) ==
        "divot: wasserstein_1d: x has 2 points and 3 masses, y has 3 points and 2 masses");
  CHECK(refusal([&] { divot::wasserstein_1d(matrix::Zero(3, 2), p.y); }) ==
        "divot: wasserstein_1d: x is 3×2, y is 3×1; points on the line are vectors");
  CHECK(refusal([&] { divot::wasserstein_1d(vector(), p.y); }) ==
        "divot: wasserstein_1d: x has 0 points, y has 3; between some and none nothing can move");
  p.b(2) += .5;
  CHECK(refusal([&] { solve(p, 1); }) ==
        "divot: wasserstein_1d: the masses of x add up to 1, those of y to 1.5; they must agree, "
        "and be at most 1e300");
  p.b(2) = -1;
  CHECK(refusal([&] { solve(p, 1); }) ==
        "divot: wasserstein_1d: mass 2 of y is -1; masses must be finite and not negative");
  p = random(2, 3, 12);
  p.a(1) = std::nan("");
  CHECK(refusal([&] { solve(p, 1); }).find("mass 1 of x is nan") != std::string::npos);
  p.x(1) = -HUGE_VAL;
  CHECK(refusal([&] { solve(p, 1); }) ==
        "divot: wasserstein_1d: point 1 of x is -inf; points must be finite");
  CHECK(refusal([&] {
          divot::wasserstein_1d(vector{{1e308, 0}}, vector{{-1e308, 0}});
        }).find("the points lie between -1e+308 and 1e+308") != std::string::npos);
}

}  // namespace
