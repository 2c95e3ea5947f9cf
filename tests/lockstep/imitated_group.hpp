// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/lockstep.hpp>

#include <barrier>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

namespace lockstep {

using divot::index;

/// Host threads in the place of a block's: the same shares of a row, and the same tree of sums (as
/// warps of 32 make it: halves are added to halves, then warp after warp).
class imitated_group {
 public:
  static divot::thread_share share(index packs) { return {me, packs, size}; }
  static bool owns(index pack) { return pack % size == me; }
  static void barrier() { meeting->arrive_and_wait(); }
  static double sum(double x) {
    return reduced(
        x, [](double a, double b) { return a + b; }, 0.);
  }
  template <class R>
  static R largest(R x) {
    return reduced(
        x, [](R a, R b) { return a > b ? a : b; }, x);
  }
  template <class R>
  static R smallest(R x) {
    return reduced(
        x, [](R a, R b) { return a < b ? a : b; }, x);
  }
  template <class R>
  static R of_owner(R const* x, bool) {
    return *x;
  }

  /// body() on so many threads.
  template <class Body>
  static void run(index threads, Body const& body) {
    std::barrier<> where(threads);
    std::vector<slot> numbers(static_cast<std::size_t>(threads));
    size = threads;
    meeting = &where;
    slots = &numbers;
    std::vector<std::thread> others;
    for (index i = 0; i < threads; ++i) {
      others.emplace_back([&, i] {
        me = i;
        body();
      });
    }
    for (auto& t : others) t.join();
  }

 private:
  struct slot {
    alignas(8) std::byte bytes[8];
  };

  template <class R, class Op>
  static R reduced(R x, Op const& op, R nothing) {
    static_assert(sizeof(R) <= sizeof(slot));
    auto const at = static_cast<std::size_t>(me);
    std::memcpy(&(*slots)[at], &x, sizeof x);
    barrier();
    std::vector<R> all(static_cast<std::size_t>((size + 31) / 32 * 32), nothing);
    for (std::size_t i = 0; i < slots->size(); ++i) std::memcpy(&all[i], &(*slots)[i], sizeof x);
    R total = nothing;
    for (std::size_t warp = 0; warp < all.size(); warp += 32) {
      for (std::size_t half = 16; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half; ++i) {
          all[warp + i] = op(all[warp + i], all[warp + i + half]);
        }
      }
      total = warp == 0 ? all[warp] : op(total, all[warp]);
    }
    barrier();
    return total;
  }

  inline static thread_local index me = 0;
  inline static index size = 1;
  inline static std::barrier<>* meeting = nullptr;
  inline static std::vector<slot>* slots = nullptr;
};

}  // namespace lockstep
