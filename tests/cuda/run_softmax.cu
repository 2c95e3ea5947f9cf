// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <cuda/run_device.hpp>

namespace device_test {

void softmax(std::vector<float>& x, std::vector<float>& upstream, divot::index rows,
             divot::index cols, double temperature) {
  array<float> const y{std::span<float const>(x)}, u{std::span<float const>(upstream)};
  divot::device_view<float> const of_y(y.data(), rows, cols), of_u(u.data(), rows, cols);
  stream const s;
  divot::softmax(divot::cuda(s), divot::logits(of_y, temperature), of_y);
  divot::softmax_pullback(divot::cuda(s), of_y, of_u, of_u, temperature);
  s.wait();
  y.fetch(x.data());
  u.fetch(upstream.data());
}

std::vector<double> logsumexp(std::vector<float> const& x, divot::index rows, divot::index cols) {
  array<float> const from{std::span<float const>(x)};
  array<double> const to(static_cast<std::size_t>(rows));
  stream const s;
  divot::logsumexp(divot::cuda(s), divot::device_view<float>(from.data(), rows, cols), to.span());
  s.wait();
  std::vector<double> out(static_cast<std::size_t>(rows));
  to.fetch(out.data());
  return out;
}

}  // namespace device_test
