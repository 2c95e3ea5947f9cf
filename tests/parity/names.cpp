// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <parity/parity.hpp>

namespace parity {

std::string name(loss what) {
  switch (what) {
    case loss::kl:
      return "kl";
    case loss::alpha_beta:
      return "alpha_beta(.2, .7)";
    case loss::jensen_shannon:
      return "jensen_shannon";
    case loss::total_variation:
      return "total_variation";
    case loss::mixture:
      return "0.1 cross_entropy + 0.9 kl at 4";
  }
  return {};
}

std::string name(policy const& p) {
  switch (p.kind) {
    case policy::sequential:
      return "seq";
    case policy::packs:
      return "simd";
    case policy::threaded:
      return "omp(" + std::to_string(p.threads) + ")";
  }
  return {};
}

}  // namespace parity
