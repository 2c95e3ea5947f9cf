// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The library's calls that the tests of errors and of batches make, compiled once (calls.cpp).

#include <divot/core/errors.hpp>
#include <divot/core/options.hpp>
#include <divot/eigen/targets.hpp>
#include <divot/row/block.hpp>

#include <Eigen/Core>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <typeinfo>
#include <vector>

namespace calls {

enum class policy { seq, simd, omp };

/// Every policy that there is in this build; omp on two threads.
std::vector<policy> const& policies();
std::string name(policy p);

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using view = divot::matrix_ref<float const>;
using target = divot::gradient_target<float>;

inline view look(matrix const& m) { return {m.data(), m.rows(), m.cols()}; }
inline target into(matrix& m) { return {{m.data(), m.rows(), m.cols()}}; }
inline target added_to(matrix& m, double scale) {
  return {{m.data(), m.rows(), m.cols()}, true, scale};
}

enum class kind { logits, log_probabilities, probabilities };

/// A teacher and a student, and what both are.
struct operands {
  view teacher, student;
  kind are = kind::logits;
  double teacher_temperature = 1, student_temperature = 1;
};
inline operands of(matrix const& teacher, matrix const& student, double temperature = 1) {
  return {look(teacher), look(student), kind::logits, temperature, temperature};
}

using result = divot::loss_result<float>;

result kl(policy who, operands const& x, divot::batch const& options = {});
result kl(policy who, operands const& x, target const& student, divot::batch const& options = {});
/// Logits only: both gradients and those of the temperatures.
result kl(policy who, operands const& x, target const& student, target const& teacher,
          divot::temperature_gradient& temperature, divot::batch const& options = {});
/// Against labels(y, smoothing).
result cross_entropy(policy who, std::span<std::int64_t const> y, double smoothing,
                     view const& student, target const& where, divot::batch const& options = {});
/// KL and cross-entropy, a half each; the labels are the batch's.
result mixed(policy who, operands const& x, target const& student,
             divot::batch const& options = {});
/// KL to labels(y, smoothing) as a distribution.
result kl_to_labels(policy who, std::span<std::int64_t const> y, double smoothing,
                    view const& student, target const& where, divot::batch const& options = {});

/// Standard normal numbers; the same for the same seed.
inline matrix normal(Eigen::Index rows, Eigen::Index cols, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution;
  return matrix::NullaryExpr(rows, cols, [&] { return distribution(random); });
}

/// A number that no gradient has by chance: what is still there was not written.
inline constexpr float untouched = 7.25f;
inline matrix untouched_like(matrix const& m) {
  return matrix::Constant(m.rows(), m.cols(), untouched);
}

struct shape {
  Eigen::Index rows, classes;
};
/// Few rows, so long that two threads share them.
inline constexpr shape shared_rows{3, 9 * divot::block_columns - 7};
/// Shapes that take different ways: rows across lanes, along lanes, several blocks, rows enough for
/// two threads, and shared ones.
inline constexpr shape shapes[] = {
    {5, 7}, {6, 130}, {5, 2 * divot::block_columns + 452}, {40, 1000}, shared_rows};

/// What the call throws, if it is exactly an Error.
template <class Error = divot::error, class F>
std::string refusal(F const& call) {
  try {
    call();
  } catch (std::exception const& e) {
    return typeid(e) == typeid(Error) ? e.what() : std::string("another exception: ") + e.what();
  }
  return "no exception";
}

}  // namespace calls
