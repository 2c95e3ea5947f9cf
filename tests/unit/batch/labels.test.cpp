// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Labels: as the teacher, or in the batch beside a soft teacher.
#include "reference.hpp"

namespace calls {
namespace {

/// Cross-entropy with a label, smoothed over the valid classes.
row_answer label_row(matrix const& student, Eigen::Index row, std::int64_t label, double smoothing,
                     Eigen::Index classes) {
  wide_vector const log_q = log_softmax(student.row(row).leftCols(classes).cast<double>(), 1);
  wide_vector r = wide_vector::Constant(classes, smoothing / static_cast<double>(classes));
  r[label] += 1 - smoothing;
  wide_vector gradient = wide_vector::Zero(student.cols());
  gradient.leftCols(classes) = log_q.array().exp().matrix() - r;
  return {-r.dot(log_q), gradient};
}

std::vector<std::int64_t> some_labels(shape s) {
  std::vector<std::int64_t> y;
  for (Eigen::Index r = 0; r < s.rows; ++r) y.push_back((r * 31 + 5) % s.classes);
  return y;
}

}  // namespace

TEST_CASE("labels as the teacher, with and without smoothing") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const student = normal(size.rows, size.classes, 2);
    auto const y = some_labels(size);
    for (double const smoothing : {0., 0.1}) {
      CAPTURE(smoothing);
      double total = 0;
      wide_matrix expected(size.rows, size.classes);
      for (Eigen::Index r = 0; r < size.rows; ++r) {
        auto const row =
            label_row(student, r, y[static_cast<std::size_t>(r)], smoothing, size.classes);
        total += row.loss;
        expected.row(r) = row.gradient / static_cast<double>(size.rows);
      }
      for (policy p : policies()) {
        CAPTURE(name(p));
        matrix gradient = untouched_like(student);
        auto const loss = cross_entropy(p, y, smoothing, look(student), into(gradient));
        check_loss(loss, total / static_cast<double>(size.rows));
        check_gradient(gradient, expected);
      }
    }
  }
}

TEST_CASE("labels in the batch, beside a soft teacher") {
  for (shape const size : shapes) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    auto const y = some_labels(size);
    std::vector<double> per_row(static_cast<std::size_t>(size.rows));
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix gradient = untouched_like(student);
      mixed(p, of(teacher, student), into(gradient), {.labels = y, .per_row = per_row});
      wide_matrix expected(size.rows, size.classes);
      for (Eigen::Index r = 0; r < size.rows; ++r) {
        auto const i = static_cast<std::size_t>(r);
        auto const soft = kl_row(teacher, student, r, size.classes);
        auto const hard = label_row(student, r, y[i], 0, size.classes);
        check_loss(per_row[i], (soft.loss + hard.loss) / 2);
        expected.row(r) = (soft.gradient + hard.gradient) / (2 * static_cast<double>(size.rows));
      }
      check_gradient(gradient, expected);
    }
  }
}

TEST_CASE("smoothing spreads over the valid classes only") {
  matrix const student = normal(3, 90, 2);
  std::vector<std::int64_t> const y{0, 79, 40};
  for (policy p : policies()) {
    CAPTURE(name(p));
    matrix gradient = untouched_like(student);
    std::vector<double> per_row(3);
    cross_entropy(p, y, 0.2, look(student), into(gradient),
                  {.valid_classes = 80, .per_row = per_row});
    wide_matrix expected(3, 90);
    for (Eigen::Index r = 0; r < 3; ++r) {
      auto const i = static_cast<std::size_t>(r);
      auto const row = label_row(student, r, y[i], 0.2, 80);
      check_loss(per_row[i], row.loss);
      expected.row(r) = row.gradient / 3;
    }
    check_gradient(gradient, expected);
    CHECK((gradient.rightCols(10).array() == 0).all());
  }
}

TEST_CASE("a masked row may have any label, as -100 for tokens to be ignored") {
  for (shape const size : {shape{20, 7}, shape{20, 130}, calls::shared_rows}) {
    CAPTURE(size.classes);
    matrix const teacher = normal(size.rows, size.classes, 1);
    matrix const student = normal(size.rows, size.classes, 2);
    Eigen::MatrixXf const standing = student;
    view const column_major{standing.data(), size.rows, size.classes, 1, size.rows};
    auto y = some_labels(size), odd = y;
    std::vector<std::uint8_t> mask(y.size(), 1);
    mask[1] = mask[2] = 0;
    odd[1] = -100;
    odd[2] = 1'000'000'000'000;
    for (policy p : policies()) {
      CAPTURE(name(p));
      matrix g = student, h = student;
      auto const agree = [&](auto const& call) {
        result const a = call(y, g), b = call(odd, h);
        CHECK(a.value == b.value);
        CHECK(a.valid_rows == size.rows - 2);
        CHECK(same(g, h));
        CHECK((h.middleRows(1, 2).array() == 0).all());
      };
      agree([&](auto const& labels, matrix& to) {
        return cross_entropy(p, labels, 0.1, look(student), into(to), {.mask = mask});
      });
      agree([&](auto const& labels, matrix& to) {
        return kl_to_labels(p, labels, 0.1, look(student), into(to), {.mask = mask});
      });
      agree([&](auto const& labels, matrix& to) {
        return kl_to_labels(p, labels, 0, column_major, into(to), {.mask = mask});
      });
      agree([&](auto const& labels, matrix& to) {
        return mixed(p, of(teacher, student), into(to), {.mask = mask, .labels = labels});
      });
    }
  }
}

TEST_CASE("KL to labels is cross-entropy up to the entropy of the smoothed labels") {
  for (shape const size : {shape{5, 7}, shape{6, 130}}) {
    matrix const student = normal(size.rows, size.classes, 2);
    auto const y = some_labels(size);
    for (double const smoothing : {0., 0.1}) {
      auto const classes = static_cast<double>(size.classes);
      double const low = smoothing / classes, high = low + 1 - smoothing;
      double const entropy =
          -high * std::log(high) - (smoothing == 0 ? 0 : (classes - 1) * low * std::log(low));
      for (policy p : policies()) {
        CAPTURE(name(p));
        matrix g = student, h = student;
        double const kl = kl_to_labels(p, y, smoothing, look(student), into(g)).value;
        double const ce = cross_entropy(p, y, smoothing, look(student), into(h)).value;
        check_loss(kl, ce - entropy, ce);
        check_gradient(g, h.cast<double>());
      }
    }
  }
}

}  // namespace calls
