// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <cuda/run_device.hpp>
#include <cuda/sinkd_device.hpp>

namespace device_test {

template <>
found run_sinkd(divot::sinkd const& what, parity::call<float> const& c, how way, bool in_place) {
  return run_as(what, c, way, in_place);
}
template <>
found run_sinkd(divot::sinkd const& what, parity::call<double> const& c, how way, bool in_place) {
  return run_as(what, c, way, in_place);
}

}  // namespace device_test
