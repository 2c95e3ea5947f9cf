// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_arguments.hpp>
#include <divot/exec/device_bucket.hpp>
#include <divot/exec/device_storage.hpp>
#include <divot/row/loss_row.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// One row of a call, by all threads of a team: read and converted to scratch, done there,
/// converted and written back. Nothing of a row that is bad or beyond the team's numbers is
/// written.
///
/// One read and one write of the logits, whatever their type, and however they are aligned.
template <class Team, bool Student, bool Teacher, class Call>
class device_row {
 public:
  using T = typename Team::scalar;
  using row = typename Team::row;

  /// `memory`: arrays.count() arrays of `step` numbers, after which come the blocks' sums where a
  /// row has several; `first`: the class that the arrays begin with.
  DIVOT_HD device_row(Call const& call, device_arrays const& arrays, T* memory, index step,
                      index first, int pass)
      : call_(call), arrays_(arrays), memory_(memory), step_(step), first_(first), pass_(pass) {}

  template <class Plan>
  DIVOT_HD void run(Plan const& plan, index r) const {
    if (!is_valid(call_.options, r)) return skip(r);
    index const n = valid_classes_of(call_.options, r, call_.classes);
    row_task<Team> task;
    int next = 0;
    auto const take = [&](bool wanted) { return wanted ? array(next++) : nullptr; };
    T* const student = take(true);
    task.student = student;
    T* const teacher = take(arrays_.teacher);
    task.teacher = teacher;
    task.student_exponentials = take(true);
    task.teacher_exponentials = take(arrays_.teacher);
    T* const own_weights = take(arrays_.student_weights);
    task.student_weights = arrays_.student_weights ? own_weights : task.teacher_exponentials;
    task.teacher_weights = take(arrays_.teacher_weights);
    task.student_partial = take(arrays_.student_partial);
    task.teacher_partial = take(arrays_.teacher_partial);
    softmax_block<row> teacher_block, student_block;
    sweep_block<row> sums;
    if constexpr (Team::one_block) {
      task.teacher_blocks = &teacher_block;
      task.student_blocks = &student_block;
      task.sweep_blocks = &sums;
    } else {
      index const blocks = block_count<Team>(call_.classes);
      task.teacher_blocks = reinterpret_cast<softmax_block<row>*>(array(next));
      task.student_blocks = task.teacher_blocks + blocks;
      task.sweep_blocks = reinterpret_cast<sweep_block<row>*>(task.student_blocks + blocks);
    }
    task.student_gradient = student;
    task.teacher_gradient = teacher;
    if (!describe(task, r, n)) return finish(r, row_state::bad, row(0));

    read_row<Team>(call_.student.x, r, n, student);
    transform(call_.student, n, r, student);
    if (arrays_.teacher) {
      if (call_.teacher_kind == operand_kind::labels) {
        read_label(call_.teacher.y.data[r], n, teacher);
      } else if (call_.teacher_kind == operand_kind::top_k) {
        if (!read_top_k(r, n, teacher, student)) return finish(r, row_state::bad, row(0));
      } else {
        read_row<Team>(call_.teacher.x, r, n, teacher);
        transform(call_.teacher, n, r, teacher);
      }
    }
    Team const team;
    loss_row<Student, Teacher, false, Team>(team, task).run(plan);
    // what even the limits of double do not tell
    if constexpr (Team::widest) task.bad = task.bad || task.loss != task.loss;
    if (task.bad || task.beyond) {
      return finish(r, task.bad ? row_state::bad : row_state::beyond, row(0));
    }
    if constexpr (Student) {
      if (in_bucket(n)) part_bucket(n, r, student);
      pull_back(call_.student, n, r, student);
    }
    if constexpr (Teacher) pull_back(call_.teacher, n, r, teacher);
    if constexpr (Student) write_row<Team>(call_.student_to, r, n, student, call_.accumulate);
    if constexpr (Teacher) write_row<Team>(call_.teacher_to, r, n, teacher, call_.accumulate);
    finish(r, row_state::done, task.loss);
  }

 private:
  DIVOT_HD T* array(int number) const { return memory_ + number * step_ - first_; }

  template <class Operand>
  static constexpr bool has_transforms =
      std::tuple_size_v<typename std::remove_cvref_t<Operand>::transform_list> > 0;

  template <class Operand>
  DIVOT_HD void transform(Operand const& of, index n, index r, T* x) const {
    if constexpr (has_transforms<Operand>) bind_transforms<Team>(of.transforms).apply(x, n, r);
  }
  /// A gradient with respect to transformed logits becomes one with respect to those in memory,
  /// which are read again. What the row has worked with is nobody's any more.
  template <class Operand>
  DIVOT_HD void pull_back(Operand const& of, index n, index r, T* g) const {
    if constexpr (has_transforms<Operand>) {
      T* const free = array(arrays_.gradients());
      read_row<Team>(of.x, r, n, free);
      bind_transforms<Team>(of.transforms).pull(g, n, r, free, step_);
    }
  }

  /// The numbers that are a row's own; false where they are none.
  DIVOT_HD bool describe(row_task<Team>& task, index r, index n) const {
    task.classes = n;
    // a top-k teacher's row is divided by its sum
    task.teacher_normalised =
        call_.teacher_kind != operand_kind::logits && call_.teacher_kind != operand_kind::top_k;
    task.student_normalised = call_.student_kind != operand_kind::logits;
    double const t = temperature_of(call_.options, r, call_.teacher.temperature);
    double const s = student_temperature(r);
    if (!task.teacher_normalised) {
      auto const inverse = inverse_words<row>(t);
      task.teacher_inverse_temperature = inverse.high;
      task.teacher_inverse_low = inverse.low;
    }
    if (!task.student_normalised) {
      auto const inverse = inverse_words<row>(s);
      task.student_inverse_temperature = inverse.high;
      task.student_inverse_low = inverse.low;
    }
    task.student_scale = task.teacher_scale =
        constant<row>(gradient_factor(call_.options, r, *call_.mean) * call_.scale);
    task.label_smoothing = call_.label_smoothing;
    task.has_label = call_.labels() != nullptr;
    if (task.has_label) task.label = static_cast<index>(call_.labels()[r]);
    task.teacher_tolerance = stored_tolerance<typename Call::teacher_storage>;
    task.student_tolerance = stored_tolerance<typename Call::student_storage>;
    bool const label_counts = call_.facts.has_labels || call_.teacher_kind == operand_kind::labels;
    return n > 0 && t > 0 && t < infinity<double>() && s > 0 && s < infinity<double>() &&
           !(label_counts && (task.label < 0 || task.label >= n));
  }

  DIVOT_HD void read_label(std::int64_t y, index n, T* to) const {
    double const share = call_.label_smoothing / static_cast<double>(n);
    T const low = call_.label_smoothing == 0 ? T(-std::numeric_limits<double>::infinity())
                                             : static_cast<T>(std::log(share));
    T const high = static_cast<T>(std::log1p(share - call_.label_smoothing));
    each_class<Team>(n, [&](index k) { to[k] = k == static_cast<index>(y) ? high : low; });
  }

  /// The named classes' log-probabilities, and everybody else's share; false where these are none.
  DIVOT_HD bool read_top_k(index r, index n, T* to, T* student) const {
    auto const& of = call_.teacher;
    index const named = of.x.cols;
    auto const* const log_p = of.x.data + r * of.x.row_stride;
    std::int64_t const* const at = of.indices.data + r * of.indices.row_stride;
    T const none = std::numeric_limits<T>::quiet_NaN();
    each_class<Team>(n, [&](index k) { to[k] = none; });
    bool bad = false;
    double sum = 0;
    for (index j = 0; j < named; ++j) {
      T const x = from_stored<T>(log_p[j]);
      sum += std::exp(static_cast<double>(x));
      index const k = static_cast<index>(at[j]);
      bad = bad || k < 0 || k >= n || !(x <= T(0));
      if (!bad && owns_class<Team>(k)) {
        bad = to[k] == to[k];  // for the second time
        to[k] = x;
      }
    }
    bool const given = !of.log_tail_mass.empty();
    double const tail_mass = given ? std::exp(of.log_tail_mass.data[r]) : 0;
    double const allowed = stored_tolerance<typename Call::teacher_storage>;
    bool const left_over = n > named;
    double const over = sum + tail_mass - 1;
    bad = bad || !(over <= allowed) || (given && !(over >= -allowed)) ||
          (!left_over && !(over >= -allowed)) || !(tail_mass <= 1);
    if (any_of<Team>(bad)) return false;
    double const log_mass = given     ? of.log_tail_mass.data[r]
                            : sum < 1 ? std::log1p(-sum)
                                      : -std::numeric_limits<double>::infinity();
    if (in_bucket(n)) {
      auto const is_named = [to](index k) { return to[k] == to[k]; };
      device_bucket<Team> const bucket(n, student_temperature(r), student, is_named);
      if (bucket.is_bad()) return false;
      bucket.join(n, log_mass, to, student, is_named);
      return true;
    }
    T share = -std::numeric_limits<T>::infinity();
    if (of.tail == tail::uniform && left_over) {
      share = static_cast<T>(log_mass - std::log(static_cast<double>(n - named)));
    }
    each_class<Team>(n, [&](index k) { to[k] = to[k] == to[k] ? to[k] : share; });
    return true;
  }

  /// Whether classes that are not named count as one.
  DIVOT_HD bool in_bucket(index n) const {
    return arrays_.teacher && call_.teacher_kind == operand_kind::top_k &&
           call_.teacher.tail == tail::bucket && n > call_.teacher.x.cols;
  }
  DIVOT_HD double student_temperature(index r) const {
    return temperature_of(call_.options, r, call_.student.temperature);
  }
  /// Their gradient, from the logits, which are read again.
  DIVOT_HD void part_bucket(index n, index r, T* g) const {
    T* const x = array(arrays_.gradients());
    T* const named = array(arrays_.gradients() + 1);
    read_row<Team>(call_.student.x, r, n, x);
    transform(call_.student, n, r, x);
    each_class<Team>(n, [&](index k) { named[k] = T(0); });
    auto const& at = call_.teacher.indices;
    for (index j = 0; j < at.cols; ++j) {
      index const k = static_cast<index>(at.data[r * at.row_stride + j]);
      if (owns_class<Team>(k)) named[k] = T(1);
    }
    auto const is_named = [named](index k) { return named[k] != T(0); };
    device_bucket<Team>(n, student_temperature(r), x, is_named).part(n, x, g, is_named);
  }

  DIVOT_HD void skip(index r) const {
    if constexpr (Student) {
      if (!call_.accumulate) clear_row<Team>(call_.student_to, r, 0);
    }
    if constexpr (Teacher) {
      if (!call_.accumulate) clear_row<Team>(call_.teacher_to, r, 0);
    }
    if (!leads<Team>()) return;
    call_.states[r] = row_state::done;
    call_.losses[r] = 0;
  }
  DIVOT_HD void finish(index r, row_state state, row const& loss) const {
    if (!leads<Team>()) return;
    double const weight = weight_of(call_.options, r);
    call_.states[r] = state;
    if (state == row_state::beyond) {
#if defined(__CUDA_ARCH__)
      atomicAdd(call_.left + pass_, 1u);
#else
      ++call_.left[pass_];
#endif
    }
    call_.losses[r] = state != row_state::done ? std::numeric_limits<double>::quiet_NaN()
                      : weight == 0            ? 0
                                               : weight * static_cast<double>(loss);
  }

  Call const& call_;
  device_arrays const& arrays_;
  T* memory_;
  index step_, first_;
  int pass_;  // of how many that the call's rows have
};

}  // namespace DIVOT_ABI
}  // namespace divot
