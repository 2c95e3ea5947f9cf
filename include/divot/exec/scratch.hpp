// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>

#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace divot {
inline namespace DIVOT_ABI {

/// Hands out aligned arrays from one piece of memory: the caller's workspace, or memory of its own.
///
/// Used in two passes, the first of which only counts, so that a call allocates at most once.
class scratch {
 public:
  /// Room for `count` numbers of a plain type, aligned to 64 bytes; null while counting.
  template <class T>
  T* take(index count) {
    static_assert(std::is_trivially_destructible_v<T>);
    return reinterpret_cast<T*>(take_bytes(static_cast<std::size_t>(count) * sizeof(T)));
  }

  /// Ends the counting pass.
  void provide(workspace* memory) {
    if (memory != nullptr) {
      base_ = memory->reserve(used_);
    } else {
      own_.reset(new std::byte[used_ + 64]);
      auto const address = reinterpret_cast<std::uintptr_t>(own_.get());
      base_ = own_.get() + (64 - address % 64) % 64;
    }
    used_ = 0;
  }

  /// What was handed out so far, in bytes.
  index used() const { return static_cast<index>(used_); }
  /// Hands out memory that somebody else keeps, aligned to 64 bytes.
  void lend(std::byte* memory) {
    base_ = memory;
    used_ = 0;
  }

 private:
  DIVOT_NOINLINE std::byte* take_bytes(std::size_t bytes) {
    std::byte* const at = base_ == nullptr ? nullptr : base_ + used_;
    used_ += (bytes + 63) / 64 * 64;
    return at;
  }

  std::byte* base_ = nullptr;
  std::size_t used_ = 0;
  std::unique_ptr<std::byte[]> own_;
};

template <class T>
inline constexpr bool is_plain =
    std::is_trivially_destructible_v<T>&& std::is_trivially_copyable_v<T>;

/// An array for any scalar: scratch memory for plain numbers, objects of its own for the others.
template <class T, bool Plain = is_plain<T>>
class row_array {
 public:
  void take(scratch& memory, index count) { data_ = memory.take<T>(count); }
  T* data() const { return data_; }
  T& operator[](index i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
};

template <class T>
class row_array<T, false> {
 public:
  void take(scratch&, index count) {
    objects_.resize(static_cast<std::size_t>(count));
    data_ = objects_.data();
  }
  T* data() const { return data_; }
  T& operator[](index i) const { return data_[i]; }

 private:
  T* data_ = nullptr;
  std::vector<T> objects_;
};

/// `count` sets of arrays, laid out by fill(set, memory); the sets themselves lie in scratch too.
template <class Set, class Fill>
class array_sets {
 public:
  array_sets(index count, Fill const& fill) : count_(count), fill_(fill) {}

  /// Called once in each of the scratch's two passes.
  void take(scratch& memory, bool counting) {
    if constexpr (is_plain<Set>) {
      sets_ = memory.take<Set>(count_);
      for (index i = 0; i < count_; ++i) {
        Set set;
        fill_(set, memory);
        if (!counting) sets_[i] = set;
      }
    } else if (counting) {
      objects_.resize(static_cast<std::size_t>(count_));
      sets_ = objects_.data();
      for (index i = 0; i < count_; ++i) fill_(sets_[i], memory);
    }
  }
  Set const& operator[](index i) const { return sets_[i]; }
  Set& operator[](index i) { return sets_[i]; }

 private:
  index count_;
  Fill const& fill_;
  Set* sets_ = nullptr;
  std::vector<Set> objects_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
