// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// How rows are weighted, masked and combined.
#include "reference.hpp"

#include <numeric>

namespace calls {
namespace {

/// A batch with everything in it, and what must come out of it.
struct sample {
  explicit sample(shape s) : size(s) {
    for (Eigen::Index r = 0; r < s.rows; ++r) {
      auto const row = kl_row(teacher, student, r, s.classes);
      losses.push_back(row.loss);
      gradients.row(r) = row.gradient;
    }
    mask[static_cast<std::size_t>(s.rows / 2)] = 0;
  }
  double weighted(std::size_t r, bool masks) const {
    return masks && mask[r] == 0 ? 0 : weights[r] * losses[r];
  }
  shape size;
  matrix teacher = normal(size.rows, size.classes, 1), student = normal(size.rows, size.classes, 2);
  std::vector<double> weights = numbers(size.rows, 3), upstream = numbers(size.rows, 4);
  std::vector<std::uint8_t> mask = std::vector<std::uint8_t>(std::size_t(size.rows), 1);
  std::vector<double> losses;
  wide_matrix gradients = wide_matrix(size.rows, size.classes);
};

}  // namespace

TEST_CASE("the mean divides losses and gradients by the number of rows, the sum does not") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    sample const s(size);
    double const total = std::accumulate(s.losses.begin(), s.losses.end(), 0.);
    auto const rows = static_cast<double>(size.rows);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = s.student;
      result const mean = kl(p, of(s.teacher, s.student), into(gradient));
      CHECK(mean.valid_rows == size.rows);
      check_loss(mean, total / rows);
      check_gradient(gradient, s.gradients / rows);
      check_loss(kl(p, of(s.teacher, s.student)), total / rows);
      for (auto const how : {divot::reduction::sum, divot::reduction::none}) {
        result const sum = kl(p, of(s.teacher, s.student), into(gradient), {.reduction = how});
        CHECK(sum.valid_rows == size.rows);
        check_loss(sum, total);
        check_gradient(gradient, s.gradients);
      }
    }
  }
}

TEST_CASE(
    "weights multiply losses and gradients, upstream gradients only gradients, masks drop rows") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    sample const s(size);
    auto const valid = static_cast<double>(size.rows - 1);
    double total = 0, largest = 0;
    wide_matrix expected = s.gradients;
    for (std::size_t r = 0; r < s.losses.size(); ++r) {
      total += s.weighted(r, true);
      largest = std::max(largest, std::abs(s.weighted(r, true)));
      double const factor = s.mask[r] == 0 ? 0 : s.weights[r] * s.upstream[r] / valid;
      expected.row(Eigen::Index(r)) *= factor;
    }
    std::vector<double> per_row(s.losses.size(), untouched);
    divot::batch const options{
        .weights = s.weights, .upstream = s.upstream, .mask = s.mask, .per_row = per_row};
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = untouched_like(s.student);
      result const mean = kl(p, of(s.teacher, s.student), into(gradient), options);
      CHECK(mean.valid_rows == size.rows - 1);
      check_loss(mean, total / valid, largest);
      check_gradient(gradient, expected);
      CHECK((gradient.row(size.rows / 2).array() == 0).all());
      for (std::size_t r = 0; r < per_row.size(); ++r) check_loss(per_row[r], s.weighted(r, true));
    }
  }
}

TEST_CASE("losses of rows are those of the rows alone, weighted and not divided") {
  sample const s({6, 130});
  std::vector<double> per_row(6);
  for (policy p : policies()) {
    CAPTURE(name(p));
    for (auto const how : {divot::reduction::mean, divot::reduction::sum, divot::reduction::none}) {
      per_row.assign(6, untouched);
      kl(p, of(s.teacher, s.student), {.reduction = how, .weights = s.weights, .per_row = per_row});
      for (Eigen::Index r = 0; r < 6; ++r) {
        matrix const t = s.teacher.row(r), q = s.student.row(r);
        auto const i = static_cast<std::size_t>(r);
        check_loss(per_row[i], s.weights[i] * double(kl(p, of(t, q)).value));
      }
    }
  }
}

TEST_CASE("a normaliser takes the place of the number of valid rows in the mean, and only there") {
  sample const s({5, 7});
  double const total = std::accumulate(s.losses.begin(), s.losses.end(), 0.);
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix gradient = s.student;
    result const mean = kl(p, of(s.teacher, s.student), into(gradient), {.normaliser = 64});
    CHECK(mean.valid_rows == 5);
    check_loss(mean, total / 64);
    check_gradient(gradient, s.gradients / 64);
    check_loss(
        kl(p, of(s.teacher, s.student), {.reduction = divot::reduction::sum, .normaliser = 64}),
        total);
  }
}

TEST_CASE("micro-batches with a common normaliser add up to the batch") {
  sample const s({6, 130});
  for (policy p : policies()) {
    matrix whole = s.student, parts = matrix::Zero(6, 130);
    double const loss = kl(p, of(s.teacher, s.student), into(whole)).value;
    double sum = 0;
    for (Eigen::Index r = 0; r < 6; r += 2) {
      matrix const t = s.teacher.middleRows(r, 2), q = s.student.middleRows(r, 2);
      matrix g = parts.middleRows(r, 2);
      sum += double(kl(p, of(t, q), added_to(g, 1), {.normaliser = 6}).value);
      parts.middleRows(r, 2) = g;
    }
    check_loss(sum, loss);
    check_gradient(parts, whole.cast<double>());
  }
}

TEST_CASE("a row of weight 0 counts as valid, unlike a masked one") {
  sample const s({5, 7});
  std::vector<double> const weights{1, 0, 1, 1, 1};
  std::vector<std::uint8_t> const mask{1, 0, 1, 1, 1};
  for (policy p : policies()) {
    matrix g = s.student, h = s.student;
    result const weighted = kl(p, of(s.teacher, s.student), into(g), {.weights = weights});
    result const masked = kl(p, of(s.teacher, s.student), into(h), {.mask = mask});
    CHECK(weighted.valid_rows == 5);
    CHECK(masked.valid_rows == 4);
    check_loss(weighted * 5, masked * 4);
    CHECK((g.row(1).array() == 0).all());
    CHECK((h.row(1).array() == 0).all());
  }
}

TEST_CASE("the temperature's derivative is that of the combined loss") {
  for (shape const size : {shape{5, 7}, shape{6, 130}}) {
    sample const s(size);
    divot::batch const options{.weights = s.weights, .mask = s.mask};
    auto const combined = [&](double temperature) {
      double sum = 0;
      for (Eigen::Index r = 0; r < size.rows; ++r) {
        auto const i = static_cast<std::size_t>(r);
        if (s.mask[i] == 0) continue;
        sum += s.weights[i] * kl_row(s.teacher, s.student, r, size.classes, temperature).loss;
      }
      return sum / static_cast<double>(size.rows - 1);
    };
    double const step = 1e-4, slope = (combined(2 + step) - combined(2 - step)) / (2 * step);
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix g = s.student, h = s.teacher;
      divot::temperature_gradient t;
      kl(p, of(s.teacher, s.student, 2), into(g), into(h), t, options);
      CHECK(t.shared() == doctest::Approx(slope).epsilon(1e-5));
    }
  }
}

TEST_CASE("a batch without rows has the loss 0") {
  matrix const nothing(0, 7), no_columns(0, 0);
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix gradient(0, 7), empty(0, 0);
    result const r = kl(p, of(nothing, nothing), into(gradient));
    CHECK(r.value == 0);
    CHECK(r.valid_rows == 0);
    CHECK(kl(p, of(no_columns, no_columns), into(empty)).value == 0);
    CHECK(kl(p, of(nothing, nothing), {.reduction = divot::reduction::sum}).value == 0);
  }
}

TEST_CASE("a batch without a valid row has the loss 0 and the gradient 0") {
  sample const s({5, 130});
  std::vector<std::uint8_t> const mask(5, 0);
  std::vector<double> per_row(5, untouched);
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix gradient = untouched_like(s.student), to_teacher = gradient;
    divot::temperature_gradient t{untouched, untouched};
    result const r = kl(p, of(s.teacher, s.student), into(gradient), into(to_teacher), t,
                        {.mask = mask, .per_row = per_row});
    CHECK(r.value == 0);
    CHECK(r.valid_rows == 0);
    CHECK((gradient.array() == 0).all());
    CHECK((to_teacher.array() == 0).all());
    CHECK(t.student == 0);
    CHECK(t.teacher == 0);
    CHECK(per_row == std::vector<double>(5, 0));
  }
}

}  // namespace calls
