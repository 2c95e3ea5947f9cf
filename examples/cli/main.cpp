// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// The command line program `divot`: losses and gradients of logits that stand in .npy files.
// Any flaw in its input ends it with status 2 and one line on standard error.
#include "commands.hpp"
#include "flaw.hpp"
#include "transport.hpp"

#include <divot/version.hpp>

#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <new>

namespace {

constexpr char const* spec_help =
    "SPEC is a loss, name or name(key=value,...), or a sum of them:\n"
    "  kl                                  alpha_beta(alpha=0.2,beta=0.7)\n"
    "  0.3*kl+0.7*reverse_kl               skew_js(teacher_weight=0.1)\n"
    "  reverse(skew_kl(teacher_weight=0.1))\n"
    "  kl(temperature=4,t_squared=true)    0.1*cross_entropy+0.9*kl(temperature=4)\n"
    "  skew(pearson,0.1)                   power(jensen_shannon,0.5)\n"
    "  0.9*kl(temperature=4)+0.8*sinkd     sinkd(epsilon=0.05,gradient=plan_detached)\n"
    "  0.9*kl+0.1*class_transport(cost=C.npy,epsilon=0.05)\n"
    "Terms are joined by + and -, numbers stand before or behind a * and behind a /, parentheses\n"
    "group. z_loss is at temperature 1 whatever temperature is said.\n"
    "`divot list` names the losses and their keys. temperature and t_squared (multiply by the\n"
    "temperature squared) are keys of all but sinkd, a loss between the rows, and "
    "class_transport,\n"
    "one between a row's classes: they have temperatures of their own, for logits as they stand "
    "in\n"
    "their files. A file's name in SPEC has no comma and no parenthesis. Around a divergence, or "
    "a\n"
    "sum of them, stand\n"
    "  reverse(D)       teacher and student exchanged, D(q, p)\n"
    "  symmetrized(D)   D + reverse(D)\n"
    "  skew(D,W)        D(p, Wp + (1-W)q), 0 < W < 1\n"
    "  power(D,R)       D^R, row by row, R > 0; weights inside are not negative\n"
    "in one another, but no power in a power. Each term of a sum is one call of the library or\n"
    "two, and the results are added up.\n";
constexpr char const* teacher_help =
    "Teachers. Of several, --teacher A.npy B.npy --teacher-weights 0.3,0.7, the probabilities at "
    "the\n"
    "term's temperature are averaged; without weights all count the same. A sparse one, "
    "--teacher-top-k\n"
    "I.npy P.npy, names K classes a row, I, and the logarithms of their probabilities, P, which "
    "stay\n"
    "as they are whatever temperature the student has; --tail says what the other classes get:\n"
    "  renormalise   nothing; the K probabilities are divided by their sum (the default)\n"
    "  uniform       what is left of 1, each the same\n"
    "  bucket        they are one class, with what is left of 1; the student's is their sum\n"
    "Neither a mixture nor a sparse teacher has a gradient. cross_entropy and z_loss read no "
    "teacher\n"
    "and need none.\n"
    "Transforms, done in the order in which they stand, the temperature last; gradients are those "
    "of\n"
    "the logits in the files:\n"
    "  softcap=C     C*tanh(x/C), C > 0\n"
    "  bias=B.npy    x + b, a number a class\n"
    "  standardise   (x - mean)/sd of each row\n"
    "  mask=M.npy    classes with 0 are left out; a number a class, or a matrix like the logits\n"
    "These, skews and powers are worked out in double (skews of float64 logits in long double, "
    "one\n"
    "class at a time), a block of rows at a time: their seconds are those of this program, not "
    "what\n"
    "the library takes when they are put together in C++.\n";
constexpr char const* file_help =
    "Files are .npy: logits and log-probabilities float16, float32 or float64 with two dimensions, "
    "in\n"
    "C or Fortran order; labels, indices and masks integers or bool, a row whose mask is 0 is left "
    "out;\n"
    "weights numbers.\n"
    "Gradients and rows' losses are written in the type of the arithmetic (float32, or float64 "
    "for\n"
    "float64 logits), under their names only once everything has succeeded. JSON has no "
    "infinities:\n"
    "they are the strings \"inf\" and \"-inf\" (and \"nan\" where the two meet).\n";

constexpr char const* transport_help =
    "Prints the values apart: the transport cost <P, C>; the entropic value, which the plan "
    "minimises;\n"
    "its dual, the same but for the square of what the marginals miss; the mass that is moved; how "
    "the\n"
    "problem was solved, and how it ended:\n"
    "  converged          the marginals are within the tolerance\n"
    "  sweeps_done        as many as --sweeps says; gradients are those of these sweeps\n"
    "  max_sweeps         not within the tolerance; there is no gradient then\n"
    "  stalled_roundoff   the tolerance is below what double tells\n"
    "  empty              no rows, no columns or no mass\n"
    "Each of these is exit status 0. Files are .npy: costs and points two dimensions, masses (and "
    "points\n"
    "on the line) one. Costs between points are worked out where they are needed, never as a "
    "matrix.\n";

int report_flaw(std::string_view what) {
  std::cerr << "divot: " << cli::one_line(cli::without_name(what)) << std::endl;
  return 2;
}

CLI::Validator a_name() {
  return CLI::Validator(
      [](std::string& name) {
        return name.empty() ? std::string("the name is empty") : std::string();
      },
      "");
}

void add_inputs(CLI::App& command, cli::input_options& in) {
  command
      .add_option("--teacher", in.teachers,
                  "The teacher's logits: a row a sample; of several, a mixture")
      ->type_name("T.npy")
      ->check(a_name());
  command.add_option("--teacher-weights", in.teacher_weights, "Of a mixture; they sum to 1")
      ->type_name("W,...")
      ->delimiter(',');
  command
      .add_option("--teacher-top-k", in.top_k,
                  "A sparse teacher: classes of each row, and their log-probabilities")
      ->type_name("I.npy P.npy")
      ->expected(2)
      ->delimiter(',')
      ->check(a_name());
  command.add_option("--tail", in.tail, "What a sparse teacher's other classes get")
      ->check(CLI::IsMember({"renormalise", "uniform", "bucket"}));
  command
      .add_option("--tail-log-mass", in.tail_log_mass,
                  "The logarithm of what is left of 1, a number a row (default: from 1 - sum)")
      ->type_name("L.npy")
      ->check(a_name());
  command.add_option("--student", in.student, "The student's logits")
      ->required()
      ->type_name("S.npy")
      ->check(a_name());
  command
      .add_option("--teacher-transforms", in.teacher_transforms,
                  "Of every teacher's logits: softcap=30,bias=B.npy,standardise,mask=M.npy")
      ->type_name("LIST")
      ->check(a_name());
  command.add_option("--student-transforms", in.student_transforms, "Of the student's logits")
      ->type_name("LIST")
      ->check(a_name());
  command.add_option("--labels", in.labels, "The rows' classes, for cross_entropy")
      ->type_name("Y.npy")
      ->check(a_name());
  command.add_option("--mask", in.mask, "Rows with 0 are left out")
      ->type_name("M.npy")
      ->check(a_name());
  command.add_option("--weights", in.weights, "The rows' weights")
      ->type_name("W.npy")
      ->check(a_name());
  command.add_option("--temperature", in.temperature, "Of terms that name none")
      ->type_name("X")
      ->capture_default_str();
  command
      .add_option("--valid-classes", in.valid_classes,
                  "Only the first K columns count; teacher and student may then differ in width")
      ->type_name("K");
  command.add_option("--policy", in.policy, "seq, simd or omp (default: simd; omp with --threads)")
      ->check(CLI::IsMember({"seq", "simd", "omp"}));
  command.add_option("--threads", in.threads, "For policy omp (default: OpenMP's)")->type_name("N");
  command
      .add_option("--dtype", in.dtype, "Store logits as this (default: the wider of the files')")
      ->check(CLI::IsMember({"f32", "f64", "f16", "bf16"}));
  command.add_option("--repeat", in.repeat, "Runs; the seconds are their median")
      ->type_name("N")
      ->capture_default_str();
}

void add_transport(CLI::App& command, cli::transport_options& options) {
  auto const add_file = [&](char const* name, std::string& to, char const* what, char const* type) {
    command.add_option(name, to, what)->type_name(type)->check(a_name());
  };
  add_file("--cost", options.cost, "Costs, rows by columns", "C.npy");
  add_file("--x", options.x, "In place of costs: points, a row each; the plan's rows", "X.npy");
  add_file("--y", options.y, "The points that are its columns", "Y.npy");
  CLI::Option* const ground =
      command.add_option("--ground", options.ground, "Cost of two points (default: l1)")
          ->check(CLI::IsMember({"l1", "l2", "squared_l2", "cosine", "lp"}));
  command.add_option("--order", options.order, "p, of --ground lp and of --line (there 1)")
      ->type_name("P");
  CLI::Option* const line = command.add_flag(
      "--line", options.line, "Points on the line: |x - y|^p, solved exactly, without an epsilon");
  add_file("--a", options.row_masses, "Masses of the rows (default: 1/rows)", "A.npy");
  add_file("--b", options.column_masses, "Masses of the columns (default: 1/columns)", "B.npy");
  CLI::Option* const epsilon =
      command.add_option("--epsilon", options.epsilon, "Regularisation, in units of the cost")
          ->type_name("X");
  CLI::Option* const sweeps =
      command.add_option("--sweeps", options.sweeps, "So many plain sweeps and nothing else")
          ->type_name("N")
          ->check(CLI::PositiveNumber);
  CLI::Option* const most =
      command.add_option("--max-sweeps", options.max_sweeps, "No more than these (default: 10000)")
          ->type_name("N")
          ->check(CLI::PositiveNumber)
          ->excludes(sweeps);
  CLI::Option* const tolerance =
      command
          .add_option(
              "--tolerance", options.tolerance,
              "Of the marginals, as a fraction of the mass (default: 1e-9; 1e-5 of float32)")
          ->type_name("X")
          ->check(CLI::PositiveNumber)
          ->excludes(sweeps);
  CLI::Option* const of_rows =
      command
          .add_option("--row-penalty", options.row_penalty,
                      "Rows may miss their masses, at this times the divergence")
          ->type_name("X");
  CLI::Option* const of_columns =
      command.add_option("--column-penalty", options.column_penalty, "Columns, likewise")
          ->type_name("X");
  CLI::Option* const moved =
      command
          .add_option("--moved", options.moved, "So much of the masses is moved, the rest stays")
          ->type_name("X")
          ->excludes(of_rows)
          ->excludes(of_columns);
  CLI::Option* const objective =
      command
          .add_option(
              "--objective", options.objective,
              "What gradients are those of; divergence: less half of what each side has with "
              "itself")
          ->check(CLI::IsMember({"transport_cost", "entropic", "divergence"}))
          ->capture_default_str();
  CLI::Option* const policy =
      command
          .add_option("--policy", options.policy,
                      "seq, simd or omp (default: simd; omp with --threads)")
          ->check(CLI::IsMember({"seq", "simd", "omp"}));
  CLI::Option* const threads =
      command.add_option("--threads", options.threads, "For policy omp (default: OpenMP's)")
          ->type_name("N");
  add_file("--gradient-out", options.gradient_out, "Gradient for the costs", "G.npy");
  add_file("--x-gradient-out", options.x_gradient_out, "Gradient for the points x", "G.npy");
  add_file("--y-gradient-out", options.y_gradient_out, "Gradient for the points y", "H.npy");
  add_file("--plan-out", options.plan_out,
           "The plan, rows by columns; with --line a row, a column and a mass each", "P.npy");
  CLI::Option* const feasible =
      command
          .add_flag("--feasible", options.feasible, "The plan rounded so that it keeps the masses")
          ->needs("--plan-out")
          ->excludes(moved);
  for (CLI::Option* const other : {ground, epsilon, sweeps, most, tolerance, of_rows, of_columns,
                                   moved, objective, policy, threads, feasible}) {
    line->excludes(other);
  }
  command.footer(transport_help);
}

/// Which options were given at all is known only after parsing.
void note_given(CLI::App const& command, cli::input_options& in) {
  in.has_threads = command.count("--threads") > 0;
  in.has_valid_classes = command.count("--valid-classes") > 0;
}

int run(int argc, char** argv) {
  CLI::App app("Distillation losses and their gradients, from logits in .npy files", "divot");
  app.require_subcommand(1);
  app.set_version_flag("--version", std::to_string(DIVOT_VERSION_MAJOR) + "." +
                                        std::to_string(DIVOT_VERSION_MINOR) + "." +
                                        std::to_string(DIVOT_VERSION_PATCH));
  app.footer(spec_help);
  bool json = false;

  CLI::App& list = *app.add_subcommand("list", "Every loss, its parameters and its formula");
  CLI::Option* const list_json = list.add_flag("--json", json, "Print JSON");
  bool shapes = false;
  list.add_flag("--shapes", shapes, "With f and f' of every f-divergence along u")
      ->needs(list_json);

  cli::eval_options options;
  CLI::App& eval = *app.add_subcommand("eval", "One loss: its value and its gradients");
  eval.add_option("--loss", options.loss, "What to evaluate")->required()->type_name("SPEC");
  add_inputs(eval, options.input);
  eval.add_option("--reduction", options.input.reduction,
                  "Of the rows: mean over valid rows, sum, or none (the value is the sum)")
      ->check(CLI::IsMember({"mean", "sum", "none"}))
      ->capture_default_str();
  eval.add_option("--gradient-out", options.gradient_out, "Gradient for the student's logits")
      ->type_name("G.npy")
      ->check(a_name());
  eval.add_option("--teacher-gradient-out", options.teacher_gradient_out,
                  "Gradient for the teacher's logits")
      ->type_name("H.npy")
      ->check(a_name());
  eval.add_option("--per-row-out", options.per_row_out,
                  "The rows' losses, with their weights, not divided")
      ->type_name("R.npy")
      ->check(a_name());
  eval.add_flag("--diagnostics", options.diagnostics,
                "Entropies, agreement and masses of teacher and student at --temperature, means "
                "over the valid rows");
  eval.add_option("--head", options.head,
                  "With --diagnostics: masses of the teacher's K most probable classes, and of "
                  "all others")
      ->type_name("K")
      ->needs("--diagnostics");
  eval.add_flag("--json", json, "Print JSON");
  eval.footer(std::string(spec_help) + teacher_help + file_help);

  cli::compare_options compared;
  compared.input.repeat = 5;
  CLI::App& compare = *app.add_subcommand("compare", "A table of all losses of single rows");
  compare.add_option("--loss", compared.losses, "One more row; may be given several times")
      ->type_name("SPEC");
  add_inputs(compare, compared.input);
  compare.add_flag("--json", json, "Print JSON");
  compare.footer(std::string(spec_help) + teacher_help + file_help);

  cli::transport_options moved;
  CLI::App& transport =
      *app.add_subcommand("transport", "An optimal transport problem: values, plan and gradient");
  add_transport(transport, moved);
  transport.add_flag("--json", json, "Print JSON");

  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help and --version
    if (e.get_name() == "RequiredError" && app.get_subcommands().empty() && argc > 1) {
      return report_flaw("there is no command '" + std::string(argv[1]) +
                         "'; the commands are list, eval, compare and transport");
    }
    return report_flaw(std::string(e.what()) + " (see divot --help)");
  }
  note_given(eval, options.input);
  note_given(compare, compared.input);
  moved.has_threads = transport.count("--threads") > 0;
  std::cout << (list.parsed()        ? cli::list(json, shapes)
                : eval.parsed()      ? cli::eval(options, json)
                : transport.parsed() ? cli::transport(moved, json)
                                     : cli::compare(compared, json))
            << std::flush;
  if (!std::cout) return report_flaw("standard output: cannot be written");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (cli::flaw const& e) {
    return report_flaw(e.what());
  } catch (std::bad_alloc const&) {
    return report_flaw("the memory does not suffice for these inputs");
  } catch (std::exception const& e) {
    return report_flaw(e.what());
  }
}
