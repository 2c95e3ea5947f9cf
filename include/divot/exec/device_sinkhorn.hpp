// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_transport.hpp>
#include <divot/exec/device_storage.hpp>
#include <divot/exec/shared_solver.hpp>

#include <cmath>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A batch of transport problems on a device, in the form that its kernel takes.
template <class Storage, class Mass, class Plan>
struct device_sinkhorn {
  using mass_type = Mass;
  device_stack<Storage const> costs;
  device_view<Mass const> row_masses, column_masses;  // one row: of all; none: equal ones
  double epsilon, tolerance;
  int sweeps, max_sweeps, newton_steps;
  device_transport<Plan> to;

  DIVOT_HD double cost(index p, index i, index j) const {
    return from_stored<double>(costs.at(p, i)[j]);
  }
  DIVOT_HD static double mass(device_view<Mass const> const& of, index p, index i, index count) {
    if (of.data == nullptr) return 1 / static_cast<double>(count);
    return from_stored<double>(of.data[(of.rows > 1 ? p * of.row_stride : 0) + i]);
  }
};

/// What the threads of a group share while they solve a problem of a batch.
struct sinkhorn_memory : solver_memory {
  double* row_sums = nullptr;

  DIVOT_HD index take(double* memory, index rows, index columns) {
    number_pieces next(memory);
    solver_memory::take(rows, columns, next);
    row_sums = next(rows);
    return next.taken();
  }
};

/// Solves one problem of a batch, by the threads of a group.
template <class Group, class Call>
class sinkhorn_problem_of_batch {
 public:
  DIVOT_HD sinkhorn_problem_of_batch(Call const& call, index p, double* memory)
      : call_(call), p_(p), n_(call.costs.rows), m_(call.costs.cols) {
    s_.take(memory, n_, m_);
  }

  DIVOT_HD void run() {
    transport_status const flaw = look();
    if (flaw != transport_status::converged) return leave(flaw);
    if (range_ / call_.epsilon < 300) {
      solve(shared_kernel<Group>(s_.matrix));
    } else {
      solve(shared_logarithms<Group>(s_.matrix));
    }
  }

 private:
  using sums = shared_sums<Group>;

  template <class Term>
  DIVOT_HD static double total(index count, Term const& term) {
    return shared_total<Group>(count, term);
  }
  /// Of these masses together, whatever the number of threads: plans hang on it.
  DIVOT_HD double mass_of(double const* masses, index count) const {
    double* const to = s_.matrix.matrix;  // nothing is there yet
    sums(s_.matrix.sums)
        .add(
            count, 1, [&](index k, index) { return masses[k]; },
            [&](index, double sum) { *to = sum; });
    double const all = *to;
    Group::barrier();
    return all;
  }
  DIVOT_HD static bool any(bool yes) { return Group::largest(yes ? 1. : 0.) > 0; }

  /// Reads the masses and the costs' range; what is wrong with the problem, or `converged`.
  DIVOT_HD transport_status look() {
    bool bad = false;
    auto const take = [&](auto const& of, index count, double* to) {
      sums::each(count, [&](index i) {
        to[i] = Call::mass(of, p_, i, count);
        bad = bad || !(to[i] >= 0 && is_finite_number(to[i]));
      });
    };
    take(call_.row_masses, n_, s_.a);
    take(call_.column_masses, m_, s_.b);
    if (any(bad)) return transport_status::bad_input;
    if (n_ == 0 || m_ == 0) return transport_status::empty;
    mass_ = mass_of(s_.a, n_);
    double const other = mass_of(s_.b, m_);
    if (mass_ == 0 && other == 0) return transport_status::empty;
    double const more = mass_ > other ? mass_ : other;
    if (!(more <= 1e150)) return transport_status::bad_input;
    double const gap = sizeof(typename Call::mass_type) < sizeof(double) ? 1e-5 : 1e-9;
    if (!(std::fabs(mass_ - other) <= gap * more)) return transport_status::mass_mismatch;
    double least = std::numeric_limits<double>::infinity(), most = -least;
    sums::each_entry(n_, m_, [&](index i, index j) {
      double const c = call_.cost(p_, i, j);
      bad = bad || !is_finite_number(c);
      least = c < least ? c : least;
      most = c > most ? c : most;
    });
    if (any(bad)) return transport_status::bad_input;
    lowest_ = Group::smallest(least);
    range_ = Group::largest(most) - lowest_;
    if (!(range_ / call_.epsilon <= 1e13)) return transport_status::bad_input;
    double const factor = mass_ / other;
    sums::each(m_, [&](index j) { s_.b[j] *= factor; });
    return transport_status::converged;
  }

  template <class Domain>
  DIVOT_HD void solve(Domain const& domain) {
    auto const cost = [&](index i, index j) { return call_.cost(p_, i, j) - lowest_; };
    domain.fill(call_.epsilon, cost);
    solver_goal const goal{call_.epsilon,     range_,       mass_,
                           call_.tolerance,   call_.sweeps, call_.max_sweeps,
                           call_.newton_steps};
    shared_solver<Group, Domain> solver(goal, domain, s_);
    auto status = solver.run();

    // the plan's sums, what it costs, and the errors
    sums const add_up(s_.matrix.sums);
    auto const plan = [&](index i, index j) { return domain.entry(s_.x[i], s_.y[j], i, j); };
    add_up.add(
        n_, m_, [&](index i, index j) { return plan(i, j) * cost(i, j); },
        [&](index j, double sum) { s_.sums[j] = sum; });
    double const paid = total(m_, [&](index j) { return s_.sums[j]; });
    add_up.add(n_, m_, plan, [&](index j, double sum) { s_.sums[j] = sum; });
    add_up.add(
        m_, n_, [&](index j, index i) { return domain.entry_across(s_.x[i], s_.y[j], i, j); },
        [&](index i, double sum) { s_.row_sums[i] = sum; });
    double const row_error =
        total(n_, [&](index i) { return std::fabs(s_.row_sums[i] - s_.a[i]); });
    double const column_error = total(m_, [&](index j) { return std::fabs(s_.sums[j] - s_.b[j]); });
    if (status == transport_status::converged &&
        !(row_error + column_error <= 2 * call_.tolerance * mass_)) {
      // the plan itself is rounded more than its sums were
      status = transport_status::stalled_roundoff;
    }
    double const mass = total(n_, [&](index i) { return s_.row_sums[i]; });
    double const epsilon = call_.epsilon;
    // f̃ and g̃, without the masses' logarithms; 0 where there is no mass
    auto const own_f = [&](index i) {
      return s_.a[i] > 0 ? epsilon * (Domain::potential_of(s_.x[i]) - std::log(s_.a[i])) : 0;
    };
    auto const own_g = [&](index j) {
      return s_.b[j] > 0 ? epsilon * (Domain::potential_of(s_.y[j]) - std::log(s_.b[j])) : 0;
    };
    double const gained = total(n_, [&](index i) { return s_.row_sums[i] * own_f(i); }) +
                          total(m_, [&](index j) { return s_.sums[j] * own_g(j); });
    double const divergence = (gained - paid) / epsilon - mass + mass_ * mass_;
    double const transport_cost = paid + lowest_ * mass;
    double const shift = total(m_, [&](index j) { return s_.b[j] * own_g(j); }) / mass_;

    auto const& to = call_.to;
    if (Group::owns(0)) {
      put(to.transport_cost, transport_cost);
      put(to.entropic, transport_cost + epsilon * divergence);
      put(to.row_error, row_error);
      put(to.column_error, column_error);
      put(to.sweeps, solver.sweeps);
      put(to.status, status);
    }
    if (to.row_potentials.data != nullptr) {
      double* const f = to.row_potentials.data + p_ * to.row_potentials.row_stride;
      sums::each(
          n_, [&](index i) { f[i] = epsilon * Domain::potential_of(s_.x[i]) + (shift + lowest_); });
    }
    if (to.column_potentials.data != nullptr) {
      double* const g = to.column_potentials.data + p_ * to.column_potentials.row_stride;
      sums::each(m_, [&](index j) { g[j] = epsilon * Domain::potential_of(s_.y[j]) - shift; });
    }
    write_plan(plan);
  }

  /// A problem without a solution: nobody is to add a 0 up where it is wrong.
  DIVOT_HD void leave(transport_status status) {
    double const nothing =
        status == transport_status::empty ? 0 : std::numeric_limits<double>::quiet_NaN();
    constexpr double low = -std::numeric_limits<double>::infinity();
    auto const& to = call_.to;
    if (Group::owns(0)) {
      put(to.transport_cost, nothing);
      put(to.entropic, nothing);
      put(to.row_error, 0);
      put(to.column_error, 0);
      put(to.sweeps, 0);
      put(to.status, status);
    }
    auto const fill = [&](device_view<double> const& of, index count) {
      if (of.data == nullptr) return;
      sums::each(count, [&](index k) { of.data[p_ * of.row_stride + k] = low; });
    };
    fill(to.row_potentials, n_);
    fill(to.column_potentials, m_);
    write_plan([](index, index) { return 0.; });
  }

  template <class T, class X>
  DIVOT_HD void put(device_span<T> const& to, X const& x) const {
    if (!to.empty()) to.data[p_] = static_cast<T>(x);
  }
  template <class Entry>
  DIVOT_HD void write_plan(Entry const& entry) const {
    auto const& to = call_.to.plan;
    if (to.data == nullptr || n_ == 0 || m_ == 0) return;
    using storage = std::remove_pointer_t<decltype(to.data)>;
    sums::each_entry(n_, m_,
                     [&](index i, index j) { to.at(p_, i)[j] = as_stored<storage>(entry(i, j)); });
  }

  Call const& call_;
  index p_, n_, m_;
  sinkhorn_memory s_;
  double mass_ = 0, lowest_ = 0, range_ = 0;
};

}  // namespace DIVOT_ABI
}  // namespace divot
