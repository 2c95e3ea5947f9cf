// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <cuda/run_device.hpp>

namespace device_test {

found run_labelled(parity::call<float> const& c, how way, bool in_place);

bool has_device() {
  int devices = 0;
  return cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
}

template <>
found run(parity::loss what, parity::call<float> const& c, how way, bool in_place) {
  switch (what) {
    case parity::loss::kl:
      return run_as(divot::kl{}, c, way, in_place);
    case parity::loss::mixture:
      return run_labelled(c, way, in_place);
    default:
      throw std::logic_error("this loss is not instantiated for a device");
  }
}
template <>
found run(parity::loss what, parity::call<double> const& c, how way, bool in_place) {
  if (what != parity::loss::kl) throw std::logic_error("this loss is not instantiated in double");
  return run_as(divot::kl{}, c, way, in_place);
}

}  // namespace device_test
