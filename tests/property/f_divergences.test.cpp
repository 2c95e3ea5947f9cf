// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <property/laws.hpp>
#include <property/sason_verdu.hpp>

#include <algorithm>
#include <numeric>

namespace {

using namespace laws;

struct pair {
  row teacher, student;
};

/// Pairs of rows of different lengths and scales.
std::vector<pair> pairs(std::uint64_t seed) {
  samples::random r(seed);
  std::vector<pair> all;
  for (double scale : {0.1, 1., 4.}) {
    for (std::size_t classes : {2, 3, 6, 70}) {
      all.push_back(
          {samples::logits<double>(r, classes, scale), samples::logits<double>(r, classes, scale)});
    }
  }
  return all;
}

/// ln(e^a + e^b).
double log_sum(double a, double b) {
  double const m = std::max(a, b);
  return m + std::log(std::exp(a - m) + std::exp(b - m));
}

}  // namespace

TEST_CASE("exchanging the arguments of a divergence gives its dual") {
  for (auto const& [p, q] : pairs(1)) {
    for (f_divergence const& d : f_divergences()) {
      CAPTURE(losses::name(d.what));
      CHECK(value(d.reversed, q, p) == near(value(d.what, p, q)));
    }
  }
}

TEST_CASE("a divergence never exceeds f(0) + f'(inf), and disjoint rows attain it") {
  for (auto const& [p, q] : pairs(2)) {
    for (f_divergence const& d : f_divergences()) {
      CAPTURE(losses::name(d.what));
      CHECK(at_most(value(d.what, p, q), d.supremum));
    }
  }
  row const p{-HUGE_VAL, 0, -HUGE_VAL, 1}, q{0, -HUGE_VAL, 1, -HUGE_VAL};
  for (f_divergence const& d : f_divergences()) {
    CAPTURE(losses::name(d.what));
    double const disjoint = value(d.what, p, q);
    if (std::isinf(d.supremum)) {
      CHECK(disjoint == d.supremum);
    } else {
      CHECK(disjoint == near(d.supremum));
    }
  }
}

TEST_CASE("merging classes never increases a divergence") {
  for (auto const& [p, q] : pairs(3)) {
    row p2(p.begin() + 1, p.end()), q2(q.begin() + 1, q.end());
    p2[0] = log_sum(p[0], p[1]);
    q2[0] = log_sum(q[0], q[1]);
    for (f_divergence const& d : f_divergences()) {
      CAPTURE(losses::name(d.what));
      double const whole = value(d.what, p, q);
      CHECK(value(d.what, p2, q2) <= whole + budget::law<double> * (1 + whole));
    }
  }
}

TEST_CASE("splitting a class in proportion keeps a divergence, and so does permuting") {
  for (auto const& [p, q] : pairs(4)) {
    row p2 = p, q2 = q;
    double const share = 0.3;
    p2[0] = p[0] + std::log(share);
    q2[0] = q[0] + std::log(share);
    p2.push_back(p[0] + std::log1p(-share));
    q2.push_back(q[0] + std::log1p(-share));
    row p3 = p, q3 = q;
    std::rotate(p3.begin(), p3.begin() + 1, p3.end());
    std::rotate(q3.begin(), q3.begin() + 1, q3.end());
    for (f_divergence const& d : f_divergences()) {
      CAPTURE(losses::name(d.what));
      double const whole = value(d.what, p, q);
      CHECK(value(d.what, p2, q2) == near(whole));
      CHECK(value(d.what, p3, q3) == near(whole));
    }
  }
}

TEST_CASE("a divergence is jointly convex") {
  auto const first = pairs(5), second = pairs(6);
  for (std::size_t i = 0; i < first.size(); ++i) {
    row const p1 = softmax(first[i].teacher), q1 = softmax(first[i].student);
    row const p2 = softmax(second[i].teacher), q2 = softmax(second[i].student);
    for (double share : {0.1, 0.5}) {
      row p = p1, q = q1;
      for (std::size_t k = 0; k < p.size(); ++k) {
        p[k] = share * p1[k] + (1 - share) * p2[k];
        q[k] = share * q1[k] + (1 - share) * q2[k];
      }
      for (f_divergence const& d : f_divergences()) {
        CAPTURE(losses::name(d.what));
        CHECK(at_most(value(d.what, logarithms(p), logarithms(q)),
                      share * value(d.what, first[i].teacher, first[i].student) +
                          (1 - share) * value(d.what, second[i].teacher, second[i].student)));
      }
    }
  }
}

TEST_CASE("near p = q a divergence is half f''(1) times chi-squared") {
  constexpr double delta = 1e-5;
  samples::random r(7);
  for (std::size_t classes : {2, 10, 100}) {
    row const q = samples::logits<double>(r, classes, 1);
    row const p = samples::beside(r, q, delta, 0);
    double const chi_squared = value({kind::pearson}, p, q);
    for (f_divergence const& d : f_divergences()) {
      if (d.curvature == nullptr) continue;
      CAPTURE(losses::name(d.what));
      double const ratio = value(d.what, p, q) / chi_squared;
      CHECK(std::abs(ratio / (d.curvature(1, d.what.a) / 2) - 1) <= budget::first_order * delta);
    }
  }
}

TEST_CASE("a divergence is Sason and Verdu's integral over hockey-stick divergences") {
  samples::random r(8);
  for (double scale : {0.5, 2.}) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      row const p = samples::logits<double>(r, 6, scale), q = samples::logits<double>(r, 6, scale);
      for (f_divergence const& d : f_divergences()) {
        if (d.curvature == nullptr) continue;
        CAPTURE(losses::name(d.what));
        auto const curvature = [&](double u) { return d.curvature(u, d.what.a); };
        CHECK(value(d.what, p, q) == near(sason_verdu(curvature, softmax(p), softmax(q))));
      }
    }
  }
}

TEST_CASE("skew Jensen-Shannon over its weights tends to KL at both ends") {
  constexpr double weight = 1e-6;
  for (auto const& [p, q] : pairs(9)) {
    double const kl = value({kind::kl}, p, q), reverse_kl = value({kind::reverse_kl}, p, q);
    double const low = value({kind::skew_js, weight}, p, q) / (weight * (1 - weight));
    double const high = value({kind::skew_js, 1 - weight}, p, q) / (weight * (1 - weight));
    double const largest = value({kind::pearson}, p, q) + value({kind::neyman}, p, q);
    CHECK(std::abs(low - kl) <= budget::first_order * weight * largest);
    CHECK(std::abs(high - reverse_kl) <= budget::first_order * weight * largest);
  }
}
