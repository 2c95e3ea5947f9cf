// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "commands.hpp"
#include "diagnose.hpp"
#include "evaluate.hpp"
#include "flaw.hpp"
#include "norm.hpp"
#include "output_files.hpp"
#include "report.hpp"
#include "spec.hpp"

#include <algorithm>
#include <type_traits>

namespace cli {
namespace {

void reserve_outputs(eval_options const& options, std::vector<loss_part> const& parts,
                     output_files& files) {
  std::vector<std::string> inputs = files_of(options.input);
  for (loss_part const& part : parts) {
    for (loss_term const& term : part.terms) {
      if (!term.file.empty()) inputs.push_back(term.file);
    }
  }
  if (!options.gradient_out.empty()) files.reserve("--gradient-out", options.gradient_out, inputs);
  if (!options.teacher_gradient_out.empty()) {
    files.reserve("--teacher-gradient-out", options.teacher_gradient_out, inputs);
  }
  if (!options.per_row_out.empty()) files.reserve("--per-row-out", options.per_row_out, inputs);
}

template <class T>
void write_matrix(output_files& files, std::string const& path, matrix<T> const& m) {
  if (path.empty()) return;
  files.write(path, {static_cast<std::size_t>(m.rows()), static_cast<std::size_t>(m.cols())},
              m.data());
}

template <class Storage>
void write_outputs(eval_options const& options, outcome<Storage> const& out, output_files& files) {
  write_matrix(files, options.gradient_out, out.gradient);
  write_matrix(files, options.teacher_gradient_out, out.teacher_gradient);
  if (!options.per_row_out.empty()) {
    std::vector<arithmetic<Storage>> const rows(out.per_row.begin(), out.per_row.end());
    files.write(options.per_row_out, {rows.size()}, rows.data());
  }
  files.commit();
}

template <class Storage>
std::string report(eval_options const& options, problem const& p, char const* dtype,
                   execution const& how, outcome<Storage> const& out,
                   divot::row_diagnostics const& about, bool json) {
  double const gradient_norm = norm(out.gradient);
  auto const each_diagnostic = [&](auto const& take) {
    if (!options.diagnostics) return;
    for (diagnostic const& d : diagnostics) {
      if ((!d.of_head || options.head > 0) && (!d.of_label || p.has_labels())) {
        take(d.name, about.*d.value);
      }
    }
  };
  if (json) {
    nlohmann::ordered_json fields{{"loss", json_number(out.loss)},
                                  {"rows", p.rows},
                                  {"valid_rows", out.valid_rows},
                                  {"classes", p.classes},
                                  {"dtype", dtype},
                                  {"policy", how.name()},
                                  {"threads", how.threads()},
                                  {"seconds", out.seconds},
                                  {"gradient_norm", json_number(gradient_norm)}};
    each_diagnostic(
        [&](char const* name, double x) { fields["diagnostics"][name] = json_number(x); });
    return fields.dump(2) + '\n';
  }
  int const digits = std::is_same_v<arithmetic<Storage>, float> ? 9 : 17;
  std::string text;
  auto const line = [&](char const* name, std::string const& value) {
    std::string label(name);
    std::replace(label.begin(), label.end(), '_', ' ');
    text.append(label).append(17 - label.size(), ' ').append(value).append("\n");
  };
  line("loss", number_text(out.loss, digits));
  line("rows", std::to_string(p.rows));
  line("valid rows", std::to_string(out.valid_rows));
  line("classes", std::to_string(p.classes));
  line("dtype", dtype);
  line("policy", how.name());
  line("threads", std::to_string(how.threads()));
  line("seconds", number_text(out.seconds, 4));
  line("gradient norm", number_text(gradient_norm, digits));
  each_diagnostic([&](char const* name, double x) { line(name, number_text(x, digits)); });
  return text;
}

void check_teacher_gradient(input_options const& in) {
  check_teacher("--teacher-gradient-out", in);
  if (!in.top_k.empty()) fail("--teacher-gradient-out: a sparse teacher has no gradient");
  if (in.teachers.size() > 1) fail("--teacher-gradient-out: a mixture of teachers has no gradient");
}

}  // namespace

std::string eval(eval_options const& options, bool json) {
  auto const parts = parse_loss(options.loss, options.input);
  if (!options.teacher_gradient_out.empty()) check_teacher_gradient(options.input);
  if (options.diagnostics) check_teacher("--diagnostics", options.input);
  execution const how(options.input);
  output_files files;
  reserve_outputs(options, parts, files);
  problem const inputs = read_problem(options.input);
  wanted const want{!options.teacher_gradient_out.empty(), !options.per_row_out.empty(),
                    options.input.repeat};
  divot::row_diagnostics about;
  if (options.diagnostics) about = diagnose(inputs, options.head);
  return std::visit(
      [&]<class Storage>(logits_set<Storage> const& logits) {
        outcome<Storage> out;
        evaluate(parts, inputs, logits, how, want, out);
        write_outputs(options, out, files);
        return report(options, inputs, logits.dtype, how, out, about, json);
      },
      inputs.logits);
}

}  // namespace cli
