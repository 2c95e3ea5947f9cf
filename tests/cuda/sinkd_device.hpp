// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// SinkD on a device with operands on the host, for tests that nvcc does not translate.

#include <divot/core/sinkd.hpp>

#include <cuda/device.hpp>

namespace device_test {

/// With both gradients. Outputs are poisoned before.
template <class T>
found run_sinkd(divot::sinkd const& what, parity::call<T> const& c, how way = how::plain,
                bool in_place = false);

}  // namespace device_test
