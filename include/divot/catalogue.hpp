// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The registry: every loss stands here twice, its header among the includes and its name in
// `catalogue`. What lists, times, fuzzes or documents all losses goes by this list.

#include <divot/family/divergence/alpha_beta.hpp>
#include <divot/family/divergence/arithmetic_geometric.hpp>
#include <divot/family/divergence/blended_hellinger.hpp>
#include <divot/family/divergence/chi_squared.hpp>
#include <divot/family/divergence/hellinger.hpp>
#include <divot/family/divergence/hockey_stick.hpp>
#include <divot/family/divergence/jensen_shannon.hpp>
#include <divot/family/divergence/kl.hpp>
#include <divot/family/divergence/marton.hpp>
#include <divot/family/divergence/matusita.hpp>
#include <divot/family/divergence/osterreicher_vajda.hpp>
#include <divot/family/divergence/puri_vincze.hpp>
#include <divot/family/divergence/skew_js.hpp>
#include <divot/family/divergence/skew_kl.hpp>
#include <divot/family/divergence/total_variation.hpp>
#include <divot/family/divergence/triangular.hpp>
#include <divot/family/divergence/vajda.hpp>
#include <divot/family/function_of.hpp>
#include <divot/family/loss.hpp>

#include <type_traits>

namespace divot {

/// A list of types.
template <class... Losses>
struct loss_list {};

using catalogue = loss_list<  //
    kl,                       //
    reverse_kl,               //
    jeffreys,                 //
    jensen_shannon,           //
    skew_js,                  //
    skew_kl,                  //
    squared_hellinger,        //
    blended_hellinger,        //
    pearson,                  //
    neyman,                   //
    total_variation,          //
    alpha,                    //
    alpha_beta,               //
    triangular,               //
    vajda,                    //
    puri_vincze,              //
    matusita,                 //
    arithmetic_geometric,     //
    osterreicher_vajda,       //
    hockey_stick,             //
    degroot,                  //
    marton,                   //
    renyi,                    //
    bhattacharyya,            //
    sharma_mittal,            //
    log_alpha_beta,           //
    cross_entropy,            //
    soft_cross_entropy,       //
    z_loss>;

namespace detail {

template <class Kept, class Left, class Others>
struct without;
template <class... Kept, class... Others>
struct without<loss_list<Kept...>, loss_list<>, loss_list<Others...>> {
  using type = loss_list<Kept...>;
};
template <class... Kept, class First, class... Left, class... Others>
struct without<loss_list<Kept...>, loss_list<First, Left...>, loss_list<Others...>> {
  static constexpr bool is_other = (std::is_same_v<First, Others> || ...);
  using kept = std::conditional_t<is_other, loss_list<Kept...>, loss_list<Kept..., First>>;
  using type = typename without<kept, loss_list<Left...>, loss_list<Others...>>::type;
};

}  // namespace detail

/// A list without some of its losses, for those who treat these apart.
template <class List, class... Others>
using losses_without = typename detail::without<loss_list<>, List, loss_list<Others...>>::type;

/// Calls visit(loss) with every loss of a list, with the default values of its parameters;
/// `describe(loss)` says what it is called, and what they are.
template <class Visit, class... Losses>
constexpr void for_each_loss(loss_list<Losses...>, Visit&& visit) {
  (visit(Losses{}), ...);
}

}  // namespace divot
