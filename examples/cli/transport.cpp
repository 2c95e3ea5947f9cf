// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "transport.hpp"

#include "execution_policy.hpp"
#include "flaw.hpp"
#include "logits.hpp"
#include "npy.hpp"
#include "output_files.hpp"
#include "report.hpp"

#include <divot/divot.hpp>

#include <cmath>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cli {
namespace {

using numbers = matrix<double>;

/// What is said of a problem: JSON, and a table of the same for people.
struct answer {
  nlohmann::ordered_json json;
  std::vector<std::vector<std::string>> table;

  void number(char const* key, char const* words, double x, int digits = 9) {
    json[key] = json_number(x);
    table.push_back({words, number_text(x, digits)});
  }
  template <class Count>
  void count(char const* key, char const* words, Count n) {
    json[key] = n;
    table.push_back({words, std::to_string(n)});
  }
  void word(char const* key, char const* words, std::string const& text) {
    json[key] = text;
    table.push_back({words, text});
  }
};

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

char const* name_of(divot::transport_domain domain) {
  switch (domain) {
    case divot::transport_domain::kernel:
      return "kernel";
    case divot::transport_domain::absorbing_kernel:
      return "absorbing_kernel";
    case divot::transport_domain::logarithms:
      return "logarithms";
  }
  return "";
}

/// Points on the line: a vector, or a matrix of one column.
Eigen::VectorXd line_points(std::string const& path) {
  npy_array const file = read_npy(path);
  if (file.shape.size() != 2) {
    std::vector<double> const given = to_numbers(file, "points");
    return Eigen::VectorXd::Map(given.data(), static_cast<Eigen::Index>(given.size()));
  }
  numbers const m = to_matrix<double>(file, "points");
  if (m.cols() != 1) {
    fail("--line: ", path, ": ", m.cols(), " columns; points on the line have one");
  }
  return m.col(0);
}

/// The files to be written, named before anything is read or calculated.
class outputs {
 public:
  explicit outputs(transport_options const& options) {
    std::vector<std::string> inputs;
    for (auto const* path :
         {&options.cost, &options.x, &options.y, &options.row_masses, &options.column_masses}) {
      if (!path->empty()) inputs.push_back(*path);
    }
    for (auto const& [option, path] : {std::pair("--gradient-out", &options.gradient_out),
                                       std::pair("--x-gradient-out", &options.x_gradient_out),
                                       std::pair("--y-gradient-out", &options.y_gradient_out),
                                       std::pair("--plan-out", &options.plan_out)}) {
      if (!path->empty()) files_.reserve(option, *path, inputs);
    }
  }
  void write(std::string const& path, numbers const& m) {
    if (path.empty()) return;
    files_.write(path, {static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())},
                 m.data());
  }
  void commit() { files_.commit(); }

 private:
  output_files files_;
};

void check(transport_options const& options) {
  bool const points = !options.x.empty() || !options.y.empty();
  if (points == !options.cost.empty()) {
    fail("transport: give either --cost, or --x and --y");
  }
  if (points && (options.x.empty() || options.y.empty())) {
    fail("transport: ", options.x.empty() ? "--x" : "--y", " is missing");
  }
  if (!options.line && !options.epsilon) fail("--epsilon is required");
  if (!points) {
    for (auto const& [option, given] :
         {std::pair("--ground", !options.ground.empty()),
          std::pair("--x-gradient-out", !options.x_gradient_out.empty()),
          std::pair("--y-gradient-out", !options.y_gradient_out.empty()),
          std::pair("--line", options.line),
          std::pair("--objective divergence", options.objective == "divergence")}) {
      if (given) fail(option, ": only points have one: give --x and --y in place of --cost");
    }
  } else if (!options.gradient_out.empty()) {
    fail(
        "--gradient-out: only --cost has one; for --x and --y there are --x-gradient-out and "
        "--y-gradient-out");
  }
  if (options.ground == "lp" && !options.order) fail("--ground lp: --order is missing");
  if (options.order && options.ground != "lp" && !options.line) {
    fail("--order: only --ground lp and --line have one");
  }
  if (points && options.moved) fail("--moved: needs --cost in place of --x and --y");
  bool const free = !std::isinf(options.row_penalty) || !std::isinf(options.column_penalty);
  if (free && options.feasible) {
    fail("--feasible: with --row-penalty or --column-penalty there are no masses to be kept");
  }
}

/// What is said of every solution.
template <class Solution>
void describe(Solution const& s, double mass, answer& out) {
  out.word("status", "status", name_of(s.status));
  out.word("domain", "domain", name_of(s.domain));
  out.number("mass", "mass moved", mass);
  out.number("transport_cost", "transport cost", s.transport_cost);
  out.number("entropic", "entropic value", s.entropic);
  out.number("dual", "dual value", s.dual);
  out.count("sweeps", "sweeps", s.sweeps);
  out.count("newton_steps", "Newton's steps", s.newton_steps);
  out.number("relaxation", "relaxation", s.relaxation, 4);
  out.number("row_error", "row error", s.row_error, 3);
  out.number("column_error", "column error", s.column_error, 3);
}

/// A problem whose masses are read and whose options are settled.
struct setting {
  transport_options const& options;
  divot::sinkhorn_options how;
  divot::transport_objective of;
  Eigen::VectorXd a, b;
};

template <class Solution>
void write_plan(setting const& at, Solution const& s, outputs& files) {
  std::string const& path = at.options.plan_out;
  if (!path.empty()) files.write(path, at.options.feasible ? s.feasible_plan() : s.plan());
}

template <class Policy>
void solve_costs(Policy const& policy, numbers const& cost, setting const& at, outputs& files,
                 answer& out) {
  auto const write_gradient = [&](auto const& s) {
    std::string const& path = at.options.gradient_out;
    if (!path.empty()) files.write(path, s.gradient(at.of).cost);
  };
  if (at.options.moved) {
    auto const s = divot::partial_sinkhorn(policy, cost, at.a, at.b, *at.options.moved, at.how);
    numbers const plan = s.plan();
    describe(s.whole, plan.sum(), out);
    write_gradient(s);
    files.write(at.options.plan_out, plan);
    return;
  }
  auto const s = divot::sinkhorn(policy, cost, at.a, at.b, at.how);
  describe(s, s.mass, out);
  write_gradient(s);
  write_plan(at, s, files);
}

template <class Policy, class Ground>
void solve_points(Policy const& policy, numbers const& x, numbers const& y, Ground const& ground,
                  setting const& at, outputs& files, answer& out) {
  auto const write_gradient = [&](auto const& gradient_of) {
    transport_options const& o = at.options;
    if (o.x_gradient_out.empty() && o.y_gradient_out.empty()) return;
    divot::transport_gradient const g = gradient_of();
    files.write(o.x_gradient_out, g.x);
    files.write(o.y_gradient_out, g.y);
  };
  if (at.options.objective != "divergence") {
    auto const s = divot::sinkhorn(policy, divot::points(x, y, ground), at.a, at.b, at.how);
    describe(s, s.mass, out);
    write_gradient([&] { return s.gradient(at.of); });
    write_plan(at, s, files);
    return;
  }
  auto const d = divot::sinkhorn_divergence(policy, x, y, ground, at.a, at.b, at.how);
  out.number("divergence", "divergence", d.value());
  for (auto const& [key, words, s] : {std::tuple("between", "between both sides", &d.between),
                                      std::tuple("of_rows", "of the rows", &d.of_rows),
                                      std::tuple("of_columns", "of the columns", &d.of_columns)}) {
    answer own;
    describe(*s, s->mass, own);
    out.json[key] = own.json;
    out.table.push_back({words, number_text(s->dual, 9) + ", " + name_of(s->status)});
  }
  write_gradient([&] { return d.gradient(); });
  write_plan(at, d.between, files);
}

template <class Policy>
void solve_points(Policy const& policy, numbers const& x, numbers const& y, setting const& at,
                  outputs& files, answer& out) {
  auto const with = [&](auto const& ground) { solve_points(policy, x, y, ground, at, files, out); };
  std::string const& name = at.options.ground;
  if (name == "l2") return with(divot::ground::l2{});
  if (name == "squared_l2") return with(divot::ground::squared_l2{});
  if (name == "cosine") return with(divot::ground::cosine{});
  if (name == "lp") return with(divot::ground::lp{*at.options.order});
  with(divot::ground::l1{});
}

void solve_on_line(transport_options const& options, outputs& files, answer& out) {
  Eigen::VectorXd const x = line_points(options.x), y = line_points(options.y);
  bool const equal = options.row_masses.empty() && options.column_masses.empty();
  double const order = options.order.value_or(1);
  auto const s =
      equal ? divot::wasserstein_1d(x, y, order)
            : divot::wasserstein_1d(x, y, masses(options.row_masses, x.size(), "rows"),
                                    masses(options.column_masses, y.size(), "columns"), order);
  out.count("rows", "points of x", x.size());
  out.count("columns", "points of y", y.size());
  out.number("order", "order", order);
  out.number("transport_cost", "transport cost", s.transport_cost);
  out.number("distance", "distance", s.distance);
  if (!options.x_gradient_out.empty() || !options.y_gradient_out.empty()) {
    auto const g = s.gradient();
    files.write(options.x_gradient_out, g.x);
    files.write(options.y_gradient_out, g.y);
  }
  numbers steps(static_cast<Eigen::Index>(s.plan().size()), 3);
  Eigen::Index k = 0;
  for (divot::transported const& step : s.plan()) {
    steps.row(k++) << static_cast<double>(step.row), static_cast<double>(step.column), step.mass;
  }
  files.write(options.plan_out, steps);
}

void solve(transport_options const& options, outputs& files, answer& out) {
  bool narrow = false;
  numbers cost, x, y;
  if (options.cost.empty()) {
    x = read_matrix(options.x, "points", narrow);
    y = read_matrix(options.y, "points", narrow);
    if (x.cols() != y.cols()) {
      fail(options.y, ": ", y.cols(), " columns, but ", options.x, " has ", x.cols());
    }
  } else {
    cost = read_matrix(options.cost, "costs", narrow);
  }
  Eigen::Index const rows = x.rows() + cost.rows(), columns = y.rows() + cost.cols();
  setting at{options,
             {.epsilon = *options.epsilon,
              .tolerance = options.tolerance > 0 ? options.tolerance
                           : narrow              ? 1e-5
                                                 : 1e-9,
              .sweeps = options.sweeps,
              .row_penalty = options.row_penalty,
              .column_penalty = options.column_penalty},
             options.objective == "transport_cost" ? divot::transport_objective::transport_cost
                                                   : divot::transport_objective::entropic,
             masses(options.row_masses, rows, "rows"),
             masses(options.column_masses, columns, "columns")};
  if (options.max_sweeps > 0) at.how.max_sweeps = options.max_sweeps;
  out.count("rows", "rows", rows);
  out.count("columns", "columns", columns);
  out.number("epsilon", "epsilon", *options.epsilon);
  input_options how;
  how.policy = options.policy;
  how.threads = options.threads;
  how.has_threads = options.has_threads;
  execution const run_by(how);
  std::visit(
      [&](auto const& policy) {
        if (options.cost.empty()) {
          solve_points(policy, x, y, at, files, out);
        } else {
          solve_costs(policy, cost, at, files, out);
        }
      },
      run_by.get().value);
}

}  // namespace

std::string transport(transport_options const& options, bool json) {
  check(options);
  outputs files(options);
  answer out;
  if (options.line) {
    solve_on_line(options, files, out);
  } else {
    solve(options, files, out);
  }
  files.commit();
  return json ? out.json.dump(2) + "\n" : table_text(out.table);
}

}  // namespace cli
