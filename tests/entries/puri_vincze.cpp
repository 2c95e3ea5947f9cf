// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <entries/entry_of.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace entries {

using reference::exp, reference::expm1, reference::log1p_beyond_first, reference::raised;

namespace {

class puri_vincze_entry final : public entry_of<divot::puri_vincze, false> {
  std::vector<double> tried() const override { return {1, 1.5, 2, 3}; }
  bool on_long_rows() const override { return false; }

  quad f(quad u, quad a) const override {
    return raised(reference::abs(u - 1), a) * raised(u + 1, 1 - a) / 2;
  }
  quad at_zero(quad /*a*/) const override { return quad(1) / 2; }
  quad slope_at_infinity(quad /*a*/) const override { return quad(1) / 2; }
  double curvature(double u, double a) const override {
    if (a < 2) return std::nan("");
    return 2 * a * (a - 1) * std::pow(std::abs((u - 1) / (u + 1)), a - 2) / std::pow(u + 1, 3);
  }

  quad loss(row_pair const& row, std::size_t k, quad a) const override {
    smaller_ratio const r(row, k);
    return r.larger * (2 + r.x) / 2 * raised(-r.x / (2 + r.x), a);
  }
  quad slope(quad ell, quad a, bool far) const override {
    quad const u = exp(ell), gauge = far ? 1 : 0;
    if (far && u < 0.0625) {  // ½ [(1−u)^(k−1) (1+u)^(−k) (1 + (2k−1)u) − 1]
      return expm1((a - 1) * log1p_beyond_first(-u) - a * log1p_beyond_first(u) +
                   log1p_beyond_first((2 * a - 1) * u)) /
             2;
    }
    quad const down = -reference::abs(ell), v = exp(down), tanh = -expm1(down) / (1 + v);
    quad const share = ell < 0 ? v / (1 + v) : 1 / (1 + v);  // p/(p + q)
    int const s = reference::sign(ell);
    quad const growth = 1 + 2 * (a - 1) * share;
    return s == 0 ? -gauge / 2 : -(s * raised(tanh, a - 1) * growth + gauge) / 2;
  }

  std::optional<reference::kink> kink_at(quad a) const override { return kink_of_power(a); }
  double largest_exponent(row_pair const& row, quad a) const override {
    auto const size = [](quad x) { return x / (x + 2); };
    return std::max(exponent_of_ratio(row, a), exponent_of_size(row, a, size));
  }
};

}  // namespace

losses::entry const& puri_vincze() {
  static puri_vincze_entry const entry;
  return entry;
}

}  // namespace entries
