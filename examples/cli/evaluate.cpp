// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "evaluate.hpp"

#include "engine.hpp"
#include "flaw.hpp"

#include <divot/core/errors.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#if DIVOT_HAS_OPENMP
#include <omp.h>
#endif

namespace cli {

struct execution::policy {
  any_policy value;
};

execution::execution(input_options const& options)
    : name_(options.policy), policy_(std::make_unique<policy>()) {
  constexpr std::int64_t most = 1024;
  if (options.has_threads && (options.threads < 1 || options.threads > most)) {
    fail("--threads: ", options.threads, "; it must lie in 1 … ", most);
  }
  if (name_.empty()) name_ = options.threads > 1 ? "omp" : "simd";
  if (name_ != "omp") {
    if (options.threads > 1) {
      fail("--threads: policy ", name_, " uses one thread; several need --policy omp");
    }
    if (name_ == "seq") {
      policy_->value = divot::seq;
    } else {
      policy_->value = divot::simd;
    }
    return;
  }
#if DIVOT_HAS_OPENMP
  policy_->value = divot::omp(static_cast<int>(options.threads));
  threads_ = options.threads > 0 ? static_cast<int>(options.threads) : omp_get_max_threads();
#else
  fail("--policy: omp: this program was built without OpenMP; it has seq and simd");
#endif
}

execution::~execution() = default;

namespace {

template <class T>
divot::matrix_ref<T const> view(matrix<T> const& m) {
  return {m.data(), m.rows(), m.cols()};
}
template <class T>
divot::matrix_ref<T> view(matrix<T>& m) {
  return {m.data(), m.rows(), m.cols()};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t const middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The library's words as a flaw of the term they are about.
[[noreturn]] void throw_flaw(loss_term const& term, divot::error const& e) {
  constexpr std::string_view prefix = "divot: ";
  std::string_view what = e.what();
  if (what.substr(0, prefix.size()) == prefix) what.remove_prefix(prefix.size());
  fail("--loss, term ", term.text(), ": ", what);
}

/// The calls that evaluate a sum: for each term one that gives its value and the student's gradient
/// and, where the term has a teacher, one that gives the teacher's.
template <class Storage>
struct call_list {
  std::vector<loss_call<Storage>> student, teacher;
};

/// D(p‖q) is the reverse of D at (q, p), so the teacher's gradient is the student's gradient of
/// the reverse with the roles exchanged: dearer than asking the library for both in one sweep
/// (gradients().student(…).teacher(…)), but half as many kernels to compile.
template <class Storage>
call_list<Storage> list_calls(std::vector<loss_term> const& terms, problem const& inputs,
                              logits_pair<Storage> const& logits, outcome<Storage>& out) {
  call_list<Storage> calls;
  for (loss_term const& term : terms) {
    loss_call<Storage> call{term.loss->make(term.values, term.reversed)};
    call.temperature = term.temperature.value_or(inputs.from.temperature);
    call.t_squared = term.t_squared;
    call.weight = term.weight;
    call.batch = inputs.batch();
    if (!term.loss->needs_labels) call.batch.labels = {};
    call.teacher = view(logits.teacher);
    call.student = view(logits.student);
    call.gradient = view(out.gradient);
    call.add = !calls.student.empty();
    calls.student.push_back(call);
    if (!term.loss->has_teacher) continue;
    call.loss = term.loss->make(term.values, !term.reversed);
    std::swap(call.teacher, call.student);
    call.gradient = view(out.teacher_gradient);
    call.add = !calls.teacher.empty();
    calls.teacher.push_back(call);
  }
  return calls;
}

}  // namespace

template <class Storage>
void evaluate(std::vector<loss_term> const& terms, problem const& inputs,
              logits_pair<Storage> const& logits, execution const& how, wanted const& want,
              outcome<Storage>& out) {
  out.gradient.setZero(inputs.rows, logits.student.cols());
  if (want.teacher_gradient) out.teacher_gradient.setZero(inputs.rows, logits.teacher.cols());
  divot::workspace scratch;
  std::vector<double> row_losses(want.per_row ? static_cast<std::size_t>(inputs.rows) : 0);
  call_list<Storage> calls = list_calls(terms, inputs, logits, out);

  std::vector<double> seconds;
  for (std::int64_t run = 0; run < want.repeat; ++run) {
    std::chrono::steady_clock::duration total{};
    auto const timed = [&](loss_call<Storage>& call, loss_term const& term) {
      call.batch.workspace = &scratch;
      try {
        auto const begin = std::chrono::steady_clock::now();
        loss_value const part = call_library(how.get().value, call);
        total += std::chrono::steady_clock::now() - begin;
        return part;
      } catch (divot::bad_value const& e) {
        throw_bad_logits(inputs, e.count());
        throw_flaw(term, e);
      } catch (divot::error const& e) {
        throw_flaw(term, e);
      }
    };
    out.loss = 0;
    out.per_row.assign(row_losses.size(), 0);
    std::size_t teacher_call = 0;
    for (std::size_t k = 0; k < terms.size(); ++k) {
      calls.student[k].batch.per_row = row_losses;
      loss_value const part = timed(calls.student[k], terms[k]);
      out.loss += part.value;
      out.valid_rows = part.valid_rows;
      for (std::size_t i = 0; i < row_losses.size(); ++i) out.per_row[i] += row_losses[i];
      if (want.teacher_gradient && terms[k].loss->has_teacher) {
        timed(calls.teacher[teacher_call++], terms[k]);
      }
    }
    seconds.push_back(std::chrono::duration<double>(total).count());
  }
  out.seconds = median(std::move(seconds));
}

#define DIVOT_CLI_EVALUATE(Storage)                                                    \
  template void evaluate(std::vector<loss_term> const&, problem const&,                \
                         logits_pair<Storage> const&, execution const&, wanted const&, \
                         outcome<Storage>&)
DIVOT_CLI_EVALUATE(float);
DIVOT_CLI_EVALUATE(double);
DIVOT_CLI_EVALUATE(Eigen::half);
DIVOT_CLI_EVALUATE(Eigen::bfloat16);

}  // namespace cli
