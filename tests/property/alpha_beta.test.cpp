// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <property/laws.hpp>

#include <cmath>
#include <functional>
#include <vector>

namespace {

using namespace laws;

losses::loss plane(double alpha, double beta) { return {kind::alpha_beta, alpha, beta}; }

/// Points of the plane: inside every sector, on every singular line, at their crossing.
std::vector<losses::loss> points() {
  std::vector<losses::loss> all;
  for (double alpha : {-1.25, -0.5, 0., 0.25, 0.5, 1., 2.}) {
    for (double beta : {-1.25, -0.5, 0., 0.25, 0.5, 1., 2.}) all.push_back(plane(alpha, beta));
  }
  return all;
}

struct pair {
  row teacher, student;
};

std::vector<pair> pairs(std::uint64_t seed) {
  samples::random r(seed);
  std::vector<pair> all;
  for (double scale : {0.2, 1., 3.}) {
    for (std::size_t classes : {2, 7, 70}) {
      all.push_back(
          {samples::logits<double>(r, classes, scale), samples::logits<double>(r, classes, scale)});
    }
  }
  return all;
}

double distance(row a, row const& b, double factor = 1) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += std::pow(a[k] - factor * b[k], 2);
  return std::sqrt(sum);
}

double norm(row const& x) { return distance(x, row(x.size(), 0)); }

}  // namespace

TEST_CASE("alpha-beta is positive for different rows and 0 for equal ones") {
  for (auto const& [p, q] : pairs(50)) {
    for (losses::loss const& l : points()) {
      CAPTURE(losses::name(l));
      CHECK(value(l, p, q) > 0);
      CHECK(value(l, p, p) == 0);
    }
  }
}

TEST_CASE("alpha-beta of (p, q) is beta-alpha of (q, p), gradients too") {
  for (auto const& [p, q] : pairs(51)) {
    for (losses::loss const& l : points()) {
      CAPTURE(losses::name(l));
      auto const one = everything(l, p, q), other = everything(plane(l.b, l.a), q, p);
      CHECK(other.value == near(one.value));
      CHECK(distance(other.teacher, one.student) <= budget::law<double> * norm(one.student));
      CHECK(distance(other.student, one.teacher) <= budget::law<double> * norm(one.teacher));
      CHECK(std::abs(other.parameters[1] - one.parameters[0]) <=
            budget::law<double> * (std::abs(one.parameters[0]) + std::abs(one.parameters[1])));
    }
  }
}

TEST_CASE("points of the alpha-beta plane are the divergences of those names") {
  struct alias {
    losses::loss point, other;
    double factor;
  };
  for (auto const& [p, q] : pairs(52)) {
    for (alias const& a : {alias{plane(1, 0), {kind::kl}, 1},
                           {plane(0, 1), {kind::reverse_kl}, 1},
                           {plane(0.5, 0.5), {kind::squared_hellinger}, 2},
                           {plane(2, -1), {kind::pearson}, 0.5},
                           {plane(-1, 2), {kind::neyman}, 0.5},
                           {plane(0.25, 0.75), {kind::alpha, 0.25}, 1},
                           {plane(1, 0), {kind::alpha, 1}, 1},
                           {plane(0, 1), {kind::alpha, 0}, 1},
                           {{kind::skew_js, 0.5}, {kind::jensen_shannon}, 1}}) {
      CAPTURE(losses::name(a.other));
      auto const one = everything(a.point, p, q), other = everything(a.other, p, q);
      CHECK(one.value == near(a.factor * other.value));
      CHECK(distance(one.student, other.student, a.factor) <=
            budget::law<double> * norm(one.student));
      CHECK(distance(one.teacher, other.teacher, a.factor) <=
            budget::law<double> * norm(one.teacher));
    }
    auto const forward = everything({kind::kl}, p, q), back = everything({kind::reverse_kl}, p, q);
    auto const both = everything({kind::jeffreys}, p, q);
    CHECK(both.value == near(forward.value + back.value));
    row sum = forward.student;
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += back.student[k];
    CHECK(distance(sum, both.student) <= budget::law<double> * norm(both.student));
  }
}

TEST_CASE("points of the alpha-beta plane have their closed forms") {
  for (auto const& [t, s] : pairs(53)) {
    row const p = softmax(t), q = softmax(s);
    auto const sum = [&](std::function<double(double, double)> const& term) {
      double total = 0;
      for (std::size_t k = 0; k < p.size(); ++k) total += term(p[k], q[k]);
      return total;
    };
    CHECK(value(plane(1, 1), t, s) ==
          near(sum([](double x, double y) { return (x - y) * (x - y) / 2; })));
    CHECK(value(plane(1, -1), t, s) ==
          near(sum([](double x, double y) { return x / y - std::log(x / y) - 1; })));
    CHECK(value(plane(0, 0), t, s) ==
          near(sum([](double x, double y) { return std::pow(std::log(x / y), 2) / 2; })));
    for (double a : {0.25, -0.5, 1.5}) {
      CAPTURE(a);
      CHECK(value(plane(a, a), t, s) == near(sum([a](double x, double y) {
              return std::pow(std::pow(x, a) - std::pow(y, a), 2) / (2 * a * a);
            })));
    }
  }
}

TEST_CASE("alpha-beta is continuous across every singular line, with its gradient") {
  constexpr double h = 1e-9;
  for (auto const& [p, q] : pairs(54)) {
    double largest = 0;  // of |ln(p/q)|, |ln p| and |ln q|: what a step in alpha is multiplied by
    row const x = logarithms(softmax(p)), y = logarithms(softmax(q));
    for (std::size_t k = 0; k < p.size(); ++k) {
      largest = std::max({largest, std::abs(x[k]), std::abs(y[k]), std::abs(x[k] - y[k])});
    }
    for (losses::loss const& l : {plane(0, 0.5), plane(0, -0.75), plane(0.5, 0), plane(-0.75, 0),
                                  plane(0.5, -0.5), plane(-1.25, 1.25), plane(0, 0)}) {
      CAPTURE(losses::name(l));
      auto const on = everything(l, p, q);
      for (double da : {-h, 0., h}) {
        for (double db : {-h, 0., h}) {
          auto const beside = everything(plane(l.a + da, l.b + db), p, q);
          double const slack = budget::first_order * h * largest;
          CHECK(std::abs(beside.value - on.value) <= slack * on.value);
          CHECK(distance(beside.student, on.student) <= slack * norm(on.student));
          CHECK(distance(beside.teacher, on.teacher) <= slack * norm(on.teacher));
        }
      }
    }
  }
}

TEST_CASE("the derivatives in alpha and beta are those of the loss") {
  constexpr double h = 1e-5;
  for (auto const& [p, q] : pairs(55)) {
    for (losses::loss const& l : points()) {
      CAPTURE(losses::name(l));
      auto const got = everything(l, p, q).parameters;
      double const a =
          (value(plane(l.a + h, l.b), p, q) - value(plane(l.a - h, l.b), p, q)) / (2 * h);
      double const b =
          (value(plane(l.a, l.b + h), p, q) - value(plane(l.a, l.b - h), p, q)) / (2 * h);
      double const size = std::abs(a) + std::abs(b) + value(l, p, q);
      CHECK(std::abs(got[0] - a) <= budget::first_order * h * size);
      CHECK(std::abs(got[1] - b) <= budget::first_order * h * size);
    }
  }
}

TEST_CASE("alpha-beta on the line of 0 total degree does not see how peaked both rows are alike") {
  // λ = 0: the class losses depend on ln(p/q) alone, so adding a class of equal logits on both
  // sides and equal partition functions changes nothing.
  row const p{1, 2, 0.5}, q{2, 1, 0.5};
  for (double alpha : {0.5, -1., 0.}) {
    CAPTURE(alpha);
    double const whole = value(plane(alpha, -alpha), p, q);
    row p2 = p, q2 = q;
    p2.push_back(3);
    q2.push_back(3);
    CHECK(value(plane(alpha, -alpha), p2, q2) == near(whole));
  }
}
