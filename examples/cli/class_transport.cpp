// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "class_transport.hpp"

#include "engine.hpp"
#include "execution_policy.hpp"
#include "flaw.hpp"
#include "npy.hpp"

#include <divot/divot.hpp>

#include <memory>
#include <variant>

namespace cli {
namespace {

/// The places of the parameters below.
enum parameter : std::size_t { cost, temperature, epsilon, objective, tolerance };

}  // namespace

loss_entry const& class_transport_entry() {
  static loss_entry const entry = [] {
    divot::class_transport const initial;
    loss_entry e;
    e.name = "class_transport";
    e.formula = "Σ P_kl C_kl, P the entropic plan from q to p, row by row";
    e.note =
        "what it costs to move a row's q onto its p, class by class; no reverse, skew or power";
    e.parameters = {
        {"cost", 0, "classes × classes, .npy: from the student's class to the teacher's", {}, true},
        {"temperature", initial.temperature, "its own: --temperature does not reach it"},
        {"epsilon", initial.epsilon, "ε > 0, in units of the cost"},
        {"objective",
         0,
         "entropic: Σ P C + ε(P ln(P/qp) − P + qp)",
         {"transport_cost", "entropic"}},
        {"tolerance", initial.tolerance, "of the plan's sums; 0: 1e-9"}};
    e.has_teacher = false;
    e.own_call = true;
    e.shape_of = [] { return std::optional<loss_entry::shape>(); };
    return e;
  }();
  return entry;
}

void read_costs(loss_term& term) {
  if (term.file.empty()) {
    fail("--loss: ", term.loss->name, " needs the costs from class to class: ", term.loss->name,
         "(cost=C.npy)");
  }
  term.cost = std::make_shared<Eigen::MatrixXd const>(
      to_matrix<double>(read_npy(term.file), "costs between classes"));
}

// The library works in double whatever the logits are: there is one call of it.
template <class Storage>
void add_class_transport(loss_term const& term, problem const& inputs,
                         logits_set<Storage> const& logits, execution const& how,
                         wanted const& want, divot::workspace& scratch, outcome<Storage>& out) {
  divot::class_transport const what{.cost = *term.cost,
                                    .temperature = term.values[temperature],
                                    .epsilon = term.values[epsilon],
                                    .objective = term.values[objective] == 0
                                                     ? divot::transport_objective::transport_cost
                                                     : divot::transport_objective::entropic,
                                    .tolerance = term.values[tolerance]};
  std::vector<double> row_losses(out.per_row.size());
  divot::batch batch = inputs.batch();
  batch.labels = {};
  batch.per_row = row_losses;
  batch.workspace = &scratch;
  matrix<double> const teacher = logits.teachers.front().template cast<double>();
  matrix<double> const student = logits.student.template cast<double>();
  matrix<double> of_student(student.rows(), student.cols());
  matrix<double> of_teacher(teacher.rows(), teacher.cols());
  try {
    out.loss += std::visit(
        [&](auto const& policy) -> double {
          return divot::value_and_gradient(
              policy, term.weight * what, teacher, student,
              divot::gradients().student(of_student).teacher(of_teacher), batch);
        },
        how.get().value);
  } catch (divot::bad_value const& e) {
    throw_bad_logits(inputs);
    throw_flaw(term, e);
  } catch (divot::error const& e) {
    throw_flaw(term, e);
  }
  out.gradient += of_student.template cast<arithmetic<Storage>>();
  if (want.teacher_gradient) out.teacher_gradient += of_teacher.cast<arithmetic<Storage>>();
  for (std::size_t i = 0; i < row_losses.size(); ++i) out.per_row[i] += row_losses[i];
}

#define DIVOT_CLI_ADD_CLASS_TRANSPORT(Storage)                                                    \
  template void add_class_transport(loss_term const&, problem const&, logits_set<Storage> const&, \
                                    execution const&, wanted const&, divot::workspace&,           \
                                    outcome<Storage>&)
DIVOT_CLI_ADD_CLASS_TRANSPORT(float);
DIVOT_CLI_ADD_CLASS_TRANSPORT(double);

}  // namespace cli
