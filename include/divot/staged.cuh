// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

// The one place where Eigen and CUDA meet: host matrices for calls on a device.

#include <divot/exec/cuda.cuh>
#include <divot/exec/device_operands.hpp>

#pragma nv_diagnostic push
#pragma nv_diag_suppress 20012  // Eigen's own annotations
#include <Eigen/Core>
#pragma nv_diagnostic pop

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// A row-major matrix of the host and its copy on the device. Made by `staged`.
template <class Scalar>
class staged_matrix {
 public:
  staged_matrix(Scalar* host, index rows, index cols, index row_stride, cudaStream_t stream)
      : host_(host),
        row_stride_(row_stride),
        stream_(stream),
        memory_(stream, {}, bytes(rows * cols)),
        view_(reinterpret_cast<plain*>(memory_.data()), rows, cols) {
    copy(view_.data, bytes(cols), host_, bytes(row_stride_), cudaMemcpyHostToDevice);
  }

  /// Where it is on the device.
  device_view<Scalar> view() const { return {view_.data, view_.rows, view_.cols}; }
  /// Copies what the device has back to the host's matrix, and waits for it.
  void fetch() const requires(!std::is_const_v<Scalar>) {
    copy(host_, bytes(row_stride_), view_.data, bytes(view_.cols), cudaMemcpyDeviceToHost);
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize", "a staged matrix");
  }

 private:
  using plain = std::remove_const_t<Scalar>;

  static std::size_t bytes(index numbers) {
    return static_cast<std::size_t>(numbers) * sizeof(Scalar);
  }
  void copy(void* to, std::size_t to_pitch, void const* from, std::size_t from_pitch,
            cudaMemcpyKind kind) const {
    if (view_.rows == 0 || view_.cols == 0) return;
    check_cuda(cudaMemcpy2DAsync(to, to_pitch, from, from_pitch, bytes(view_.cols),
                                 static_cast<std::size_t>(view_.rows), kind, stream_),
               "cudaMemcpy2DAsync", "a staged matrix");
  }

  Scalar* host_;
  index row_stride_;
  cudaStream_t stream_;
  stream_memory memory_;
  device_view<plain> view_;
};

template <class Scalar, class Derived>
staged_matrix<Scalar> staged_rows(Derived& matrix, cudaStream_t stream) {
  static_assert((Derived::Flags & Eigen::DirectAccessBit) != 0,
                "divot: staged needs a matrix in memory: give the expression a matrix of its own");
  static_assert(Derived::IsRowMajor || Derived::IsVectorAtCompileTime,
                "divot: a device has its rows one after the other: stage a row-major matrix");
  if (matrix.cols() > 1 && matrix.colStride() != 1) {
    fail("staged: the numbers of a row are ", matrix.colStride(), " apart; they must lie together");
  }
  return {matrix.data(), matrix.rows(), matrix.cols(), matrix.rowStride(), stream};
}

/// Copies a host matrix to the device, in the stream's order: `.view()` is for calls, `.fetch()`
/// copies back. The matrix must outlive that. Row-major, as a device has its rows: any matrix,
/// vector, block or map of which the rows lie together; float, double.
///
///   auto const t = divot::staged(teacher, stream), s = divot::staged(student, stream);
///   divot::gradient(divot::cuda(stream), divot::kl{}, t.view(), s.view(), s.view());
///   s.fetch();
template <class Derived>
auto staged(Eigen::DenseBase<Derived>& matrix, cudaStream_t stream = nullptr) {
  return staged_rows<typename Derived::Scalar>(matrix.derived(), stream);
}
/// The same of what is only read.
template <class Derived>
auto staged(Eigen::DenseBase<Derived> const& matrix, cudaStream_t stream = nullptr) {
  return staged_rows<typename Derived::Scalar const>(matrix.derived(), stream);
}

}  // namespace DIVOT_ABI
}  // namespace divot
