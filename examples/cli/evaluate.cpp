// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "evaluate.hpp"

#include "class_transport.hpp"
#include "execution_policy.hpp"
#include "flaw.hpp"
#include "sinkd.hpp"
#include "wide.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#if DIVOT_HAS_OPENMP
#include <omp.h>
#endif

namespace cli {

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
#if DIVOT_HAS_OPENMP
      policy_->value = divot::omp(1);
#else
      policy_->value = divot::simd;
#endif
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

void check_teacher(std::string const& what, input_options const& inputs) {
  if (inputs.has_teacher()) return;
  fail(what, " needs a teacher: give --teacher, or --teacher-top-k for a sparse one");
}

std::vector<loss_part> parse_loss(std::string const& text, input_options const& inputs) {
  auto parts = parse_spec(text);
  for (loss_part& part : parts) {
    for (loss_term& term : part.terms) {
      if (term.loss->needs_labels && inputs.labels.empty()) {
        fail("--loss: ", term.loss->name, " needs the classes of the rows: give --labels");
      }
      if (term.loss->has_teacher || term.loss->own_call) {
        check_teacher("--loss: " + term.loss->name, inputs);
      }
      if (term.loss == &class_transport_entry()) read_costs(term);
    }
  }
  return parts;
}

void throw_flaw(loss_term const& term, divot::error const& e) {
  fail("--loss, term ", term.text(), ": ", without_name(e.what()));
}

namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  std::size_t const middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
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
                              logits_set<Storage> const& logits, outcome<Storage>& out) {
  call_list<Storage> calls;
  for (loss_term const& term : terms) {
    loss_call<Storage> call{term.loss->make(term.values, term.is_reversed())};
    call.temperature = term.temperature.value_or(inputs.from.temperature);
    call.teacher_temperature = call.temperature;
    call.t_squared = term.t_squared;
    call.weight = term.weight;
    call.batch = inputs.batch();
    if (!term.loss->needs_labels) call.batch.labels = {};
    call.student = view(logits.student);
    // a loss that reads no teacher may do without
    call.teacher = term.loss->has_teacher ? view(logits.teachers.front()) : call.student;
    call.gradient = view(out.gradient);
    call.add = !calls.student.empty();
    calls.student.push_back(call);
    if (!term.loss->has_teacher) continue;
    call.loss = term.loss->make(term.values, !term.is_reversed());
    std::swap(call.teacher, call.student);
    call.gradient = view(out.teacher_gradient);
    call.add = !calls.teacher.empty();
    calls.teacher.push_back(call);
  }
  return calls;
}

/// The terms of parts that are no powers, with the parts' weights.
std::vector<loss_term> flattened(std::vector<loss_part> const& parts) {
  std::vector<loss_term> terms;
  for (loss_part const& part : parts) {
    for (loss_term term : part.terms) {
      term.weight *= part.weight;
      terms.push_back(std::move(term));
    }
  }
  return terms;
}

/// Logits as their files have them: a call of the library for each term.
template <class Storage>
class plain_evaluation {
 public:
  plain_evaluation(std::vector<loss_part> const& parts, problem const& inputs,
                   logits_set<Storage> const& logits, execution const& how, wanted const& want,
                   outcome<Storage>& out)
      : terms_(flattened(parts)),
        inputs_(inputs),
        how_(how),
        want_(want),
        out_(out),
        calls_(list_calls(terms_, inputs, logits, out)),
        row_losses_(want.per_row ? static_cast<std::size_t>(inputs.rows) : 0) {}

  void run() {
    std::size_t teacher_call = 0;
    for (std::size_t k = 0; k < terms_.size(); ++k) {
      calls_.student[k].batch.per_row = row_losses_;
      out_.loss += call(calls_.student[k], terms_[k]).value;
      for (std::size_t i = 0; i < row_losses_.size(); ++i) out_.per_row[i] += row_losses_[i];
      if (want_.teacher_gradient && terms_[k].loss->has_teacher) {
        call(calls_.teacher[teacher_call++], terms_[k]);
      }
    }
  }

 private:
  loss_value call(loss_call<Storage>& one, loss_term const& term) {
    one.batch.workspace = &scratch_;
    try {
      return call_library(how_.get().value, one);
    } catch (divot::bad_value const& e) {
      throw_bad_logits(inputs_);
      throw_flaw(term, e);
    } catch (divot::error const& e) {
      throw_flaw(term, e);
    }
  }

  std::vector<loss_term> terms_;
  problem const& inputs_;
  execution const& how_;
  wanted const& want_;
  outcome<Storage>& out_;
  call_list<Storage> calls_;
  std::vector<double> row_losses_;
  divot::workspace scratch_;
};

/// Everything else, in a wider type.
template <class Wide, class Storage>
void run_wide(std::vector<loss_part> const& parts, problem const& inputs,
              logits_set<Storage> const& logits, execution const& how, wanted const& want,
              outcome<Storage>& out) {
  auto const writer = [&inputs](matrix<arithmetic<Storage>>& m) {
    return [&inputs, &m](divot::index row, Wide const* g) {
      for (divot::index k = 0; k < inputs.classes; ++k) {
        m(row, k) = static_cast<arithmetic<Storage>>(g[k]);
      }
    };
  };
  auto const rows = widened<Wide>(logits, inputs.classes);
  row_writer<Wide> to_teacher;
  if (want.teacher_gradient) to_teacher = writer(out.teacher_gradient);
  evaluate_wide<Wide>(parts, inputs, rows, how, writer(out.gradient), to_teacher, out.loss,
                      out.per_row);
}

/// A loss's parts: those of the table, and the terms with calls of their own, with their parts'
/// weights.
struct sorted_parts {
  std::vector<loss_part> single;
  std::vector<loss_term> own;
};
sorted_parts sorted(std::vector<loss_part> const& parts) {
  sorted_parts out;
  for (loss_part const& part : parts) {
    if (part.terms.front().loss->own_call) {
      out.own.push_back(flattened({part}).front());  // it stands in no power
    } else {
      out.single.push_back(part);
    }
  }
  return out;
}

bool any_mixed(std::vector<loss_part> const& parts) {
  return std::any_of(parts.begin(), parts.end(), [](loss_part const& part) {
    return !std::all_of(part.terms.begin(), part.terms.end(),
                        [](loss_term const& term) { return term.is_pure(); });
  });
}
bool any_power(std::vector<loss_part> const& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [](loss_part const& part) { return part.exponent != 1; });
}

}  // namespace

template <class Storage>
void evaluate(std::vector<loss_part> const& parts, problem const& inputs,
              logits_set<Storage> const& logits, execution const& how, wanted const& want,
              outcome<Storage>& out) {
  out.gradient.setZero(inputs.rows, logits.student.cols());
  if (want.teacher_gradient) {
    out.teacher_gradient.setZero(inputs.rows, logits.teachers.front().cols());
  }
  out.valid_rows = inputs.valid_rows;
  auto const [single, own] = sorted(parts);
  if (!own.empty() && !inputs.is_plain()) {
    fail("--loss: ", own.front().loss->name,
         " takes logits as they stand in their files: no sparse or mixed teacher, no transforms");
  }
  divot::workspace scratch;
  bool const mixed = any_mixed(single);
  std::optional<plain_evaluation<Storage>> plain;
  if (inputs.is_plain() && !mixed && !any_power(single)) {
    plain.emplace(single, inputs, logits, how, want, out);
  } else {
    throw_bad_logits(inputs);
  }
  std::vector<double> seconds;
  for (std::int64_t run = 0; run < want.repeat; ++run) {
    out.loss = 0;
    out.per_row.assign(want.per_row ? static_cast<std::size_t>(inputs.rows) : 0, 0);
    auto const begin = std::chrono::steady_clock::now();
    if (!own.empty()) {
      // they add to what the other terms write, if these write anything
      out.gradient.setZero();
      out.teacher_gradient.setZero();
    }
    if (plain) {
      plain->run();
    } else if (mixed && std::is_same_v<Storage, double>) {
      run_wide<std::conditional_t<std::is_same_v<Storage, double>, long double, double>>(
          single, inputs, logits, how, want, out);
    } else {
      run_wide<double>(single, inputs, logits, how, want, out);
    }
    for (loss_term const& term : own) {
      if (term.loss->between_rows) {
        add_sinkd(term, inputs, logits, how, want, scratch, out);
      } else {
        add_class_transport(term, inputs, logits, how, want, scratch, out);
      }
    }
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begin;
    seconds.push_back(took.count());
  }
  out.seconds = median(std::move(seconds));
}

#define DIVOT_CLI_EVALUATE(Storage)                                                   \
  template void evaluate(std::vector<loss_part> const&, problem const&,               \
                         logits_set<Storage> const&, execution const&, wanted const&, \
                         outcome<Storage>&)
DIVOT_CLI_EVALUATE(float);
DIVOT_CLI_EVALUATE(double);

}  // namespace cli
