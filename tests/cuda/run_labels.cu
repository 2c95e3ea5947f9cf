// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <cuda/run_device.hpp>

namespace device_test {

found run_labelled(parity::call<float> const& c, how way, bool in_place) {
  auto const kd = 0.9 * divot::at(4, divot::kl{}, divot::t_squared);
  return run_as(0.1 * divot::cross_entropy{} + kd, c, way, in_place);
}

}  // namespace device_test
