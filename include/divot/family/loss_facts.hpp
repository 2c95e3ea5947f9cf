// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/config.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// What a call must know of its loss beside how a row of it is done.
struct loss_facts {
  bool has_labels = false;       ///< it looks at labels
  bool smooths_labels = false;   ///< with a smoothing of its own
  bool tempers = false;          ///< a group has a temperature of its own, and not 1
  bool tempers_teacher = false;  ///< one with divergences
  bool uses_wrappers = false;    ///< divergences are taken at the wrappers' temperatures
  bool has_function = false;     ///< of a row's divergence
  bool adds_up = false;          ///< gradients come in several parts
  double z_weight = 0;
};

}  // namespace DIVOT_ABI
}  // namespace divot
