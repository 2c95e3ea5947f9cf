// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

namespace divot {

/// How the rows' losses become one number.
enum class reduction {
  mean,  ///< Σ weight_i·D_i / (valid rows, or batch::normaliser); gradients are divided likewise
  sum,   ///< Σ weight_i·D_i
  none   ///< as sum, for callers who take batch::per_row; gradients are those of each row's loss
};

/// When bad values (NaN, +inf, rows that are −inf throughout) are looked for.
enum class check {
  each_row,  ///< in a row's first sweep: the other rows are completed, then divot::bad_value
  first      ///< before anything is written: all or nothing, at the price of one more read
};

/// What becomes of the classes that a top-k teacher does not name.
enum class tail {
  renormalise,  ///< their probability is 0; that of the named ones is divided by its sum
  uniform,      ///< what is left of 1 is spread over them equally
  bucket        ///< they are one class, with what is left of 1; the student's is the sum over them
};

/// Scratch memory that a caller may keep between calls; it grows to what a call needs, and from
/// then on nothing is allocated. Not for use by two calls at once.
class workspace {
 public:
  workspace() = default;
  /// A copy has memory of its own, and none yet.
  workspace(workspace const&) {}
  workspace& operator=(workspace const&) { return *this; }

  /// At least this many bytes, aligned to 64.
  std::byte* reserve(std::size_t bytes) {
    std::size_t const wanted = (bytes < least ? least : bytes) + 64;
    if (memory_.size() < wanted) memory_.resize(wanted);
    auto const address = reinterpret_cast<std::uintptr_t>(memory_.data());
    return memory_.data() + (64 - address % 64) % 64;
  }
  /// Another one, for the calls that a call makes itself.
  workspace& inner() {
    if (!inner_) inner_ = std::make_unique<workspace>();
    return *inner_;
  }
  /// One for each of so many workers, for what few rows need; not to be asked for at the same time.
  std::span<workspace> of_workers(std::size_t count) {
    if (workers_.size() < count) workers_.resize(count);
    return {workers_.data(), count};
  }

 private:
  // what a worker on short rows needs at most, so that the memory of a large call does for every
  // smaller one
  static constexpr std::size_t least = std::size_t(64) << 10;
  std::vector<std::byte> memory_;
  std::unique_ptr<workspace> inner_;
  std::vector<workspace> workers_;
};

/// How the rows of one call are weighted, masked and combined. Everything is optional; every span
/// that is given has one entry a row.
struct batch {
  /// Combination of the rows' losses.
  divot::reduction reduction = divot::reduction::mean;
  /// Multiplies each row's loss and gradient. Negative is allowed, NaN is not.
  std::span<double const> weights = {};
  /// Upstream gradient of each row's loss: multiplies gradients only.
  std::span<double const> upstream = {};
  /// Rows with 0 are left out: not read, loss 0, gradient exactly 0.
  std::span<std::uint8_t const> mask = {};
  /// Labels of the rows for cross_entropy terms, beside a teacher that is not `labels`.
  std::span<std::int64_t const> labels = {};
  /// Divides the mean instead of the number of valid rows (tokens of a global batch, say). 0: none.
  double normaliser = 0;
  /// Only the first so many classes of teacher and student count; the gradient of the rest is 0.
  /// 0: all. This is what lets teacher and student differ in column count (padded vocabularies).
  index valid_classes = 0;
  /// The same, a number a row.
  std::span<index const> valid_classes_per_row = {};
  /// Temperature of each row, in place of both wrappers' temperatures.
  std::span<double const> temperatures = {};
  /// Each row's loss goes here, times its weight, not divided; 0 for masked rows.
  std::span<double> per_row = {};
  /// Bad values.
  divot::check check = divot::check::each_row;
  /// Scratch memory to use and keep.
  divot::workspace* workspace = nullptr;
};

/// Whether a row counts.
inline bool is_valid(batch const& b, index row) {
  return b.mask.empty() || b.mask[static_cast<std::size_t>(row)] != 0;
}
inline index valid_rows_of(batch const& b, index rows) {
  index count = 0;
  for (index r = 0; r < rows; ++r) count += is_valid(b, r);
  return count;
}
/// What a row's loss is multiplied by.
inline double weight_of(batch const& b, index row) {
  return b.weights.empty() ? 1 : b.weights[static_cast<std::size_t>(row)];
}
/// What the sum over so many valid rows is multiplied by: 1/divisor for the mean, else 1.
inline double mean_of(batch const& b, index valid_rows) {
  double const divisor =
      b.normaliser != 0 ? b.normaliser : static_cast<double>(valid_rows > 0 ? valid_rows : 1);
  return b.reduction == reduction::mean ? 1 / divisor : 1;
}
/// What the gradient of a row's loss is multiplied by; `mean` is mean_of.
inline double gradient_factor(batch const& b, index row, double mean) {
  return mean * weight_of(b, row) *
         (b.upstream.empty() ? 1 : b.upstream[static_cast<std::size_t>(row)]);
}
/// A row's temperature; `common` is the wrapper's.
inline double temperature_of(batch const& b, index row, double common) {
  return b.temperatures.empty() ? common : b.temperatures[static_cast<std::size_t>(row)];
}
/// The valid classes of a row; `classes` is what the whole call has.
inline index valid_classes_of(batch const& b, index row, index classes) {
  return b.valid_classes_per_row.empty() ? classes
                                         : b.valid_classes_per_row[static_cast<std::size_t>(row)];
}

/// What a call returns: the combined loss and how many rows it stands for. Converts to the number.
template <class T>
struct loss_result {
  T value{};
  index valid_rows = 0;
  constexpr operator T() const { return value; }  // NOLINT: a loss is a number
};

/// Derivatives of the combined loss with respect to the wrappers' temperatures. Terms that name
/// their own temperature with `at` do not contribute. Each comes out of its side's gradient, which
/// must be asked for, too: without the student's the call is refused, without the teacher's its
/// derivative is NaN.
struct temperature_gradient {
  double student = 0;
  double teacher = 0;
  /// Derivative with respect to a temperature that both share.
  double shared() const { return student + teacher; }
};

}  // namespace divot
