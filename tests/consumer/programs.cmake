# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# What both consumers build once they have the target divot::divot.
get_target_property(switched_on divot::divot INTERFACE_COMPILE_OPTIONS)
if(switched_on)
  message(FATAL_ERROR "linking divot::divot switches on ${switched_on}")
endif()

add_executable(consumer ../main.cpp ../without_openmp.cpp)
target_link_libraries(consumer PRIVATE divot::divot)

if(TARGET divot::openmp)
  add_executable(consumer_openmp ../with_openmp.cpp)
  target_link_libraries(consumer_openmp PRIVATE divot::openmp)
endif()
