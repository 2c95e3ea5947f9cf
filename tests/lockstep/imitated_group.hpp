// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/team/lockstep.hpp>

#include <algorithm>
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
  template <divot::combine... How, std::size_t N>
  static divot::several<N> all(divot::several<N> const& x) {
    using numbers = divot::several<N>;
    static_assert(N == sizeof...(How) && sizeof(numbers) <= sizeof(slot));
    std::memcpy(&(*slots)[static_cast<std::size_t>(me)], &x, sizeof x);
    barrier();
    std::vector<numbers> each(slots->size());
    for (std::size_t i = 0; i < each.size(); ++i) std::memcpy(&each[i], &(*slots)[i], sizeof x);
    auto const joined = [](numbers const& a, numbers const& b) {
      return numbers::template joined<How...>(a, b);
    };
    for (std::size_t warp = 0; warp < each.size(); warp += 32) {
      std::size_t const there = std::min<std::size_t>(32, each.size() - warp);
      for (std::size_t half = 16; half > 0; half /= 2) {
        for (std::size_t i = 0; i < half && i + half < there; ++i) {
          each[warp + i] = joined(each[warp + i], each[warp + i + half]);
        }
      }
    }
    numbers total = each[0];
    for (std::size_t warp = 32; warp < each.size(); warp += 32) total = joined(total, each[warp]);
    barrier();
    return total;
  }
  // one number of each thread
  static double sum(double x) { return all<divot::combine::sum>(one(x)).each[0]; }
  template <class R>
  static R largest(R x) {
    return static_cast<R>(all<divot::combine::largest>(one(x)).each[0]);
  }
  template <class R>
  static R smallest(R x) {
    return static_cast<R>(all<divot::combine::smallest>(one(x)).each[0]);
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
    alignas(8) std::byte bytes[32];
  };
  template <class R>
  static divot::several<1> one(R x) {
    return {{static_cast<double>(x)}};
  }

  inline static thread_local index me = 0;
  inline static index size = 1;
  inline static std::barrier<>* meeting = nullptr;
  inline static std::vector<slot>* slots = nullptr;
};

}  // namespace lockstep
