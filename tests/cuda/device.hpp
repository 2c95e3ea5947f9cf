// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// Calls on a device with operands on the host: parity's calls, copied there and back. Plain C++, so
// that tests need not be translated by nvcc.

#include <parity/parity.hpp>

#include <cstdint>
#include <vector>

namespace device_test {

/// Whether there is a device to run on; what nvcc translates is linked all the same.
bool has_device();

/// How a call is made.
enum class how {
  plain,       // memory from the device's pool
  workspace,   // memory that is given
  graph,       // captured in a graph, which is run twice
  two_streams  // two copies of the call at the same time; the outcomes must be the same bits
};

struct found {
  double loss = -1;
  unsigned long long bad_rows = 0;
  divot::index first_bad = -1;
};

/// kl in float or double, and the mixture of cross-entropy and kl in float. Outputs are poisoned
/// before. With in_place the gradients take the logits' place, on the device.
template <class T>
found run(parity::loss what, parity::call<T> const& c, how way = how::plain, bool in_place = false);

/// kl of logits(x, T).softcap(30).bias(b).standardise().mask(keep) on both sides.
found run_transformed(parity::call<float> const& c, std::vector<double> const& bias,
                      std::vector<std::uint8_t> const& keep);

/// softmax(x/T) of dense rows in place of x, and its pullback in place of what arrives.
void softmax(std::vector<float>& x, std::vector<float>& upstream, divot::index rows,
             divot::index cols, double temperature);
/// log Σ exp of each row.
std::vector<double> logsumexp(std::vector<float> const& x, divot::index rows, divot::index cols);

}  // namespace device_test
