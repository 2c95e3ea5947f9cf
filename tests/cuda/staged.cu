// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT

#include <divot/staged.cuh>

namespace device_test {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void there_and_back(row_major const& from, row_major& to) {
  auto const a = divot::staged(from);
  auto const b = divot::staged(to);
  divot::check_cuda(cudaMemcpyAsync(b.view().data, a.view().data,
                                    static_cast<std::size_t>(from.size()) * sizeof(float),
                                    cudaMemcpyDeviceToDevice, nullptr),
                    "cudaMemcpyAsync", "a test");
  b.fetch();
}

}  // namespace device_test
