// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include "registry.hpp"

#include "aliases.hpp"
#include "class_transport.hpp"
#include "losses.hpp"
#include "report.hpp"
#include "sinkd.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace cli {
namespace {

/// At 32 places a factor of 2 from 1/32 to 32.
template <class Loss>
std::optional<loss_entry::shape> shape_of() {
  if constexpr (divot::has_generator<Loss>) {
    auto const g = generator(Loss{});
    loss_entry::shape shape{g.at_zero, g.slope_at_infinity, {}, {}, {}};
    for (int i = -160; i <= 160; ++i) {
      double const u = std::exp2(i / 32.);
      shape.u.push_back(u);
      shape.f.push_back(g.f(u));
      shape.slope.push_back(g.slope(u));
    }
    return shape;
  } else {
    return std::nullopt;
  }
}

template <class Loss, std::size_t Parameters>
loss_entry entry(loss_row<Loss, Parameters> const& row) {
  loss_entry out;
  out.name = row.about.name;
  out.formula = row.about.formula;
  out.note = row.about.note;
  out.shape_of = shape_of<Loss>;
  for (auto const& p : row.about.parameters) {
    out.parameters.push_back({p.name, row.initial.*p.member, p.meaning});
  }
  out.needs_labels = std::is_same_v<Loss, divot::cross_entropy>;
  out.has_teacher = has_teacher<Loss>;
  out.make = [row](std::span<double const> values, [[maybe_unused]] bool reversed) -> any_loss {
    Loss loss = row.initial;
    auto const& parameters = row.about.parameters;
    for (std::size_t i = 0; i < parameters.size() && i < values.size(); ++i) {
      loss.*parameters[i].member = values[i];
    }
    if constexpr (has_teacher<Loss>) {
      if (reversed) return {exchanged(loss)};
    }
    return {loss};
  };
  return out;
}

/// What it costs to make `name` of `typed`: letters left out are cheap, because people abbreviate.
double distance(std::string_view typed, std::string_view name) {
  constexpr double add = 0.1, drop = 1, change = 1;
  std::vector<double> row(name.size() + 1);
  for (std::size_t j = 0; j <= name.size(); ++j) row[j] = add * static_cast<double>(j);
  for (char const capital : typed) {
    char const c =
        capital >= 'A' && capital <= 'Z' ? static_cast<char>(capital - 'A' + 'a') : capital;
    double diagonal = row[0];
    row[0] += drop;
    for (std::size_t j = 1; j <= name.size(); ++j) {
      double const same = diagonal + (c == name[j - 1] ? 0 : change);
      diagonal = row[j];
      row[j] = std::min({same, row[j] + drop, row[j - 1] + add});
    }
  }
  return row.back();
}

}  // namespace

std::vector<double> loss_entry::initial_values() const {
  std::vector<double> values;
  for (auto const& p : parameters) values.push_back(p.initial);
  return values;
}

std::string value_text(loss_entry::parameter const& p, double value) {
  if (p.is_file) return "FILE";
  return p.choices.empty() ? number_text(value, 15) : p.choices.at(static_cast<std::size_t>(value));
}

std::vector<loss_entry> const& registry() {
  static std::vector<loss_entry> const entries = std::apply(
      [](auto const&... rows) { return std::vector<loss_entry>{entry(rows)...}; }, loss_table());
  return entries;
}

std::vector<loss_entry const*> const& batch_terms() {
  static std::vector<loss_entry const*> const all{&sinkd_entry(), &class_transport_entry()};
  return all;
}

loss_entry const* find_loss(std::string_view name) {
  for (auto const& loss : registry()) {
    if (loss.name == name) return &loss;
  }
  for (loss_entry const* loss : batch_terms()) {
    if (loss->name == name) return loss;
  }
  return nullptr;
}

std::string nearest_names(std::string_view typed, std::size_t count) {
  std::vector<std::pair<double, std::string_view>> names;
  for (char const* const word : {"reverse", "symmetrized", "skew", "power"}) {
    names.emplace_back(distance(typed, word), word);
  }
  for (auto const& loss : registry()) names.emplace_back(distance(typed, loss.name), loss.name);
  for (loss_entry const* loss : batch_terms()) {
    names.emplace_back(distance(typed, loss->name), loss->name);
  }
  for (auto const& alias : aliases()) names.emplace_back(distance(typed, alias.name), alias.name);
  std::stable_sort(names.begin(), names.end(),
                   [](auto const& a, auto const& b) { return a.first < b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(count, names.size()); ++i) {
    if (i > 0) text += ", ";
    text += names[i].second;
  }
  return text;
}

}  // namespace cli
