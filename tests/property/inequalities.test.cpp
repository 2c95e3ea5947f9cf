// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <property/laws.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

using namespace laws;

/// 2000 pairs of rows, from nearly equal to nearly disjoint.
losses::problem<double> many_pairs(std::uint64_t seed, std::size_t classes) {
  samples::random r(seed);
  losses::problem<double> p{2000, classes, {}, {}};
  for (std::size_t i = 0; i < p.rows; ++i) {
    double const scale = std::exp(3 * r.uniform() - 1), distance = std::exp(8 * r.uniform() - 6);
    for (std::size_t k = 0; k < classes; ++k) {
      double const x = scale * r.normal();
      p.student.push_back(x);
      p.teacher.push_back(x + distance * r.normal());
    }
  }
  return p;
}

/// Counts the rows where a law fails, so that a failure is one message.
template <class Law>
std::size_t violations(std::size_t rows, Law law) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows; ++i) count += !law(i);
  return count;
}

}  // namespace

TEST_CASE("the known inequalities between divergences hold on random pairs") {
  for (std::size_t classes : {2, 3, 10}) {
    auto const rows = many_pairs(10 + classes, classes);
    auto const kl = values({kind::kl}, rows);
    auto const js = values({kind::jensen_shannon}, rows), jeffreys = values({kind::jeffreys}, rows);
    auto const hellinger = values({kind::squared_hellinger}, rows);
    auto const tv = values({kind::total_variation}, rows);
    auto const chi = values({kind::pearson}, rows);
    auto triangular = values({kind::le_cam}, rows);
    for (double& x : triangular) x *= 2;
    auto const all = [&](auto law) { return violations(rows.rows, law); };
    double const ln2 = std::log(2.);
    auto const bhattacharyya = [&](std::size_t i) { return -2 * std::log1p(-hellinger[i] / 2); };
    using i = std::size_t;
    CHECK(all([&](i n) { return at_most(tv[n], std::sqrt(kl[n] / 2)); }) == 0);
    CHECK(all([&](i n) { return at_most(tv[n], std::sqrt(-std::expm1(-kl[n]))); }) == 0);
    CHECK(all([&](i n) { return at_most(hellinger[n] / 2, tv[n]); }) == 0);
    CHECK(all([&](i n) {
            return at_most(tv[n], std::sqrt(hellinger[n] * (1 - hellinger[n] / 4)));
          }) == 0);
    CHECK(all([&](i n) { return at_most(hellinger[n], bhattacharyya(n)); }) == 0);
    CHECK(all([&](i n) { return at_most(bhattacharyya(n), kl[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(kl[n], std::log1p(chi[n])); }) == 0);
    CHECK(all([&](i n) { return at_most(tv[n] * tv[n] / 2, js[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(js[n], ln2 * tv[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(hellinger[n], triangular[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(triangular[n], 2 * hellinger[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(2 * tv[n] * tv[n], triangular[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(triangular[n], 2 * tv[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(triangular[n] / 4, js[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(js[n], ln2 / 2 * triangular[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(4 * tv[n] * tv[n], chi[n]); }) == 0);
    CHECK(all([&](i n) { return at_most(js[n], jeffreys[n] / 4); }) == 0);
    CHECK(all([&](i n) {  // Vajda; its two terms cancel to fourth order in tv
            double const bound = 2 * std::atanh(tv[n]) - 2 * tv[n] / (1 + tv[n]);
            return bound <= kl[n] * (1 + budget::law<double>)+budget::law<double> * tv[n];
          }) == 0);
  }
}

TEST_CASE("Renyi's divergence does not decrease with its order and has its skew symmetry") {
  for (std::size_t classes : {2, 10}) {
    auto const rows = many_pairs(20 + classes, classes);
    losses::problem<double> swapped = rows;
    std::swap(swapped.teacher, swapped.student);
    auto const renyi = [](double a, losses::problem<double> const& of) {
      auto all = values({kind::alpha, a}, of);
      for (double& x : all) x = a == 1 ? x : std::log1p(a * (a - 1) * x) / (a - 1);
      return all;
    };
    std::vector<double> last(rows.rows, 0);
    for (double a : {0.125, 0.25, 0.5, 0.75, 1., 1.25, 2.}) {
      CAPTURE(a);
      auto const now = renyi(a, rows);
      // 1 + a(a − 1)D cancels where the rows are far apart.
      auto const slack = [&](std::size_t n) {
        return budget::law<double> * std::exp(std::abs(a - 1) * now[n]) / std::abs(a - 1.0001);
      };
      CHECK(violations(rows.rows, [&](std::size_t n) { return last[n] <= now[n] + slack(n); }) ==
            0);
      if (a < 1) {
        auto const mirror = renyi(1 - a, swapped);
        CHECK(violations(rows.rows, [&](std::size_t n) {
                return std::abs((1 - a) * now[n] - a * mirror[n]) <= slack(n);
              }) == 0);
      }
      last = now;
    }
  }
}

TEST_CASE(
    "the roots of Jensen-Shannon and of triangular, Hellinger's and total variation are metrics") {
  samples::random r(30);
  std::size_t const rows = 2000, classes = 5;
  std::array<std::vector<double>, 3> points;
  for (auto& x : points) x = samples::logits<double>(r, rows * classes, 2);
  auto const distance = [&](losses::loss const& l, std::size_t a, std::size_t b, bool root) {
    auto all = values(l, {rows, classes, points[a], points[b]});
    for (double& x : all) x = root ? std::sqrt(x) : x;
    return all;
  };
  for (losses::loss const& l : {losses::loss{kind::jensen_shannon},
                                {kind::le_cam},
                                {kind::squared_hellinger},
                                {kind::total_variation}}) {
    CAPTURE(losses::name(l));
    bool const root = l.what != kind::total_variation;
    auto const ab = distance(l, 0, 1, root), bc = distance(l, 1, 2, root),
               ac = distance(l, 0, 2, root), ba = distance(l, 1, 0, root);
    CHECK(violations(rows, [&](std::size_t n) { return at_most(ac[n], ab[n] + bc[n]); }) == 0);
    CHECK(violations(rows, [&](std::size_t n) {
            return std::abs(ab[n] - ba[n]) <= budget::law<double> * ab[n];
          }) == 0);
  }
}
