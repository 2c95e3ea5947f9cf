// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/unpack.hpp>
#include <divot/family/bound_sum.hpp>
#include <divot/family/function_of.hpp>
#include <divot/family/loss.hpp>
#include <divot/family/loss_facts.hpp>

#include <tuple>
#include <utility>

namespace divot {
inline namespace DIVOT_ABI {

/// The terms of a loss that share a temperature, and so a softmax. Labelled: cross-entropies may be
/// among them. Function: what a row's divergence goes through, alone in its group.
template <class Lanes, bool Labelled, class Function = no_function>
struct loss_group {
  static constexpr bool may_have_labels = Labelled;
  static constexpr bool has_function = !Function::is_identity;
  Lanes lanes;               ///< bound_sum of divergences
  double factor = 1;         ///< multiplies the divergences (a single term's weight)
  double one_hot = 0;        ///< Σ c(1 − ε) of the cross-entropy terms: multiplies −log q_y
  double uniform = 0;        ///< Σ cε of them: multiplies −mean log q
  double own_smoothing = 0;  ///< Σ c of cross-entropies that take the teacher's smoothing
  double temperature = 0;    ///< 0: that of the wrappers
  bool t_squared = false;    ///< multiply everything by T²
  Function function = {};
  double outer = 1;   ///< multiplies the function's value
  double escort = 1;  ///< logits are multiplied by it

  DIVOT_HD bool has_labels() const { return one_hot != 0 || uniform != 0 || own_smoothing != 0; }
};

/// A loss made ready: its groups, and the weight of the z-loss (which has temperature 1) if it may
/// have one.
template <bool WithZ, class... Groups>
struct loss_plan {
  static constexpr bool may_have_z = WithZ;
  std::tuple<Groups...> groups;
  double z_weight = 0;

  static constexpr bool needs_teacher =
      !(std::remove_cvref_t<decltype(std::declval<Groups>().lanes)>::is_empty && ...);
  loss_facts facts() const {
    loss_facts all;
    unpack([&](auto const&... g) { (..., add(all, g)); }, groups);
    all.adds_up = sizeof...(Groups) > 1 || z_weight != 0;
    all.z_weight = z_weight;
    return all;
  }

 private:
  template <class Group>
  static void add(loss_facts& all, Group const& group) {
    constexpr bool divergences = !std::remove_cvref_t<decltype(group.lanes)>::is_empty;
    bool const tempers = group.temperature != 0 && group.temperature != 1;
    all.has_labels = all.has_labels || group.has_labels();
    all.smooths_labels = all.smooths_labels || group.uniform != 0;
    all.tempers = all.tempers || tempers;
    all.tempers_teacher = all.tempers_teacher || (divergences && tempers);
    all.uses_wrappers = all.uses_wrappers || (divergences && group.temperature == 0);
    all.has_function = all.has_function || Group::has_function;
  }
};

namespace planning {

template <class Bound>
struct lane_part {
  static constexpr bool may_have_z = false;
  double weight;
  Bound bound;
};
struct label_part {
  static constexpr bool may_have_z = false;
  double weight, smoothing;
};
struct z_part {
  static constexpr bool may_have_z = true;
  double weight;
};
/// A group with a temperature of its own.
template <class Group, bool WithZ>
struct group_part {
  static constexpr bool may_have_z = WithZ;
  Group group;
  double z_weight;
};
/// The group of a function of a divergence, which takes the temperature of what is around it.
template <class Group>
struct function_part {
  static constexpr bool may_have_z = false;
  Group group;
};

template <divergence D>
auto collect(D const& d, double weight) {
  return std::make_tuple(lane_part<decltype(bound_of(d))>{weight, bound_of(d)});
}
inline auto collect(cross_entropy const& c, double weight) {
  if (!(c.smoothing >= 0 && c.smoothing < 1)) {
    fail("cross_entropy: smoothing is ", c.smoothing, "; it must lie in [0, 1)");
  }
  check_finite(c.z_loss, "cross_entropy", "z_loss");
  return std::tuple<label_part, z_part>({weight, c.smoothing}, {weight * c.z_loss});
}
inline auto collect(z_loss const&, double weight) { return std::tuple(z_part{weight}); }

template <class L>
auto collect(scaled<L> const& s, double weight);
template <class... L>
auto collect(sum<L...> const& s, double weight);
template <class L>
auto collect(at_temperature<L> const& a, double weight);
template <row_function L>
auto collect(L const& f, double weight);

template <class L>
auto collect(scaled<L> const& s, double weight) {
  check_finite(s.weight, "weighted term", "the weight");
  return collect(s.term, weight * s.weight);
}
template <class... L>
auto collect(sum<L...> const& s, double weight) {
  return unpack([&](auto const&... t) { return std::tuple_cat(collect(t, weight)...); }, s.terms);
}

template <class T>
inline constexpr bool is_lane = false;
template <class B>
inline constexpr bool is_lane<lane_part<B>> = true;
template <class T>
inline constexpr bool is_group = false;
template <class G, bool Z>
inline constexpr bool is_group<group_part<G, Z>> = true;

template <class T>
inline constexpr bool is_function = false;
template <class G>
inline constexpr bool is_function<function_part<G>> = true;

template <class Tuple>
inline constexpr bool all_lanes = false;
template <class... Parts>
inline constexpr bool all_lanes<std::tuple<Parts...>> = (is_lane<Parts> && ...);
template <class Tuple>
inline constexpr bool has_group = false;
template <class... Parts>
inline constexpr bool has_group<std::tuple<Parts...>> = (is_group<Parts> || ...);
template <class Part, class Tuple>
inline constexpr bool has_part = false;
template <class Part, class... Parts>
inline constexpr bool has_part<Part, std::tuple<Parts...>> = (std::is_same_v<Parts, Part> || ...);
/// A z-loss anywhere, inside groups too.
template <class Tuple>
inline constexpr bool has_z = false;
template <class... Parts>
inline constexpr bool has_z<std::tuple<Parts...>> = (Parts::may_have_z || ...);

template <class Part>
auto lanes_of(Part const& p) {
  if constexpr (is_lane<Part>) {
    return std::make_tuple(std::pair(p.weight, p.bound));
  } else {
    return std::tuple();
  }
}
template <class Part>
auto groups_of(Part const& p) {
  if constexpr (is_group<Part> || is_function<Part>) {
    return std::make_tuple(p.group);
  } else {
    return std::tuple();
  }
}
inline void check_not_negative(double weight) {
  if (!(weight >= 0)) fail("power: the weight ", weight, " inside it is negative");
}
/// A function with the temperature of the `at` around it.
template <class Part, class F>
auto tempered_function([[maybe_unused]] Part const& p, [[maybe_unused]] F const& at_temperature) {
  if constexpr (is_function<Part>) {
    auto const group = at_temperature(p.group);
    return std::make_tuple(group_part<std::remove_const_t<decltype(group)>, false>{group, 0.});
  } else {
    return std::tuple();
  }
}
template <bool Labelled, class... Bounds, class Function = no_function>
auto make_group(std::tuple<std::pair<double, Bounds>...> const& lanes,
                Function const& function = {}) {
  loss_group<bound_sum<Bounds...>, Labelled, Function> group{{lanes}};
  group.function = function;
  if constexpr (sizeof...(Bounds) == 1) group.factor = std::get<0>(lanes).first;
  return group;
}
template <class Group, class Part>
void add_labels(Group& group, double& z_weight, Part const& p) {
  if constexpr (std::is_same_v<Part, label_part>) {
    if (p.smoothing == 0) {
      group.own_smoothing += p.weight;
    } else {
      group.one_hot += p.weight * (1 - p.smoothing);
      group.uniform += p.weight * p.smoothing;
    }
  } else if constexpr (std::is_same_v<Part, z_part>) {
    z_weight += p.weight;
  } else if constexpr (is_group<Part>) {
    z_weight += p.z_weight;
  }
}
/// The group of all parts that are not groups themselves.
template <class... Parts>
auto own_group(std::tuple<Parts...> const& parts, double& z_weight) {
  auto group = unpack(
      [](auto const&... p) {
        constexpr bool labelled = has_part<label_part, std::tuple<Parts...>>;
        return make_group<labelled>(std::tuple_cat(lanes_of(p)...));
      },
      parts);
  unpack([&](auto const&... p) { (..., add_labels(group, z_weight, p)); }, parts);
  return group;
}

template <class L>
auto collect(at_temperature<L> const& a, double weight) {
  if (!(a.temperature > 0) || !std::isfinite(a.temperature)) {
    fail("at(T, …): the temperature is ", a.temperature, "; it must be positive and finite");
  }
  auto parts = collect(a.term, weight);
  static_assert(
      !has_group<decltype(parts)>,
      "divot: at(T, ...) inside at(T, ...): a term has one temperature; take one of them away");
  double z_weight = 0;
  auto group = own_group(parts, z_weight);
  auto const at_temperature = [&](auto g) {
    g.temperature = a.temperature;
    g.t_squared = a.t_squared;
    return g;
  };
  auto const functions = unpack(
      [&](auto const&... p) { return std::tuple_cat(tempered_function(p, at_temperature)...); },
      parts);
  constexpr bool with_z = has_z<decltype(parts)>;
  if constexpr (std::tuple_size_v<decltype(functions)> == std::tuple_size_v<decltype(parts)>) {
    return functions;
  } else {
    group = at_temperature(group);
    return std::tuple_cat(std::make_tuple(group_part<decltype(group), with_z>{group, z_weight}),
                          functions);
  }
}

/// A group of its own: its divergences are added up before the function is taken.
template <row_function L>
auto collect(L const& f, double weight) {
  auto const bound = as_function(f);
  auto const parts = collect(bound.inner, 1.);
  static_assert(all_lanes<std::remove_const_t<decltype(parts)>>,
                "divot: power(D, r) takes a divergence, or a sum of divergences with weights; "
                "temperatures go around it, at(T, power(D, r))");
  auto const lanes = unpack([](auto const&... p) { return std::tuple_cat(lanes_of(p)...); }, parts);
  unpack([](auto const&... p) { (..., check_not_negative(p.weight)); }, parts);
  auto group = make_group<false>(lanes, bound.function);
  if (weight == 0) group.factor = 0;
  group.outer = weight * bound.factor;
  group.escort = bound.escort;
  return std::make_tuple(function_part<decltype(group)>{group});
}

}  // namespace planning

/// Binds a loss: checks its parameters and sorts its terms into groups of equal temperature.
template <loss L>
auto make_plan(L const& what) {
  auto const parts = planning::collect(what, 1.);
  using parts_type = std::remove_const_t<decltype(parts)>;
  double z_weight = 0;
  auto const own = planning::own_group(parts, z_weight);
  auto const rest =
      unpack([](auto const&... p) { return std::tuple_cat(planning::groups_of(p)...); }, parts);
  constexpr bool only_tempered = std::remove_cvref_t<decltype(own.lanes)>::is_empty &&
                                 std::tuple_size_v<decltype(rest)> != 0 &&
                                 !planning::has_part<planning::label_part, parts_type> &&
                                 !planning::has_part<planning::z_part, parts_type>;
  constexpr bool with_z = planning::has_z<parts_type>;
  return unpack(
      [&](auto const&... g) {
        if constexpr (only_tempered) {
          return loss_plan<with_z, std::remove_cvref_t<decltype(g)>...>{{g...}, z_weight};
        } else {
          return loss_plan<with_z, std::remove_cvref_t<decltype(own)>,
                           std::remove_cvref_t<decltype(g)>...>{{own, g...}, z_weight};
        }
      },
      rest);
}

}  // namespace DIVOT_ABI
}  // namespace divot
