// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "commands.hpp"
#include "evaluate.hpp"
#include "norm.hpp"
#include "report.hpp"
#include "spec.hpp"

namespace cli {
namespace {

struct comparison {
  std::string name;
  double loss, gradient_norm, largest_entry, cosine_to_kl, ns_per_element, gigabytes_per_second;
};

/// A loss and what it is called.
struct named_loss {
  std::string name;
  std::vector<loss_part> parts;
  bool has_teacher = true;
};

/// Every loss at its initial parameters, and those that the command line adds.
std::vector<named_loss> losses_of(compare_options const& options) {
  std::vector<named_loss> all;
  for (loss_entry const& loss : registry()) {
    if (loss.needs_labels && options.input.labels.empty()) continue;
    loss_term const term{&loss, loss.initial_values()};
    all.push_back({term.text(), {loss_part{{term}}}, loss.has_teacher});
  }
  for (std::string const& text : options.losses) {
    all.push_back({text, parse_loss(text, options.input), true});
  }
  return all;
}

/// An element is a class of a valid row. The bytes are those
/// that must move at least: the logits read (the teacher's by losses that have a teacher) and the
/// gradient written.
template <class Storage>
std::vector<comparison> compare_all(std::vector<named_loss> const& losses, problem const& inputs,
                                    logits_set<Storage> const& logits, execution const& how) {
  std::vector<comparison> all;
  outcome<Storage> kl, out;
  double const elements =
      static_cast<double>(inputs.valid_rows) * static_cast<double>(inputs.classes);
  for (named_loss const& loss : losses) {
    evaluate(loss.parts, inputs, logits, how, {.repeat = inputs.from.repeat}, out);
    if (loss.name == "kl") kl.gradient = out.gradient;
    double const bytes =
        elements * static_cast<double>((loss.has_teacher ? 2 : 1) * sizeof(Storage) +
                                       sizeof(arithmetic<Storage>));
    all.push_back({loss.name, out.loss, norm(out.gradient), largest_modulus(out.gradient),
                   cosine(out.gradient, kl.gradient),
                   elements > 0 ? out.seconds * 1e9 / elements : 0,
                   out.seconds > 0 ? bytes / out.seconds * 1e-9 : 0});
  }
  return all;
}

std::string as_json(problem const& p, char const* dtype, execution const& how,
                    std::vector<comparison> const& all) {
  auto losses = nlohmann::ordered_json::array();
  for (comparison const& c : all) {
    nlohmann::ordered_json const cosine =
        std::isnan(c.cosine_to_kl) ? nlohmann::ordered_json(nullptr) : json_number(c.cosine_to_kl);
    losses.push_back({{"name", c.name},
                      {"loss", json_number(c.loss)},
                      {"gradient_norm", json_number(c.gradient_norm)},
                      {"largest_gradient_entry", json_number(c.largest_entry)},
                      {"cosine_to_kl", cosine},
                      {"ns_per_element", c.ns_per_element},
                      {"gigabytes_per_second", c.gigabytes_per_second}});
  }
  auto left_out = nlohmann::ordered_json::array();
  for (loss_entry const& loss : registry()) {
    if (loss.needs_labels && !p.has_labels()) {
      left_out.push_back({{"name", loss.name}, {"reason", "no --labels"}});
    }
  }
  nlohmann::ordered_json const fields{{"rows", p.rows},
                                      {"valid_rows", p.valid_rows},
                                      {"classes", p.classes},
                                      {"dtype", dtype},
                                      {"policy", how.name()},
                                      {"threads", how.threads()},
                                      {"temperature", p.from.temperature},
                                      {"losses", std::move(losses)},
                                      {"left_out", std::move(left_out)}};
  return fields.dump(2) + '\n';
}

std::string as_text(problem const& p, char const* dtype, execution const& how,
                    std::vector<comparison> const& all) {
  std::string text = std::to_string(p.valid_rows);
  text.append(" valid rows of ").append(std::to_string(p.rows)).append(", ");
  text.append(std::to_string(p.classes)).append(" classes, ").append(dtype).append(", policy ");
  text.append(how.name()).append(", threads ").append(std::to_string(how.threads()));
  text.append(", temperature ").append(number_text(p.from.temperature, 6)).append("\n\n");
  std::vector<std::vector<std::string>> rows{
      {"loss", "value", "gradient norm", "largest entry", "cos to KL", "ns/element", "GB/s"}};
  for (comparison const& c : all) {
    rows.push_back({c.name, number_text(c.loss, 7), number_text(c.gradient_norm, 5),
                    number_text(c.largest_entry, 5),
                    std::isnan(c.cosine_to_kl) ? "-" : fixed_text(c.cosine_to_kl, 4),
                    fixed_text(c.ns_per_element, 2), fixed_text(c.gigabytes_per_second, 2)});
  }
  text += table_text(rows);
  for (loss_entry const& loss : registry()) {
    if (loss.needs_labels && !p.has_labels()) {
      text.append("\n").append(loss.name).append(" is left out: it needs --labels\n");
    }
  }
  return text;
}

}  // namespace

std::string compare(compare_options const& options, bool json) {
  check_teacher("compare", options.input);
  auto const losses = losses_of(options);
  execution const how(options.input);
  problem const inputs = read_problem(options.input);
  return std::visit(
      [&]<class Storage>(logits_set<Storage> const& logits) {
        auto const all = compare_all(losses, inputs, logits, how);
        return (json ? as_json : as_text)(inputs, logits.dtype, how, all);
      },
      inputs.logits);
}

}  // namespace cli
