// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <accuracy/losses.hpp>
#include <entries/entry.hpp>

#include <sstream>

namespace losses {

using reference::form;

std::string name(loss const& l) {
  if (l.own != nullptr) {
    std::ostringstream text;
    text << (l.reversed ? "reverse(" + l.own->name() + ")" : l.own->name());
    if (l.own->has_parameter()) text << '(' << l.a << ')';
    return text.str();
  }
  static char const* const names[] = {"kl",
                                      "reverse_kl",
                                      "jeffreys",
                                      "jensen_shannon",
                                      "skew_js",
                                      "skew_kl",
                                      "reverse(skew_kl)",
                                      "squared_hellinger",
                                      "pearson",
                                      "neyman",
                                      "total_variation",
                                      "f_divergence<le_cam>",
                                      "alpha",
                                      "alpha_beta",
                                      "skew(pearson, ",
                                      "skew(reverse_kl, ",
                                      "symmetrized(pearson)",
                                      "power(jensen_shannon, ",
                                      "renyi",
                                      "bhattacharyya",
                                      "sharma_mittal",
                                      "soft_cross_entropy",
                                      "cross_entropy",
                                      "z_loss"};
  std::ostringstream text;
  text << names[static_cast<int>(l.what)];
  switch (l.what) {
    case kind::skew_js:
    case kind::skew_kl:
    case kind::reverse_skew_kl:
    case kind::alpha:
    case kind::renyi:
      text << '(' << l.a << ')';
      break;
    case kind::skew_pearson:
    case kind::skew_reverse_kl:
    case kind::power_jensen_shannon:
      text << l.a << ')';
      break;
    case kind::alpha_beta:
    case kind::sharma_mittal:
    case kind::cross_entropy:
      text << '(' << l.a << ", " << l.b << ')';
      break;
    default:
      break;
  }
  return text.str();
}

reference::divergence reference_of(loss const& l) {
  if (l.own != nullptr) {
    reference::divergence const d{form::own, l.a, 0, form::kl, false, l.own};
    return l.reversed ? d.reversed() : d;
  }
  switch (l.what) {
    case kind::kl:
      return {form::kl};
    case kind::reverse_kl:
      return {form::reverse_kl};
    case kind::jeffreys:
      return {form::jeffreys};
    case kind::jensen_shannon:
      return {form::jensen_shannon};
    case kind::skew_js:
      return {form::skew_js, l.a};
    case kind::skew_kl:
      return {form::skew_kl, l.a};
    case kind::reverse_skew_kl:
      return {form::reverse_skew_kl, l.a};
    case kind::squared_hellinger:
      return {form::squared_hellinger};
    case kind::pearson:
      return {form::pearson};
    case kind::neyman:
      return {form::neyman};
    case kind::total_variation:
      return {form::total_variation};
    case kind::le_cam:
      return {form::le_cam};
    case kind::alpha:
      return reference::alpha_divergence(l.a);
    case kind::alpha_beta:
      return {form::alpha_beta, l.a, l.b};
    case kind::skew_pearson:
      return {form::skew, l.a, 0, form::pearson};
    case kind::skew_reverse_kl:
      return {form::skew, l.a, 0, form::reverse_kl};
    case kind::symmetrized_pearson:
      return {form::symmetrized, 0, 0, form::pearson};
    case kind::power_jensen_shannon:
      return {form::power, l.a, 0, form::jensen_shannon};
    case kind::renyi:
      return {form::renyi, l.a};
    case kind::bhattacharyya:
      return {form::bhattacharyya};
    case kind::sharma_mittal:
      return {form::sharma_mittal, l.a, l.b};
    default:
      return {form::soft_cross_entropy};
  }
}

namespace {

/// The list with the entries of tests/entries: their reverses and all values, or the first alone.
std::vector<loss> with_entries(std::vector<loss> list, bool everything) {
  for (entry const* e : entries()) {
    if (!everything && !e->on_long_rows()) continue;
    for (double const a : e->tried()) {
      list.push_back({kind::own, a, 0, e});
      if (!everything) break;
      if (e->has_reverse()) list.push_back({kind::own, a, 0, e, true});
    }
  }
  return list;
}

}  // namespace

std::vector<loss> const& all() {
  static std::vector<loss> const list = with_entries({{kind::kl},
                                                      {kind::reverse_kl},
                                                      {kind::jeffreys},
                                                      {kind::jensen_shannon},
                                                      {kind::skew_js, 0.1},
                                                      {kind::skew_js, 0.9},
                                                      {kind::skew_kl, 0.1},
                                                      {kind::reverse_skew_kl, 0.1},
                                                      {kind::squared_hellinger},
                                                      {kind::pearson},
                                                      {kind::neyman},
                                                      {kind::total_variation},
                                                      {kind::le_cam},
                                                      {kind::alpha, 0.3},
                                                      {kind::alpha, -0.5},
                                                      {kind::alpha, 1},
                                                      {kind::alpha, 0},
                                                      {kind::alpha_beta, 0.2, 0.7},
                                                      {kind::alpha_beta, 0.5, 0.5},
                                                      {kind::alpha_beta, 0.8, 0.3},
                                                      {kind::alpha_beta, 1, 1},
                                                      {kind::alpha_beta, 0.25, -0.75},
                                                      {kind::alpha_beta, 0, 0},
                                                      {kind::skew_pearson, 0.3},
                                                      {kind::skew_reverse_kl, 0.3},
                                                      {kind::symmetrized_pearson},
                                                      {kind::power_jensen_shannon, 0.5},
                                                      {kind::renyi, 0.1},
                                                      {kind::renyi, 0.5},
                                                      {kind::renyi, 1},
                                                      {kind::renyi, 2},
                                                      {kind::bhattacharyya},
                                                      {kind::sharma_mittal, 0.5, 2},
                                                      {kind::sharma_mittal, 2, 0.5},
                                                      {kind::soft_cross_entropy}},
                                                     true);
  return list;
}

std::vector<loss> const& some() {
  static std::vector<loss> const list = with_entries({{kind::kl},
                                                      {kind::reverse_kl},
                                                      {kind::jeffreys},
                                                      {kind::jensen_shannon},
                                                      {kind::skew_js, 0.1},
                                                      {kind::skew_kl, 0.1},
                                                      {kind::reverse_skew_kl, 0.1},
                                                      {kind::squared_hellinger},
                                                      {kind::pearson},
                                                      {kind::neyman},
                                                      {kind::total_variation},
                                                      {kind::le_cam},
                                                      {kind::alpha, 0.3},
                                                      {kind::alpha_beta, 0.2, 0.7},
                                                      {kind::alpha_beta, 1, 1},
                                                      {kind::skew_pearson, 0.3},
                                                      {kind::renyi, 0.5},
                                                      {kind::soft_cross_entropy}},
                                                     false);
  return list;
}

std::vector<loss> const& main_ones() {
  static std::vector<loss> const list{{kind::kl},
                                      {kind::reverse_kl},
                                      {kind::jensen_shannon},
                                      {kind::squared_hellinger},
                                      {kind::pearson},
                                      {kind::total_variation},
                                      {kind::alpha_beta, 0.2, 0.7}};
  return list;
}

std::string name(policy p) {
  return p == policy::seq ? "seq" : p == policy::simd ? "simd" : "omp(2)";
}

template <class Kinds, class T>
answer<T> run_kinds(policy, loss const&, problem<T> const&, wanted);
struct usual_kinds;
struct powers_kinds;
struct label_kinds;
struct compositions_kinds;

template <class T>
answer<T> run(policy p, loss const& l, problem<T> const& given, wanted what) {
  if (l.own != nullptr) return l.own->run(p, l, given, what);
  switch (l.what) {
    case kind::kl:
    case kind::reverse_kl:
    case kind::jeffreys:
    case kind::jensen_shannon:
    case kind::skew_js:
    case kind::skew_kl:
    case kind::reverse_skew_kl:
    case kind::squared_hellinger:
    case kind::pearson:
    case kind::neyman:
      return run_kinds<usual_kinds>(p, l, given, what);
    case kind::total_variation:
    case kind::le_cam:
    case kind::alpha:
    case kind::alpha_beta:
      return run_kinds<powers_kinds>(p, l, given, what);
    case kind::skew_pearson:
    case kind::skew_reverse_kl:
    case kind::symmetrized_pearson:
    case kind::power_jensen_shannon:
    case kind::renyi:
    case kind::bhattacharyya:
    case kind::sharma_mittal:
      return run_kinds<compositions_kinds>(p, l, given, what);
    default:
      return run_kinds<label_kinds>(p, l, given, what);
  }
}
template answer<float> run(policy, loss const&, problem<float> const&, wanted);
template answer<double> run(policy, loss const&, problem<double> const&, wanted);

}  // namespace losses
