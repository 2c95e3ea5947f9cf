// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// A problem's size chooses how its kernel is multiplied: none of it is to be seen from outside.
#include <doctest/doctest.h>
#include <divot/divot.hpp>
#include <unit/transport_problem.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace {

constexpr std::pair<int, int> sizes[] = {{1, 40},   {7, 9},     {16, 16},   {17, 33},  {20, 15},
                                         {64, 64},  {65, 63},   {70, 90},   {31, 250}, {8, 1000},
                                         {33, 300}, {100, 100}, {129, 140}, {513, 70}};

template <class T>
using matrix_of = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
void check_sizes(double tolerance) {
  for (auto const& size : sizes) {
    int const rows = size.first, columns = size.second;
    auto const p = random_problem(rows, columns, 3);
    matrix_of<T> const cost = p.cost.template cast<T>();
    for (int const sweeps : {0, 3}) {
      CAPTURE(rows);
      CAPTURE(columns);
      CAPTURE(sweeps);
      divot::sinkhorn_options const options{.epsilon = .2, .sweeps = sweeps};
      auto const packs = divot::sinkhorn(divot::simd, cost, p.a, p.b, options);
      auto const plain = divot::sinkhorn(divot::seq, cost, p.a, p.b, options);
      CHECK(packs.status == plain.status);
      CHECK((packs.plan() - plain.plan()).cwiseAbs().sum() <= tolerance);
      // what is reported is the plan's
      CHECK((packs.plan().rowwise().sum() - packs.rows).cwiseAbs().sum() <= tolerance);
      CHECK((packs.plan().colwise().sum().transpose() - packs.columns).cwiseAbs().sum() <=
            tolerance);
      CHECK(std::abs(p.cost.cwiseProduct(packs.plan()).sum() - packs.transport_cost) <= tolerance);
    }
  }
}

TEST_CASE("problems of all sizes are solved alike by packs and number by number") {
  check_sizes<double>(1e-12);
}

TEST_CASE("so they are in float") { check_sizes<float>(2e-5); }

TEST_CASE("a batch of many sizes is bit for bit what each of them is alone") {
  std::vector<matrix_of<float>> narrow;
  std::vector<matrix_of<double>> wide;
  std::vector<Eigen::VectorXd> a, b;
  for (int const again : {0, 1}) {
    for (auto const& [rows, columns] : sizes) {
      auto const p = random_problem(again ? columns : rows, again ? rows : columns, 5);
      narrow.push_back(p.cost.cast<float>());
      wide.push_back(p.cost);
      a.push_back(p.a);
      b.push_back(p.b);
    }
  }
  auto const check = [&](auto const& costs) {
    auto const all = divot::sinkhorn_batch(costs, a, b, {.epsilon = .2});
    for (std::size_t k = 0; k < costs.size(); ++k) {
      CAPTURE(k);
      auto const alone = divot::sinkhorn(costs[k], a[k], b[k], {.epsilon = .2});
      CHECK(all[k].dual == alone.dual);
      CHECK(all[k].sweeps == alone.sweeps);
      CHECK(all[k].row_potentials() == alone.row_potentials());
      CHECK(all[k].column_potentials() == alone.column_potentials());
    }
  };
  check(narrow);
  check(wide);
}

TEST_CASE("costs of many megabytes, which lie in large pages, are read as any others") {
  Eigen::Index const n = 800;
  auto const p = random_problem(n, n, 7);
  auto const s = divot::sinkhorn(p.cost, p.a, p.b, {.epsilon = .5, .sweeps = 2});
  CHECK(std::abs(p.cost.cwiseProduct(s.plan()).sum() - s.transport_cost) <= 1e-12);
  CHECK((s.plan().colwise().sum().transpose() - p.b).cwiseAbs().sum() <= 1e-12);
}

}  // namespace
