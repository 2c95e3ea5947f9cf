// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// A device's call on the host, with host threads for a block's: the same rows, checks, shares,
// passes and sums as those of <divot/cuda.cuh>, of which only the launches are left out.

#include <divot/exec/device_call.hpp>
#include <divot/exec/device_mean.hpp>
#include <divot/exec/device_plan.hpp>
#include <divot/family/plan.hpp>
#include <divot/team/scalar.hpp>

#include <lockstep/imitated_group.hpp>

#include <cstddef>
#include <limits>
#include <vector>

namespace lockstep {

/// So many "threads" in a "block".
struct imitated_policy {
  index threads = 3;
};

template <class Team, bool Student, bool Teacher, class Plan, class Call>
void one_pass(index threads, Plan const& plan, Call const& call, int pass) {
  using T = typename Team::scalar;
  using row = typename Team::row;
  auto const arrays = divot::arrays_of<Plan, Student, Teacher>(call);
  index const step = divot::rounded_up(call.classes, Team::width);
  index const blocks = divot::block_count<Team>(call.classes);
  auto const sums = static_cast<std::size_t>(blocks) *
                    (2 * sizeof(divot::softmax_block<row>) + sizeof(divot::sweep_block<row>));
  // nothing is to be read that was not written
  std::vector<T> memory(static_cast<std::size_t>(step * arrays.count() + 4) + sums / sizeof(T),
                        std::numeric_limits<T>::quiet_NaN());
  auto const misaligned = reinterpret_cast<std::uintptr_t>(memory.data()) % 16 / sizeof(T);
  T* const base = memory.data() + (misaligned == 0 ? 0 : 16 / sizeof(T) - misaligned);
  divot::device_row<Team, Student, Teacher, Call> const one(call, arrays, base, step, 0, pass);
  imitated_group::run(threads, [&] {
    for (index r = 0; r < call.rows; ++r) {
      bool const left = pass == 0 || call.states[r] == divot::row_state::beyond;
      imitated_group::barrier();
      if (left) one.run(plan, r);
    }
  });
}

/// What value_and_gradient does on a device. Returns how many rows were left by the first pass.
template <class L, class Teacher, class Student, class Where>
index value_and_gradient(imitated_policy const& policy, L const& what, Teacher const& teacher_given,
                         Student const& student_given, Where const& where_given,
                         divot::device_batch const& options) {
  auto const teacher = divot::as_device_rows(teacher_given);
  auto const student = divot::as_device_rows(student_given);
  auto const where = divot::device_where(where_given);
  using form = divot::device_form<std::remove_const_t<decltype(teacher)>,
                                  std::remove_const_t<decltype(student)>,
                                  std::remove_const_t<decltype(where)>>;
  using T = typename form::arithmetic;
  constexpr bool with_student = form::with_student, with_teacher = form::with_teacher;
  auto const plan = divot::make_plan(what);
  auto call = form::call(plan, teacher, student, where, options);
  auto const rows = static_cast<std::size_t>(call.rows);
  double mean = 0;
  imitated_group::run(policy.threads, [&] {
    divot::find_device_mean<imitated_group>(call.options, call.rows, &mean);
  });
  std::vector<double> losses(rows);
  std::vector<divot::row_state> states(rows);
  call.mean = &mean;
  call.losses = losses.data();
  call.states = states.data();
  unsigned passed_on[divot::device_passes_most] = {};
  call.left = passed_on;
  one_pass<divot::lockstep_team<T, imitated_group>, with_student, with_teacher>(policy.threads,
                                                                                plan, call, 0);
  auto const left = static_cast<index>(passed_on[0]);
  int pass = 1;
  if constexpr (std::is_same_v<T, float>) {
    one_pass<divot::lockstep_team<double, imitated_group>, with_student, with_teacher>(
        policy.threads, plan, call, pass++);
  }
  one_pass<divot::scalar_team<double, true>, with_student, with_teacher>(1, plan, call, pass);
  double sum = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    sum += losses[r];
    if (states[r] != divot::row_state::done) {
      if (options.status == nullptr) continue;
      auto const inverted = ~static_cast<unsigned long long>(r);
      ++options.status->bad_rows;
      if (options.status->first_bad_inverted < inverted) {
        options.status->first_bad_inverted = inverted;
      }
    } else if (!options.per_row.empty()) {
      options.per_row.data[r] = losses[r];
    }
  }
  if (options.loss != nullptr) *options.loss = mean * sum;
  return left;
}

}  // namespace lockstep
