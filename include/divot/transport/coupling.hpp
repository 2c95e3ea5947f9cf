// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/kernel_rows.hpp>
#include <divot/transport/passes.hpp>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <algorithm>
#include <cmath>

namespace divot {
inline namespace DIVOT_ABI {

/// x/sum; 0 of a row that is worth moving nothing of, which penalties may leave.
inline double per_sum(double x, double sum) { return sum > 0 ? x / sum : 0; }

/// How a plan couples its columns: minus ε times the semi-dual's second derivative, and the Schur
/// complement of the linear system that implicit gradients solve,
///
///   c_j δ_jk (1 + ε/ρ_c) − Σ_i P_ij P_ik / (r_i (1 + ε/ρ_r)).
///
/// Where masses are kept exactly it is the Laplacian of a graph, and constants are its null space:
/// the last column is then held in its place.
///
/// As a matrix, factored: its diagonal is added up from the other entries, of which each is
/// positive. Where the plan is nearly an assignment, c − Σ P²/r has no digits left.
template <class Passes>
class factored_coupling {
 public:
  using vector = typename transport_types<Passes>::vector;
  using matrix = typename transport_types<Passes>::matrix;
  using row_list = typename transport_types<Passes>::rows;

  /// r: the plan's row sums, or what they are meant to be; c: those of the columns
  factored_coupling(Passes const& passes, transport_marginals const& to, vector const& f,
                    vector const& g, vector const& r, vector const& c)
      : free_(to.exact() ? g.size() - 1 : g.size()) {
    row_list const m = products(passes, f, g, r);
    double const part = to.row_part();
    vector diagonal = vector::Zero(g.size());
    for (Eigen::Index j = 0; j < g.size(); ++j) {
      auto const above = m.row(j).tail(g.size() - 1 - j).transpose();
      diagonal(j) += part * above.sum();
      diagonal.tail(above.size()) += part * above;
    }
    if (!to.exact()) {
      diagonal += (1 - part) * c;
      if (!std::isinf(to.column_penalty)) diagonal += to.epsilon / to.column_penalty * c;
    }
    whole_ = -part * m.topLeftCorner(free_, free_).transpose();  // below the diagonal it is read
    diagonal_ = diagonal.head(free_);
    // a pivot that is nothing but rounding holds a column in its place
    for (double lift = 0; lift < 1e-2; lift = lift == 0 ? 1e-15 : 100 * lift) {
      factor(diagonal_ + lift * diagonal_);
      if (solved()) return;
    }
  }

  bool solved() const { return free_ == 0 || factor_.info() == Eigen::Success; }

  /// The solution; its last entry is 0 where masses are kept exactly, and `right` adds up to 0.
  vector solve(vector const& right) const {
    vector x = vector::Zero(right.size());
    if (free_ > 0) x.head(free_) = factor_.solve(right.head(free_));
    return x;
  }
  /// With this on the diagonal besides.
  void add(vector const& more) { factor(diagonal_ + more.head(free_)); }

 private:
  void factor(vector const& diagonal) {
    if (free_ == 0) return;
    // columns of hardly any mass
    whole_.diagonal() = diagonal.array() + 1e-290 * diagonal_.maxCoeff() + 1e-300;
    factor_.compute(whole_);
  }
  /// Σ_i P_ij P_ik / r_i for j ≤ k, some rows of P and eight j at a time.
  static row_list products(Passes const& passes, vector const& f, vector const& g,
                           vector const& r) {
    Eigen::Index const n = passes.costs().rows(), m = g.size(),
                       height = std::min<Eigen::Index>(n, 128);
    Eigen::Index const step = m + 8;  // rows apart that lie in different sets of the caches
    row_list all = row_list::Zero(m, m), plan(height, step);
    Eigen::Index const blocks = (m + kernel_rows - 1) / kernel_rows;
    matrix shares(height * kernel_rows, passes.blocks().workers());
    vector nowhere = vector::Zero(m);  // what the last block has too many of
    passes.panels(f, g, height, plan, [&](Eigen::Index first, Eigen::Index last) {
      passes.blocks().deal(blocks, [&](Eigen::Index block, int me) {
        Eigen::Index const j = block * kernel_rows, count = std::min(kernel_rows, m - j);
        double* const own = shares.col(me).data();
        for (Eigen::Index i = 0; i < last - first; ++i) {
          double const per_row = per_sum(1, r(first + i));
          for (Eigen::Index k = 0; k < kernel_rows; ++k) {
            own[i * kernel_rows + k] = k < count ? plan(i, j + k) * per_row : 0;
          }
        }
        double* to[kernel_rows];
        for (Eigen::Index k = 0; k < kernel_rows; ++k) {
          to[k] = k < count ? all.data() + (j + k) * m + j : nowhere.data();
        }
        add_kernel_products<typename Passes::team>(plan.data() + j, step, last - first, own, m - j,
                                                   to);
      });
    });
    return all;
  }

  Eigen::Index free_;
  matrix whole_;
  vector diagonal_;
  Eigen::LLT<matrix> factor_;
};

/// The same as products with the plan, a row of it at a time, for more columns than a matrix of
/// them has room for; solved by conjugate gradients.
template <class Passes>
class iterated_coupling {
 public:
  using vector = typename transport_types<Passes>::vector;

  iterated_coupling(Passes const& passes, transport_marginals const& to, vector const& f,
                    vector const& g, vector const& r, vector const& c)
      : passes_(passes), f_(f), g_(g), r_(r), part_(to.row_part()), exact_(to.exact()) {
    extra_ = vector::Zero(g.size());
    if (!std::isinf(to.column_penalty)) extra_ = to.epsilon / to.column_penalty * c;
    diagonal_.resize(g.size());
    passes.add_up(f, g, diagonal_, [&](Eigen::Index i, double* p, double const*, double* sums) {
      for (Eigen::Index j = 0; j < g.size(); ++j) {
        sums[j] += p[j] * (1 - part_ * per_sum(p[j], r(i)));
      }
    });
    diagonal_ = (diagonal_ + extra_).cwiseMax(1e-300);
  }

  /// The solution to this error Σ|right − coupling·x|, or after as many products as may help.
  vector solve(vector const& right, double tolerance) const {
    constexpr int most_products = 500;
    vector x = vector::Zero(right.size()), rest = right;
    center(rest);
    vector direction = rest.cwiseQuotient(diagonal_);
    double weight = rest.dot(direction);
    for (int k = 0; k < most_products && rest.template lpNorm<1>() > tolerance; ++k) {
      vector const image = times(direction);
      double const curvature = direction.dot(image);
      if (!(curvature > 0)) break;
      double const step = weight / curvature;
      x += step * direction;
      rest -= step * image;
      center(rest);
      vector const scaled = rest.cwiseQuotient(diagonal_);
      double const next = rest.dot(scaled);
      direction = scaled + next / weight * direction;
      weight = next;
    }
    if (exact_) x.array() -= x(x.size() - 1);
    return x;
  }
  void add(vector const& more) {
    extra_ += more;
    diagonal_ += more;
  }

 private:
  vector times(vector const& x) const {
    vector out(x.size());
    passes_.add_up(f_, g_, out, [&](Eigen::Index i, double* p, double const*, double* sums) {
      double const mean =
          part_ * per_sum(dot_row<typename Passes::team>(p, x.data(), x.size()), r_(i));
      for (Eigen::Index j = 0; j < x.size(); ++j) sums[j] += p[j] * (x(j) - mean);
    });
    return out + extra_.cwiseProduct(x);
  }
  /// Without what constants would answer for.
  void center(vector& x) const {
    if (exact_) x.array() -= x.mean();
  }

  Passes const& passes_;
  vector const &f_, &g_, &r_;
  double part_;
  bool exact_;
  vector extra_, diagonal_;
};

/// Up to so many columns the coupling is a matrix.
inline constexpr Eigen::Index most_factored_columns = 1024;

/// What an implicit gradient of L(P) is made of: κ of the rows and μ of the columns with
///
///   r κ (1 + ε/ρ_r) + P μ = Σ_j P_ij G_ij,   Pᵀ κ + c μ (1 + ε/ρ_c) = Σ_i P_ij G_ij,   G = ∂L/∂P
///
/// This is μ. r, c: the plan's sums; of(i, c_i): row i of G, which of ⟨P, C⟩ are the costs c_i
template <class Passes, class Of>
auto implicit_column_slopes(Passes const& passes, transport_marginals const& to,
                            typename Passes::vector const& f, typename Passes::vector const& g,
                            typename Passes::vector const& r, typename Passes::vector const& c,
                            Of const& of) {
  using vector = typename Passes::vector;
  Eigen::Index const m = g.size();
  double const part = to.row_part();
  vector right(m);
  // from what a row's entries differ by from that of the plan's largest: where the coupling is weak
  // the right-hand side is as small, and no difference of large sums
  passes.add_up(f, g, right, [&](Eigen::Index i, double* p, double const* c_i, double* sums) {
    double const* const own = of(i, c_i);
    double const chief = own[std::max_element(p, p + m) - p];
    double mean = 0;
    for (Eigen::Index j = 0; j < m; ++j) mean += p[j] * (own[j] - chief);
    mean = per_sum(mean, r(i));
    double const left = (1 - part) * (mean + chief);
    for (Eigen::Index j = 0; j < m; ++j) sums[j] += p[j] * ((own[j] - chief - mean) + left);
  });
  if (m <= most_factored_columns) {
    return factored_coupling(passes, to, f, g, r, c).solve(right);
  }
  return iterated_coupling(passes, to, f, g, r, c).solve(right, 1e-12 * right.template lpNorm<1>());
}
/// And this is κ, from μ.
template <class Passes>
auto implicit_row_slopes(Passes const& passes, transport_marginals const& to,
                         typename Passes::vector const& f, typename Passes::vector const& g,
                         typename Passes::vector const& r, typename Passes::vector const& mu) {
  using team = typename Passes::team;
  Eigen::Index const m = g.size();
  typename Passes::vector kappa(r.size());
  passes.each_row(f, g, [&](Eigen::Index i, double* p, double const* c_i) {
    double const paid = dot_row<team>(p, c_i, m), by_columns = dot_row<team>(p, mu.data(), m);
    kappa(i) = to.row_part() * per_sum(paid - by_columns, r(i));
  });
  return kappa;
}
/// take(j, x): x = P_ij (κ_i + μ_j − G_ij)/ε, what L changes by with C_ij through the plan. p, own:
/// row i of P and of G, either of which take may write to at j.
template <class Take>
void each_implicit_slope(transport_marginals const& to, transport_vector const& mu, double const* p,
                         double const* own, Take const& take) {
  Eigen::Index const m = mu.size();
  // from what G less μ differs by from that of the plan's largest entry, which nearly all of a
  // row's mass may stand in; the row's own κ is their mean
  Eigen::Index const j0 = std::max_element(p, p + m) - p;
  double const at_chief = own[j0], mu_of_chief = mu(j0);
  auto const further = [&](Eigen::Index j) { return (own[j] - at_chief) - (mu(j) - mu_of_chief); };
  double mean = 0, sum = 0;
  for (Eigen::Index j = 0; j < m; ++j) {
    mean += p[j] * further(j);
    sum += p[j];
  }
  mean = per_sum(mean, sum);
  double const lost = (1 - to.row_part()) * (mean + (at_chief - mu_of_chief));
  for (Eigen::Index j = 0; j < m; ++j) take(j, p[j] * ((mean - further(j)) - lost) / to.epsilon);
}

}  // namespace DIVOT_ABI
}  // namespace divot
