// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/workers.hpp>

#include <algorithm>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A matrix's rows in blocks that its shape alone decides, dealt to workers. What the blocks add to
/// the columns is added up block after block: threads change no bit.
template <execution_policy Policy>
class row_blocks {
 public:
  row_blocks(Policy const& policy, index rows, index columns) : policy_(policy), rows_(rows) {
    constexpr index least_work = 1 << 15, most_blocks = 64, step = 8;
    index const enough = std::max((rows + most_blocks - 1) / most_blocks,
                                  least_work / std::max<index>(columns, 1) + 1);
    height_ = std::min((enough + step - 1) / step * step, std::max<index>(rows, 1));
    count_ = (rows + height_ - 1) / height_;
    double const work = static_cast<double>(rows) * static_cast<double>(columns);
    workers_ = std::min(worker_count(policy, work), static_cast<int>(std::max<index>(count_, 1)));
  }
  int workers() const { return workers_; }

  /// body(first, last, me): rows first … last − 1 by worker `me`.
  template <class Body>
  void each(Body const& body) const {
    run_workers(policy_, workers_, [&](int me, int team_size) {
      for (index b = me; b < count_; b += team_size) {
        body(b * height_, std::min(rows_, (b + 1) * height_), me);
      }
    });
  }

  /// body(j, me) for j < count, dealt one by one.
  template <class Body>
  void deal(index count, Body const& body) const {
    run_workers(policy_, workers_, [&](int me, int team_size) {
      for (index j = me; j < count; j += team_size) body(j, me);
    });
  }

  /// body(first, last, me, sums): adds to `width` sums, which begin as 0. total: those of all rows.
  /// Spare: an array that can be resized.
  template <class Spare, class Body>
  void add_up(Spare& spare, index width, double* total, Body const& body) const {
    using T = std::remove_reference_t<decltype(*spare.data())>;
    spare.resize(count_ * width);
    std::fill_n(spare.data(), count_ * width, T(0));
    each([&](index first, index last, int me) {
      body(first, last, me, spare.data() + first / height_ * width);
    });
    std::fill_n(total, width, 0.);
    for (index b = 0; b < count_; ++b) {
      T const* const part = spare.data() + b * width;
      for (index j = 0; j < width; ++j) total[j] += static_cast<double>(part[j]);
    }
  }

 private:
  Policy policy_;
  index rows_, height_ = 1, count_ = 0;
  int workers_ = 1;
};

}  // namespace DIVOT_ABI
}  // namespace divot
