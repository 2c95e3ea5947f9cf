// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// SinkD as a device works it out, with host threads for a block's: everything but the launches.

#include <divot/exec/device_mean.hpp>
#include <divot/exec/device_sinkd_call.hpp>
#include <divot/exec/device_sinkd_row.hpp>
#include <divot/exec/device_sinkd_solve.hpp>
#include <divot/exec/device_sinkd_tiles.hpp>

#include <lockstep/imitated_group.hpp>

#include <cstddef>
#include <cstring>
#include <memory>
#include <vector>

namespace lockstep {

/// Memory that is aligned as a device's, and that nobody has written to.
class poisoned_memory {
 public:
  template <class T>
  T* take(index count) {
    std::size_t const bytes = static_cast<std::size_t>(count) * sizeof(T) + 512;
    pieces_.push_back(std::make_unique<std::byte[]>(bytes));
    std::memset(pieces_.back().get(), 0xff, bytes);
    auto const at = reinterpret_cast<std::uintptr_t>(pieces_.back().get());
    return reinterpret_cast<T*>((at + 255) / 256 * 256);
  }

 private:
  std::vector<std::unique_ptr<std::byte[]>> pieces_;
};

/// How a call is imitated: threads of a block, for rows and for sweeps, and whether slices of
/// classes may stand apart.
struct imitated_sinkd {
  index threads = 3, sweep_threads = 3;
  bool apart = true;
};

template <class L, class Teacher, class Student, class Where>
void value_and_gradient(imitated_sinkd const& how, L const& what, Teacher const& teacher_given,
                        Student const& student_given, Where const& where_given,
                        divot::device_batch const& options) {
  auto const teacher = divot::as_device_rows(teacher_given);
  auto const student = divot::as_device_rows(student_given);
  auto const where = divot::device_where(where_given);
  auto const term = divot::only_sinkd_term(what);
  using form = divot::device_sinkd_form<
      std::remove_cvref_t<decltype(term.term)>, std::remove_const_t<decltype(teacher)>,
      std::remove_const_t<decltype(student)>, std::remove_const_t<decltype(where)>>;
  using T = typename form::number;
  using team = divot::lockstep_team<T, imitated_group>;
  using tiles = divot::ground_tiles<T, imitated_group, 2>;
  auto call = form::call(term, teacher, student, where, options);
  poisoned_memory memory;
  divot::lay_out_sinkd<tiles>(call, [&](auto*& to, index count) {
    to = memory.take<std::remove_reference_t<decltype(*to)>>(count);
  });
  call.apart = call.apart && how.apart;
  T* const rows = memory.take<T>(2 * call.step);
  double* const sweeps = memory.take<double>(divot::sinkd_solver_room(call.most, call.what.sweeps));
  auto& tile = *memory.take<typename tiles::memory>(1);

  for (index r = 0; r < call.rows; ++r) divot::place_sinkd_row(call, r);
  imitated_group::run(how.threads, [&] {
    divot::find_device_mean<imitated_group>(call.options, call.rows, call.mean);
    for (index r = 0; r < call.rows; ++r) {
      if (!divot::is_valid(call.options, r)) continue;
      divot::read_sinkd_row<team>(call, call.teacher, call.teacher_kind, call.teacher_rows, rows,
                                  call.step, 0, r);
      divot::read_sinkd_row<team>(call, call.student, divot::operand_kind::logits,
                                  call.student_rows, rows, call.step, 0, r);
    }
  });
  divot::each_sinkd_kind(call, [&] {
    imitated_group::run(tiles::threads, [&] {
      for (index k = 0; k < divot::sinkd_cost_tiles<tiles>(call); ++k) {
        divot::find_sinkd_costs<tiles>(call, k, tile);
      }
    });
    for (index p = 0; p < call.problems; ++p) {
      for (index k = 0; k < call.most * call.most; ++k) {
        divot::settle_sinkd_cost(call, tiles::slices(call.classes), p, k);
      }
    }
    imitated_group::run(how.sweep_threads, [&] {
      for (index p = 0; p < call.problems; ++p) {
        if (call.what.sweeps > 0) {
          divot::sweep_sinkd_problem<imitated_group>(call, p, sweeps);
        } else {
          divot::limit_sinkd_problem<imitated_group>(call, p, sweeps);
        }
      }
    });
  });
  auto const write = [&](bool of_teacher, T const* compared, auto const& to) {
    divot::each_sinkd_slope(call, of_teacher, [&] {
      imitated_group::run(tiles::threads, [&] {
        for (index k = 0; k < divot::sinkd_slope_tiles<tiles>(call); ++k) {
          divot::pull_sinkd_tile<tiles>(call, of_teacher, k, tile);
        }
      });
    });
    imitated_group::run(how.threads, [&] {
      for (index r = 0; r < call.rows; ++r) {
        divot::write_sinkd_row<team>(call, compared, to, rows, call.step, 0, r);
      }
    });
  };
  if constexpr (form::with_student) write(false, call.student_rows, call.student_to);
  if constexpr (form::with_teacher) write(true, call.teacher_rows, call.teacher_to);
  divot::device_status* const status = options.status;
  imitated_group::run(how.threads, [&] {
    divot::device_status found;
    if (divot::finish_sinkd_call<imitated_group>(call, found)) *status = found;
  });
}

}  // namespace lockstep
