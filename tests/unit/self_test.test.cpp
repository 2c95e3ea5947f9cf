// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

#include <divot/self_test.hpp>

void self_test_of_a_reordered_unit();

TEST_CASE("self_test accepts a unit that computes as written") {
  CHECK_NOTHROW(divot::self_test());
}

#if defined(__GNUC__) && !defined(__clang__)
TEST_CASE("self_test refuses a unit that reorders sums") {
  CHECK_THROWS_WITH_AS(self_test_of_a_reordered_unit(),
                       "divot: self test: sums are reordered here (-fassociative-math?); exact "
                       "differences are lost",
                       divot::error);
}
#endif
