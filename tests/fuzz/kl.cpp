// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <fuzz/check.hpp>

using fuzz::plain;

DIVOT_FUZZ(plain(divot::kl{}, "kl"), plain(divot::reverse_kl{}, "reverse_kl"),
           plain(divot::jeffreys{}, "jeffreys"),
           plain(divot::soft_cross_entropy{}, "soft_cross_entropy"))
