// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "sinkd.hpp"

#include "engine.hpp"
#include "execution_policy.hpp"
#include "flaw.hpp"

#include <divot/divot.hpp>

#include <cmath>
#include <variant>

namespace cli {
namespace {

/// The places of the parameters below.
enum parameter : std::size_t {
  temperature,
  epsilon,
  sweeps,
  mass,
  gradient,
  objective,
  debiased,
  cost,
  rows_per_problem,
  tolerance
};

using any_ground = std::variant<divot::ground::l1, divot::ground::l2, divot::ground::squared_l2,
                                divot::ground::absolute_difference>;
any_ground ground_of(loss_term const& term) {
  any_ground const all[] = {divot::ground::l1{}, divot::ground::l2{}, divot::ground::squared_l2{},
                            divot::ground::absolute_difference{}};
  return all[static_cast<std::size_t>(term.values[cost])];
}

/// A parameter that is a whole number from 0.
template <class Whole>
Whole whole(loss_term const& term, parameter which, char const* name, double most) {
  double const x = term.values[which];
  if (!(x >= 0 && x <= most && x == std::floor(x))) {
    fail("--loss, term ", term.text(), ": ", name, " is ", x,
         "; it must be a whole number from 0 to ", most);
  }
  return static_cast<Whole>(x);
}
/// A parameter that is one of an enumeration's words, in their order.
template <class Words>
Words word(loss_term const& term, parameter which) {
  return static_cast<Words>(static_cast<int>(term.values[which]));
}

divot::sinkd sinkd_of(loss_term const& term, problem const& inputs) {
  if (term.values[mass] != 0 && inputs.from.reduction == "mean") {
    fail("--loss, term ", term.text(),
         ": with mass=probability the value is a mean over the rows already: it needs eval "
         "--reduction sum");
  }
  return {.temperature = term.values[temperature],
          .epsilon = term.values[epsilon],
          .sweeps = whole<int>(term, sweeps, "sweeps", 1e6),
          .mass = word<divot::mass>(term, mass),
          .objective = term.values[objective] == 0 ? divot::transport_objective::transport_cost
                                                   : divot::transport_objective::entropic,
          .debiased = term.values[debiased] != 0,
          .gradient = word<divot::route>(term, gradient),
          .rows_per_problem = whole<divot::index>(term, rows_per_problem, "rows_per_problem", 1e15),
          .tolerance = term.values[tolerance]};
}

}  // namespace

loss_entry const& sinkd_entry() {
  static loss_entry const entry = [] {
    divot::sinkd const initial;
    loss_entry e;
    e.name = "sinkd";
    e.formula = "Σ P_ij C_ij, C_ij = Σ_k |q_ik − p_jk|, P by Sinkhorn's sweeps from exp(−C/ε)";
    e.note = "SinKD, between the rows of a batch; no reverse, skew or power";
    e.parameters = {
        {"temperature", initial.temperature, "its own: --temperature does not reach it"},
        {"epsilon", initial.epsilon, "ε ≥ 1e-12, in units of the cost (l1: at most 2)"},
        {"sweeps", static_cast<double>(initial.sweeps),
         "of rows and then columns; 0: until converged"},
        {"mass",
         0,
         "of a row; probability (1/rows) needs --reduction sum",
         {"one_per_sample", "probability"}},
        {"gradient",
         0,
         "with sweeps=0 one of the others; plan_detached holds P: not the loss's gradient",
         {"unrolled", "implicit", "envelope", "plan_detached"}},
        {"objective",
         0,
         "entropic: Σ P C + ε(P ln(P/ab) − P + ab)",
         {"transport_cost", "entropic"}},
        {"debiased",
         0,
         "of the entropic value, with sweeps=0: 0 where both sides agree",
         {"false", "true"}},
        {"cost",
         0,
         "between the distributions; absolute_difference: between numbers, for regression",
         {"l1", "l2", "squared_l2", "absolute_difference"}},
        {"rows_per_problem", static_cast<double>(initial.rows_per_problem),
         "sequences of so many rows, each a problem of its own; 0: all rows are one"},
        {"tolerance", initial.tolerance, "with sweeps=0, of the sums; 0: 1e-9 of the mass"}};
    e.has_teacher = false;
    e.own_call = e.between_rows = true;
    e.shape_of = [] { return std::optional<loss_entry::shape>(); };
    return e;
  }();
  return entry;
}

namespace {

/// One term's value; what its gradients add to. An empty teacher's gradient: it is not wanted.
template <class T>
double call_sinkd(loss_term const& term, divot::sinkd const& what, execution const& how,
                  matrix<T> const& teacher, matrix<T> const& student, matrix<T>& of_student,
                  matrix<T>& of_teacher, divot::batch const& batch) {
  auto const call = [&](auto const& policy, auto const& where) -> double {
    return std::visit(
        [&](auto const& ground) -> double {
          return divot::value_and_gradient(policy, term.weight * with_cost(what, ground), teacher,
                                           student, where, batch);
        },
        ground_of(term));
  };
  return std::visit(
      [&](auto const& policy) {
        auto const to_student = divot::gradients().student(divot::accumulate(of_student));
        return of_teacher.size() != 0
                   ? call(policy, to_student.teacher(divot::accumulate(of_teacher)))
                   : call(policy, to_student);
      },
      how.get().value);
}

}  // namespace

template <class Storage>
void add_sinkd(loss_term const& term, problem const& inputs, logits_set<Storage> const& logits,
               execution const& how, wanted const& want, divot::workspace& scratch,
               outcome<Storage>& out) {
  divot::sinkd const what = sinkd_of(term, inputs);
  std::vector<double> row_losses(out.per_row.size());
  divot::batch batch = inputs.batch();
  batch.labels = {};
  batch.per_row = row_losses;
  batch.workspace = &scratch;
  try {
    matrix<arithmetic<Storage>> unwanted;
    out.loss += call_sinkd<arithmetic<Storage>>(
        term, what, how, logits.teachers.front(), logits.student, out.gradient,
        want.teacher_gradient ? out.teacher_gradient : unwanted, batch);
  } catch (divot::bad_value const& e) {
    throw_bad_logits(inputs);
    throw_flaw(term, e);
  } catch (divot::error const& e) {
    throw_flaw(term, e);
  }
  for (std::size_t i = 0; i < row_losses.size(); ++i) out.per_row[i] += row_losses[i];
}

#define DIVOT_CLI_ADD_SINKD(Storage)                                                    \
  template void add_sinkd(loss_term const&, problem const&, logits_set<Storage> const&, \
                          execution const&, wanted const&, divot::workspace&, outcome<Storage>&)
DIVOT_CLI_ADD_SINKD(float);
DIVOT_CLI_ADD_SINKD(double);

}  // namespace cli
