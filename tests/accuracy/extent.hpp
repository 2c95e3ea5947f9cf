// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>

/// Whether to run over all rows there are: DIVOT_TEST_ALL=1. Else over a part of them, since the
/// reference takes microseconds a class and a loss: half an hour for the longest rows.
inline bool all_rows() { return std::getenv("DIVOT_TEST_ALL") != nullptr; }
