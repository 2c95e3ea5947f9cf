// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Every kind of Eigen expression gives the bits of the row-major matrix that holds its values.

#include <doctest/doctest.h>
#include <divot/divergence.hpp>

#include <accuracy/samples.hpp>

#include <type_traits>
#include <vector>

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using columns = Eigen::MatrixXf;  // column-major
using Eigen::Index;

matrix sample(std::uint64_t seed, Index rows, Index cols) {
  samples::random r(seed);
  matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < cols; ++k) m(i, k) = static_cast<float>(3 * r.normal());
  }
  return m;
}

struct outcome {
  float value;
  matrix gradient;
};

/// Bit for bit; a plain bool, so that a failure does not print the matrices.
template <class A, class B>
bool same(A const& a, B const& b) {
  return (a.array() == b.array()).all();
}

template <class Policy>
outcome expected(Policy const& policy, matrix const& teacher, matrix const& student) {
  outcome out{0, matrix::Zero(student.rows(), student.cols())};
  out.value = divot::value_and_gradient(policy, divot::kl{}, divot::logits(teacher, 2.),
                                        divot::logits(student, 2.), out.gradient);
  return out;
}

/// The expression on both sides, and on each side against a matrix.
template <class Policy, class Teacher, class Student>
void as_values(Policy const& policy, Teacher const& teacher, Student const& student) {
  matrix const t = teacher, s = student;
  outcome const right = expected(policy, t, s);
  matrix g = matrix::Zero(s.rows(), s.cols());
  float const value = divot::value_and_gradient(policy, divot::kl{}, divot::logits(teacher, 2.),
                                                divot::logits(student, 2.), g);
  // the order in which rows are added up may depend on the layout
  CHECK(value == doctest::Approx(right.value).epsilon(1e-6));
  CHECK(same(g, right.gradient));
}

template <class Policy>
void lazy_expressions(Policy const& policy) {
  for (Index const cols : {7, 65, 600}) {
    CAPTURE(cols);
    matrix const a = sample(1, 21, cols), b = sample(2, 21, cols);
    columns const c = sample(3, 21, cols), d = sample(4, 21, cols);
    as_values(policy, (a + b) / 2, a - 0.5f * b);
    as_values(policy, (c + d) / 2, c - 0.5f * d);
    as_values(policy, a.array() * b.array(), a.array().abs() + 1);
  }
}

}  // namespace

TEST_CASE("lazy expressions are read as the values they stand for") {
  SUBCASE("seq") { lazy_expressions(divot::seq); }
  SUBCASE("simd") { lazy_expressions(divot::simd); }
#if DIVOT_HAS_OPENMP
  SUBCASE("omp") { lazy_expressions(divot::omp(2)); }
#endif
}

TEST_CASE("blocks, transposes, maps and references are read where they lie") {
  matrix const a = sample(5, 40, 700);
  columns const b = sample(6, 40, 700);
  for (Index const cols : {7, 65, 600}) {
    CAPTURE(cols);
    as_values(divot::simd, a.block(3, 5, 21, cols), a.block(1, 2, 21, cols));
    as_values(divot::simd, b.block(3, 5, 21, cols), b.block(1, 2, 21, cols));
    as_values(divot::simd, a.leftCols(cols), b.rightCols(cols));
    matrix const upright = sample(7, cols, 21);
    as_values(divot::simd, upright.transpose(), a.topLeftCorner(21, cols));

    using strides = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
    using map = Eigen::Map<matrix const, Eigen::Unaligned, strides>;
    std::vector<float> memory(static_cast<std::size_t>(21 * (3 * cols + 5) + 1));
    samples::random r(8);
    for (float& x : memory) x = static_cast<float>(r.normal());
    map const sparse(memory.data() + 1, 21, cols, strides(3 * cols + 5, 3));
    map const close(memory.data() + 1, 21, cols, strides(cols + 1, 1));
    as_values(divot::simd, sparse, close);
    Eigen::Ref<matrix const, 0, Eigen::OuterStride<>> const part = a.block(2, 3, 21, cols);
    as_values(divot::simd, part, a.topRows(21).leftCols(cols));
  }
}

TEST_CASE("casts and products are read as the values they stand for") {
  matrix const a = sample(9, 21, 65), weights = sample(10, 65, 30);
  Eigen::MatrixXd const wide = a.cast<double>();
  as_values(divot::simd, wide.cast<float>() * 2, a);
  matrix const other = sample(11, 21, 30);
  columns const product = a * weights;
  matrix g(21, 30), right(21, 30);
  float const value = divot::value_and_gradient(divot::kl{}, product, other, right);
  CHECK(divot::value_and_gradient(divot::kl{}, a * weights, other, g).value == value);
  CHECK(same(g, right));
}

TEST_CASE("a product is multiplied once, not once a row") {
  matrix const a = sample(12, 4, 5), b = sample(13, 5, 6);
  auto const held = divot::logits(a * b);
  using type = std::remove_cvref_t<decltype(held.x)>;
  CHECK(std::is_base_of_v<Eigen::PlainObjectBase<type>, type>);
  CHECK((held.x - (a * b).eval()).norm() == 0);
}

TEST_CASE("matrices of a fixed size are read and written") {
  using fixed = Eigen::Matrix<float, 5, 9>;
  using fixed_rows = Eigen::Matrix<float, 5, 9, Eigen::RowMajor>;
  matrix const a = sample(14, 5, 9), b = sample(15, 5, 9);
  fixed const t = a;
  fixed_rows const s = b;
  auto const check = [&](auto const& policy) {
    outcome const right = expected(policy, a, b);
    fixed g = fixed::Zero();
    fixed_rows h = fixed_rows::Zero();
    divot::gradient(policy, divot::kl{}, divot::logits(t, 2.), divot::logits(s, 2.), g);
    divot::gradient(policy, divot::kl{}, divot::logits(t, 2.), divot::logits(s, 2.), h);
    CHECK(same(g, right.gradient));
    CHECK(same(h, right.gradient));
  };
  check(divot::seq);
  check(divot::simd);
}

TEST_CASE("a vector is one row, lying or standing") {
  for (Index const cols : {1, 9, 65, 1003}) {
    CAPTURE(cols);
    matrix const a = sample(16, 1, cols), b = sample(17, 1, cols);
    outcome const right = expected(divot::simd, a, b);
    Eigen::VectorXf const t = a.row(0).transpose(), s = b.row(0).transpose();
    Eigen::RowVectorXf const t_lying = a.row(0);
    Eigen::VectorXf g = Eigen::VectorXf::Zero(cols);
    Eigen::RowVectorXf h = Eigen::RowVectorXf::Zero(cols);
    float const value =
        divot::value_and_gradient(divot::kl{}, divot::logits(t, 2.), divot::logits(s, 2.), g);
    divot::gradient(divot::kl{}, divot::logits(t_lying, 2.), divot::logits(s, 2.), h);
    CHECK(value == right.value);
    CHECK(same(g.transpose(), right.gradient));
    CHECK(same(h, right.gradient));

    // a row or column of a matrix, and an expression of them
    matrix const frame = sample(18, 6, cols);
    columns upright = frame.transpose();
    outcome const rows = expected(divot::simd, frame.row(2), frame.row(4));
    divot::gradient(divot::kl{}, divot::logits(frame.row(2), 2.), divot::logits(frame.row(4), 2.),
                    g);
    CHECK(same(g.transpose(), rows.gradient));
    divot::gradient(divot::kl{}, divot::logits(upright.col(2), 2.),
                    divot::logits(upright.col(4) * 1.f, 2.), g);
    CHECK(same(g.transpose(), rows.gradient));
    // written into a row of a column-major matrix
    columns into = columns::Zero(3, cols);
    divot::gradient(divot::kl{}, divot::logits(frame.row(2), 2.), divot::logits(frame.row(4), 2.),
                    into.row(1));
    CHECK(same(matrix(into.row(1)), rows.gradient));
    CHECK(into.row(0).isZero(0));
    CHECK(into.row(2).isZero(0));
  }
}

TEST_CASE("gradients go into blocks, maps and matrices of either storage order") {
  matrix const a = sample(19, 21, 65), b = sample(20, 21, 65);
  outcome const right = expected(divot::simd, a, b);
  auto const write = [&](auto&& where) {
    divot::gradient(divot::kl{}, divot::logits(a, 2.), divot::logits(b, 2.), where);
  };
  matrix frame = matrix::Constant(30, 80, 5.f);
  write(frame.block(4, 7, 21, 65));
  CHECK(same(frame.block(4, 7, 21, 65), right.gradient));
  frame.block(4, 7, 21, 65).setConstant(5.f);
  CHECK((frame.array() == 5.f).all());

  columns upright = columns::Constant(30, 80, 5.f);
  write(upright.block(4, 7, 21, 65));
  CHECK(same(matrix(upright.block(4, 7, 21, 65)), right.gradient));
  upright.block(4, 7, 21, 65).setConstant(5.f);
  CHECK((upright.array() == 5.f).all());

  std::vector<float> memory(21 * 65);
  write(Eigen::Map<matrix>(memory.data(), 21, 65));
  CHECK(Eigen::Map<matrix>(memory.data(), 21, 65) == right.gradient);

  columns sum = columns::Zero(21, 65);
  write(divot::accumulate(sum, 2));
  write(divot::accumulate(sum, -1));
  CHECK((matrix(sum) - right.gradient).norm() <= 1e-6f * right.gradient.norm());
}

TEST_CASE("a matrix that the wrapper owns is the matrix it was given") {
  matrix const a = sample(21, 5, 70), b = sample(22, 5, 70);
  outcome const right = expected(divot::simd, a, b);
  auto const teacher = divot::logits(matrix(a), 2.);
  auto const student = divot::logits(b * 1.f, 2.);
  matrix g = matrix::Zero(5, 70);
  CHECK(float(divot::value_and_gradient(divot::kl{}, teacher, student, g)) == right.value);
  CHECK(same(g, right.gradient));
}
