// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Costs computed from points, the debiased divergence, and many problems at once.
#include <doctest/doctest.h>
#include <divot/sinkhorn_batch.hpp>
#include <divot/sinkhorn_divergence.hpp>
#include <unit/refusal.hpp>
#include <unit/transport_problem.hpp>

#include <array>
#include <cstdint>
#include <limits>

namespace {

using matrix = Eigen::MatrixXd;
using vector = Eigen::VectorXd;
using divot::transport_objective;
using divot::transport_status;
namespace ground = divot::ground;

struct two_sides {
  matrix x, y;
};

/// body(ground, the same cost of two points)
template <class Body>
void each_ground(Body const& body) {
  body(ground::l1{}, [](auto const& x, auto const& y) { return (x - y).template lpNorm<1>(); });
  body(ground::l2{}, [](auto const& x, auto const& y) { return (x - y).norm(); });
  body(ground::squared_l2{}, [](auto const& x, auto const& y) { return (x - y).squaredNorm(); });
  body(ground::lp{3},
       [](auto const& x, auto const& y) { return std::cbrt((x - y).array().abs().cube().sum()); });
  body(ground::cosine{},
       [](auto const& x, auto const& y) { return 1 - x.dot(y) / (x.norm() * y.norm()); });
}

template <class F>
matrix costs_of(two_sides const& p, F const& f) {
  matrix cost(p.x.rows(), p.y.rows());
  for (Eigen::Index i = 0; i < cost.rows(); ++i) {
    for (Eigen::Index j = 0; j < cost.cols(); ++j) {
      cost(i, j) = f(vector(p.x.row(i)), vector(p.y.row(j)));
    }
  }
  return cost;
}

TEST_CASE("costs between points are those of their matrix, and so are plans") {
  two_sides const p{random_points(5, 3, 1), random_points(9, 3, 2)};
  // so many coordinates that the costs are worked out once, where they are few enough
  two_sides const q{.2 * random_points(75, 50, 3), .2 * random_points(70, 50, 4)};
  vector a = vector::Ones(75), b = vector::Ones(70);
  a(4) = a(70) = b(1) = 0;
  a /= a.sum();
  b /= b.sum();
  each_ground([&](auto const& ground, auto const& f) {
    matrix const cost = costs_of(p, f), wide = costs_of(q, f);
    auto const s = divot::sinkhorn(divot::points(p.x, p.y, ground), {.tolerance = 1e-12});
    auto const t = divot::sinkhorn(cost, {.tolerance = 1e-12});
    auto const u = divot::sinkhorn(divot::points(q.x, q.y, ground), a, b, {.epsilon = .5});
    auto const v = divot::sinkhorn(wide, a, b, {.epsilon = .5});
    CHECK((u.plan() - v.plan()).cwiseAbs().maxCoeff() <= 1e-11);
    CHECK(u.transport_cost == doctest::Approx(v.transport_cost).epsilon(1e-10));
    auto const turned = divot::sinkhorn(divot::points(q.y, q.x, ground), b, a, {.epsilon = .05});
    CHECK((turned.plan() - divot::sinkhorn(wide.transpose(), b, a, {.epsilon = .05}).plan())
              .cwiseAbs()
              .maxCoeff() <= 1e-8);
    auto const own = divot::sinkhorn(divot::points(p.x, p.y, f), {.tolerance = 1e-12});
    auto const one = divot::sinkhorn(divot::seq, divot::points(p.x, p.y, ground),
                                     divot::sinkhorn_options{.tolerance = 1e-12});
    CHECK((s.plan() - t.plan()).cwiseAbs().maxCoeff() <= 1e-11);
    CHECK((own.plan() - t.plan()).cwiseAbs().maxCoeff() <= 1e-11);
    CHECK((one.plan() - t.plan()).cwiseAbs().maxCoeff() <= 1e-11);
    CHECK(s.entropic == doctest::Approx(t.entropic).epsilon(1e-11));
  });
}

TEST_CASE("points' gradients are those of central differences") {
  two_sides const p{random_points(4, 3, 3), random_points(6, 3, 4)};
  each_ground([&](auto const& ground, auto const&) {
    for (auto const of : {transport_objective::entropic, transport_objective::transport_cost}) {
      divot::sinkhorn_options const options{.epsilon = .3, .tolerance = 1e-13};
      auto const value = [&](two_sides const& q) {
        return value_of(divot::sinkhorn(divot::points(q.x, q.y, ground), options), of);
      };
      auto const g = divot::sinkhorn(divot::points(p.x, p.y, ground), options).gradient(of);
      CHECK(worst_slope(
                g.x, p, [](auto& q) -> auto& { return q.x; }, value, 1e-5) <= 1e-6 * g.x.norm());
      CHECK(worst_slope(
                g.y, p, [](auto& q) -> auto& { return q.y; }, value, 1e-5) <= 1e-6 * g.y.norm());
    }
  });
}

TEST_CASE("points that coincide, and points of no mass, have finite gradients") {
  two_sides p{random_points(4, 2, 5), random_points(4, 2, 6)};
  p.y.row(1) = p.x.row(2);
  vector a{{.5, 0, .25, .25}}, b = vector::Constant(4, .25);
  each_ground([&](auto const& ground, auto const&) {
    auto const s = divot::sinkhorn(divot::points(p.x, p.y, ground), a, b);
    auto const g = s.gradient(transport_objective::transport_cost);
    CHECK(g.x.allFinite());
    CHECK(g.y.allFinite());
    CHECK((g.x.row(1).array() == 0).all());
  });
}

TEST_CASE(
    "the divergence of points is 0 for the same ones, positive for others, and its gradient "
    "is that of central differences") {
  two_sides const p{random_points(4, 3, 7), random_points(5, 3, 8)};
  divot::sinkhorn_options const options{.epsilon = .5, .tolerance = 1e-13};
  each_ground([&](auto const& ground, auto const&) {
    CHECK(std::abs(divot::sinkhorn_divergence(p.x, p.x, ground, {.tolerance = 1e-13}).value()) <=
          1e-13);
    auto const value = [&](two_sides const& q) {
      return divot::sinkhorn_divergence(q.x, q.y, ground, options).value();
    };
    auto const d = divot::sinkhorn_divergence(p.x, p.y, ground, options);
    CHECK(d.converged());
    CHECK(d.value() > 0);
    auto const g = d.gradient();
    CHECK(worst_slope(
              g.x, p, [](auto& q) -> auto& { return q.x; }, value, 1e-5) <= 1e-6 * g.x.norm());
    CHECK(worst_slope(
              g.y, p, [](auto& q) -> auto& { return q.y; }, value, 1e-5) <= 1e-6 * g.y.norm());
  });
}

TEST_CASE("a divergence says itself what is wrong with its sides") {
  two_sides p{random_points(4, 3, 7), random_points(5, 3, 8)};
  transport_problem const m = random_problem(4, 5, 11);
  ground::squared_l2 const squared;
  auto const call = [&](auto const& a, auto const& b, divot::sinkhorn_options const& options = {}) {
    return refusal([&] { divot::sinkhorn_divergence(p.x, p.y, squared, a, b, options); });
  };
  CHECK(call(m.a, m.b, {.epsilon = 0}) ==
        "divot: sinkhorn_divergence: epsilon is 0; it must be positive and finite");
  CHECK(call(m.a, m.a) ==
        "divot: sinkhorn_divergence: the cost is 4×5; there are 4 row masses and 4 column masses");
  vector b = m.b;
  b(2) = -1;
  CHECK(call(m.a, b).find("divot: sinkhorn_divergence: column 2 has mass -1") == 0);
  p.x.row(3) *= 1e14;
  CHECK(call(m.a, m.b).find("divot: sinkhorn_divergence: epsilon is ") == 0);
  p.x(3, 1) = std::nan("");
  CHECK(call(m.a, m.a) == "divot: sinkhorn_divergence: coordinate 1 of row 3 is nan");
  p.y = random_points(5, 2, 8);
  CHECK(call(m.a, m.b) ==
        "divot: sinkhorn_divergence: those of the rows have 3 coordinates, those of the columns 2");
}

TEST_CASE("a divergence with masses and penalties, one side's own problem solved before") {
  two_sides const p{random_points(4, 2, 9), random_points(5, 2, 10)};
  for (double const penalty : {HUGE_VAL, .8}) {
    transport_problem m = random_problem(4, 5, 11);
    if (penalty < HUGE_VAL) m.a *= 1.4;
    divot::sinkhorn_options const options{
        .epsilon = .4, .tolerance = 1e-13, .row_penalty = penalty, .column_penalty = penalty};
    ground::squared_l2 const squared;
    auto const own = divot::sinkhorn(divot::points(p.y, p.y, squared), m.b, m.b,
                                     divot::own_problem(options, penalty));
    auto const d = divot::sinkhorn_divergence(p.x, p.y, squared, m.a, m.b, own, options);
    auto const whole = divot::sinkhorn_divergence(p.x, p.y, squared, m.a, m.b, options);
    CHECK(d.value() == whole.value());
    auto const self = divot::sinkhorn_divergence(p.x, p.x, squared, m.a, m.a, options);
    CHECK(std::abs(self.value()) <= 1e-12);
    auto const g = d.gradient();
    auto const value = [&](transport_problem const& q) {
      return divot::sinkhorn_divergence(p.x, p.y, squared, q.a, q.b, options).value();
    };
    if (penalty < HUGE_VAL) {
      CHECK(worst_slope(
                g.row_mass, m, [](auto& q) -> auto& { return q.a; }, value, 1e-4) <= 1e-7);
      CHECK(worst_slope(
                g.column_mass, m, [](auto& q) -> auto& { return q.b; }, value, 1e-4) <= 1e-7);
    } else {
      double const slope = slope_at_zero(
          [&](double by) {
            transport_problem q = m;
            q.a(0) += by;
            q.a(2) -= by;
            return value(q);
          },
          1e-4);
      CHECK(std::abs(slope - (g.row_mass(0) - g.row_mass(2))) <= 1e-8);
    }
  }
}

TEST_CASE("a batch's problems are solved as each would be alone, and wrong ones say so") {
  std::vector<matrix> costs;
  std::vector<vector> a, b;
  for (unsigned k = 0; k < 24; ++k) {
    transport_problem const p = random_problem(5 + k % 7, 4 + k % 5, k);
    costs.push_back(p.cost);
    a.push_back(p.a);
    b.push_back(p.b);
  }
  // a hard one and an easy one keep their own numbers of sweeps
  costs[2] *= 40;
  costs[9] *= 1e-3;
  costs[3](0, 0) = std::nan("");
  a[5] *= 2;
  b[7](1) = -1;
  a[8].conservativeResize(3);
  a[11](0) = a[11](1) = 0;
  a[11] /= a[11].sum();
  auto const s = divot::sinkhorn_batch(divot::simd, costs, a, b);
  auto const one = divot::sinkhorn_batch(divot::seq, costs, a, b);
  for (std::size_t k = 0; k < costs.size(); ++k) {
    CAPTURE(k);
    if (k == 3 || k == 5 || k == 7 || k == 8) {
      CHECK(s[k].plan() == matrix::Zero(costs[k].rows(), costs[k].cols()));
      CHECK(std::isnan(s[k].entropic + s[k].dual + s[k].transport_cost));
      std::string const alone = refusal([&] { divot::sinkhorn(costs[k], a[k], b[k]); });
      std::string const start = "divot: sinkhorn: ";
      CHECK(alone.starts_with(start));
      CHECK(s[k].flaw == "divot: sinkhorn_batch: problem " + std::to_string(k) + ": " +
                             alone.substr(start.size()));
      CHECK(refusal([&] { s[k].gradient(transport_objective::entropic); }).find(s[k].flaw) !=
            std::string::npos);
    } else {
      auto const alone = divot::sinkhorn(costs[k], a[k], b[k]);
      CHECK(s[k].status == transport_status::converged);
      CHECK(s[k].plan() == alone.plan());
      CHECK(s[k].sweeps == alone.sweeps);
      CHECK(s[k].newton_steps == alone.newton_steps);
      CHECK((s[k].plan() - one[k].plan()).cwiseAbs().maxCoeff() <= 1e-8);
    }
#if DIVOT_HAS_OPENMP
    static auto const shared = divot::sinkhorn_batch(divot::omp(2), costs, a, b);
    CHECK(shared[k].plan() == s[k].plan());
    CHECK(shared[k].flaw == s[k].flaw);
    if (s[k].flaw.empty()) CHECK(shared[k].dual == s[k].dual);
#endif
  }
  CHECK(s[3].status == transport_status::bad_input);
  CHECK(s[5].status == transport_status::mass_mismatch);
  CHECK(s[9].sweeps < s[2].sweeps);
  CHECK(divot::sinkhorn_batch(std::vector<matrix>{}).empty());
  CHECK(refusal([&] { divot::sinkhorn_batch(costs, a, std::vector<vector>{}); }) ==
        "divot: sinkhorn_batch: there are 24 costs, 24 lists of row masses and 0 of column masses");
  CHECK(refusal([&] { divot::sinkhorn_batch(costs, a, b, {.epsilon = -1}); }) ==
        "divot: sinkhorn_batch: epsilon is -1; it must be positive and finite");
}

TEST_CASE("one cost serves many masses; float costs are solved to 1e-5") {
  transport_problem const p = random_problem(7, 6, 1);
  matrix a(7, 5), b(6, 5);
  for (unsigned k = 0; k < 5; ++k) {
    transport_problem const q = random_problem(7, 6, k + 2);
    a.col(k) = q.a;
    b.col(k) = q.b;
  }
  auto const s = divot::sinkhorn_batch(p.cost, a, b);
  for (Eigen::Index k = 0; k < 5; ++k) {
    CHECK(s[static_cast<std::size_t>(k)].plan() ==
          divot::sinkhorn(p.cost, a.col(k), b.col(k)).plan());
  }
  Eigen::MatrixXf const cost = p.cost.cast<float>();
  auto const f = divot::sinkhorn_batch(cost, a, b);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(f[k].status == transport_status::converged);
    CHECK(f[k].row_error + f[k].column_error <= 2e-5);
    CHECK((f[k].plan() - s[k].plan()).cwiseAbs().maxCoeff() <= 1e-5);
  }
  std::array<Eigen::MatrixXf, 2> const some{cost, 3 * cost};
  CHECK(divot::sinkhorn_batch(divot::seq, some)[1].status == transport_status::converged);
  CHECK(divot::sinkhorn_batch(some, {.sweeps = 2})[0].sweeps == 2);
  CHECK(divot::sinkhorn_batch(p.cost, a, b, {.sweeps = 3})[4].sweeps == 3);
}

TEST_CASE("points in float, too many for a kernel, are swept in float") {
  Eigen::Index const count = 2100;
  Eigen::MatrixXf const x = random_points(count, 3, 21).cast<float>();
  Eigen::MatrixXf const y = (random_points(count, 3, 22).array() + 100).cast<float>();
  Eigen::MatrixXf const near = y.array() - 100;
  for (divot::sinkhorn_options const& options :
       {divot::sinkhorn_options{.epsilon = 1, .tolerance = 1e-5}, {.epsilon = 1, .sweeps = 2}}) {
    auto const in_float = divot::sinkhorn(divot::points(x, near, divot::ground::l2{}), options);
    auto const in_double = divot::sinkhorn(
        divot::points(x.cast<double>(), near.cast<double>(), divot::ground::l2{}), options);
    CHECK(in_float.domain == divot::transport_domain::logarithms);
    CHECK(in_float.status == in_double.status);
    CHECK(in_float.sweeps == in_double.sweeps);
    CHECK(std::abs(in_float.transport_cost - in_double.transport_cost) <=
          1e-5 * in_double.transport_cost);
    auto const g = in_float.gradient(
        divot::transport_objective::entropic,
        options.sweeps > 0 ? divot::route::plan_detached : divot::route::envelope);
    CHECK(g.x.allFinite());
  }
}

TEST_CASE("threads change no bit of a problem of points, large enough to be shared") {
  matrix const x = random_points(700, 4, 12), y = random_points(900, 4, 13);
  divot::sinkhorn_options const options{.epsilon = 2, .sweeps = 3};
  auto const s = divot::sinkhorn(divot::points(x, y), options);
  CHECK(s.sweeps == 3);
#if DIVOT_HAS_OPENMP
  auto const t = divot::sinkhorn(divot::omp(2), divot::points(x, y), options);
  CHECK(s.row_potentials() == t.row_potentials());
  CHECK(s.dual == t.dual);
#endif
}

TEST_CASE("more columns than a matrix of them has room for: conjugate gradients") {
  // points on a line in two groups, between which one of 1300 moves: sweeps converge slowly
  Eigen::Index const count = 1300;
  matrix x(count, 1), y(count, 1);
  for (Eigen::Index i = 0; i < count; ++i) {
    double const t = static_cast<double>(i) / static_cast<double>(count);
    x(i, 0) = t + (i % 2 == 0 || i == 1 ? 0 : 2);
    y(i, 0) = t * t + (i % 2 == 0 ? 0 : 2);
  }
  auto const s = divot::sinkhorn(divot::points(x, y), {.epsilon = .02});
  CHECK(s.status == transport_status::converged);
  CHECK(s.newton_steps > 0);
  CHECK(s.row_error + s.column_error <= 2e-9);
  // the implicit gradient, along one direction
  auto const g = s.gradient(transport_objective::transport_cost);
  matrix const direction = random_points(count, 1, 14);
  double const slope = slope_at_zero(
      [&](double by) {
        matrix const moved = x + by * direction;
        return divot::sinkhorn(divot::points(moved, y), {.epsilon = .02, .tolerance = 1e-11})
            .transport_cost;
      },
      1e-3);
  CHECK(g.x.cwiseProduct(direction).sum() == doctest::Approx(slope).epsilon(1e-5));
}

TEST_CASE("points that make no problem are refused") {
  matrix const x = random_points(3, 2, 15);
  matrix y = random_points(4, 3, 16);
  CHECK(refusal([&] { divot::points(x, y); }) ==
        "divot: points: those of the rows have 2 coordinates, those of the columns 3");
  y = random_points(4, 2, 17);
  CHECK(refusal([&] { divot::points(x, y, ground::lp{.5}); }).find("lp's p is 0.5") !=
        std::string::npos);
  y(1, 0) = std::numeric_limits<double>::infinity();
  CHECK(refusal([&] { divot::points(x, y); }) == "divot: points: coordinate 0 of column 1 is inf");
  y.row(1).setZero();
  CHECK(refusal([&] { divot::points(x, y, ground::cosine{}); }) ==
        "divot: points: column 1 is 0: it has no cosine");
  auto const nothing = [](auto const&, auto const&) { return std::nan(""); };
  CHECK(refusal([&] {
          divot::sinkhorn(divot::points(x, y, nothing));
        }).find("the cost in row 0, column 0 is nan") != std::string::npos);
}

}  // namespace
