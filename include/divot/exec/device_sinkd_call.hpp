// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/sinkd_checks.hpp>
#include <divot/exec/device_call.hpp>
#include <divot/exec/device_sinkd.hpp>
#include <divot/family/batch_terms.hpp>

#include <cstddef>
#include <tuple>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// The one term between rows that a device works out at a time.
template <class L>
auto only_sinkd_term(L const& what) {
  auto const between = terms_of<true>(what, 1);
  auto const others = terms_of<false>(what, 1);
  static_assert(
      std::tuple_size_v<std::remove_const_t<decltype(between)>> == 1 &&
          std::tuple_size_v<std::remove_const_t<decltype(others)>> == 0,
      "divot: on a device sinkd is a call of its own, or a multiple of it: give the other terms "
      "another call, with device_gradients{.accumulate = true}");
  return std::get<0>(between);
}

/// What sinkd is refused on a device, before anything is launched.
inline void check_device_sinkd(sinkd const& what, device_batch const& options, index rows,
                               bool numbers) {
  check_sinkd_options(what, options.reduction, numbers);
  if (what.gradient == route::envelope && !(options.weights.empty() && options.upstream.empty())) {
    fail(
        "sinkd: route::envelope is the gradient of the whole value, and not of its rows' parts; "
        "whether a device's weights and upstream gradients are equal nobody knows before the "
        "launch: ask for route::implicit");
  }
  if (!options.temperatures.empty()) {
    fail("device_batch::temperatures: sinkd has one temperature for all rows, its own");
  }
  if (what.rows_per_problem > 0 && rows % what.rows_per_problem != 0) {
    fail("sinkd: ", rows, " rows are no whole number of sequences of ", what.rows_per_problem,
         " (rows_per_problem); fill the last one up with masked rows");
  }
}

/// The types of a SinKD call on a device, and how it is made ready for kernels.
template <class Term, class Teacher, class Student, class Gradients>
struct device_sinkd_form {
  using rows_form = device_form<Teacher, Student, Gradients>;
  using ground_type = std::remove_cvref_t<decltype(ground_of(Term()))>;
  static constexpr bool with_student = rows_form::with_student;
  static constexpr bool with_teacher = rows_form::with_teacher;
  static_assert(Teacher::kind != operand_kind::top_k,
                "divot: sinkd takes logits, log_probabilities or labels as teacher");
  static_assert(Student::kind == operand_kind::logits,
                "divot: sinkd takes the student's logits: its gradient is theirs");
  static_assert(std::is_same_v<typename Teacher::transform_list, std::tuple<>> &&
                    std::is_same_v<typename Student::transform_list, std::tuple<>>,
                "divot: sinkd takes logits as they are: softcap, bias, standardise and mask belong "
                "to losses of single rows");
  static_assert(!with_teacher || Teacher::kind == operand_kind::logits,
                "divot: of sinkd a teacher's gradient exists for logits only");
  static_assert(!compares_numbers<ground_type> || Teacher::kind == operand_kind::logits,
                "divot: absolute_difference compares numbers: the teacher is a bare view of them, "
                "as the student is");
  using number = typename rows_form::arithmetic;
  template <class View>
  using storage_of = typename rows_form::template storage_of<View>;
  using call_type = device_sinkd<number, typename Teacher::storage, typename Student::storage,
                                 storage_of<decltype(Gradients::student)>,
                                 storage_of<decltype(Gradients::teacher)>, ground_type>;

  /// Checked, but for its memory.
  static call_type call(scaled<Term> const& term, Teacher const& teacher, Student const& student,
                        Gradients const& where, device_batch const& options) {
    struct any_rows {
      loss_facts facts() const { return {}; }
    };
    auto const rows = rows_form::call(any_rows{}, teacher, student, where, options);
    call_type out{};
    out.teacher = rows.teacher;
    out.student = rows.student;
    out.teacher_kind = rows.teacher_kind;
    out.student_to = rows.student_to;
    out.teacher_to = rows.teacher_to;
    out.accumulate = rows.accumulate;
    out.scale = rows.scale * term.weight;
    out.weight = term.weight;
    out.options = options;
    out.what = sinkd_of(term.term);
    out.ground = ground_of(term.term);
    out.rows = rows.rows;
    out.classes = rows.classes;
    check_device_sinkd(out.what, options, out.rows, compares_numbers<ground_type>);
    out.most = out.what.rows_per_problem > 0 ? out.what.rows_per_problem : out.rows;
    out.problems = out.most > 0 ? out.rows / out.most : 0;
    out.with_student = with_student;
    out.with_teacher = with_teacher;
    out.step = sinkd_step<number>(out.classes);
    return out;
  }
};

/// body() for each kind of problem that a call is made of, one after the other.
template <class Call, class Body>
void each_sinkd_kind(Call& call, Body const& body) {
  for (auto const between :
       {sinkd_between::sides, sinkd_between::students, sinkd_between::teachers}) {
    call.between = between;
    if (!call.biased() || call.what.debiased) body();
  }
  call.between = sinkd_between::sides;
}
/// And for those that a side's gradient is made of.
template <class Call, class Body>
void each_sinkd_slope(Call& call, bool of_teacher, Body const& body) {
  body();
  if (!call.what.debiased) return;
  call.between = of_teacher ? sinkd_between::teachers : sinkd_between::students;
  body();
  call.between = sinkd_between::sides;
}

/// Hands out what a call works in: take(pointer, how many) for each array.
template <class Tiles, class Call, class Take>
void lay_out_sinkd(Call& call, Take const& take) {
  index const square = call.most * call.most, side = Tiles::tiles(call.most);
  index const slices = Tiles::slices(call.classes), entries = call.problems * square;
  // as long as there are not tiles enough for a device, and there is memory for it
  call.apart =
      slices > 1 && call.problems * side * side < 2048 && entries * slices <= (index(1) << 25);
  take(call.student_rows, call.rows * call.step);
  take(call.teacher_rows, call.rows * call.step);
  take(call.bars, call.wanted() ? call.rows * call.step : 0);
  take(call.places, call.rows);
  take(call.counts, call.problems);
  take(call.bad, call.rows + call.problems);
  take(call.mean, 1);
  take(call.parts, call.apart ? entries * slices : 0);
  take(call.costs, entries);
  take(call.slopes, call.wanted() ? entries * (call.what.debiased ? 3 : 1) : 0);
  take(call.losses, call.rows);
}

}  // namespace DIVOT_ABI
}  // namespace divot
