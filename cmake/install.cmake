# SPDX-FileCopyrightText: divot contributors
# SPDX-License-Identifier: MIT

# Installs the headers and a CMake package; `cmake --install DIR --component divot` is all of it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_DATAROOTDIR}/cmake/divot)

install(TARGETS divot_headers EXPORT divotTargets COMPONENT divot
  FILE_SET HEADERS COMPONENT divot
  FILE_SET device COMPONENT divot
  FILE_SET adapters COMPONENT divot)
install(EXPORT divotTargets NAMESPACE divot:: DESTINATION ${package_dir} COMPONENT divot)

write_basic_package_version_file(${PROJECT_BINARY_DIR}/divotConfigVersion.cmake
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  ${PROJECT_SOURCE_DIR}/cmake/divotConfig.cmake
  ${PROJECT_SOURCE_DIR}/cmake/divotDependencies.cmake
  ${PROJECT_BINARY_DIR}/divotConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT divot)
