// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/panels.hpp>
#include <divot/row/transform_chain.hpp>

#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// A source whose rows are transformed as they are read, into the reader's memory. Gradients with
/// respect to the transformed logits are pulled back where they wait to be written.
template <class Source, class Chain>
class transformed_source {
 public:
  using T = typename Chain::T;
  /// Rows of scratch memory that `pull` takes.
  static constexpr index pull_rows = Chain::pull_rows;

  transformed_source(Source const& original, Chain const& chain)
      : original_(original), chain_(chain) {}
  index rows() const { return original_.rows(); }
  index cols() const { return original_.cols(); }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index row) const { return original_.fetched(row); }
  bool by_panels() const { return original_.by_panels(); }
  void read(index first, index count, index classes, T* out, index step) const {
    read_panel(original_, first, count, classes, out, step);
    for (index i = 0; i < count; ++i) chain_.apply(out + i * step, classes, first + i);
  }
  /// The rows as the caller passed them.
  Source const& original() const { return original_; }
  double tolerance() const { return original_.tolerance(); }

  void check(batch const& options, index classes, char const* who) const {
    chain_.check(rows(), cols(), options, classes, who);
  }

  /// ∂/∂y of a row at g becomes ∂/∂x. The logits are read again: nothing may have been written over
  /// them yet. `memory` holds pull_rows rows; without it the pullback takes its own.
  void pull(index row, index classes, T* g, T* memory) const {
    std::vector<T> own;
    if (memory == nullptr) {
      own.resize(static_cast<std::size_t>(pull_rows * classes));
      memory = own.data();
    }
    read_panel(original_, row, 1, classes, memory, classes);
    chain_.pull(g, classes, row, memory, classes);
  }

 private:
  Source original_;
  Chain chain_;
};

template <class Source>
inline constexpr bool is_transformed = false;
template <class Source, class Chain>
inline constexpr bool is_transformed<transformed_source<Source, Chain>> = true;

/// Pulls a row's gradient back to what the caller passed, in place; nothing where that is what it
/// stands for already.
template <class Source, class T>
void pull_back([[maybe_unused]] Source const& source, [[maybe_unused]] index row,
               [[maybe_unused]] index classes, [[maybe_unused]] T* g,
               [[maybe_unused]] T* memory = nullptr) {
  if constexpr (is_transformed<Source>) source.pull(row, classes, g, memory);
}

/// What an operand's own parameters must satisfy.
template <class Source>
void check_source([[maybe_unused]] Source const& source, [[maybe_unused]] batch const& options,
                  [[maybe_unused]] index classes, [[maybe_unused]] char const* who) {
  if constexpr (requires { source.check(options, classes, who); }) {
    source.check(options, classes, who);
  }
}

/// Rows of scratch memory that a source takes: to be read in panels of so many rows, and to pull
/// its gradient back.
template <class Source>
index spare_rows([[maybe_unused]] index panel, [[maybe_unused]] bool gradient) {
  if constexpr (is_transformed<Source>) {
    return gradient ? Source::pull_rows : 0;
  } else if constexpr (requires { Source::spare_rows; }) {
    return Source::spare_rows * panel;
  } else {
    return 0;
  }
}

/// As read_panel, lending scratch memory to sources that need some.
template <class T, class Source>
void read_rows(Source const& source, index first, index count, index classes, T* out, index step,
               [[maybe_unused]] T* spare) {
  if constexpr (requires { Source::spare_rows; }) {
    source.read(first, count, classes, out, step, spare);
  } else {
    read_panel(source, first, count, classes, out, step);
  }
}

}  // namespace DIVOT_ABI
}  // namespace divot
