// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd.hpp>
#include <divot/exec/device_operands.hpp>
#include <divot/exec/ground_tiles.hpp>

#include <cstdint>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// What a problem is between. The debiased form is made of all three.
enum class sinkd_between { sides, students, teachers };

/// SinKD's problems on a device, but for the rows themselves: plain numbers and pointers, whatever
/// the storage.
template <class Ground>
struct sinkd_problems {
  using ground_type = Ground;

  device_batch options;
  sinkd what;
  Ground ground;
  double weight;  // of the term
  index rows, classes;
  index problems, most;             // how many, of at most so many samples
  bool with_student, with_teacher;  // the gradients that are wanted
  bool apart;  // slices of classes have sums of their own until they are added up

  // What a call works in.
  index *places, *counts;   // each problem's rows, `most` apart, and how many
  std::uint8_t* bad;        // a row each, and then a problem each
  double* mean;             // what the sum over rows is multiplied by
  double *parts, *costs;    // of each problem most × most, and of each slice
  double *slopes, *losses;  // the slopes of one kind of problem behind those of another

  sinkd_between between = sinkd_between::sides;  // what is worked out at the time

  DIVOT_HD bool biased() const { return between != sinkd_between::sides; }
  /// What a problem's value is multiplied by.
  DIVOT_HD double share() const { return biased() ? -.5 : 1; }
  /// Whether its slopes are.
  DIVOT_HD bool wanted() const {
    return between == sinkd_between::sides      ? with_student || with_teacher
           : between == sinkd_between::students ? with_student
                                                : with_teacher;
  }
  DIVOT_HD index problem_of(index r) const { return r / most; }
  DIVOT_HD bool is_lost(index p) const { return bad[rows + p] != 0; }
  DIVOT_HD double* costs_of(index p) const { return costs + p * most * most; }
  DIVOT_HD double* slopes_of(index p) const {
    return slopes + (static_cast<index>(between) * problems + p) * most * most;
  }
};

/// A SinKD call on a device, in the form that its kernels take.
template <class T, class TeacherStorage, class StudentStorage, class StudentOut, class TeacherOut,
          class Ground>
struct device_sinkd : sinkd_problems<Ground> {
  using number = T;

  device_operand<TeacherStorage> teacher;
  device_operand<StudentStorage> student;
  operand_kind teacher_kind;
  device_view<StudentOut> student_to;
  device_view<TeacherOut> teacher_to;
  bool accumulate;
  double scale;  // of the gradients
  index step;    // numbers from row to row of
  T *student_rows, *teacher_rows, *bars;

  DIVOT_HD gathered_rows<T const> side(bool of_teacher, index p) const {
    return {of_teacher ? teacher_rows : student_rows, step, this->places + p * this->most,
            this->counts[p]};
  }
};

/// The numbers between rows of what is compared: whole packs.
template <class T>
constexpr index sinkd_step(index classes) {
  constexpr index pack = 16 / static_cast<index>(sizeof(T));
  return (classes + pack - 1) / pack * pack;
}

/// Row r's place in its problem, and with the problem's last row how many there are.
template <class Call>
DIVOT_HD void place_sinkd_row(Call const& call, index r) {
  index const p = call.problem_of(r), begin = p * call.most;
  index before = r - begin;
  if (!call.options.mask.empty()) {
    before = 0;
    for (index i = begin; i < r; ++i) before += is_valid(call.options, i) ? 1 : 0;
  }
  bool const counts = is_valid(call.options, r);
  if (counts) call.places[begin + before] = r;
  if (r + 1 == begin + call.most) call.counts[p] = before + (counts ? 1 : 0);
  call.bad[r] = 0;
  if (r == begin) call.bad[call.rows + p] = 0;
}

/// The rows' losses as one number, in a fixed order, and what is to be said of bad rows; by the
/// threads of a group. True on the one that has `status` to tell.
template <class Group, class Call>
DIVOT_HD bool finish_sinkd_call(Call const& call, device_status& found) {
  double sum = 0, bad = 0;
  index first = call.rows;
  thread_share const mine = Group::share(call.rows);
  for (index r = mine.begin; r < mine.end; r += mine.step) {
    bool const lost = call.is_lost(call.problem_of(r));
    bool const counts = is_valid(call.options, r);
    double const own = weight_of(call.options, r);
    double const loss = !counts || lost || own == 0 ? 0 : own * (call.weight * call.losses[r]);
    if (!call.options.per_row.empty() && !lost) call.options.per_row.data[r] = loss;
    sum += loss;
    if (call.bad[r] == 0) continue;
    bad += 1;
    first = r < first ? r : first;
  }
  sum = Group::sum(sum);
  bad = Group::sum(bad);
  first = Group::smallest(first);
  if (!Group::owns(0)) return false;
  if (call.options.loss != nullptr) {
    *call.options.loss = bad > 0 ? std::numeric_limits<double>::quiet_NaN() : *call.mean * sum;
  }
  found.bad_rows = static_cast<unsigned long long>(bad);
  found.first_bad_inverted = ~static_cast<unsigned long long>(first);
  return bad > 0 && call.options.status != nullptr;
}

}  // namespace DIVOT_ABI
}  // namespace divot
