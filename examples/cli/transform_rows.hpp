// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include "transforms.hpp"

#include <divot/eigen/transforms.hpp>
#include <divot/exec/teams.hpp>

#include <algorithm>
#include <variant>
#include <vector>

namespace cli {

/// A list of transforms that is known at run time, from the library's own rows: the rows' logits on
/// the way in, their gradients on the way back.
template <class Wide>
class transform_rows {
 public:
  explicit transform_rows(std::vector<transform> const& all) {
    for (transform const& t : all) steps_.push_back(step_of(t));
  }

  bool empty() const { return steps_.empty(); }

  /// x becomes y.
  void apply(Wide* x, divot::index classes, divot::index row) const {
    for (step const& one : steps_) {
      std::visit([&](auto const& s) { s.apply(x, classes, row); }, one.row);
    }
  }

  /// ∂/∂y at g becomes ∂/∂x; x is overwritten.
  void pull(Wide* g, Wide* x, divot::index classes, divot::index row) const {
    std::vector<std::vector<Wide>> kept(steps_.size());
    std::vector<Wide> notes(steps_.size());
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      std::visit(
          [&](auto const& s) {
            if constexpr (std::remove_cvref_t<decltype(s)>::keeps) {
              kept[i].resize(static_cast<std::size_t>(classes));
              notes[i] = s.record(x, classes, row, kept[i].data());
            } else {
              s.apply(x, classes, row);
            }
          },
          steps_[i].row);
    }
    for (std::size_t i = steps_.size(); i-- > 0;) {
      std::visit([&](auto const& s) { s.pull(g, classes, row, kept[i].data(), notes[i]); },
                 steps_[i].row);
    }
  }

 private:
  using team = divot::row_team<divot::simd_policy, Wide>;

  /// One row for all, or a row each.
  struct kept_classes {
    static constexpr bool by_rows = true;
    matrix<std::uint8_t> const* keep;
    bool operator()(divot::index row, divot::index k) const {
      return (*keep)(keep->rows() == 1 ? 0 : row, k) != 0;
    }
  };
  using biases = divot::vector_entries<Wide, std::vector<double>>;
  struct step {
    std::variant<divot::softcap_row<team>, divot::bias_row<team, biases>,
                 divot::standardise_row<team>, divot::mask_row<team, kept_classes>>
        row;
  };

  static step step_of(transform const& t) {
    switch (t.what) {
      case transform::kind::softcap:
        return {divot::softcap_row<team>(t.cap)};
      case transform::kind::bias:
        return {divot::bias_row<team, biases>(biases(t.bias))};
      case transform::kind::standardise:
        return {divot::standardise_row<team>()};
      default:
        return {divot::mask_row<team, kept_classes>(kept_classes{&t.keep})};
    }
  }

  std::vector<step> steps_;
};

}  // namespace cli
