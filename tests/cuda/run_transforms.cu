// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <cuda/run_device.hpp>

namespace device_test {

found run_transformed(parity::call<float> const& c, std::vector<double> const& bias,
                      std::vector<std::uint8_t> const& keep) {
  stream const s;
  copy<float> one(c, false);
  array<double> const b{std::span(bias)};
  array<std::uint8_t> const mask{std::span(keep)};
  auto const wrap = [&](array<float> const& x, double temperature) {
    return divot::logits(one.view(x), temperature)
        .softcap(30)
        .bias(b.input())
        .standardise()
        .mask(mask.input());
  };
  divot::value_and_gradient(divot::cuda(s), divot::kl{}, wrap(one.teacher, c.teacher_temperature),
                            wrap(one.student, c.student_temperature), one.where(), one.options());
  s.wait();
  return one.fetch();
}

}  // namespace device_test
