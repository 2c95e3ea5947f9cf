// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "transport.hpp"

#include "flaw.hpp"
#include "logits.hpp"
#include "npy.hpp"
#include "output_files.hpp"
#include "report.hpp"

#include <divot/divot.hpp>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

namespace cli {
namespace {

using numbers = matrix<double>;

/// A file's matrix; every number must be finite. Whether they were float or less.
numbers read_matrix(std::string const& path, std::string_view what, bool& narrow) {
  npy_array const file = read_npy(path);
  narrow = narrow || file.item_size < sizeof(double);
  numbers m = to_matrix<double>(file, what);
  for (Eigen::Index i = 0; i < m.rows(); ++i) {
    for (Eigen::Index j = 0; j < m.cols(); ++j) {
      if (!std::isfinite(m(i, j))) {
        fail(path, ": row ", i, ", column ", j, ": ", m(i, j), "; ", what, " must be finite");
      }
    }
  }
  return m;
}

numbers costs_between(transport_options const& options, bool& narrow) {
  numbers const x = read_matrix(options.x, "points", narrow);
  numbers const y = read_matrix(options.y, "points", narrow);
  if (x.cols() != y.cols()) {
    fail(options.y, ": ", y.cols(), " columns, but ", options.x, " has ", x.cols());
  }
  numbers cost(x.rows(), y.rows());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    for (Eigen::Index j = 0; j < y.rows(); ++j) {
      auto const difference = x.row(i) - y.row(j);
      cost(i, j) = options.ground.empty() || options.ground == "l1" ? difference.lpNorm<1>()
                   : options.ground == "l2"                         ? difference.norm()
                                                                    : difference.squaredNorm();
    }
  }
  return cost;
}

Eigen::VectorXd masses(std::string const& path, Eigen::Index count, char const* side) {
  if (path.empty()) return Eigen::VectorXd::Constant(count, 1. / static_cast<double>(count));
  std::vector<double> const given = to_numbers(read_npy(path), "masses");
  if (static_cast<Eigen::Index>(given.size()) != count) {
    fail(path, ": ", given.size(), " masses for ", count, " ", side);
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!(given[i] >= 0) || !std::isfinite(given[i])) {
      fail(path, ": entry ", i, ": ", given[i], "; masses must be finite and not negative");
    }
  }
  return Eigen::VectorXd::Map(given.data(), count);
}

char const* name_of(divot::transport_status status) {
  switch (status) {
    case divot::transport_status::converged:
      return "converged";
    case divot::transport_status::sweeps_done:
      return "sweeps_done";
    case divot::transport_status::max_sweeps:
      return "max_sweeps";
    case divot::transport_status::stalled_roundoff:
      return "stalled_roundoff";
    case divot::transport_status::empty:
      return "empty";
    case divot::transport_status::bad_input:
      return "bad_input";
    case divot::transport_status::mass_mismatch:
      return "mass_mismatch";
  }
  return "";
}

void write_matrix(output_files& files, std::string const& path, numbers const& m) {
  files.write(path, {static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())},
              m.data());
}

}  // namespace

std::string transport(transport_options const& options, bool json) {
  bool const points = !options.x.empty() || !options.y.empty();
  if (points == !options.cost.empty()) {
    fail("transport: give either --cost, or --x and --y");
  }
  if (points && (options.x.empty() || options.y.empty())) {
    fail("transport: ", options.x.empty() ? "--x" : "--y", " is missing");
  }
  if (!points && !options.ground.empty()) fail("--ground: only points have one: give --x and --y");
  std::vector<std::string> inputs;
  for (auto const* path :
       {&options.cost, &options.x, &options.y, &options.row_masses, &options.column_masses}) {
    if (!path->empty()) inputs.push_back(*path);
  }
  output_files files;
  if (!options.gradient_out.empty()) files.reserve("--gradient-out", options.gradient_out, inputs);
  if (!options.plan_out.empty()) files.reserve("--plan-out", options.plan_out, inputs);

  bool narrow = false;
  numbers const cost =
      points ? costs_between(options, narrow) : read_matrix(options.cost, "costs", narrow);
  double const tolerance = options.tolerance > 0 ? options.tolerance : narrow ? 1e-5 : 1e-9;
  auto const solved = divot::sinkhorn(
      cost, masses(options.row_masses, cost.rows(), "rows"),
      masses(options.column_masses, cost.cols(), "columns"),
      {.epsilon = options.epsilon, .tolerance = tolerance, .sweeps = options.sweeps});
  if (!options.gradient_out.empty()) {
    auto const of = options.objective == "entropic" ? divot::transport_objective::entropic
                                                    : divot::transport_objective::transport_cost;
    write_matrix(files, options.gradient_out, solved.gradient(of).cost);
  }
  if (!options.plan_out.empty()) write_matrix(files, options.plan_out, solved.plan());
  files.commit();

  if (json) {
    nlohmann::ordered_json out;
    out["rows"] = cost.rows();
    out["columns"] = cost.cols();
    out["epsilon"] = options.epsilon;
    out["status"] = name_of(solved.status);
    out["transport_cost"] = json_number(solved.transport_cost);
    out["entropic"] = json_number(solved.entropic);
    out["dual"] = json_number(solved.dual);
    out["sweeps"] = solved.sweeps;
    out["newton_steps"] = solved.newton_steps;
    out["row_error"] = json_number(solved.row_error);
    out["column_error"] = json_number(solved.column_error);
    return out.dump(2) + "\n";
  }
  return table_text({{"problem", std::to_string(cost.rows()) + "×" + std::to_string(cost.cols()) +
                                     ", epsilon " + number_text(options.epsilon, 6)},
                     {"transport cost", number_text(solved.transport_cost, 9)},
                     {"entropic value", number_text(solved.entropic, 9)},
                     {"dual value", number_text(solved.dual, 9)},
                     {"status", name_of(solved.status)},
                     {"sweeps", std::to_string(solved.sweeps)},
                     {"Newton's steps", std::to_string(solved.newton_steps)},
                     {"row error", number_text(solved.row_error, 3)},
                     {"column error", number_text(solved.column_error, 3)}});
}

}  // namespace cli
