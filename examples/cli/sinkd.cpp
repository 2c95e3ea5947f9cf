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
enum parameter : std::size_t { temperature, epsilon, sweeps, mass, gradient };

divot::sinkd sinkd_of(loss_term const& term, problem const& inputs) {
  double const count = term.values[sweeps];
  if (!(count >= 1 && count <= 1e6 && count == std::floor(count))) {
    fail("--loss, term ", term.text(), ": sweeps is ", count,
         "; it must be a whole number from 1 to 1000000");
  }
  if (term.values[mass] != 0 && inputs.from.reduction == "mean") {
    fail("--loss, term ", term.text(),
         ": with mass=probability the value is a mean over the rows already: it needs eval "
         "--reduction sum");
  }
  return {.temperature = term.values[temperature],
          .epsilon = term.values[epsilon],
          .sweeps = static_cast<int>(count),
          .mass = term.values[mass] == 0 ? divot::mass::one_per_sample : divot::mass::probability,
          .gradient =
              term.values[gradient] == 0 ? divot::route::unrolled : divot::route::plan_detached};
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
        {"epsilon", initial.epsilon, "ε ≥ 1e-12, in units of the cost, at most 2"},
        {"sweeps", static_cast<double>(initial.sweeps), "of rows and then columns, at least 1"},
        {"mass",
         0,
         "of a row; probability (1/rows) needs --reduction sum",
         {"one_per_sample", "probability"}},
        {"gradient",
         0,
         "plan_detached holds P: not the loss's gradient",
         {"unrolled", "plan_detached"}}};
    e.has_teacher = false;
    e.between_rows = true;
    e.shape_of = [] { return std::optional<loss_entry::shape>(); };
    return e;
  }();
  return entry;
}

template <class Storage>
void add_sinkd(loss_term const& term, problem const& inputs, logits_set<Storage> const& logits,
               execution const& how, wanted const& want, divot::workspace& scratch,
               outcome<Storage>& out) {
  auto const what = term.weight * sinkd_of(term, inputs);
  std::vector<double> row_losses(out.per_row.size());
  divot::batch batch = inputs.batch();
  batch.labels = {};
  batch.per_row = row_losses;
  batch.workspace = &scratch;
  auto const call = [&](auto const& policy, auto const& where) -> double {
    return divot::value_and_gradient(policy, what, logits.teachers.front(), logits.student, where,
                                     batch);
  };
  try {
    out.loss += std::visit(
        [&](auto const& policy) {
          auto const of_student = divot::gradients().student(divot::accumulate(out.gradient));
          return want.teacher_gradient
                     ? call(policy, of_student.teacher(divot::accumulate(out.teacher_gradient)))
                     : call(policy, of_student);
        },
        how.get().value);
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
DIVOT_CLI_ADD_SINKD(Eigen::half);
DIVOT_CLI_ADD_SINKD(Eigen::bfloat16);

}  // namespace cli
