// expect: divot: on a device sinkd is a call of its own, or a multiple of it
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/exec/device_sinkd_call.hpp>

auto term() { return divot::only_sinkd_term(.5 * divot::sinkd{} + divot::kl{}); }
