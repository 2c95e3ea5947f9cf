// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Transforms of logits and their pullbacks written out on whole matrices, in long double: what the
// fused ones are compared with.

#include <accuracy/samples.hpp>

#include <Eigen/Core>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace written_out {

template <class F>
void every_policy(F const& run) {
  run(divot::seq);
  run(divot::simd);
#if DIVOT_HAS_OPENMP
  run(divot::omp(2));
#endif
}

using wide = long double;
template <class S>
using matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using wides = matrix<wide>;
using Eigen::Index;

inline bool gone(wide x) { return x == -std::numeric_limits<wide>::infinity(); }

template <class S>
matrix<S> normal(std::uint64_t seed, Index rows, Index cols, double scale = 3) {
  samples::random r(seed);
  matrix<S> m(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < cols; ++k) {
      m(i, k) = static_cast<S>(static_cast<float>(scale * r.normal()));
    }
  }
  return m;
}

inline wides softcap(wides x, double cap) {
  for (wide& v : x.reshaped()) {
    if (!gone(v)) v = cap * std::tanh(v / cap);
  }
  return x;
}
inline wides softcap_back(wides const& x, wides g, double cap) {
  for (Index i = 0; i < x.rows(); ++i) {
    for (Index k = 0; k < x.cols(); ++k) {
      wide const c =
          gone(x(i, k)) ? std::numeric_limits<wide>::infinity() : std::cosh(x(i, k) / cap);
      g(i, k) /= c * c;
    }
  }
  return g;
}

inline wides bias(wides x, std::vector<double> const& b) {
  for (Index k = 0; k < x.cols(); ++k) {
    for (Index i = 0; i < x.rows(); ++i) x(i, k) += b[static_cast<std::size_t>(k)];
  }
  return x;
}

struct moments {
  wide n = 0, mean = 0, sd = 0;
  template <class Row>
  explicit moments(Row const& x) {
    for (Index k = 0; k < x.size(); ++k) {
      if (!gone(x(k))) n += 1, mean += x(k);
    }
    mean /= n;
    for (Index k = 0; k < x.size(); ++k) {
      if (!gone(x(k))) sd += (x(k) - mean) * (x(k) - mean);
    }
    sd = std::sqrt(sd / (n - 1));
  }
};

inline wides standardise(wides x) {
  for (Index i = 0; i < x.rows(); ++i) {
    moments const m(x.row(i));
    for (Index k = 0; k < x.cols(); ++k) x(i, k) = (x(i, k) - m.mean) / m.sd;
  }
  return x;
}
/// By the derivatives ∂y_j/∂x_k = (δ_jk − 1/n − y_j y_k/(n − 1))/sd.
inline wides standardise_back(wides const& x, wides const& g) {
  wides const y = standardise(x);
  wides back = wides::Zero(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    moments const m(x.row(i));
    wide total = 0, product = 0;
    for (Index k = 0; k < x.cols(); ++k) {
      if (!gone(x(i, k))) total += g(i, k), product += g(i, k) * y(i, k);
    }
    for (Index k = 0; k < x.cols(); ++k) {
      if (gone(x(i, k))) continue;
      back(i, k) = (g(i, k) - total / m.n - y(i, k) * product / (m.n - 1)) / m.sd;
    }
  }
  return back;
}

inline wides mask(wides x, std::vector<std::uint8_t> const& keep) {
  for (Index k = 0; k < x.cols(); ++k) {
    if (keep[static_cast<std::size_t>(k)] == 0) {
      x.col(k).setConstant(-std::numeric_limits<wide>::infinity());
    }
  }
  return x;
}
inline wides mask_back(wides g, std::vector<std::uint8_t> const& keep) {
  for (Index k = 0; k < g.cols(); ++k) {
    if (keep[static_cast<std::size_t>(k)] == 0) g.col(k).setZero();
  }
  return g;
}

inline wides softmax(wides const& x, wide temperature) {
  wides p(x.rows(), x.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    wide const top = x.row(i).maxCoeff();
    for (Index k = 0; k < x.cols(); ++k) p(i, k) = std::exp((x(i, k) - top) / temperature);
    p.row(i) /= p.row(i).sum();
  }
  return p;
}

/// |a − b|/|b|, row by row the worst, absolute where b is 0.
template <class A, class B>
double distance(A const& a, B const& b) {
  double worst = 0;
  for (Index i = 0; i < b.rows(); ++i) {
    wides const x = a.row(i).template cast<wide>(), y = b.row(i).template cast<wide>();
    wide const size = y.norm(), off = (x - y).norm();
    double const here = static_cast<double>(size > 0 ? off / size : off);
    worst = here > worst || here != here ? here : worst;
  }
  return worst;
}

template <class S>
bool same_bits(matrix<S> const& a, matrix<S> const& b) {
  for (Index i = 0; i < a.rows(); ++i) {
    for (Index k = 0; k < a.cols(); ++k) {
      if (!(a(i, k) == b(i, k))) return false;
    }
  }
  return a.rows() == b.rows() && a.cols() == b.cols();
}

}  // namespace written_out
