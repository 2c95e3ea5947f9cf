// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

// Every entry of the catalogue as device code, on the team of a block and on one thread.

#include <divot/cuda.cuh>

namespace {

using operand = divot::device_operand<float>;
using call_type = divot::device_call<operand, operand, float, float>;

template <class Team, class Plan>
__global__ void one_row(__grid_constant__ Plan const plan, __grid_constant__ call_type const call,
                        divot::device_arrays const arrays, typename Team::scalar* memory) {
  divot::device_row<Team, true, false, call_type> const one(call, arrays, memory, 1024, 0, 0);
  one.run(plan, 0);
}

template <class L>
void take(L const& what) {
  auto const plan = divot::make_plan(what);
  using plan_type = decltype(divot::make_plan(what));
  one_row<divot::lockstep_team<float, divot::block_group>, plan_type>
      <<<1, 32>>>(plan, call_type{}, {}, nullptr);
  one_row<divot::scalar_team<double, true>, plan_type><<<1, 1>>>(plan, call_type{}, {}, nullptr);
}

}  // namespace

void take_all() {
  divot::for_each_loss(divot::catalogue{}, [](auto const& what) { take(what); });
}
