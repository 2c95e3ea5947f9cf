// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include "plans.hpp"

#include <algorithm>
#include <array>
#include <divot/divot.hpp>
#include <numeric>

namespace digits {

namespace {

/// The same number of each digit, digit by digit; fewer where a digit has fewer.
std::vector<Eigen::Index> by_digit(std::vector<std::int64_t> const& labels) {
  std::array<Eigen::Index, classes> count = {};
  std::vector<Eigen::Index> chosen;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (count[static_cast<std::size_t>(labels[i])]++ < shown_per_digit) {
      chosen.push_back(static_cast<Eigen::Index>(i));
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(), [&](Eigen::Index a, Eigen::Index b) {
    return labels[static_cast<std::size_t>(a)] < labels[static_cast<std::size_t>(b)];
  });
  return chosen;
}

Eigen::MatrixXd softmax(matrix const& logits) {
  Eigen::MatrixXd p(logits.rows(), classes);
  divot::softmax(divot::logits(logits.cast<double>(), 2), p);
  return p;
}

}  // namespace

std::vector<transport_plan> follow_plans(loss const& what, lesson const& from, exam const& test,
                                         settings const& how, std::vector<int> const& steps) {
  auto const chosen = by_digit(test.test().labels);
  dataset const shown = select(test.test(), chosen);
  matrix teacher(shown.size(), classes);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    teacher.row(static_cast<Eigen::Index>(i)) = test.teacher().row(chosen[i]);
  }
  std::vector<transport_plan> plans;
  for (int const step : steps) {
    network student = train_student(what, from, how, step);
    auto const solved = divot::sinkhorn(divot::points(softmax(student.forward(shown.images)),
                                                      softmax(teacher), divot::ground::l1{}),
                                        {.epsilon = .1});
    transport_plan each{step, solved.plan() * static_cast<double>(chosen.size())};
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (std::size_t j = 0; j < chosen.size(); ++j) {
        double const mass = each.mass(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) /
                            static_cast<double>(chosen.size());
        if (shown.labels[i] == shown.labels[j]) each.own_digit += mass;
        if (i == j) each.own_image += mass;
      }
    }
    plans.push_back(each);
  }
  return plans;
}

}  // namespace digits
