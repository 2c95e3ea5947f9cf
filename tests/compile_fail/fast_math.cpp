// expect: divot: -ffast-math \(or a part of it\) breaks infinities
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>
