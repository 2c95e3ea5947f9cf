// expect: divot: C\+\+20 is needed: compile with -std=c\+\+20
// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#include <divot/divot.hpp>
