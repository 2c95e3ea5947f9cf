// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "aliases.hpp"
#include "commands.hpp"
#include "registry.hpp"
#include "report.hpp"

#include <array>
#include <cmath>

namespace cli {
namespace {

/// What the grammar of --loss puts around a divergence.
struct composition {
  char const* name;
  char const* formula;
  char const* number;  ///< its second argument, if there is one
  char const* meaning;
};
constexpr std::array compositions{
    composition{"reverse", "D(q, p)", nullptr, nullptr},
    composition{"symmetrized", "D(p, q) + D(q, p)", nullptr, nullptr},
    composition{"skew", "D(p, πp + (1 − π)q)", "teacher_weight", "π in (0, 1)"},
    composition{"power", "D(p, q)^r, row by row", "exponent", "r > 0"}};

std::string usage(composition const& c) {
  std::string const name = c.name;
  return name + (c.number == nullptr ? "(D)" : name == "skew" ? "(D,π)" : "(D,r)");
}

/// JSON has no infinity.
nlohmann::ordered_json number_or_text(double x) {
  return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json("inf");
}

nlohmann::ordered_json batch_term(loss_entry const& loss) {
  auto parameters = nlohmann::ordered_json::array();
  for (auto const& p : loss.parameters) {
    nlohmann::ordered_json initial(p.initial);
    if (!p.choices.empty()) initial = value_text(p, p.initial);
    if (p.is_file) initial = nullptr;
    parameters.push_back({{"name", p.name}, {"default", initial}, {"meaning", p.meaning}});
    if (!p.choices.empty()) parameters.back()["choices"] = p.choices;
  }
  return {{"name", loss.name},
          {"parameters", std::move(parameters)},
          {"formula", loss.formula},
          {"note", loss.note},
          {"between_rows", loss.between_rows}};
}

std::string as_json(bool shapes) {
  auto losses = nlohmann::ordered_json::array();
  for (loss_entry const& loss : registry()) {
    auto parameters = nlohmann::ordered_json::array();
    auto const add = [&](std::string const& name, nlohmann::ordered_json initial,
                         std::string const& meaning) {
      parameters.push_back({{"name", name}, {"default", std::move(initial)}, {"meaning", meaning}});
    };
    for (auto const& p : loss.parameters) add(p.name, p.initial, p.meaning);
    add("temperature", nullptr, "of this term; null: that of --temperature");
    add("t_squared", false, "multiply the term by its temperature squared");
    losses.push_back({{"name", loss.name},
                      {"parameters", std::move(parameters)},
                      {"formula", loss.formula},
                      {"note", loss.note}});
    if (auto const shape = loss.shape_of(); shape) {
      losses.back()["f_at_zero"] = number_or_text(shape->at_zero);
      losses.back()["f_slope_at_infinity"] = number_or_text(shape->slope_at_infinity);
      if (shapes) {
        losses.back()["shape"] = {{"u", shape->u}, {"f", shape->f}, {"slope", shape->slope}};
      }
    }
  }
  for (loss_entry const* loss : batch_terms()) losses.push_back(batch_term(*loss));
  for (composition const& c : compositions) {
    auto parameters = nlohmann::ordered_json::array(
        {{{"name", "D"}, {"default", nullptr}, {"meaning", "a divergence, or a sum of them"}}});
    if (c.number != nullptr) {
      parameters.push_back({{"name", c.number}, {"default", nullptr}, {"meaning", c.meaning}});
    }
    losses.push_back(
        {{"name", c.name}, {"parameters", std::move(parameters)}, {"formula", c.formula}});
  }
  for (alias const& a : aliases()) {
    auto parameters = nlohmann::ordered_json::array();
    for (auto const& p : a.parameters) {
      parameters.push_back({{"name", p.name}, {"default", p.initial}, {"meaning", p.meaning}});
    }
    losses.push_back(
        {{"name", a.name}, {"parameters", std::move(parameters)}, {"formula", a.meaning}});
  }
  return losses.dump(2) + '\n';
}

}  // namespace

std::string list(bool json, bool shapes) {
  if (json) return as_json(shapes);
  constexpr std::size_t column = 25;
  std::string text;
  auto const describe = [&](loss_entry const& loss) {
    text.append(loss.name).append(column - loss.name.size(), ' ').append(loss.formula).append("\n");
    if (!loss.note.empty()) text.append(column + 2, ' ').append(loss.note).append("\n");
    for (auto const& p : loss.parameters) {
      text.append(column + 2, ' ').append(p.name).append("=").append(value_text(p, p.initial));
      text.append("   ").append(p.meaning).append("\n");
    }
  };
  for (loss_entry const& loss : registry()) describe(loss);
  text +=
      "\nTransport, between the rows of a batch and between a row's classes, alone or in sums:\n";
  for (loss_entry const* loss : batch_terms()) describe(*loss);
  text += "\nAround a divergence D, or a sum of them:\n";
  for (composition const& c : compositions) {
    std::string const name = usage(c);
    text.append(name).append(column - display_width(name), ' ').append(c.formula);
    if (c.number != nullptr) text.append(", ").append(c.meaning);
    text += '\n';
  }
  text += "\nOther names:\n";
  for (alias const& a : aliases()) {
    text.append(a.name).append(column - a.name.size(), ' ').append(a.meaning).append("\n");
    for (auto const& p : a.parameters) {
      text.append(column + 2, ' ').append(p.name).append("=").append(number_text(p.initial, 15));
      text.append("   ").append(p.meaning).append(", the {}\n");
    }
  }
  return text +
         "\n"
         "p is the teacher's distribution, q the student's, s the student's logits; K classes; a\n"
         "row's loss is the sum over its classes. Each but those of transport also takes "
         "temperature=X (default:\n"
         "--temperature) and t_squared=true (multiply by the temperature squared); losses add up:\n"
         "0.3*kl+0.7*reverse_kl(temperature=2). Mixtures of teachers, sparse teachers and\n"
         "transforms of logits are options of eval and compare: divot eval --help.\n";
}

}  // namespace cli
